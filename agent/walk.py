"""Walks every goroutine's stack by reading memory: the reference for what the eBPF probe does in the kernel.

Only frame pointers are followed; what they cannot tell (a frame that is not set up yet) the decoder mends afterwards.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.engine import Registers, Target
from agent.reader import Reader
from compiler.ir.plan import MARGIN
from compiler.ir.program import Callback, GoRuntime, PcRange, Program
from compiler.ir.raw import (
    FLAG_FRAMES_CUT,
    FLAG_NO_STACK,
    FLAG_STACK_FAULT,
    SOURCE_SCHED,
    SOURCE_SYSCALL,
    SOURCE_THREAD,
    RawGoroutine,
)

GSCAN = 0x1000
RUNNABLE, RUNNING, SYSCALL, COPYSTACK, PREEMPTED = 1, 2, 3, 8, 9
WAITING = frozenset({4, 10})
"""waiting, leaked: runtime.g.waiting says for what."""
NOT_LIVE = frozenset({0, 6, 11})
"""idle, dead, deadextra: no goroutine to speak of."""
UNSETTLED = frozenset({RUNNABLE, RUNNING, PREEMPTED})
"""These may stand in a prologue or at any instruction."""
RBP, RSP, RIP = 6, 7, 16
MAX_GOROUTINES = 1 << 24
BATCH = 512
WINDOW = 4096
"""Bytes of a stack that are read at first; most need no more."""
BROKEN = 32 << 10
"""Bytes beyond the last frame of a chain that leads out of the stack (see compiler.decode.stack)."""

_PAIR = struct.Struct("<QQ")


@dataclass(slots=True)
class Walked:
    """One goroutine. `chain` has (pc, frame pointer) innermost first, `image` the live stack from sp on, `interrupted`
    the chain positions whose PC is exact because a signal stopped them there."""

    goroutine: RawGoroutine
    chain: list[tuple[int, int]] = field(default_factory=list)
    image: bytes = b""
    interrupted: list[int] = field(default_factory=list)
    flags: int = 0

    @property
    def special(self) -> bool:
        """Whether the decoder may have to mend the chain."""
        unsettled = self.goroutine.status & ~GSCAN in UNSETTLED or self.goroutine.source == SOURCE_THREAD
        return unsettled or bool(self.interrupted) or len(self.chain) < 2

    def word(self, address: int) -> int:
        """A word of the image; 0 outside of it."""
        at = address - self.goroutine.sp
        return int.from_bytes(self.image[at : at + 8], "little") if 0 <= at <= len(self.image) - 8 else 0


class Walker:
    """Walks one stopped process."""

    def __init__(self, program: Program, target: Target, reader: Reader, threads: Mapping[int, Registers]) -> None:
        self._runtime: GoRuntime = program.runtime
        self._frames = program.limits.frames
        self._bias = target.bias
        self._reader = reader
        self._threads = threads
        self._outermost = _Ranges(self._runtime.outermost, target.bias)
        self._interrupts = _Ranges(self._runtime.interrupts, target.bias)
        self._callback = _moved(self._runtime.callback, target.bias)

    def goroutines(self) -> list[int] | None:
        """Addresses of all runtime.g (they never move), None where they cannot be read."""
        runtime, bias = self._runtime, self._bias
        count, array = self._reader.word(runtime.allglen + bias), self._reader.word(runtime.allgptr + bias)
        if not count or not array:
            return None if count is None or array is None else []
        pointers = self._reader.read(array, 8 * count) if count <= MAX_GOROUTINES else None
        return None if pointers is None else [g for (g,) in struct.iter_unpack("<Q", pointers)]

    def walk(self, addresses: Sequence[int]) -> Iterator[Walked]:
        """The live goroutines among those at `addresses` (a batch: all are read together)."""
        records = self._reader.read_many([(g, self._runtime.g_size) for g in addresses])
        found = [(g, record) for g, record in zip(addresses, records, strict=True) if record is not None]
        live = [(g, record) for g, record in found if self._status(record) & ~GSCAN not in NOT_LIVE]
        threads = zip(
            self._of_threads(live, self._runtime.g_m, self._runtime.m_procid),
            self._of_threads(live, self._runtime.g_m, self._runtime.m_id),
            self._of_threads(live, self._runtime.g_lockedm, self._runtime.m_procid),
            strict=True,
        )
        walked = [
            Walked(self._goroutine(g, record, *thread)) for (g, record), thread in zip(live, threads, strict=True)
        ]
        windows = self._reader.read_many([(each.goroutine.sp, self._window(each.goroutine)) for each in walked])
        for each, image in zip(walked, windows, strict=True):
            if not self._window(each.goroutine):
                each.flags |= FLAG_NO_STACK
            else:
                each.image = image or b""
                self._chain(each)
            yield each

    def _status(self, record: bytes) -> int:
        at = self._runtime.g_atomicstatus
        return int.from_bytes(record[at : at + 4], "little")

    def _of_threads(self, live: Sequence[tuple[int, bytes]], pointer: int, field_: int) -> list[int]:
        """A word of the runtime.m that each goroutine points to; 0 where it points to none."""
        threads = [word(record, pointer) for _, record in live]
        found = self._reader.read_many([(m + field_, 8 if m else 0) for m in threads])
        return [int.from_bytes(each or b"", "little") for each in found]

    def _goroutine(self, g: int, record: bytes, tid: int, m_id: int, locked_tid: int) -> RawGoroutine:
        runtime, status = self._runtime, self._status(record)
        lo, hi = word(record, runtime.g_stack_lo), word(record, runtime.g_stack_hi)
        pc, sp, bp, source = self._start(record, status & ~GSCAN, tid, range(lo, hi))
        return RawGoroutine(
            g, word(record, runtime.g_goid), word(record, runtime.g_parent_goid), word(record, runtime.g_gopc),
            word(record, runtime.g_startpc), word(record, runtime.g_waitsince), word(record, runtime.g_m), tid, lo, hi,
            pc, sp, bp, word(record, runtime.g_waiting), word(record, runtime.g_labels), m_id, locked_tid,
            status, record[runtime.g_waitreason], source, 0, 0,
        )  # fmt: skip

    def _start(self, record: bytes, status: int, tid: int, stack: range) -> tuple[int, int, int, int]:
        """(pc, sp, bp, source) of the innermost frame."""
        runtime = self._runtime
        sched = word(record, runtime.g_sched_pc), word(record, runtime.g_sched_sp), word(record, runtime.g_sched_bp)
        if status == SYSCALL and word(record, runtime.g_syscallsp):
            pc, sp = word(record, runtime.g_syscallpc), word(record, runtime.g_syscallsp)
            saved = runtime.g_syscallbp
            return pc, sp, self._syscall_bp(pc, sp, sched[2]) if saved is None else word(record, saved), SOURCE_SYSCALL
        registers = self._threads.get(tid)
        if status not in (RUNNING, SYSCALL) or registers is None:
            return *sched, SOURCE_SCHED
        rip, rsp = registers[RIP], registers[RSP]
        if rsp in stack and runtime.text.lo <= rip - self._bias < runtime.text.hi:
            return rip, rsp, registers[RBP], SOURCE_THREAD
        return *(self._elsewhere(word(record, runtime.g_m), rsp, stack) or sched), SOURCE_SCHED

    def _elsewhere(self, m: int, rsp: int, stack: range) -> tuple[int, int, int] | None:
        """(pc, sp, bp) of a running goroutine whose thread is on another stack; None: where the runtime says it left off.

        Into the kernel's vdso (time.Now) it was called from the frame that the runtime.m tells; the frame pointer was
        saved by runtime.nanotime1 or its like. On a signal's stack, nothing says where the goroutine is.
        """
        runtime, read = self._runtime, self._reader.word
        sp = m and read(m + runtime.m_vdso_sp)
        if sp and sp in stack and sp - 16 in stack:
            return read(m + runtime.m_vdso_pc) or 0, sp, read(sp - 16) or 0
        signal = m and read(m + runtime.m_gsignal)
        if signal and (read(signal + runtime.g_stack_lo) or 0) <= rsp < (read(signal + runtime.g_stack_hi) or 0):
            return 0, 0, 0
        return None

    def _syscall_bp(self, pc: int, sp: int, otherwise: int) -> int:
        """Go up to 1.22 saves no frame pointer on entering a system call: it lies below the first frame's CFA."""
        for frame in self._runtime.syscall_frames:
            if frame.lo <= pc - self._bias < frame.hi:
                return sp + frame.size + 8 - 16
        return otherwise

    def _window(self, goroutine: RawGoroutine) -> int:
        """Bytes of the stack to read at first; 0 for one that must not be walked."""
        if goroutine.status & ~GSCAN == COPYSTACK or not goroutine.stack_lo <= goroutine.sp < goroutine.stack_hi:
            return 0
        return min(goroutine.stack_hi - goroutine.sp, WINDOW)

    # ------------------------------------------------------------ frame pointers

    def _chain(self, walked: Walked) -> None:
        sp, hi = walked.goroutine.sp, walked.goroutine.stack_hi
        pc, bp = walked.goroutine.pc, walked.goroutine.bp
        walked.chain.append((pc, bp))
        while sp <= bp <= hi - 16 and not self._outermost.contain(pc):
            if len(walked.chain) >= self._frames:
                walked.flags |= FLAG_FRAMES_CUT
                break
            if not self._reach(walked, min(bp + 32, hi)):
                break
            if self._interrupts.contain(pc):
                walked.interrupted.append(len(walked.chain))
            caller, pc = self._caller(walked, pc, bp)
            if pc == 0:
                break
            walked.chain.append((pc, caller))
            if caller <= bp:
                break
            bp = caller
        outer = max((frame for _, frame in walked.chain if sp <= frame < hi), default=sp)
        if walked.special and not sp <= bp <= hi - 16 and not self._outermost.contain(pc):
            outer = min(hi, outer + BROKEN)  # the decoder may know how to go on
        self._reach(walked, min(hi, outer + 16 + MARGIN))

    def _caller(self, walked: Walked, pc: int, bp: int) -> tuple[int, int]:
        """(frame pointer, PC) of the caller of the frame at `bp`; PC 0 where there is none."""
        at, callback = bp - walked.goroutine.sp, self._callback
        if callback is not None and callback.pcs.lo <= pc < callback.pcs.hi:
            back = walked.word(bp + 16 + callback.between)
            return (
                bp + 16 + callback.between + callback.caller_size,
                back if callback.caller.lo <= back < callback.caller.hi else 0,
            )
        caller, back = _PAIR.unpack_from(walked.image, at)
        if callback is not None and callback.pcs.lo <= back < callback.pcs.hi:
            caller = bp + 8 + callback.size
        return caller, back

    def _reach(self, walked: Walked, end: int) -> bool:
        """Read the stack as far as `end`, and then some."""
        have = walked.goroutine.sp + len(walked.image)
        if end <= have:
            return True
        upto = min(walked.goroutine.stack_hi, max(end, have + len(walked.image)))
        more = self._reader.read(have, upto - have)
        if more is None:
            walked.flags |= FLAG_STACK_FAULT
            return False
        walked.image += more
        return True


def word(record: bytes, at: int | None) -> int:
    """A word of a runtime structure; 0 for a field that this Go version does not have."""
    return 0 if at is None else int.from_bytes(record[at : at + 8], "little")


def _moved(callback: Callback | None, bias: int) -> Callback | None:
    """The same by PCs as the process has them."""
    if callback is None:
        return None
    pcs, caller = (PcRange(each.lo + bias, each.hi + bias) for each in (callback.pcs, callback.caller))
    return replace(callback, pcs=pcs, caller=caller)


class _Ranges:
    """Disjoint ranges of PCs as the process has them."""

    def __init__(self, ranges: Sequence[PcRange], bias: int) -> None:
        self._ranges = sorted((each.lo + bias, each.hi + bias) for each in ranges)
        self._los = [lo for lo, _ in self._ranges]

    def contain(self, pc: int) -> bool:
        index = bisect_right(self._los, pc) - 1
        return index >= 0 and pc < self._ranges[index][1]
