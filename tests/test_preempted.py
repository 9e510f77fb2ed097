"""Stacks of goroutines that are preempted all the time, on both engines, held against unwinding by frame sizes alone.

The program cannot tell of itself what it does at the instant of the pause. But the capture holds those stacks' bytes, and Go's own
function table has the size of every frame at every PC: what a traceback would do with them needs no frame pointers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from agent.memory import ProcessMemory
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.decode.records import MASK, Chain, Records, unpack
from compiler.decode.stack import Stacks
from compiler.ir.program import GoRuntime, PcRange, Program
from compiler.ir.raw import FLAG_IMAGE, FLAG_NO_STACK, SOURCE_THREAD, RawCapture, RawGoroutine
from compiler.spec import read_spec
from tests.conftest import ROOT, build
from tests.programs import Target, running

pytestmark = [pytest.mark.every_go, pytest.mark.timeout(600)]

CAPTURES = 4
COPYSTACK = 8
RSP = 7
SPEC = "functions: []\nlimits: {pause_ms: 60000}\n"


@pytest.fixture(scope="module")
def binary(go: Path, built: Path) -> Iterator[Binary]:
    with Binary(build(go, ROOT / "tests/targets/preempted", built / "preempted")) as opened:
        yield opened


@pytest.fixture(scope="module")
def program(binary: Binary) -> Program:
    return compile_spec(read_spec(SPEC, "preempted.yaml"), binary).program


@pytest.fixture(scope="module")
def storm(binary: Binary) -> Iterator[Target]:
    with running(binary.executable.path, "-n", 200, timeout_s=120) as target:
        yield target


@dataclass(frozen=True)
class Reference:
    """Unwinds by frame sizes: the CFA is SP + size + 8, and the return address lies below it."""

    binary: Binary
    runtime: GoRuntime
    bias: int
    records: Records

    def frames(self, goroutine: RawGoroutine) -> list[tuple[int, bool, int]]:
        """(link-time PC, whether it is exact, CFA) of each frame, innermost first."""
        symbols, found = self.binary.pclntab, list[tuple[int, bool, int]]()
        pc, sp = goroutine.pc - self.bias, goroutine.sp
        exact = goroutine.source == SOURCE_THREAD or symbols.entry(pc) == pc
        while True:
            size = symbols.frame_size(pc)
            assert size is not None, hex(pc)
            cfa = sp + size + 8
            found.append((pc, exact, cfa))
            if _inside(pc, self.runtime.outermost):
                return found
            back = self.records.image.word(cfa - 8)
            assert back is not None, (goroutine.goid, hex(cfa))
            exact, pc, sp = _inside(pc, self.runtime.interrupts), back - self.bias, cfa


def _inside(pc: int, ranges: tuple[PcRange, ...]) -> bool:
    return any(each.lo <= pc < each.hi for each in ranges)


def _corrections(
    chain: Chain, goroutine: RawGoroutine, reference: list[tuple[int, bool, int]], bias: int
) -> str | None:
    """What the frame pointers alone got wrong first: the frame before the one that they miss."""
    pcs = [pc - bias for pc, _ in chain]
    for position, (pc, _, _) in enumerate(reference):
        if position >= len(pcs) or pcs[position] != pc:
            if position == 1:
                return "thread" if goroutine.source == SOURCE_THREAD else "prologue"
            return "interrupted"
    return None


def _handles_a_signal(goroutine: RawGoroutine, records: Records, runtime: GoRuntime, memory: ProcessMemory) -> bool:
    """Whether its thread is on the stack that it has for signals: then nothing says where the goroutine is."""

    def word(address: int) -> int:
        found = memory.read(address, 8)
        assert found is not None
        return int.from_bytes(found, "little")

    signal = word(goroutine.m + runtime.m_gsignal)
    rsp = records.threads[goroutine.tid][RSP]
    return word(signal + runtime.g_stack_lo) <= rsp < word(signal + runtime.g_stack_hi)


def _checked(raw: RawCapture, program: Program, binary: Binary, memory: ProcessMemory, corrected: Counter[str]) -> int:
    """Hold all stacks of a capture that have their bytes against the reference; how many, and those that rightly have none."""
    records, bias, count = unpack(raw), raw.header.bias, 0
    stacks = Stacks(program.runtime, bias, binary.pclntab, records.image)
    reference = Reference(binary, program.runtime, bias, records)
    for goroutine in records.goroutines:
        if goroutine.flags & FLAG_NO_STACK:
            moving = goroutine.status & 0xFF == COPYSTACK
            assert moving or _handles_a_signal(goroutine, records, program.runtime, memory), goroutine
            count += not moving
        elif goroutine.flags & FLAG_IMAGE:
            frames = stacks.frames(goroutine, records.stacks)
            wanted = reference.frames(goroutine)
            ours = [(each.pc + (not each.exact), each.exact, each.cfa + goroutine.sp & MASK) for each in frames]
            assert ours[:-1] == wanted[:-1], goroutine.goid  # of runtime.goexit nobody needs the CFA
            assert ours[-1][0] == wanted[-1][0]
            corrected[_corrections(records.stacks[goroutine.stack_id], goroutine, wanted, bias) or "nothing"] += 1
            count += 1
    return count


@pytest.mark.parametrize("engine", [MemoryEngine, EbpfEngine], ids=["memory", "ebpf"])
def test_stacks_in_a_storm_are_those_of_full_unwinding(
    engine: type[Engine], storm: Target, program: Program, binary: Binary
) -> None:
    corrected, made = Counter[str](), engine()
    for _ in range(CAPTURES):
        with arm(storm.pid, program, made) as armed:
            assert _checked(armed.fire(), program, binary, ProcessMemory(storm.pid), corrected) >= 230
    assert corrected["prologue"] >= CAPTURES
    assert corrected.total() - corrected["nothing"] >= 20 * CAPTURES
