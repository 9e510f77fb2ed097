"""What a capture is going to cost is told beforehand, and what is too large is refused before it is stopped."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

import pytest

from agent.capture import arm
from agent.config import AgentConfig, AgentLimits
from agent.engine import Registers, Target
from agent.engine_memory import MemoryEngine, MemoryProbe
from agent.estimate import TooLarge, expected
from agent.memory import ProcessMemory
from compiler.ir.errors import BadInput
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from tests.agent.conftest import Busy
from tests.agent.serving import serving


class Untouched(MemoryEngine):
    """Is not asked for anything, or only not to run."""

    def __init__(self, *, arms: bool) -> None:
        self._arms = arms

    def arm(self, target: Target, program: Program) -> MemoryProbe:
        assert self._arms, "it was armed"
        return NeverRun(target, program, ProcessMemory(target.pid))


class NeverRun(MemoryProbe):
    def run(self, threads: Mapping[int, Registers], deadline_ns: int) -> int:  # noqa: ARG002
        raise AssertionError("it was stopped")


def test_armed_capture_says_how_large_it_is_going_to_be(busy: Busy, busy_program: Program) -> None:
    with serving() as agent:
        said = agent.arm(busy.pid, busy_program).estimate
    assert 12 <= said.goroutines < 100
    assert 3 <= said.threads < 30
    assert said == expected(said.goroutines, said.threads, values=False)
    assert 0.3 < said.pause_ms < 2


def test_what_is_collected_costs_time_and_room() -> None:
    stacks, values = (expected(1_000_000, 30, values=values) for values in (False, True))
    assert 1000 < stacks.pause_ms < values.pause_ms
    assert stacks.bytes < values.bytes


@pytest.mark.parametrize("limits", [AgentLimits(goroutines=5), AgentLimits(threads=2)])
def test_too_large_a_process_is_refused_before_anything_is_made(
    limits: AgentLimits, busy: Busy, busy_program: Program
) -> None:
    with pytest.raises(TooLarge, match=r"has \d+ (goroutines|threads); this agent captures .* at most \d"):
        arm(busy.pid, busy_program, Untouched(arms=False), limits=limits)
    with serving(AgentConfig(limits=limits)) as agent:
        status, message = agent.refusal("POST", f"/v1/captures?pid={busy.pid}", program_to_bytes(busy_program))
        assert (status, agent.audited()[0]["reason"]) == (413, message)
    assert message.endswith("in the agent's configuration, if the process may stand still for so long")


def test_one_that_has_grown_since_it_was_armed_is_not_stopped(busy: Busy, busy_program: Program) -> None:
    with arm(busy.pid, busy_program, MemoryEngine()) as armed:
        few = armed.estimate.goroutines
    host, _, port = busy.target.ready["address"].partition(":")
    with (
        ExitStack() as stack,
        arm(busy.pid, busy_program, Untouched(arms=True), limits=AgentLimits(goroutines=few + 30)) as armed,
    ):
        for _ in range(60):  # a goroutine each
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1000)
        with pytest.raises(TooLarge, match="goroutines; this agent captures processes with at most"):
            armed.fire()
    assert busy.moves_on()


def test_a_list_of_goroutines_that_is_nowhere_is_refused(busy: Busy, busy_program: Program) -> None:
    wrong = replace(busy_program, runtime=replace(busy_program.runtime, allglen=16))
    with pytest.raises(BadInput, match="the capture program has wrong addresses: there is no list of goroutines"):
        arm(busy.pid, wrong, Untouched(arms=False))
