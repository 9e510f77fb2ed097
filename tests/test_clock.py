"""Goroutines that read the clock: their thread is in the kernel's vdso, on another stack, and their own frames are told still."""

from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import NOT_WALKED, Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.decode import decode
from compiler.ir.frames import Goroutine
from compiler.spec import read_spec
from tests.conftest import ROOT, build
from tests.programs import running

pytestmark = pytest.mark.every_version

GOROUTINES, CAPTURES = 2, 25
SPEC = """
functions: [{function: main.count, table: counts, collect: [id]}]
limits: {pause_ms: 10000}
"""
CALLERS = {"time.Now", "time.now", "time.Since", "time.runtimeNano", "time.runtimeNow", "runtime.nanotime"}
"""Who calls what enters the vdso, by Go version."""


@pytest.mark.parametrize("engine", [EbpfEngine(), MemoryEngine()], ids=lambda each: each.name)
def test_who_reads_the_clock_has_a_stack(go: Path, built: Path, engine: Engine) -> None:
    path = build(go, ROOT / "tests/targets/clock", built / "clock")
    with Binary(path) as binary, running(path, "-n", GOROUTINES) as target:
        program = compile_spec(read_spec(SPEC, "clock.yaml"), binary).program
        in_vdso = interrupted = 0
        for _ in range(CAPTURES):
            with arm(target.pid, program, engine) as armed:
                raw = armed.fire()
            capture = decode(program, raw, binary.pclntab)
            if [loss.detail for loss in capture.losses] == [NOT_WALKED]:
                interrupted += 1  # every 10 ms Go's runtime sends each of the threads a signal: it may just have come
                continue
            assert capture.losses == ()
            clocks = [
                each for each in capture.goroutines if each.start_function == "main.main.gowrap1" or is_clock(each)
            ]
            assert len(clocks) == GOROUTINES
            for each in clocks:
                in_vdso += check(each)
            assert sorted(ids(clocks)) == [str(number) for number in range(GOROUTINES)]
    assert in_vdso > 0
    assert interrupted < CAPTURES // 4


def is_clock(goroutine: Goroutine) -> bool:
    return any(frame.function == "main.count" for frame in goroutine.frames)


def check(goroutine: Goroutine) -> bool:
    """Whether it was stopped in the vdso: its stack is whole in any case."""
    functions = [frame.function for frame in goroutine.frames]
    at = functions.index("main.tick")
    assert all(each.startswith(("time.", "runtime.")) for each in functions[:at])
    assert functions[at : at + 2] == ["main.tick", "main.count"]
    return goroutine.status == "running" and functions[0] in CALLERS


def ids(goroutines: list[Goroutine]) -> list[str]:
    return [str(row.cells[0].value) for each in goroutines for frame in each.frames for row in frame.rows]
