"""Where a process's threads were last seen, as /proc/PID/task/TID/stat (proc(5)) tells it just before the process is stopped.

Reading it takes some 10 microseconds a thread: too long for the pause. So what it says is a moment old.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from compiler.ir.raw import SeenThread

MAX_THREADS = 4096
"""Of one process; what more threads did is not read."""
STATE, PROCESSOR = 0, 36
"""Of the fields behind the command: numbers 3 and 39 of proc(5)."""


def last_seen(pid: int) -> list[SeenThread]:
    """The threads of a process, by the numbers that this machine gives them; those that end meanwhile are left out."""
    found = []
    with suppress(OSError):
        for entry in sorted(int(each.name) for each in os.scandir(f"/proc/{pid}/task"))[:MAX_THREADS]:
            with suppress(OSError):
                text = Path(f"/proc/{pid}/task/{entry}/stat").read_text(errors="replace")
                fields = text.rpartition(")")[2].split()
                found.append(SeenThread(entry, int(fields[PROCESSOR]), fields[STATE]))
    return found


def as_named(seen: list[SeenThread], host_tids: Mapping[int, int]) -> tuple[SeenThread, ...]:
    """The same by the numbers that the process itself knows its threads by. `host_tids`: ours by its, empty where they agree."""
    names = {ours: inside for inside, ours in host_tids.items()}
    named = ((names.get(each.tid) if names else each.tid, each) for each in seen)
    return tuple(SeenThread(tid, each.cpu, each.state) for tid, each in named if tid is not None)
