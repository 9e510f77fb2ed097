"""A capture is not kept waiting by other work on the machine; nothing else of the agent is urgent."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import ArmedProbe, Target
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryProbe
from agent.memory import ProcessMemory
from agent.urgent import MAX_PAUSE_MS
from compiler.ir.program import Program
from tests.agent.conftest import Busy
from tests.conftest import ROOT


class Noting:
    """The reference engine; it notes how the thread is scheduled that reads memory in the pause."""

    name = "noting"

    def __init__(self) -> None:
        self.policies: set[int] = set()

    def arm(self, target: Target, program: Program) -> ArmedProbe:
        return MemoryProbe(target, program, NotingMemory(target.pid, self.policies))

    def close(self) -> None:
        pass


class NotingMemory(ProcessMemory):
    def __init__(self, pid: int, policies: set[int]) -> None:
        super().__init__(pid)
        self._policies = policies

    def read_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        if threading.current_thread() is not threading.main_thread():
            self._policies.add(os.sched_getscheduler(0))
        return super().read_many(spans)


def with_pause(program: Program, pause_ms: int) -> Program:
    return replace(program, limits=replace(program.limits, pause_ms=pause_ms))


@pytest.mark.parametrize(("pause_ms", "policy"), [(MAX_PAUSE_MS, os.SCHED_RR), (MAX_PAUSE_MS + 1, os.SCHED_OTHER)])
def test_only_a_short_pause_goes_before_everything_else(
    busy: Busy, busy_program: Program, pause_ms: int, policy: int
) -> None:
    engine = Noting()
    with arm(busy.pid, with_pause(busy_program, pause_ms), engine) as armed:
        armed.fire()
    assert engine.policies == {policy}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def urgent_threads() -> int:
    """Realtime threads of this process."""
    return sum(os.sched_getscheduler(int(task.name)) == os.SCHED_RR for task in Path("/proc/self/task").iterdir())


def test_helpers_are_urgent_before_the_pause_and_gone_after_it(busy: Busy, busy_program: Program) -> None:
    engine = EbpfEngine(workers=2)
    try:
        with arm(busy.pid, with_pause(busy_program, MAX_PAUSE_MS), engine) as armed:
            assert urgent_threads() == 1
            armed.fire()
        assert urgent_threads() == 0
    finally:
        engine.close()


def test_where_it_may_not_it_goes_on_as_it_is() -> None:
    code = "import os; from agent.urgent import urge; os.setuid(65534); urge(100); print(os.sched_getscheduler(0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == (f"{os.SCHED_OTHER}\n", "")
