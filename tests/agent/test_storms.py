"""Processes that fork, exec, end, and come and go with their threads while they are captured: each capture is whole or one
error that names the case, within bounded time, and the process goes on."""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import engine as engines
from agent.capture import arm
from agent.engine import Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.raw import KIND_GOROUTINE
from compiler.spec import read_spec
from tests.conftest import ROOT, build
from tests.programs import StartTarget, Target, has_ended

LONGEST_S = 8.0
"""Of a capture, on a busy machine; its pause is far shorter."""
TIMES = 25


@pytest.fixture(scope="module")
def storm(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/storm", built / "storm")


@pytest.fixture(scope="module")
def program(storm: Path) -> Program:
    with Binary(storm) as binary:
        return compile_spec(read_spec("functions: []\nlimits: {pause_ms: 5000}\n", "storm.yaml"), binary).program


@pytest.fixture(scope="module", params=["ebpf", "memory"])
def engine(request: pytest.FixtureRequest, program: Program) -> Engine:
    if request.param == "memory":
        return MemoryEngine()
    engine = EbpfEngine()
    engine.rehearse(engines.Target(os.getpid(), 0, 0), program)  # compiles the probe
    return engine


def capture(pid: int, program: Program, engine: Engine) -> int:
    """How many goroutines it has."""
    began = time.monotonic()
    try:
        with arm(pid, program, engine) as armed:
            raw = armed.fire()
    finally:
        assert time.monotonic() - began < LONGEST_S
    assert {loss.kind for loss in raw.header.losses} <= {"stacks"}  # one may be on the move
    return sum(kind == KIND_GOROUTINE for kind, _ in raw.walk())


def outcomes(pid: int, program: Program, engine: Engine, times: int = TIMES, least: int = 0) -> Counter[str]:
    """What became of some captures: "whole", or the error without its numbers."""
    found: Counter[str] = Counter()
    for _ in range(times):
        try:
            assert capture(pid, program, engine) >= least
            found["whole"] += 1
        except (BadInput, CannotNow) as error:
            found[re.sub(r"\d+", "N", str(error))] += 1
    return found


def goes_on(counts: Path) -> bool:
    """Whether the process still does what it does."""
    before, end = _count(counts), time.monotonic() + 10
    while _count(counts) <= before + 1:
        if time.monotonic() > end:
            return False
    return True


def _count(counts: Path) -> int:
    return int.from_bytes(counts.read_bytes()[:8], "little")


Start = Callable[..., Target]


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    return tmp_path / "counts"


@pytest.fixture
def start(storm: Path, counts: Path, start_target: StartTarget) -> Start:
    return lambda *args: start_target(storm, "-counts", counts, *args)


def test_one_that_starts_programs_all_the_time(start: Start, counts: Path, program: Program, engine: Engine) -> None:
    """os/exec starts its child by vfork: the thread cannot stop until the child runs its own program, some milliseconds."""
    target = start("-fork", 4)
    found = outcomes(target.pid, program, engine, least=4)
    assert goes_on(counts)
    assert found["whole"] == TIMES, found


def test_one_whose_threads_come_and_go(start: Start, counts: Path, program: Program, engine: Engine) -> None:
    target = start("-threads", 8)
    found = outcomes(target.pid, program, engine, least=8)
    assert goes_on(counts)
    assert found["whole"] == TIMES, found


def test_one_that_becomes_another_all_the_time(start: Start, counts: Path, program: Program, engine: Engine) -> None:
    target = start("-exec", "30ms", "-threads", 2)
    found = outcomes(target.pid, program, engine)
    # A capture is much shorter than what is between two.
    while found.keys() == {"whole"} and found.total() < 40 * TIMES:
        found += outcomes(target.pid, program, engine)
    assert goes_on(counts)
    named = {
        "process N has started another program meanwhile; take the snapshot again",
        "process N ended or became another while it was being stopped; take the snapshot again",
        "process N is becoming another program, or has ended; take the snapshot again",
        "the kernel does not tell where process N was loaded; take the snapshot again",
        "process N has ended; take the snapshot again",  # when one of its other threads became the new program
        "process N (exe) is a zombie: it has ended and waits for its parent; list the Go processes with: freezeframe processes",
        "the capture program has wrong addresses: its types cannot be read; compile it again",
    }
    assert found.keys() <= named | {"whole"}, found
    assert found.keys() & named, "it never was caught at it"


PAUSES = """
import json, sys, threading
from collections import Counter
from agent.pause import paused
from compiler.ir.errors import CannotNow

found = Counter()

def pause(pid):
    try:
        with paused(pid, 10**9):
            found["whole"] += 1
    except CannotNow as error:
        found[error.what.replace(str(pid), "N")] += 1

for _ in range(int(sys.argv[2])):
    tracer = threading.Thread(target=pause, args=(int(sys.argv[1]),))
    tracer.start()
    tracer.join()
print(json.dumps(found))
"""


def test_one_that_becomes_another_between_two_of_its_threads(start: Start, counts: Path) -> None:
    """Without help, either waits for the other (agent/rescue.py): nearly each time that this is run, for good."""
    target = start("-exec", "3ms", "-threads", 8)
    command = [sys.executable, "-c", PAUSES, target.pid, "1000"]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert goes_on(counts)
    assert found.keys() == {"whole", "process N ended or became another while it was being stopped"}, found


def test_one_that_ends_meanwhile(start: Start, program: Program, engine: Engine) -> None:
    found: Counter[str] = Counter()
    for milliseconds in range(2, 60, 6):
        target = start("-last", f"{milliseconds}ms", "-threads", 2)
        while not has_ended(target.process):
            found += outcomes(target.pid, program, engine, 1)
        assert target.process.wait() == 0
    named = {
        "process N has ended; take the snapshot again",
        "process N is becoming another program, or has ended; take the snapshot again",
        "process N ended while it was being stopped; take the snapshot again",
        "process N ended or became another while it was being stopped; take the snapshot again",
        "the process ended while it was captured; take the snapshot again",
    }
    ended = {each for each in found if each.startswith("process N (storm) is a zombie")}
    assert found.keys() <= named | ended | {"whole"}, found
    assert found.keys() - {"whole"}


def test_one_whose_main_thread_has_ended(start: Start, counts: Path, program: Program, engine: Engine) -> None:
    target = start("-headless")
    end = time.monotonic() + 5
    while "(storm) Z" not in Path(f"/proc/{target.pid}/stat").read_text():
        assert time.monotonic() < end
    assert outcomes(target.pid, program, engine, 1) == {
        "the main thread of process N (storm) has ended while others run on; such a process cannot be captured; "
        "list the Go processes with: freezeframe processes": 1
    }
    assert goes_on(counts)
