"""What is armed and never fired goes by itself, and all of it from the kernel."""

import os
import time

from agent.config import AgentConfig, AgentLimits
from agent.engine_ebpf import EbpfEngine
from compiler.ir.program import Program
from tests.agent.conftest import Busy
from tests.agent.serving import serving
from tests.bpfobjects import bpf_objects, held_objects

GRACE_S = 30.0
"""On a busy machine the kernel takes its time to give maps back."""


def test_nothing_of_a_capture_that_nobody_fires_is_left(busy: Busy, busy_program: Program) -> None:
    own = str(os.getpid())
    before = held_objects(own)
    with serving(AgentConfig(limits=AgentLimits(armed_s=2)), EbpfEngine) as agent:
        agent.arm(busy.pid, busy_program)
        armed = held_objects(own) - before
        assert {kind for kind, _ in armed} == {"map", "prog", "link"}
        assert armed <= bpf_objects()
        end = time.monotonic() + GRACE_S
        while armed & bpf_objects():  # nobody asks the agent for anything meanwhile
            assert time.monotonic() < end, armed & bpf_objects()
            time.sleep(0.05)
        assert held_objects(own) == before
        assert agent.audited()[-1]["outcome"] == "expired"
        agent.arm(busy.pid, busy_program)
    assert busy.moves_on()
