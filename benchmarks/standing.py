"""A Go program that says how long it stood still, and what else is known of it: its objects, its own dumps of its stacks."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time between two readings of the clock, when it began (CLOCK_MONOTONIC), and the sum of all such; ns."""

    longest: int
    began: int
    total: int

    def overlaps(self, first: int, last: int) -> bool:
        """Whether it has a moment of these two times or between them."""
        return self.began <= last and first <= self.began + self.longest


class Standing:
    """benchmarks/targets/pause, running with so many goroutines that wait."""

    def __init__(self, process: subprocess.Popen[str], goroutines: int) -> None:
        self._process = process
        self.goroutines = goroutines
        self.pid = process.pid

    def ask(self, command: str) -> dict[str, Any]:
        """Its answer to a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the measured program has ended; is there memory enough for so many goroutines?")
        answer: dict[str, Any] = json.loads(line.removeprefix("ready "))
        return answer

    def gap(self) -> Gap:
        """The longest gap since the last call."""
        found = self.ask("gap")
        return Gap(found["longest_ns"], found["began_ns"], found["total_ns"])

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it for a while by a signal, so that its clock thread competes with nobody."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
                time.sleep(0.0001)
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextmanager
def standing(binary: Path, goroutines: int) -> Iterator[Standing]:
    """Start it, wait until all of its goroutines wait, kill it at the end."""
    process = subprocess.Popen(
        [str(binary), "-n", str(goroutines)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        found = Standing(process, goroutines)
        found._line()
        yield found
    finally:
        process.kill()
        process.communicate()
