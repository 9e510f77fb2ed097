"""What a test may not leave behind: processes, stopped targets, eBPF objects, open snapshots. Reads /proc."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Every program that a test starts inherits this, so that one whose parent was killed is still known as ours.
MARK = "FREEZEFRAME_TEST_RUN"
GRACE_S = 2.0


@dataclass(frozen=True)
class Process:
    """One process at one time. `started` (clock ticks since boot) tells it from a later one with the same pid."""

    pid: int
    started: int
    parent: int
    state: str
    command: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.command}, state {self.state})"


def mark_children() -> None:
    """From now on, programs started by this process carry our mark in their environment."""
    os.environ[MARK] = str(os.getpid())


def our_processes() -> dict[tuple[int, int], Process]:
    """The living children of this process and whatever else carries its mark, by pid and start time."""
    found = (process for process in _all_processes() if _is_ours(process))
    return {(process.pid, process.started): process for process in found}


def our_open_files() -> set[str]:
    """The eBPF objects and SQLite files that this process holds open, each as `fd: what`."""
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            target = str(fd.readlink())
        except FileNotFoundError:  # the directory's own fd
            continue
        if target.startswith("anon_inode:bpf") or ".sqlite" in target:
            found.add(f"{fd.name}: {target}")
    return found


def left_behind(before: dict[tuple[int, int], Process]) -> list[Process]:
    """The processes of ours that are new since `before` or stopped, after they had a moment to end."""
    deadline = time.monotonic() + GRACE_S
    while True:
        now = our_processes()
        left = [process for key, process in now.items() if key not in before or process.state in "Tt"]
        if not left or time.monotonic() > deadline:
            return sorted(left, key=lambda process: process.pid)
        time.sleep(0.02)


def _all_processes() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            yield _parse_stat(int(folder.name), stat)


def _parse_stat(pid: int, stat: str) -> Process:
    """Parse /proc/PID/stat (proc(5)); the command is in parentheses and may hold any character, a parenthesis too."""
    head, _, tail = stat.rpartition(")")
    fields = tail.split()
    return Process(pid, int(fields[19]), int(fields[1]), fields[0], head.partition("(")[2])


def _is_ours(process: Process) -> bool:
    own = os.getpid()
    if process.pid == own:
        return False
    if process.parent == own:
        return True
    try:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{MARK}={own}".encode() in environment.split(b"\0")
