"""A process that never was: memory to write Go values into, functions with PCs, and the raw capture of one goroutine."""

import struct
from dataclasses import dataclass, field

from compiler.decode import decode
from compiler.ir.frames import Capture, Cell
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AnyAccess,
    AtCfa,
    DynamicType,
    FunctionTable,
    GoRuntime,
    Located,
    PcRange,
    Piece,
    Place,
    Program,
    Site,
    Step,
)
from compiler.ir.raw import (
    FAULT,
    GOROUTINE,
    KIND_FAULT,
    KIND_GOROUTINE,
    KIND_MEMORY,
    KIND_STACK,
    KIND_THREAD,
    MEMORY,
    STACK,
    STACK_ENTRY,
    THREAD,
    Pause,
    RawCapture,
    RawHeader,
    record,
)
from compiler.ir.symbols import Constants, SymbolFrame
from compiler.ir.types import Type

BIAS = 0x10000
TYPES_BASE = 0x700000
STACK_LO = 0xC000100000
STACK_HI = STACK_LO + 0x2000
SP = STACK_LO + 0x1000
BP = SP + 0x100
CFA = BP + 16
HEAP = 0xC000400000
MAIN_F, MAIN_G, LEAF, ASYNC_PREEMPT, GOEXIT = 0x1000, 0x1100, 0x1200, 0x1300, 0x1F00
REASONS = ("", "chan receive", "IO wait")


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *(value & (1 << 64) - 1 for value in values))


@dataclass(frozen=True)
class Function:
    """256 bytes of code. `size`: CFA - SP - 8 (None: not known); `inlined` fills its upper half."""

    name: str
    size: int | None = 0x100
    inlined: str = ""


class FakeSymbols:
    """Symbols for the functions of a fake process; implements compiler.ir.symbols.Symbols."""

    def __init__(self, functions: dict[int, Function]) -> None:
        self.functions = functions

    def _find(self, pc: int) -> tuple[int, Function] | None:
        lo = pc & ~0xFF
        return (lo, self.functions[lo]) if lo in self.functions else None

    def frames(self, pc: int) -> tuple[SymbolFrame, ...]:
        found = self.function(pc)
        if found is None:
            return ()
        inlined = self.functions[pc & ~0xFF].inlined
        if inlined and pc & 0x80:
            return (SymbolFrame(inlined, inlined, "inl.go", 7, inlined=True, level=1), found)
        return (found,)

    def function(self, pc: int) -> SymbolFrame | None:
        found = self._find(pc)
        if found is None:
            return None
        return SymbolFrame(found[1].name, found[1].name, "main.go", pc & 0xFF, inlined=False, level=0)

    def entry(self, pc: int) -> int | None:
        found = self._find(pc)
        return None if found is None else found[0]

    def frame_size(self, pc: int) -> int | None:
        found = self._find(pc)
        return None if found is None else found[1].size


@dataclass(frozen=True)
class ReadOnly:
    """Read-only data at a link-time address; implements compiler.ir.symbols.Constants."""

    start: int
    data: bytes

    def constant(self, address: int, size: int) -> bytes | None:
        at = address - self.start
        return self.data[at : at + size] if at >= 0 and at + size <= len(self.data) else None


SYMBOLS = FakeSymbols(
    {
        MAIN_F: Function("main.f", 0x108, inlined="main.inl"),
        MAIN_G: Function("main.g"),
        LEAF: Function("main.leaf", 0),
        ASYNC_PREEMPT: Function("runtime.asyncPreempt", 0x108),
        GOEXIT: Function("runtime.goexit"),
    }
)


def go_runtime(**changes: object) -> GoRuntime:
    numbers = {
        "load_address": 0, "allglen": 1, "allgptr": 1, "types_base": 1, "g_size": 440, "g_stack_lo": 0, "g_stack_hi": 8,
        "g_m": 48, "g_sched_sp": 56, "g_sched_pc": 64, "g_sched_bp": 96, "g_syscallsp": 104, "g_syscallpc": 112,
        "g_syscallbp": 120, "g_atomicstatus": 144, "g_goid": 152, "g_waitsince": 168, "g_waitreason": 176,
        "g_parent_goid": 272, "g_gopc": 280, "g_startpc": 296, "g_labels": 344, "g_waiting": 312, "g_lockedm": 272, "m_id": 200,
        "m_procid": 64, "m_gsignal": 72, "m_vdso_sp": 80, "m_vdso_pc": 88,
    }  # fmt: skip
    fields = {
        **numbers,
        "text": PcRange(0x1000, 0x2000),
        "syscall_frames": (),
        "interrupts": (PcRange(ASYNC_PREEMPT, ASYNC_PREEMPT + 0x100),),
        "outermost": (PcRange(GOEXIT, GOEXIT + 0x100),),
        "wait_reasons": REASONS,
        **changes,
    }
    return GoRuntime(**fields)  # type: ignore[arg-type]


def header(**changes: object) -> RawHeader:
    fields = {
        "build_id": "b", "pid": 7, "engine": "test", "captured_at_ns": 5_000_000, "monotonic_ns": 1_000_000,
        "bias": BIAS, "types_base": TYPES_BASE, "pause": Pause(4, 1, 1, 1, 1), "threads": 2, **changes,
    }  # fmt: skip
    return RawHeader(**fields)  # type: ignore[arg-type]


def goroutine_record(**changes: int) -> bytes:
    fields = {
        "g": 0xC000000000, "goid": 17, "parent_goid": 1, "gopc": MAIN_G + BIAS + 9, "startpc": MAIN_F + BIAS,
        "waitsince": 0, "m": 0, "tid": 0, "stack_lo": STACK_LO, "stack_hi": STACK_HI, "pc": MAIN_F + BIAS + 8, "sp": SP,
        "bp": BP, "waiting": 0, "labels": 0, "m_id": 0, "locked_tid": 0, "status": 4,
        "waitreason": 1, "source": 0, "flags": 0, "stack_id": 1, **changes,
    }  # fmt: skip
    return record(KIND_GOROUTINE, GOROUTINE.pack(*fields.values(), 0))


def stack_record(*entries: tuple[int, int], number: int = 1) -> bytes:
    """(link-time PC, frame pointer relative to sp)."""
    packed = b"".join(STACK_ENTRY.pack(pc + BIAS, bp & (1 << 64) - 1) for pc, bp in entries)
    return record(KIND_STACK, STACK.pack(number, len(entries)) + packed)


def thread_record(tid: int, *registers: int) -> bytes:
    return record(KIND_THREAD, THREAD.pack(tid, *registers, *(0 for _ in range(17 - len(registers)))))


@dataclass
class Memory:
    """Writes values and remembers where."""

    written: list[tuple[int, bytes]] = field(default_factory=list)
    faults: list[tuple[int, int]] = field(default_factory=list)
    free: int = HEAP

    def put(self, found: bytes, *, captured: bool = True) -> int:
        """The address of these bytes, kept apart from all others; not `captured`: they are nowhere in the capture."""
        address = self.free
        self.free += len(found) + 24 & ~7
        if captured:
            self.written.append((address, found))
        return address

    def at(self, address: int, found: bytes) -> None:
        self.written.append((address, found))

    def string(self, text: str | bytes) -> bytes:
        """A string's header, its text put elsewhere."""
        found = text.encode() if isinstance(text, str) else text
        return words(self.put(found), len(found)) if found else words(0, 0)

    def slice(self, found: bytes, length: int) -> bytes:
        return words(self.put(found), length, length)

    def records(self) -> bytes:
        pieces = [record(KIND_MEMORY, MEMORY.pack(address) + found) for address, found in self.written]
        return b"".join([*pieces, *(record(KIND_FAULT, FAULT.pack(*fault, 0)) for fault in self.faults)])


def one_column_program(
    types: tuple[Type, ...],
    access: AnyAccess,
    place: Place,
    *,
    dynamic: tuple[DynamicType, ...] = (),
    exact: bool | None = None,
) -> Program:
    """Collects one column in main.f, at call sites and (or) exact PCs."""
    kinds = (False, True) if exact is None else (exact,)
    sites = tuple(Site(MAIN_F, MAIN_F + 0x80, kind, 0, 0, (place,)) for kind in kinds)
    return Program(
        build_id="b", go_version="go1.26", arch="amd64", runtime=go_runtime(), limits=Limits(), types=types,
        dynamic_types=dynamic, accesses=(access,), tables=(FunctionTable("t", "main.f", ("v",)),), sites=sites,
    )  # fmt: skip


WAITING = stack_record((MAIN_F + 8, BP - SP), (GOEXIT + 1, 0))


def capture(
    types: tuple[Type, ...],
    root: bytes,
    memory: Memory | None = None,
    *,
    type_id: int | None = None,
    steps: tuple[Step, ...] = (),
    limits: Limits | None = None,
    dynamic: tuple[DynamicType, ...] = (),
    pieces: tuple[Piece, ...] | None = None,
    dead: tuple[int, ...] = (),
    constants: Constants | None = None,
) -> Capture:
    """One goroutine that waits in main.f, whose one variable's bytes lie at the frame's start."""
    offset = 16 - (BP - SP)
    written = Memory([*(memory.written if memory else ()), (CFA + offset, root)], memory.faults if memory else [])
    access = Access(len(root), steps, len(types) - 1 if type_id is None else type_id, limits or Limits(), "v")
    place = Located(0, (AtCfa(0, len(root), offset),) if pieces is None else pieces, dead)
    program = one_column_program(types, access, place, dynamic=dynamic)
    raw = RawCapture(header(), goroutine_record() + WAITING + written.records())
    return decode(program, raw, SYMBOLS, constants)


def cell(types: tuple[Type, ...], root: bytes, memory: Memory | None = None, **how: object) -> Cell:
    """The one cell of `capture`."""
    found = capture(types, root, memory, **how)  # type: ignore[arg-type]
    return found.goroutines[0].frames[0].rows[0].cells[0]
