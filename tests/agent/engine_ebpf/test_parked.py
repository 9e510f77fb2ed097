"""The engine on a real Go process: what it copies, held against the process's own word, its memory, and the other engine."""

import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import ArmedProbe, Registers, Target
from agent.engine_ebpf import EbpfEngine
from agent.engine_ebpf.probe import EbpfProbe
from agent.engine_memory import MemoryEngine
from agent.memory import ProcessMemory
from agent.pause import paused
from compiler.ir.errors import CannotNow
from compiler.ir.program import Program
from compiler.ir.raw import FLAG_FRAMES_CUT, FLAG_IMAGE, SOURCE_THREAD, Loss
from tests import programs
from tests.agent.engine_ebpf.agreement import Seen, assert_agree, sort_out
from tests.programs import StartTarget, running

ITEMS, LIGHT, DEPTH = 23, 7, 2000
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def parked(parked_binary: Path) -> Iterator[programs.Target]:
    with running(parked_binary, "-n", ITEMS, "-light", LIGHT, "-depth", DEPTH) as target:
        yield target


def target_of(pid: int, program: Program) -> Target:
    with arm(pid, program, MemoryEngine()) as armed:
        return armed.target


def while_paused(pid: int, what: Callable[[Mapping[int, Registers]], object]) -> None:
    """Do something while the process stands still, on a thread of its own, as a capture does."""

    def pause() -> None:
        with paused(pid, 10 * SECOND) as held:
            what(held.threads)

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(pause).result()


@contextmanager
def probe_of(engine: EbpfEngine, pid: int, program: Program) -> Iterator[EbpfProbe]:
    probe = engine.arm(target_of(pid, program), program)
    try:
        yield probe
    finally:
        probe.close()


def captured(engine: EbpfEngine, pid: int, program: Program, *, seconds: float = 20) -> Seen:
    with probe_of(engine, pid, program) as probe:
        while_paused(pid, lambda threads: probe.run(threads, time.monotonic_ns() + int(seconds * SECOND)))
        return sort_out(*probe.collect())


def test_goroutines_are_those_of_the_process_own_dump(
    parked: programs.Target, parked_program: Program, engine: EbpfEngine
) -> None:
    found = captured(engine, parked.pid, parked_program)
    with urllib.request.urlopen(f"http://{parked.ready['address']}/", timeout=10) as answer:
        dump = {int(goid) for goid in re.findall(rb"^goroutine (\d+)", answer.read(), re.MULTILINE)}
    goids = {each.goid for each in found.goroutines.values()}
    assert len(dump & goids) >= ITEMS + LIGHT + 2
    assert len(dump - goids) <= 3  # the ones that serve the dump
    assert len(goids - dump) <= 12  # the runtime's own


def test_equal_to_the_reference_engine_and_to_memory_itself(
    parked: programs.Target, parked_program: Program, engine: EbpfEngine
) -> None:
    target, memory = target_of(parked.pid, parked_program), ProcessMemory(parked.pid)
    probes: list[ArmedProbe] = [engine.arm(target, parked_program), MemoryEngine().arm(target, parked_program)]
    copies: list[bytes | None] = []

    def capture(threads: Mapping[int, Registers]) -> None:
        for probe in probes:
            probe.run(threads, time.monotonic_ns() + 60 * SECOND)
        ours = sort_out(*probes[0].collect())
        copies.extend(memory.read_many([(at, len(content)) for at, content in ours.memory]))

    while_paused(parked.pid, capture)
    ours, theirs = (sort_out(*probe.collect()) for probe in probes)
    for probe in probes:
        probe.close()
    assert_agree(ours, theirs)
    assert [content for _, content in ours.memory] == copies
    assert [(loss.kind, loss.count) for loss in ours.losses] == [("frames", 1)]
    spinning = [each for each in ours.goroutines.values() if each.source == SOURCE_THREAD]
    assert any(each.flags & FLAG_IMAGE for each in spinning)


def test_same_stacks_are_written_once(parked: programs.Target, parked_program: Program, engine: EbpfEngine) -> None:
    found = captured(engine, parked.pid, parked_program)
    relative = {
        tuple((pc, bp and bp - each.sp) for pc, bp in found.chains[g]): each.stack_id
        for g, each in found.goroutines.items()
    }
    assert len(relative) == len({each.stack_id for each in found.goroutines.values()})
    assert len(relative) < len(found.goroutines) - ITEMS // 2


def test_frame_limit_cuts_deep_stacks_and_says_so(
    parked: programs.Target, parked_program: Program, engine: EbpfEngine
) -> None:
    few, all_of_them = (
        captured(engine, parked.pid, replace(parked_program, limits=replace(parked_program.limits, frames=frames)))
        for frames in (5, 1 << 16)
    )
    assert max(len(chain) for chain in few.chains.values()) == 5
    cut = [each for each in few.goroutines.values() if each.flags & FLAG_FRAMES_CUT]
    assert few.losses == (Loss("frames", len(cut), "stacks were cut at limits.frames"),)
    assert max(len(chain) for chain in all_of_them.chains.values()) > DEPTH
    assert all_of_them.losses == ()


def test_full_buffer_costs_values_but_no_goroutine(
    parked: programs.Target, parked_program: Program, engine: EbpfEngine
) -> None:
    whole = captured(engine, parked.pid, parked_program)
    for process_bytes in (1, 1000, 20_000, 200_000, 400_000):
        limits = replace(parked_program.limits, process_bytes=process_bytes)
        found = captured(engine, parked.pid, replace(parked_program, limits=limits))
        assert found.chains.keys() == whole.chains.keys()
        assert sum(len(content) for _, content in found.memory) <= process_bytes
        assert "budget" in {loss.kind for loss in found.losses}


def test_no_time_is_a_loss_and_the_probe_can_still_be_read(
    parked: programs.Target, parked_program: Program, engine: EbpfEngine
) -> None:
    found = captured(engine, parked.pid, parked_program, seconds=0)
    assert found.goroutines == {}
    assert [loss.kind for loss in found.losses] == ["pause"]


def test_every_interrupted_capture_is_sound(
    parked: programs.Target, parked_program: Program, engine: EbpfEngine
) -> None:
    """Stopped after any number of runs, the records can be read, and what they say is true."""
    whole = captured(engine, parked.pid, parked_program)
    for microseconds in range(1, 1200, 100):
        found = captured(engine, parked.pid, parked_program, seconds=microseconds / 1e6)
        assert found.chains.keys() <= whole.chains.keys()
        for at, content in found.memory[::50]:
            assert ProcessMemory(parked.pid).read(at, len(content)) is not None


def test_target_that_ends_is_one_clear_error(
    parked_binary: Path, parked_program: Program, engine: EbpfEngine, start_target: StartTarget
) -> None:
    target = start_target(parked_binary)
    with probe_of(engine, target.pid, parked_program) as probe:
        target.process.kill()
        target.process.wait()
        with pytest.raises(CannotNow, match="the process ended while it was captured; take the snapshot again"):
            probe.run({}, time.monotonic_ns() + SECOND)
    with pytest.raises(CannotNow, match=r"process \d+ has ended"):
        engine.arm(Target(target.pid, 0, 0), parked_program)


def test_close_may_be_called_twice(parked: programs.Target, parked_program: Program, engine: EbpfEngine) -> None:
    with probe_of(engine, parked.pid, parked_program) as probe:
        probe.close()
