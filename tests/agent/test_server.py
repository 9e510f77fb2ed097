"""The agent over real sockets: what it answers, what it refuses, and that no client can hold a target."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import fields
from http.client import HTTPConnection
from pathlib import Path

import pytest

from agent.config import AgentConfig, AgentLimits
from agent.engine_memory import MemoryEngine
from agent.request import MAX_PROGRAM
from agent.server import make_server
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from compiler.ir.raw import Pause, RawCapture
from compiler.ir.wire import ArmedCapture, Health, Processes
from tests.agent.conftest import Busy
from tests.agent.serving import GOOD, TOKEN, Agent, serving
from tests.conftest import ROOT
from tests.programs import running


@pytest.fixture
def agent() -> Iterator[Agent]:
    with serving() as running_agent:
        yield running_agent


def test_health_names_the_engine(agent: Agent) -> None:
    status, answer = agent.ask("GET", "/v1/health")
    health = Health.from_json(answer)
    assert (status, health.engine, health.host) == (200, "memory", os.uname().nodename)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}],
)
def test_every_request_needs_the_token(agent: Agent, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/v1/health"), ("GET", "/none"), ("POST", "/v1/captures?pid=1"), ("DELETE", "/v1/x")):
        status, message = agent.refusal(method, path, b"{}" if method == "POST" else None, headers=headers)
        assert status == 401
        assert message.startswith("the token is missing or wrong; send")


def test_processes_and_their_binary(agent: Agent, busy: Busy, busy_binary: Path) -> None:
    listed = Processes.from_json(agent.ask("GET", "/v1/processes")[1]).processes
    build_id = next(process.build_id for process in listed if process.pid == busy.pid)
    assert "/" in build_id
    for path in (
        f"/v1/binaries?build_id={urllib.parse.quote(build_id)}",
        f"/v1/binaries/{urllib.parse.quote(build_id, '')}",
    ):
        status, content = agent.ask("GET", path)
        assert (status, hashlib.sha256(content).digest()) == (200, hashlib.sha256(busy_binary.read_bytes()).digest())
    assert agent.refusal("GET", "/v1/binaries?build_id=none") == (
        404, "no process runs a binary with build id none; ask for /v1/processes",
    )  # fmt: skip
    assert agent.refusal("GET", "/v1/binaries")[0] == 400


def test_capture_is_armed_fired_once_and_audited(agent: Agent, busy: Busy, busy_program: Program) -> None:
    armed = agent.arm(busy.pid, busy_program)
    assert (armed.pid, armed.build_id, busy.tracers()) == (busy.pid, busy_program.build_id, {"0"})
    status, answer = agent.ask("POST", f"/v1/captures/{armed.capture}/fire")
    raw = RawCapture.from_bytes(answer)
    assert (status, raw.header.pid, raw.header.losses) == (200, busy.pid, ())
    assert agent.refusal("POST", f"/v1/captures/{armed.capture}/fire") == (
        404, "there is no such armed capture; arm it again: each can be fired once, within 30 s",
    )  # fmt: skip
    begun, captured = agent.audited()
    assert (begun["outcome"], captured["outcome"]) == ("begun", "captured")
    for line in (begun, captured):
        assert (line["who"], line["capture"]) == ("127.0.0.1", armed.capture)
        assert (line["pid"], line["build_id"], line["engine"]) == (busy.pid, busy_program.build_id, "memory")
        assert (line["uid"], line["exe"].endswith("/busy")) == (os.getuid(), True)
    assert captured["pause_ms"]["total"] == round(raw.header.pause.total / 1e6, 3)
    assert set(captured["pause_ms"]) == {part.name for part in fields(Pause)}
    assert (captured["bytes"], captured["losses"]) == (len(raw.records), {})


def test_one_capture_a_target_at_a_time(agent: Agent, busy: Busy, busy_program: Program) -> None:
    first = agent.arm(busy.pid, busy_program)
    assert agent.refusal("POST", f"/v1/captures?pid={busy.pid}", program_to_bytes(busy_program)) == (
        409,
        f"process {busy.pid} is being captured already; fire or release that capture; it ends by itself after 30 s",
    )
    assert agent.ask("DELETE", f"/v1/captures/{first.capture}") == (204, b"")
    assert agent.ask("DELETE", f"/v1/captures/{first.capture}") == (204, b"")
    agent.arm(busy.pid, busy_program)


def test_one_that_nobody_fires_is_released(busy: Busy, busy_program: Program) -> None:
    with serving(AgentConfig(limits=AgentLimits(armed_s=0))) as agent:
        armed = agent.arm(busy.pid, busy_program)
        assert agent.refusal("POST", f"/v1/captures/{armed.capture}/fire")[0] == 404
        agent.arm(busy.pid, busy_program)


def test_bad_programs_are_refused_before_anything_is_stopped(agent: Agent, busy: Busy, busy_program: Program) -> None:
    good = program_to_bytes(busy_program)
    path = f"/v1/captures?pid={busy.pid}"
    for bad in (b"", b"noise", good[:-1], good[:20], good + b"x"):
        status, message = agent.refusal("POST", path, bad)
        assert status == 400
        assert "capture program" in message
    assert agent.refusal("POST", "/v1/captures?pid=2", good)[1].startswith("process 2 (kthreadd) is a kernel thread")
    for pid in ("0", "-1", "x", "99999999999", "%C2%B2", "1&pid=2"):
        assert agent.refusal("POST", f"/v1/captures?pid={pid}", good)[0] == 400
    assert busy.tracers() == {"0"}
    assert agent.ask("POST", path, good)[0] == 201


def test_bodies_are_bounded_and_paths_are_known(agent: Agent) -> None:
    headers = {**GOOD, "Content-Length": str(MAX_PROGRAM + 1)}
    connection = HTTPConnection("127.0.0.1", agent.server.server_port, timeout=20)
    connection.putrequest("POST", "/v1/captures?pid=1")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert agent.refusal("GET", "/v1/none") == (404, "there is no GET /v1/none; see the agent's documentation")
    assert agent.ask("PUT", "/v1/captures")[0] == 501


def test_noise_on_the_socket_is_answered_and_forgotten(agent: Agent) -> None:
    for noise in (
        b"\0\xff\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/captures?pid=1 HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", agent.server.server_port), timeout=20) as connection:
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    assert agent.ask("GET", "/v1/health")[0] == 200


def test_client_that_goes_away_in_the_middle_holds_nothing(agent: Agent, busy: Busy, busy_program: Program) -> None:
    armed = agent.arm(busy.pid, busy_program)
    request = (
        f"POST /v1/captures/{armed.capture}/fire HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", agent.server.server_port)) as connection:
        connection.sendall(request.encode())
    while len(agent.audit) < 2:
        pass
    assert busy.tracers() == {"0"}
    assert busy.moves_on()
    agent.arm(busy.pid, busy_program)


def test_a_port_that_is_taken_and_an_empty_token_are_clear_errors(agent: Agent) -> None:
    port = agent.server.server_port
    with pytest.raises(CannotNow, match=f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another"):
        make_server(AgentConfig(port=port), TOKEN, MemoryEngine)
    with pytest.raises(BadInput, match="the agent needs a token"):
        make_server(AgentConfig(port=0), "", MemoryEngine)


RUN = "from agent.config import AgentConfig; from agent.main import run; run(AgentConfig(port=0, engine='memory'))"


def test_program_says_ready_and_ends_on_sigterm() -> None:
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": "0123456789abcdef"}
    with running(sys.executable, "-c", RUN, cwd=ROOT, env=environment) as target:
        assert target.ready["engine"] == "memory"
        assert target.ready["pid"] == target.pid
        connection = HTTPConnection(target.ready["address"], timeout=20)
        connection.request("GET", "/v1/health", headers={"Authorization": "Bearer 0123456789abcdef"})
        assert connection.getresponse().read()  # and it stays open
        target.process.send_signal(signal.SIGTERM)
        assert target.process.wait(10) == 0
        connection.close()


def test_more_clients_than_files_cost_no_processor() -> None:
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": "0123456789abcdef"}
    few = ["-c", f'ulimit -n 20; exec "{sys.executable}" -c "{RUN}"']
    with running("/bin/sh", *few, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as target:
        host, _, port = target.ready["address"].rpartition(":")
        clients = [socket.create_connection((host, int(port)), timeout=20) for _ in range(30)]
        used = cpu_s(target.pid)
        time.sleep(1)
        assert cpu_s(target.pid) - used < 0.3
        for client in clients:
            client.close()
        connection = HTTPConnection(target.ready["address"], timeout=20)
        connection.request("GET", "/v1/health", headers={"Authorization": "Bearer 0123456789abcdef"})
        assert connection.getresponse().status == 200
        connection.close()


def cpu_s(pid: int) -> float:
    """What it has used of processors so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_agent_killed_with_an_armed_capture_and_in_a_fire_leaves_the_target(busy: Busy, busy_program: Program) -> None:
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": "0123456789abcdef"}
    for fire in (False, True):
        with running(sys.executable, "-c", RUN, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as target:
            connection = HTTPConnection(target.ready["address"], timeout=20)
            headers = {"Authorization": "Bearer 0123456789abcdef"}
            connection.request("POST", f"/v1/captures?pid={busy.pid}", program_to_bytes(busy_program), headers)
            armed = ArmedCapture.from_json(connection.getresponse().read())
            if fire:
                connection.request("POST", f"/v1/captures/{armed.capture}/fire", headers=headers)
                while busy.tracers() == {"0"} and not _answered(connection):
                    pass
            target.process.kill()
            target.process.wait()
            connection.close()
        assert busy.tracers() == {"0"}
        assert busy.moves_on()


def _answered(connection: HTTPConnection) -> bool:
    try:
        return bool(connection.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False
