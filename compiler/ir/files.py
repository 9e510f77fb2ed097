"""Opens what somebody named as input, and never waits without end for it, as open(2) does at a pipe that nobody writes into."""

import errno
import os
import stat
from io import FileIO
from pathlib import Path
from typing import BinaryIO


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def open_regular(path: Path) -> BinaryIO:
    """A file that is read from wherever something is in it; OSError where it is a pipe, a terminal or another device."""
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115 - it takes no opener; who asked for the file closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is no regular file")


def open_text(path: Path) -> FileIO:
    """A file that `read_text` reads from its beginning to its end; it may be a pipe, as the shell makes one of `<(command)`."""
    return open(path, "rb", buffering=0, opener=_at_once)


def read_text(file: FileIO, most: int) -> bytes:
    """Up to `most` bytes of it. A pipe is waited for while somebody has it open for writing."""
    found = file.read(most)
    if found == b"" and stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
        raise OSError(errno.EPIPE, "it is a pipe into which nobody writes")
    os.set_blocking(file.fileno(), True)
    found = found or b""
    while len(found) < most and (more := file.read(most - len(found))):
        found += more
    return found
