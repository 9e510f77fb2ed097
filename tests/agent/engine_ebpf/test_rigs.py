"""Two workers on one process, pages copied whole, and captures that use what others left behind."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import ArmedProbe
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from agent.pause import paused
from compiler.ir.errors import CannotNow
from compiler.ir.program import Program
from compiler.ir.raw import KIND_MEMORY, RawCapture
from tests import programs
from tests.agent.engine_ebpf.agreement import PAGE, Seen, assert_agree, sort_out
from tests.leaks import our_open_files
from tests.programs import running

SECOND = 1_000_000_000
GOROUTINES = 700
"""More than five batches: each of two workers has several."""


@pytest.fixture(scope="module")
def crowd(parked_binary: Path) -> Iterator[programs.Target]:
    with running(parked_binary, "-n", GOROUTINES, "-light", 7, "-depth", 30) as target:
        yield target


def beside_the_reference(engine: EbpfEngine, pid: int, program: Program) -> Seen:
    """A capture that agrees with one that the reference engine makes in the same pause."""
    reference = MemoryEngine()
    with arm(pid, program, reference) as armed:
        target = armed.target
    probes: list[ArmedProbe] = [engine.arm(target, program), reference.arm(target, program)]

    def pause() -> None:
        with paused(pid, 10 * SECOND) as held:
            for probe in probes:
                probe.run(held.threads, time.monotonic_ns() + 60 * SECOND)

    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(pause).result()
        ours, theirs = (sort_out(*probe.collect()) for probe in probes)
    finally:
        for probe in probes:
            probe.close()
    assert_agree(ours, theirs)
    return ours


def capture(engine: EbpfEngine, pid: int, program: Program) -> RawCapture:
    with arm(pid, program, engine) as armed:
        return armed.fire()


def sorted_out(raw: RawCapture) -> Seen:
    return sort_out(raw.records, raw.header.losses)


def test_two_workers_agree_with_the_reference(crowd: programs.Target, parked_program: Program) -> None:
    found = beside_the_reference(EbpfEngine(workers=2), crowd.pid, parked_program)
    assert len(found.goroutines) > GOROUTINES


def test_a_stack_is_sent_once_by_each_worker(crowd: programs.Target, parked_program: Program) -> None:
    one, two = (sorted_out(capture(EbpfEngine(workers=n), crowd.pid, parked_program)) for n in (1, 2))
    ids = {n: len({g.stack_id for g in found.goroutines.values()}) for n, found in ((1, one), (2, two))}
    assert ids[1] < GOROUTINES // 10
    assert ids[1] <= ids[2] <= 2 * ids[1]


def test_pages_are_copied_for_objects_that_share_them(crowd: programs.Target, parked_program: Program) -> None:
    def pages(raw: RawCapture) -> int:
        return sum(kind == KIND_MEMORY and len(payload) == PAGE + 8 for kind, payload in raw.walk())

    whole, exact = (capture(EbpfEngine(pages=on), crowd.pid, parked_program) for on in (True, False))
    assert pages(whole) > 10 > pages(exact)


def test_a_rig_is_used_again_and_remembers_nothing(
    crowd: programs.Target, parked_binary: Path, parked_program: Program
) -> None:
    engine = EbpfEngine(idle_s=60)
    try:
        capture(engine, crowd.pid, parked_program)
        kept = our_open_files()
        for _ in range(3):
            beside_the_reference(engine, crowd.pid, parked_program)
        assert our_open_files() == kept
        with running(parked_binary, "-n", GOROUTINES, "-light", 3, "-depth", 7) as other:
            beside_the_reference(engine, other.pid, parked_program)
        assert our_open_files() == kept
    finally:
        engine.close()
    assert not {each for each in our_open_files() if "bpf" in each}


def test_rigs_are_given_back_when_nobody_uses_them(crowd: programs.Target, parked_program: Program) -> None:
    """Two of them, which come back one after the other."""
    engine = EbpfEngine(idle_s=0.2)
    first, second = (arm(crowd.pid, parked_program, engine) for _ in range(2))
    first.close()
    time.sleep(0.1)
    second.close()
    assert any("bpf" in each for each in our_open_files())
    deadline = time.monotonic() + 10
    while any("bpf" in each for each in our_open_files()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_captures_in_hand_share_the_memory_that_the_agent_may_use(
    crowd: programs.Target, parked_program: Program
) -> None:
    engine = EbpfEngine(idle_s=60, memory=200 << 20)
    with ExitStack() as stack:
        stack.callback(engine.close)
        first = stack.enter_context(arm(crowd.pid, parked_program, engine))
        stack.enter_context(arm(crowd.pid, parked_program, engine))
        with pytest.raises(
            CannotNow, match=r"this capture needs \d+ MiB, and captures in hand take \d+ of the 200 MiB"
        ):
            arm(crowd.pid, parked_program, engine)
        first.close()  # what it ran on waits for its next use, and is used
        stack.enter_context(arm(crowd.pid, parked_program, engine))
    assert not any("bpf" in each for each in our_open_files())


def test_what_waits_makes_room_for_what_is_asked_for(crowd: programs.Target, parked_program: Program) -> None:
    engine = EbpfEngine(idle_s=60, memory=100 << 20)
    small = replace(parked_program, limits=replace(parked_program.limits, process_bytes=1 << 20))
    try:
        for program in (small, parked_program, small, parked_program):  # of sizes that do not fit beside each other
            capture(engine, crowd.pid, program)
    finally:
        engine.close()
