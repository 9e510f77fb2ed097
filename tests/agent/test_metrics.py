"""What the agent counts, as Prometheus reads it."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.config import AgentConfig, AgentLimits
from compiler.ir.program import Program
from compiler.ir.raw import RawCapture
from tests.agent.conftest import Busy
from tests.agent.serving import GOOD, Agent, serving

Values = dict[tuple[str, str], float]
"""By name and the value of the first label."""


def read(agent: Agent) -> Values:
    status, text = agent.ask("GET", "/v1/metrics")
    assert status == 200
    return {
        (sample.name.removeprefix("freezeframe_agent_"), next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def test_captures_pauses_bytes_and_errors_are_counted(busy: Busy, patient_program: Program) -> None:
    with serving(AgentConfig(limits=AgentLimits(captures_per_minute_per_process=3))) as agent:
        before = read(agent)
        assert all(before["captures_total", outcome] == 0 for outcome in ("captured", "failed", "refused", "expired"))
        first = agent.arm(busy.pid, patient_program)
        assert read(agent)["armed", ""] == 1
        raw = RawCapture.from_bytes(agent.ask("POST", f"/v1/captures/{first.capture}/fire")[1])
        agent.ask("DELETE", f"/v1/captures/{agent.arm(busy.pid, patient_program).capture}")
        agent.ask("POST", f"/v1/captures?pid={busy.pid}", b"noise")
        agent.ask("GET", "/v1/processes")
        with serving() as other:
            assert read(other)["captures_total", "captured"] == 0  # each agent has its own
        found = read(agent)
    pause = raw.header.pause
    assert found["captures_total", "captured"] == found["captures_total", "released"] == 1
    assert found["captured_bytes_total", ""] == len(raw.records)
    assert found["pause_seconds_count", "total"] == 1
    for part in ("total", "stop", "stacks", "values", "resume"):
        assert found["pause_seconds_sum", part] == pytest.approx(getattr(pause, part) / 1e9)
    assert (found["armed", ""], found["request_errors_total", "400"]) == (0, 1)
    assert found["processes", ""] >= 1
    assert found["info", "memory"] == 1
    assert found["process_resident_memory_bytes", ""] > 1 << 20
    assert found["process_cpu_seconds_total", ""] > 0


def test_what_was_not_captured_is_counted_too(busy: Busy, patient_program: Program) -> None:
    with serving(AgentConfig(limits=AgentLimits(armed_s=0, captures_per_minute_per_process=1))) as agent:
        agent.arm(busy.pid, patient_program)
        assert agent.refusal("POST", "/v1/captures/" + "0" * 32 + "/fire")[0] == 404
        while not agent.audit:
            pass
        with pytest.raises(AssertionError, match="within a minute"):
            agent.arm(busy.pid, patient_program)
        found = read(agent)
    assert (found["captures_total", "expired"], found["captures_total", "refused"]) == (1, 1)
    assert (found["request_errors_total", "404"], found["request_errors_total", "429"]) == (1, 1)


def test_losses_are_counted_by_kind(busy: Busy, patient_program: Program) -> None:
    with serving() as agent:
        short = patient_program.limits.override({"frames": 1})
        armed = agent.arm(busy.pid, replace(patient_program, limits=short))
        raw = RawCapture.from_bytes(agent.ask("POST", f"/v1/captures/{armed.capture}/fire")[1])
        found = read(agent)
    assert raw.header.losses
    for loss in raw.header.losses:
        assert found["losses_total", loss.kind] == loss.count


def test_the_token_is_needed_unless_the_configuration_says_otherwise() -> None:
    nobody = {"Authorization": "Bearer wrong"}
    with serving() as agent:
        assert agent.ask("GET", "/v1/metrics", headers=nobody)[0] == 401
        assert agent.ask("GET", "/v1/metrics", headers=GOOD)[0] == 200
    with serving(AgentConfig(metrics_without_token=True)) as agent:
        assert agent.ask("GET", "/v1/metrics", headers={})[0] == 200
        for method, path in (("POST", "/v1/metrics"), ("GET", "/v1/metrics/x"), ("GET", "/v1/processes")):
            assert agent.ask(method, path, b"" if method == "POST" else None, headers={})[0] == 401
