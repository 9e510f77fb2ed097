"""One process running one program: told from whatever has its pid, or runs in it, later."""

import os
import select
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.capabilities import remedy
from agent.threads import AGAIN
from compiler.ir.errors import CannotNow, FreezeframeError

AT_ENTRY: Final = 9
"""Of the auxiliary vector (getauxval(3)): where the program's entry point is in the process."""


class Incarnation:
    """Holds on to a process by a pidfd, which ends with it, and to its program by what execve(2) changes: the auxiliary
    vector (with new random addresses) and the executable. While that is the same file, it has the same build id: the kernel lets
    nobody write into a program that runs. Close it.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        try:
            self._fd = os.pidfd_open(pid)
        except OSError:
            raise self._ended() from None
        try:
            self._program = self._now()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """CannotNow where it is not what it was. Holds for as long as the process is held still."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if poll.poll(0):
            raise self._ended()
        if self._now() != self._program:
            raise CannotNow(f"process {self._pid} has started another program meanwhile", remedy=AGAIN)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Whatever goes wrong in the block is told as what it comes of, if the process is no longer what it was."""
        try:
            yield
        except FreezeframeError:
            self.check()
            raise

    def entry(self) -> int:
        """Where the program was entered, an address in the process."""
        vector = self._program[0]
        pairs = struct.iter_unpack("<QQ", vector[: len(vector) // 16 * 16])
        entry: int | None = next((value for key, value in pairs if key == AT_ENTRY), None)
        if entry is None:
            raise CannotNow(f"the kernel does not tell where process {self._pid} was loaded", remedy=AGAIN)
        return entry

    def close(self) -> None:
        """Let go; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _now(self) -> tuple[bytes, int, int, int]:
        folder = Path(f"/proc/{self._pid}")
        try:
            exe = (folder / "exe").stat()
            return (folder / "auxv").read_bytes(), exe.st_dev, exe.st_ino, exe.st_size
        except PermissionError:
            raise CannotNow(
                f"no permission to look at process {self._pid}", remedy=remedy("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH")
            ) from None
        except OSError:
            if Path(f"/proc/{self._pid}").exists():  # execve(2) leaves it without an executable for a moment
                what = f"process {self._pid} is becoming another program, or has ended"
                raise CannotNow(what, remedy=AGAIN) from None
            raise self._ended() from None

    def _ended(self) -> CannotNow:
        return CannotNow(f"process {self._pid} has ended", remedy=AGAIN)
