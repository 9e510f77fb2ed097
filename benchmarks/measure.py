"""What one run of a command takes: time on the wall, time on the processors, and the most memory it had."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds on the wall and on the processors, and the largest resident set in MB: mapped pages of files count."""

    wall: float
    cpu: float
    rss: float


def run(command: Sequence[str | Path], environment: Mapping[str, str]) -> Run:
    """Run the command to its end, its output thrown away; RuntimeError where it fails."""
    words = [str(word) for word in command]
    nowhere = os.open(os.devnull, os.O_RDWR)
    began = time.perf_counter()
    pid = os.posix_spawnp(
        words[0], words, {**environment}, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere, each) for each in (0, 1)]
    )
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    os.close(nowhere)
    if status:
        raise RuntimeError(f"{' '.join(words)} failed: status {os.waitstatus_to_exitcode(status)}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def middle(runs: Sequence[Run]) -> Run:
    """The median of each."""
    return Run(*(median(getattr(each, part) for each in runs) for part in ("wall", "cpu", "rss")))
