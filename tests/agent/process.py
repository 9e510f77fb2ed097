"""A made-up Go process: a Program with its own runtime layout, and memory laid out by it."""

import struct
import time
from collections.abc import Mapping
from dataclasses import replace

from agent.engine import Registers, Target
from agent.engine_memory import MemoryProbe
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AtCfa,
    FrameSize,
    FunctionTable,
    GoRuntime,
    Located,
    PcRange,
    Piece,
    Program,
    Site,
    Step,
)
from compiler.ir.raw import (
    GOROUTINE,
    KIND_FAULT,
    KIND_GOROUTINE,
    KIND_MEMORY,
    KIND_STACK,
    Loss,
    RawCapture,
    RawGoroutine,
)
from compiler.ir.types import Type
from tests.agent.fake_memory import FakeMemory

BIAS = 0x10000
TEXT = 0x400000
GOEXIT, INTERRUPT, SITE = TEXT + 0x10, TEXT + 0x100, TEXT + 0x1000
ALLGS, STACKS, HEAP = 0x900000, 0x700000, 0x800000
G_SIZE, STACK_SIZE = 256, 0x1000
TYPES_BASE = 0x600000

RUNTIME = GoRuntime(
    text=PcRange(TEXT, TEXT + 0x100000), load_address=TEXT, allglen=0x500000, allgptr=0x500008, types_base=0x500010,
    g_size=G_SIZE, g_stack_lo=0, g_stack_hi=8, g_m=16, g_sched_sp=24, g_sched_pc=32, g_sched_bp=40, g_syscallsp=48,
    g_syscallpc=56, g_syscallbp=64, g_atomicstatus=72, g_goid=80, g_waitsince=88, g_waitreason=96, g_parent_goid=104,
    g_gopc=112, g_startpc=120, g_labels=128, g_waiting=136, g_lockedm=144, m_id=16,
    m_procid=8,
    m_gsignal=1000,
    m_vdso_sp=1008,
    m_vdso_pc=1016,
    syscall_frames=(FrameSize(TEXT, TEXT + 64, 32),),
    interrupts=(PcRange(INTERRUPT, INTERRUPT + 64),), outermost=(PcRange(GOEXIT, GOEXIT + 16),), wait_reasons=("",),
)  # fmt: skip


def program(
    types: tuple[Type, ...] = (),
    pieces: tuple[Piece, ...] = (),
    steps: tuple[Step, ...] = (),
    *,
    root_size: int = 8,
    limits: Limits | None = None,
) -> Program:
    """A Program with one column of type 0 at the call site SITE, if there are pieces."""
    limits = limits or Limits()
    made = Program("fake", "go1.26.0", "amd64", RUNTIME, limits, types)
    if not pieces:
        return made
    access = Access(root_size, steps, 0, limits, "x")
    site = Site(SITE, SITE + 16, False, 0, 0, (Located(0, pieces),))
    return replace(made, accesses=(access,), tables=(FunctionTable("f", "main.f", ("x",)),), sites=(site,))


IN_FRAME = (AtCfa(0, 8, -24),)
"""One word, in the frame."""


class FakeProcess:
    """Memory with goroutines in it."""

    def __init__(self) -> None:
        self.memory = FakeMemory()
        self._gs: list[int] = []

    def goroutine(
        self, goid: int, pcs: list[int], *, status: int = 4, local: int = 0, below: int = 0, **words: int
    ) -> int:
        """A goroutine in a chain of frames of 64 bytes, innermost first; each has `local` at CFA - 24, and `below` below it.
        Further words go to fields of runtime.g (`m`, `syscallsp`, ...). The stack's lowest address is the answer."""
        lo = STACKS + 2 * STACK_SIZE * len(self._gs)
        sp, stack = lo + 0x100, bytearray(STACK_SIZE)
        frames = [sp + 48 + 64 * number for number in range(len(pcs))]
        for number, bp in enumerate(frames):
            caller, pc = (frames[number + 1], pcs[number + 1] + BIAS) if number + 1 < len(pcs) else (0, 0)
            struct.pack_into("<QQQQ", stack, bp - 16 - lo, below, local, caller, pc)
        record = bytearray(G_SIZE)
        fields = {
            "stack_lo": lo, "stack_hi": lo + STACK_SIZE, "sched_sp": sp, "sched_pc": pcs[0] + BIAS,
            "sched_bp": frames[0], "goid": goid, "atomicstatus": status, **words,
        }  # fmt: skip
        for name, value in fields.items():
            struct.pack_into("<Q", record, getattr(RUNTIME, f"g_{name}"), value)
        self.memory.put(lo, bytes(stack))
        self._gs.append(self.memory.put(HEAP + 0x80000 + G_SIZE * len(self._gs), bytes(record)))
        return lo

    def capture(self, made: Program, threads: Mapping[int, Registers] | None = None, seconds: float = 60) -> "Captured":
        self.memory.words(RUNTIME.allglen + BIAS, len(self._gs), ALLGS)
        self.memory.words(ALLGS, *self._gs)
        probe = MemoryProbe(Target(1, BIAS, TYPES_BASE), made, self.memory)
        probe.run(threads or {}, time.monotonic_ns() + int(seconds * 1e9))
        return Captured(*probe.collect())


class Captured:
    """Records, sorted out."""

    def __init__(self, records: bytes, losses: tuple[Loss, ...]) -> None:
        self.losses = losses
        self.goroutines: dict[int, RawGoroutine] = {}
        self.stacks: dict[int, list[tuple[int, int]]] = {}
        self.memory = FakeMemory()
        self.copied = 0
        self.faults: list[int] = []
        for kind, payload in RawCapture.walk(RawCapture(None, records)):  # type: ignore[arg-type]
            if kind == KIND_GOROUTINE:
                found = RawGoroutine(*GOROUTINE.unpack(payload)[:-1])
                self.goroutines[found.goid] = found
            elif kind == KIND_STACK:
                number, count = struct.unpack_from("<II", payload)
                self.stacks[number] = list(struct.iter_unpack("<QQ", payload[8 : 8 + 16 * count]))
            elif kind == KIND_FAULT:
                self.faults.append(int.from_bytes(payload[:8], "little"))
            elif kind == KIND_MEMORY:
                self.memory.put(int.from_bytes(payload[:8], "little"), bytes(payload[8:]))
                self.copied += 1

    def pcs(self, goid: int) -> list[int]:
        """Link-time PCs of a goroutine, innermost first."""
        return [pc - BIAS for pc, _ in self.stacks[self.goroutines[goid].stack_id]]

    def bytes_at(self, address: int, size: int) -> bytes | None:
        return self.memory.read_many([(address, size)])[0]
