"""What /proc says of a process's threads: which there are, who traces them, why one does not stop, and how they are
numbered inside of a container. Pure reading."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler.ir.errors import CannotNow

AGAIN: Final = "take the snapshot again"
STARTS_CHILDREN: Final = frozenset({"56", "58", "435"})
"""clone, vfork and clone3 on amd64: a thread in an uninterruptible wait there has given its memory to its child."""
FREEZER: Final = Path("/sys/fs/cgroup/freezer")
"""Of cgroups v1. A process that version 2 has frozen stops for us like any other."""


PROC: Final = Path("/proc")


def thread_ids(pid: int, proc: Path = PROC) -> list[int]:
    """The threads of `pid` as of now. CannotNow where it has ended."""
    try:
        return sorted(int(entry.name) for entry in os.scandir(proc / str(pid) / "task"))
    except (FileNotFoundError, ProcessLookupError):
        raise CannotNow(f"process {pid} ended while it was being stopped", remedy=AGAIN) from None


def status(path: str) -> Mapping[str, str]:
    """The lines of a status file (proc(5)) by their names; none for what has ended."""
    try:
        lines = Path(path).read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def is_filtered(pid: int, tid: int) -> bool:
    """Whether a seccomp filter says which system calls a thread may make; containers have one as a rule."""
    return status(f"/proc/{pid}/task/{tid}/status").get("Seccomp", "0") != "0"


def container_pid(pid: int, proc: Path = PROC) -> int | None:
    """The number that a process in a pid namespace of its own has there; None for one in ours."""
    numbers = status(str(proc / str(pid) / "status")).get("NSpid", "").split()
    return int(numbers[-1]) if len(numbers) > 1 else None


def own_tid(pid: int, tid: int) -> int:
    """What gettid(2) answers to the thread itself; Go keeps that number. `tid` again where both are in one namespace."""
    numbers = status(f"/proc/{pid}/task/{tid}/status").get("NSpid", "").split()
    return int(numbers[-1]) if numbers else tid


@dataclass(frozen=True, slots=True)
class Tracer:
    """The process that traces a thread, and which of its threads does."""

    pid: int
    name: str
    thread: int

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name})"


def tracer(pid: int, tid: int) -> Tracer | None:
    """Who traces a thread; None where nobody does."""
    number = status(f"/proc/{pid}/task/{tid}/status").get("TracerPid", "0")
    if number == "0":
        return None
    process = status(f"/proc/{number}/status").get("Tgid", number)  # the kernel names the thread that traces
    return Tracer(int(process), status(f"/proc/{process}/status").get("Name", "?"), int(number))


def reluctance(pid: int, tid: int) -> str:
    """Why a thread does not stop, as far as the kernel tells."""
    state = status(f"/proc/{pid}/task/{tid}/status").get("State", "ended")
    if state[0] in "Rt":  # t: it stopped just now
        return "it waits for a processor: the machine is busy"
    if not state.startswith("D"):
        return f"state {state}"
    if _frozen(pid):
        return "its cgroup is frozen"
    number, where = _word(f"/proc/{pid}/task/{tid}/syscall"), _word(f"/proc/{pid}/task/{tid}/wchan")
    if number in STARTS_CHILDREN:
        return "it waits for its new child to run its program, as vfork(2) does"
    place = f" in {where}" if where not in ("", "0") else ""
    return f"it waits in the kernel{place} and cannot be interrupted, as for a disk or a file server"


def _frozen(pid: int) -> bool:
    """Whether cgroups v1 hold the process (`docker pause` there, or a batch system)."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "freezer" in controllers.split(","):
                return "THAWED" not in (FREEZER / path.lstrip("/") / "freezer.state").read_text()
    return False


def _word(path: str) -> str:
    """The first word of a small file; empty where it may not be read."""
    with suppress(OSError):
        return (Path(path).read_text().split() or [""])[0]
    return ""
