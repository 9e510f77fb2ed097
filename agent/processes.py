"""The Go processes of this machine, as /proc shows them.

Programs are read through /proc/PID/exe, never by path, so that those in containers and those whose file was replaced
are what they are. Those that the agent's allow-list does not permit are neither listed nor read. Command lines and
environments are read only where a Listing says so.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.allow import AllowList, executable
from agent.capabilities import remedy
from agent.listing import Listing
from agent.threads import container_pid, thread_ids
from compiler.ir.build_id import UNPACK, BinaryIdentity, NotAnExecutable, read_identity
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.wire import GoProcess

KERNEL_THREAD = 0x00200000
"""PF_KTHREAD in the flags of /proc/PID/stat (include/linux/sched.h)."""
MAX_LIBRARIES = 256
"""Libraries of one process that are looked at."""
SETTLE_S = 0.2
"""How long a process may take to end or to become another, once its main thread has ended."""
CHOOSE = "list the Go processes with: freezeframe processes"

FileKey = tuple[int, int, int, int]
"""(device, inode, mtime in ns, size): while these stay, the file is the same."""


@dataclass(frozen=True, slots=True)
class Running:
    """What /proc/PID/stat says. `started` is in clock ticks since boot."""

    command: str
    state: str
    flags: int
    started: int

    @property
    def kernel_thread(self) -> bool:
        return bool(self.flags & KERNEL_THREAD)


class Processes:
    """Lists Go processes; remembers which files are Go programs, so that listing again costs a stat a process."""

    def __init__(
        self, proc: Path = Path("/proc"), allow: AllowList | None = None, listing: Listing | None = None
    ) -> None:
        self._proc = proc
        self.allow = allow or AllowList(proc=proc)
        self._listing = listing or Listing()
        self._known: dict[FileKey, BinaryIdentity | None] = {}

    def list(self) -> tuple[GoProcess, ...]:
        """All that we may look at, by pid. Those that end meanwhile or belong to others are left out."""
        booted_ns = self._booted_ns()
        found: list[GoProcess] = []
        seen: dict[FileKey, BinaryIdentity | None] = {}
        for pid in self._pids():
            try:
                if not self.allow.permits(pid):
                    continue
                key = self._key(pid)
                seen[key] = self._known[key] if key in self._known else self._read(pid)
                identity = seen[key]
                if identity is not None and identity.is_go and not identity.packed:
                    found.append(self._process(pid, identity, booted_ns))
            except (OSError, BadInput):
                continue
        self._known = seen
        return tuple(found)

    def identify(self, pid: int) -> tuple[GoProcess, BinaryIdentity]:
        """The Go process `pid`; BadInput where there is none, Forbidden where it is not on the allow-list, CannotNow
        where we may not look."""
        self.allow.check(pid)
        running = self._settled(pid)
        if running.kernel_thread:
            raise BadInput(f"process {pid} ({running.command}) is a kernel thread", remedy=CHOOSE)
        if running.state in "ZX" and len(thread_ids(pid, self._proc)) > 1:
            raise BadInput(
                f"the main thread of process {pid} ({running.command}) has ended while others run on",
                remedy="such a process cannot be captured; " + CHOOSE,
            )
        if running.state in "ZX":
            raise BadInput(
                f"process {pid} ({running.command}) is a zombie: it has ended and waits for its parent", remedy=CHOOSE
            )
        try:
            identity = self._read(pid)
            if identity is not None and identity.packed:
                raise BadInput(
                    f"the program of process {pid} ({running.command}) is packed by UPX",
                    remedy=UNPACK,
                )
            if identity is None or not identity.is_go:
                what = f"process {pid} ({running.command}) is not a Go program"
                library = self._go_library(pid)
                if library is not None:
                    what += f"; the Go library that it loaded ({library}) cannot be captured, only executables can"
                raise BadInput(what, remedy=CHOOSE)
            return self._process(pid, identity, self._booted_ns()), identity
        except PermissionError:
            raise CannotNow(
                f"no permission to look at process {pid} ({running.command})",
                remedy=remedy("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"),
            ) from None
        except OSError:
            raise CannotNow(f"process {pid} has ended", remedy="take the snapshot again") from None

    def holder(self, build_id: str) -> int | None:
        """The pid of a process that runs this binary; of one that has not been stripped, if there is one."""
        found = [process for process in self.list() if process.build_id == build_id]
        return max(found, key=lambda each: each.debug_info).pid if found else None

    def _pids(self) -> Iterator[int]:
        return iter(sorted(int(entry.name) for entry in os.scandir(self._proc) if entry.name.isdigit()))

    def _key(self, pid: int) -> FileKey:
        status = (self._proc / str(pid) / "exe").stat()
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _read(self, pid: int) -> BinaryIdentity | None:
        """Who the program of `pid` is; None where it is no ELF program of this kind."""
        try:
            with (self._proc / str(pid) / "exe").open("rb") as file:
                return read_identity(file)
        except NotAnExecutable:
            return None

    def _go_library(self, pid: int) -> str | None:
        """The path of a shared library written in Go (-buildmode=c-shared) that a process of another language loaded."""
        folder = self._proc / str(pid)
        lines = (folder / "maps").read_text(errors="replace").splitlines()
        mapped = dict.fromkeys(line.split(None, 5)[-1] for line in lines if " r-xp " in line)
        for path in [each.strip() for each in mapped if each.startswith("/")][:MAX_LIBRARIES]:
            try:
                with (folder / "root" / path[1:]).open("rb") as file:
                    if read_identity(file).is_go:
                        return path
            except (OSError, NotAnExecutable):
                continue
        return None

    def _process(self, pid: int, identity: BinaryIdentity, booted_ns: int) -> GoProcess:
        exe = executable(self._proc / str(pid))
        started = self._running(pid).started * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))
        return GoProcess(
            pid=pid,
            exe=exe,
            program=PurePosixPath(exe).name,
            build_id=identity.build_id,
            go_version=identity.go_version,
            architecture=identity.machine,
            started_at_ns=booted_ns + started,
            container_pid=container_pid(pid, self._proc),
            debug_info=identity.debug_info,
            command_line=self._listing.command_line(self._proc / str(pid)),
            environment=self._listing.variables(self._proc / str(pid)),
        )

    def _settled(self, pid: int) -> Running:
        """What it is when it is not just ending, or becoming another program: then its main thread ends before the others."""
        end = time.monotonic() + SETTLE_S
        while True:
            running = self._running(pid)
            if running.state not in "ZX" or len(thread_ids(pid, self._proc)) < 2 or time.monotonic() > end:
                return running
            time.sleep(0.001)

    def _running(self, pid: int) -> Running:
        try:
            text = (self._proc / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            raise BadInput(f"there is no process {pid}", remedy=CHOOSE) from None
        head, _, tail = text.rpartition(")")  # the command may hold parentheses and blanks (proc(5))
        rest = tail.split()
        return Running(head.partition("(")[2], rest[0], int(rest[6]), int(rest[19]))

    def _booted_ns(self) -> int:
        for line in (self._proc / "stat").read_text().splitlines():
            if line.startswith("btime "):
                return int(line.split()[1]) * 1_000_000_000
        return 0
