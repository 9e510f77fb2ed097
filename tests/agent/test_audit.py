"""What the agent writes down of each capture, that there is none where it cannot, and how often it captures."""

import json
import os
import re
import stat
import urllib.request
from pathlib import Path

import pytest

from agent.audit import open_audit
from agent.config import AgentConfig, AgentLimits, TlsFiles
from agent.rate import Rate, TooMany
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from datasource.agents import Agent as Client
from datasource.agents import Trust
from tests.agent.conftest import Busy
from tests.agent.serving import GOOD, TOKEN, serving
from tests.certificates import make_ca, sign

SPEC = "0123456789abcdef" * 4


def test_the_audit_says_who_which_process_what_for_and_what_came_of_it(
    busy: Busy, patient_program: Program, tmp_path: Path
) -> None:
    ca = make_ca(tmp_path, "ca")
    agents, own = sign(ca, tmp_path, "agent", "IP:127.0.0.1"), sign(ca, tmp_path, "grafana")
    file = tmp_path / "audit.log"
    config = AgentConfig(tls=TlsFiles(agents.cert, agents.key, ca.cert), audit_file=file)
    with serving(config) as agent:
        asking = Client(f"https://127.0.0.1:{agent.server.server_port}", TOKEN, Trust(ca.cert, own.cert, own.key))
        for to in (tmp_path / "rotated", file):
            with asking.armed(busy.pid, patient_program, SPEC) as number:
                asking.fire(number)
            file.rename(to)
    for path in (file, tmp_path / "rotated"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        lines = [json.loads(line.removeprefix("capture ")) for line in path.read_text().splitlines()]
        assert [line["outcome"] for line in lines] == ["begun", "captured"]
        for line in lines:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
            assert (line["who"], line["subject"], line["spec"]) == ("127.0.0.1", "O=acme,CN=grafana", SPEC)
            assert (line["pid"], line["build_id"], line["uid"]) == (busy.pid, patient_program.build_id, os.getuid())
            assert line["exe"] == str(Path(f"/proc/{busy.pid}/exe").readlink())
        assert lines[1]["pause_ms"]["total"] > 0


def test_what_cannot_be_written_down_is_not_done(busy: Busy, patient_program: Program) -> None:
    """/dev/full is a file on a full disk."""
    with serving(AgentConfig(audit_file=Path("/dev/full"))) as agent:
        armed = agent.arm(busy.pid, patient_program)
        status, message = agent.refusal("POST", f"/v1/captures/{armed.capture}/fire")
        sentence = "the audit line cannot be written (No space left on device), and without one nothing is captured"
        assert (status, message) == (503, f"/dev/full: {sentence}; make room there")
        assert busy.tracers() == {"0"}
        agent.arm(busy.pid, patient_program)  # and nothing is held


def test_a_line_that_is_cut_by_a_full_disk_counts_as_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda _, text: len(text) // 2)
    with pytest.raises(CannotNow, match="No space left on device"):
        open_audit(tmp_path / "audit").write("begun", pid=1)


def test_what_came_of_it_is_told_to_stderr_where_it_cannot_be_kept(capfd: pytest.CaptureFixture[str]) -> None:
    open_audit(Path("/dev/full")).note("captured", pid=7)
    said = capfd.readouterr().err
    assert "the audit line cannot be written (No space left on device)" in said
    assert "captured {'pid': 7}" in said


def test_the_file_must_be_writable_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the audit file cannot be written: No such file or directory; name a file in"):
        open_audit(tmp_path / "none/audit")


@pytest.mark.parametrize("text", ["", "x" * 64, SPEC[:-1], SPEC + "0", SPEC.upper()])
def test_a_header_that_is_no_hash_is_refused(text: str, busy: Busy, patient_program: Program) -> None:
    with serving() as agent:
        headers = {**GOOD, "Freezeframe-Spec": text}
        body = program_to_bytes(patient_program)
        status, message = agent.refusal("POST", f"/v1/captures?pid={busy.pid}", body, headers=headers)
        assert (status, message) == (
            400,
            "the header Freezeframe-Spec is no SHA-256; send 64 hexadecimal digits, or none",
        )


def test_captures_a_process_and_a_minute(busy: Busy, patient_program: Program) -> None:
    with serving(AgentConfig(limits=AgentLimits(captures_per_minute_per_process=2))) as agent:
        for _ in range(2):
            agent.ask("DELETE", f"/v1/captures/{agent.arm(busy.pid, patient_program).capture}")
        url = f"http://127.0.0.1:{agent.server.server_port}/v1/captures?pid={busy.pid}"
        request = urllib.request.Request(url, program_to_bytes(patient_program), GOOD, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(request, timeout=20):
            pass
        with refused.value as answer:
            assert answer.code == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 30
            said = json.loads(answer.read())["message"]
        assert said.startswith(f"process {busy.pid} was captured 2 times within a minute; ask again after ")
        assert agent.audited()[-1]["reason"] == said
        assert (
            agent.refusal("POST", f"/v1/captures?pid={busy.pid}", program_to_bytes(patient_program))[0] == 429
        )  # not 409


def test_the_rate_by_the_clock() -> None:
    now = [0.0]
    rate = Rate(AgentLimits(captures_per_minute=4, captures_per_minute_per_process=2), lambda: now[0])

    def waits(pid: int) -> int:
        try:
            rate.take(pid)
        except TooMany as error:
            return error.retry_after_s
        return 0

    assert [waits(1), waits(1), waits(1)] == [0, 0, 30]
    assert [waits(2), waits(2), waits(3)] == [0, 0, 15]
    now[0] = 15
    assert [waits(3), waits(3), waits(1)] == [0, 15, 15]
    now[0] = 30
    assert [waits(1), waits(1)] == [0, 30]
    now[0] = 1000
    assert [waits(pid) for pid in (1, 1, 2, 3, 4)] == [0, 0, 0, 0, 15]
