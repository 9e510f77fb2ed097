"""Reads another process's memory, batched, by process_vm_readv(2). Never writes.

The call faults pages in as the process itself would, so pages that were never touched or are swapped out read
correctly; it fails where the process could not read either.
"""

import ctypes
import errno
import os
from collections.abc import Sequence

from agent.capabilities import remedy
from compiler.ir.errors import CannotNow

BATCH = 1024
"""iovecs a call (UIO_MAXIOV)."""
ADDRESS_END = 1 << 47
"""User space ends below (four-level page tables; Go asks for no more)."""


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_uint64), ("size", ctypes.c_size_t))


class ProcessMemory:
    """Memory of the process `pid`; reads answer None where any byte is not mapped."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        # The interpreter lock is kept over the call (it takes microseconds), so that no other thread slips in.
        self._readv = ctypes.PyDLL(None, use_errno=True).process_vm_readv
        self._readv.restype = ctypes.c_ssize_t
        self._readv.argtypes = [
            ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong,
        ]  # fmt: skip

    def read(self, address: int, size: int) -> bytes | None:
        """`size` bytes at `address`, or None."""
        return self.read_many([(address, size)])[0]

    def read_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """One answer for each (address, size)."""
        answers: list[bytes | None] = [b"" if size == 0 else None for _, size in spans]
        sound = [n for n, (at, size) in enumerate(spans) if size > 0 and at > 0 and at + size <= ADDRESS_END]
        for start in range(0, len(sound), BATCH):
            numbers = sound[start : start + BATCH]
            for number, found in zip(numbers, self._batch([spans[n] for n in numbers]), strict=True):
                answers[number] = found
        return answers

    def _batch(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """Call until every span was read or refused: a call ends at the first one that has an unmapped page."""
        remote = (_Iovec * len(spans))(*(_Iovec(at, size) for at, size in spans))
        buffer = bytearray(sum(size for _, size in spans))
        window = (ctypes.c_char * len(buffer)).from_buffer(buffer)
        answers: list[bytes | None] = []
        done = at = 0
        while done < len(spans):
            copied = self._call(ctypes.addressof(window) + at, len(buffer) - at, remote, done)
            while done < len(spans) and copied >= spans[done][1]:
                size = spans[done][1]
                answers.append(bytes(memoryview(buffer)[at : at + size]))
                at, copied, done = at + size, copied - size, done + 1
            if done < len(spans):
                answers.append(None)
                at, done = at + spans[done][1], done + 1
        return answers

    def _call(self, into: int, room: int, remote: "ctypes.Array[_Iovec]", first: int) -> int:
        local = _Iovec(into, room)
        begin = ctypes.addressof(remote) + first * ctypes.sizeof(_Iovec)
        copied: int = self._readv(self._pid, ctypes.addressof(local), 1, begin, len(remote) - first, 0)
        if copied >= 0:
            return copied
        code = ctypes.get_errno()
        if code in (errno.EFAULT, errno.EIO, errno.ENOMEM):
            return 0
        if code == errno.ESRCH:
            raise CannotNow(f"process {self._pid} has ended", remedy="take the snapshot again")
        raise CannotNow(
            f"cannot read the memory of process {self._pid}: {os.strerror(code)}",
            remedy=remedy("CAP_SYS_PTRACE"),
        )
