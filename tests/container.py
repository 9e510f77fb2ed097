"""Runs a program as a container does, without any container engine: in user, pid and mount namespaces of its own, in a
root directory that holds nothing else. Run as a program: python -m tests.container DIRECTORY COMMAND...
"""

import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import Target, running

ROOT = Path(__file__).resolve().parent.parent

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH, PR_SET_PDEATHSIG = 0x1000, 0x4000, 0x40000, 2, 1
SYS_PIVOT_ROOT = 155
SHIFT = 5
"""So many processes are there before the command, so that its pid inside is not the very first."""
PID = SHIFT + 2


@contextmanager
def in_container(folder: Path, binary: Path, *args: object) -> Iterator[tuple[Target, int]]:
    """Start a static program as /NAME of a container; the target, and the pid that the program has outside."""
    shutil.copy(binary, folder / binary.name)
    command = ["-m", "tests.container", folder, f"/{binary.name}", *args]
    with running(sys.executable, *command, cwd=ROOT) as target:
        yield target, _child(_child(target.pid))


def _child(pid: int) -> int:
    (number,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(number)


def become(root: Path, command: list[str]) -> None:
    """Become the container's first process, which has the command as its child; ends when its own parent does."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    _must(libc.unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    first = os.fork()
    if first == 0:
        _must(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        _move(libc, root)
        for _ in range(SHIFT):
            os.waitpid(os.fork() or os._exit(0), 0)
        os.waitpid(os.posix_spawn(command[0], command, dict(os.environ)), 0)
        os._exit(0)
    os.waitpid(first, 0)


def _move(libc: ctypes.CDLL, root: Path) -> None:
    """Have `root` for /, and nothing of what is outside of it."""
    _must(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    _must(libc.mount(bytes(root), bytes(root), None, MS_BIND | MS_REC, None))
    os.chdir(root)
    _must(libc.syscall(SYS_PIVOT_ROOT, b".", b"."))
    _must(libc.umount2(b".", MNT_DETACH))
    os.chdir("/")


def _must(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    become(Path(sys.argv[1]), sys.argv[2:])
