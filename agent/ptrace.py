"""The door to ptrace(2) and waitpid(2): the four requests that stop a thread, read its registers and let it go.

Of a process nothing can be written here but one register, and that to one end: what a system call answers that a stop broke off.
The calls keep Python's interpreter lock (they take microseconds), so that no other thread of this program slips in while a
target stands still; but PTRACE_SEIZE, which may have to wait, and for us at that (agent/rescue.py).
"""

import ctypes
import os
from dataclasses import dataclass
from typing import Final

from agent.engine import Registers

PTRACE_POKEUSER: Final = 6
PTRACE_GETREGS: Final = 12
PTRACE_DETACH: Final = 17
PTRACE_SEIZE: Final = 0x4206
PTRACE_INTERRUPT: Final = 0x4207
PTRACE_EVENT_STOP: Final = 128
WALL: Final = 0x40000000
WNOTHREAD: Final = 0x20000000
"""Only what this very thread traces: a process that another thread of ours has started is not to be waited for here."""

_USER_REGS = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
    "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
)  # fmt: skip
"""struct user_regs_struct of x86-64 (sys/user.h), all unsigned 64 bit."""
_DWARF = (
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip",
)  # fmt: skip
RAX_AT = 8 * _USER_REGS.index("rax")
"""In struct user (sys/user.h), which begins with the registers."""
_ORDER = tuple(_USER_REGS.index(name) for name in _DWARF)


@dataclass(frozen=True, slots=True)
class WaitStatus:
    """What became of a thread: it stands (`signal` is the one it was about to receive, 0 for none), or it has ended."""

    stopped: bool
    signal: int = 0


class Ptrace:
    """The requests. Use it on one thread: the kernel knows the tracer by its thread."""

    def __init__(self) -> None:
        libc = ctypes.PyDLL(None, use_errno=True)
        self._ptrace = libc.ptrace
        self._ptrace.restype = ctypes.c_long
        self._ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self._patient = ctypes.CDLL(None, use_errno=True).ptrace
        self._patient.restype, self._patient.argtypes = self._ptrace.restype, self._ptrace.argtypes
        self._waitpid = libc.waitpid
        self._waitpid.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.c_int]
        self._status = ctypes.c_int()
        self._registers = (ctypes.c_uint64 * len(_USER_REGS))()

    def quietly(self, request: int, tid: int, data: int = 0) -> int:
        """Make a request; 0, or the errno."""
        return ctypes.get_errno() if self._ptrace(request, tid, None, data or None) < 0 else 0

    def seize(self, tid: int) -> int:
        """Begin to trace a thread, while others of this program run on; 0, or the errno."""
        return ctypes.get_errno() if self._patient(PTRACE_SEIZE, tid, None, None) < 0 else 0

    def registers(self, tid: int) -> Registers | None:
        """The registers of a stopped thread as raw.THREAD orders them; None where it has been killed."""
        if self._ptrace(PTRACE_GETREGS, tid, None, ctypes.addressof(self._registers)) < 0:
            return None
        return tuple(self._registers[index] for index in _ORDER)

    def answer(self, tid: int, error: int) -> None:
        """Have the system call that the stop of a thread broke off answer an errno, instead of being taken up again."""
        self._ptrace(PTRACE_POKEUSER, tid, RAX_AT, (1 << 64) - error)

    def wait(self, tid: int) -> WaitStatus | None:
        """Look whether the thread has stopped or ended; None where it still runs."""
        waited = self._waitpid(tid, ctypes.byref(self._status), WALL | WNOTHREAD | os.WNOHANG)
        if waited == 0:
            return None
        status = self._status.value
        if waited < 0 or not os.WIFSTOPPED(status):
            return WaitStatus(stopped=False)
        # A stop of ours, or of the whole process by job control, has the event in its third byte; else it is a signal
        # on its way to the thread, and not ours to swallow.
        return WaitStatus(stopped=True, signal=0 if status >> 16 == PTRACE_EVENT_STOP else os.WSTOPSIG(status))
