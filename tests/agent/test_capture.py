"""Whole captures of real processes with the reference engine: who may be captured, and what stands in the header."""

import os
import re
import shutil
import signal
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import Registers, Target
from agent.engine_memory import MemoryEngine, MemoryProbe
from agent.memory import ProcessMemory
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.raw import GOROUTINE, KIND_GOROUTINE, KIND_STACK, STACK, RawCapture, RawGoroutine
from tests.agent.conftest import Busy
from tests.programs import StartTarget


def goroutines(raw: RawCapture) -> list[RawGoroutine]:
    return [RawGoroutine(*GOROUTINE.unpack(payload)[:-1]) for kind, payload in raw.walk() if kind == KIND_GOROUTINE]


def test_capture_finds_the_goroutines_of_the_program_s_own_dump(
    querydb: Path, querydb_program: Program, start_target: StartTarget
) -> None:
    target = start_target(querydb)
    with urllib.request.urlopen(f"http://{target.ready['debug']}/debug/stack?others=1", timeout=10) as answer:
        dump = answer.read().decode()
    own = {int(number) for number in re.findall(r"^goroutine (\d+) ", dump, re.MULTILINE)}
    before = time.time_ns()
    with arm(target.pid, querydb_program, MemoryEngine()) as armed:
        raw = RawCapture.from_bytes(armed.fire().to_bytes())
    header = raw.header
    assert own <= {each.goid for each in goroutines(raw)}
    assert (header.build_id, header.pid, header.engine, header.bias) == (
        querydb_program.build_id, target.pid, "memory", 0,
    )  # fmt: skip
    assert before < header.captured_at_ns < time.time_ns()
    assert header.losses == ()
    assert header.threads > 1
    pause = header.pause
    assert 0 < pause.stop < pause.total
    assert abs(pause.total - pause.stop - pause.stacks - pause.values - pause.resume) < 1000
    stacks = [STACK.unpack_from(payload)[0] for kind, payload in raw.walk() if kind == KIND_STACK]
    assert sorted(stacks) == list(range(len(set(stacks))))


def test_binary_of_another_build_is_refused(busy: Busy, querydb_program: Program) -> None:
    with pytest.raises(BadInput, match=r"has build id .*, the program is for .*; compile the spec for this process"):
        arm(busy.pid, querydb_program, MemoryEngine())
    assert busy.tracers() == {"0"}


def test_a_program_of_another_machine_is_refused(
    querydb: Path, querydb_program: Program, start_target: StartTarget
) -> None:
    target = start_target(querydb)
    with pytest.raises(BadInput, match="the capture program is for arm64; this agent captures amd64; compile the spec"):
        arm(target.pid, replace(querydb_program, arch="arm64"), MemoryEngine())


def test_addresses_that_are_not_there_are_refused(
    querydb: Path, querydb_program: Program, start_target: StartTarget
) -> None:
    target = start_target(querydb)
    wrong = replace(querydb_program, runtime=replace(querydb_program.runtime, types_base=16))
    with pytest.raises(BadInput, match="the capture program has wrong addresses"):
        arm(target.pid, wrong, MemoryEngine())


class Failing(MemoryEngine):
    """An engine whose probe goes wrong in the pause."""

    name = "failing"

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def arm(self, target: Target, program: Program) -> "FailingProbe":
        return FailingProbe(target, program, ProcessMemory(target.pid), self._error)


class FailingProbe(MemoryProbe):
    def __init__(self, target: Target, program: Program, memory: ProcessMemory, error: BaseException) -> None:
        super().__init__(target, program, memory)
        self._error = error

    def run(self, threads: Mapping[int, Registers], deadline_ns: int) -> int:  # noqa: ARG002
        assert Path(f"/proc/{self._target.pid}/stat").read_text().rpartition(")")[2].split()[0] == "t"
        raise self._error


@pytest.mark.parametrize("error", [ZeroDivisionError(), MemoryError(), CannotNow("full")])
def test_target_is_released_when_the_engine_fails(
    error: BaseException, querydb: Path, querydb_program: Program, start_target: StartTarget
) -> None:
    target = start_target(querydb)
    with arm(target.pid, querydb_program, Failing(error)) as armed, pytest.raises(type(error)):
        armed.fire()
    assert "TracerPid:\t0" in Path(f"/proc/{target.pid}/status").read_text()


def test_process_that_ended_or_became_another_program_is_not_read(
    querydb: Path, querydb_program: Program, start_target: StartTarget
) -> None:
    target = start_target(querydb)
    with arm(target.pid, querydb_program, MemoryEngine()) as armed:
        os.kill(target.pid, signal.SIGKILL)
        target.process.wait()
        with pytest.raises(CannotNow, match=f"process {target.pid} has ended"):
            armed.fire()


def test_a_touch_of_the_executable_between_arm_and_fire_is_nothing(
    querydb: Path, querydb_program: Program, start_target: StartTarget, tmp_path: Path
) -> None:
    own = Path(shutil.copy(querydb, tmp_path))  # `go build` touches what is up to date
    target = start_target(own)
    with arm(target.pid, querydb_program, MemoryEngine()) as armed:
        own.touch()
        assert armed.fire().header.pid == target.pid


def test_exec_of_the_same_binary_between_arm_and_fire_is_noticed(busy: Busy, patient_program: Program) -> None:
    with arm(busy.pid, patient_program, MemoryEngine()) as armed:
        busy.exec_again()
        with pytest.raises(CannotNow, match=f"process {busy.pid} has started another program meanwhile"):
            armed.fire()
    with arm(busy.pid, patient_program, MemoryEngine()) as armed:
        assert goroutines(armed.fire())
