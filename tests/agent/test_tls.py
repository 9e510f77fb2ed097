"""The agent over TLS, asked by the data source's own client; and clients that hold up nobody."""

import hashlib
import json
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from agent.config import AgentConfig, AgentLimits, TlsFiles
from agent.engine_memory import MemoryEngine
from agent.server import make_server
from agent.tls import subject
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from datasource.agents import Agent, Trust
from tests.agent.conftest import Busy
from tests.agent.serving import TOKEN, serving
from tests.certificates import Pair, make_ca, sign
from tests.house import FREEZEFRAME
from tests.programs import StartTarget, running


@dataclass(frozen=True)
class Papers:
    """A CA that signed for an agent at 127.0.0.1 and for a client, and another CA that signed for the same client."""

    folder: Path
    ca: Pair
    agent: Pair
    client: Pair
    other_ca: Pair
    stranger: Pair

    @property
    def files(self) -> TlsFiles:
        return TlsFiles(self.agent.cert, self.agent.key)

    @property
    def mutual(self) -> TlsFiles:
        return replace(self.files, client_ca=self.ca.cert)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    (folder / "other").mkdir()
    ca, other = make_ca(folder, "ca"), make_ca(folder / "other", "ca")
    return Papers(
        folder,
        ca,
        sign(ca, folder, "agent", "IP:127.0.0.1"),
        sign(ca, folder, "grafana"),
        other,
        sign(other, folder / "other", "grafana", "IP:127.0.0.1"),
    )


def client(port: int, trust: Trust, host: str = "127.0.0.1") -> Agent:
    return Agent(f"https://{host}:{port}", TOKEN, trust)


def test_capture_and_binary_travel_over_tls(
    papers: Papers, busy: Busy, busy_binary: Path, patient_program: Program
) -> None:
    with serving(AgentConfig(host="127.0.0.1", tls=papers.files)) as agent:
        asking = client(agent.server.server_port, Trust(ca=papers.ca.cert))
        assert busy.pid in {process.pid for process in asking.processes().processes}
        to = papers.folder / "binary"
        asking.fetch_binary(patient_program.build_id, to)
        assert hashlib.sha256(to.read_bytes()).digest() == hashlib.sha256(busy_binary.read_bytes()).digest()
        with asking.armed(busy.pid, patient_program) as number:
            assert asking.fire(number).header.pid == busy.pid


def test_a_client_must_trust_the_agent(papers: Papers) -> None:
    with serving(AgentConfig(tls=papers.files)) as agent:
        port = agent.server.server_port
        for trust, reason in (
            (Trust(), "unable to get local issuer certificate"),
            (Trust(ca=papers.other_ca.cert), ""),
        ):
            with pytest.raises(CannotNow) as refused:
                client(port, trust).processes()
            assert f"127.0.0.1:{port}: the agent does not answer: its certificate is not trusted: {reason}" in str(
                refused.value
            )
            assert str(refused.value).endswith("; name its CA with --agent-ca")
        with pytest.raises(CannotNow, match="certificate is not valid for 'localhost'"):
            client(port, Trust(ca=papers.ca.cert), "localhost").processes()


def test_mutual_tls_hears_only_clients_of_its_ca_and_the_token_is_asked_for_all_the_same(papers: Papers) -> None:
    with serving(AgentConfig(tls=papers.mutual)) as agent:
        port, ca = agent.server.server_port, papers.ca.cert
        assert client(port, Trust(ca, papers.client.cert, papers.client.key)).processes().host
        with pytest.raises(
            CannotNow, match="it asks for a certificate of ours; give one of its client CA, with --agent-cert"
        ):
            client(port, Trust(ca)).processes()
        with pytest.raises(CannotNow, match="it does not trust our certificate; give one of its client CA"):
            client(port, Trust(ca, papers.stranger.cert, papers.stranger.key)).processes()
        wrong = replace(client(port, Trust(ca, papers.client.cert, papers.client.key)), token="wrong")
        with pytest.raises(CannotNow, match="the token is missing or wrong"):
            wrong.processes()


def test_one_speaks_tls_and_the_other_does_not(papers: Papers) -> None:
    with serving() as agent, pytest.raises(CannotNow, match="it does not speak TLS; write http:// for"):
        client(agent.server.server_port, Trust(papers.ca.cert)).processes()
    with serving(AgentConfig(tls=papers.files)) as agent:
        with pytest.raises(CannotNow, match="connection refused or lost"):
            Agent(f"http://127.0.0.1:{agent.server.server_port}", TOKEN).processes()
        assert client(agent.server.server_port, Trust(papers.ca.cert)).processes().host


def test_old_versions_of_tls_are_refused(papers: Papers) -> None:
    with serving(AgentConfig(tls=papers.files)) as agent:
        context = ssl.create_default_context(cafile=papers.ca.cert)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        connection = HTTPSConnection("127.0.0.1", agent.server.server_port, context=context, timeout=20)
        with pytest.raises(ssl.SSLError):
            connection.request("GET", "/v1/health")
        connection.close()


def test_renewed_certificates_are_taken_up_and_broken_ones_are_not(
    papers: Papers, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = TlsFiles(tmp_path / "cert", tmp_path / "key")
    take_up(papers.agent, files)
    with serving(AgentConfig(tls=files)) as agent:
        port = agent.server.server_port
        assert client(port, Trust(papers.ca.cert)).processes().host
        take_up(papers.stranger, files)
        assert client(port, Trust(papers.other_ca.cert)).processes().host
        files.cert.write_text("broken")
        assert client(port, Trust(papers.other_ca.cert)).processes().host
    said = capfd.readouterr().err
    assert said.count("the old certificate stays") == 1
    assert f"{files.cert}: the certificate or its key cannot be used" in said


def take_up(pair: Pair, files: TlsFiles) -> None:
    shutil.copy(pair.cert, files.cert)
    shutil.copy(pair.key, files.key)


def test_wrong_files_are_one_sentence_at_the_start(papers: Papers, tmp_path: Path) -> None:
    loose, locked = tmp_path / "loose.key", tmp_path / "locked.key"
    shutil.copy(papers.agent.key, loose)
    loose.chmod(0o644)
    encrypt = ["openssl", "ec", "-in", str(papers.agent.key), "-out", str(locked), "-aes256", "-passout", "pass:x"]
    subprocess.run(encrypt, check=True, capture_output=True)
    cert, key = papers.agent.cert, papers.agent.key
    cases = {
        TlsFiles(cert, loose): f"{loose}: the key file is not safe: others can read it; chmod 600 {loose}",
        TlsFiles(cert, tmp_path / "none"): "the key file cannot be read: No such file or directory",
        TlsFiles(tmp_path / "none", key): "the certificate or its key cannot be used: no such file or directory",
        TlsFiles(cert, papers.client.key): f"{cert}: the certificate or its key cannot be used: key values mismatch",
        TlsFiles(cert, locked): "the certificate or its key cannot be used: ",
        TlsFiles(cert, key, tmp_path / "none"): "the CA of the clients cannot be used: no such file",
        TlsFiles(cert, key, key): f"{key}: the CA of the clients cannot be used",
    }
    for files, sentence in cases.items():
        with pytest.raises(BadInput) as refused:
            make_server(AgentConfig(port=0, tls=files), TOKEN, MemoryEngine)
        assert sentence in str(refused.value)
    with pytest.raises(BadInput, match="a client certificate and its key belong together"):
        Trust(cert=cert)
    with pytest.raises(BadInput, match="cannot be read: No such file or directory; name a PEM file"):
        Trust(ca=tmp_path / "none")


def test_subject_of_a_certificate(papers: Papers) -> None:
    context = ssl.create_default_context(cafile=papers.ca.cert)
    with (
        serving(AgentConfig(tls=papers.files)) as agent,
        socket.create_connection(("127.0.0.1", agent.server.server_port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        assert subject(secured.getpeercert()) == "O=acme,CN=agent"
    assert subject(None) is subject({}) is None


def test_both_commands_over_mutual_tls(
    papers: Papers, querydb: Path, start_target: StartTarget, tmp_path: Path
) -> None:
    """`freezeframe agent` and `freezeframe serve` with all of their files, and a snapshot through them."""
    target = start_target(querydb, "-load", env={**os.environ, "POD_NAME": "shop-7"})
    token, config, spec = tmp_path / "token", tmp_path / "agent.toml", tmp_path / "spec.yaml"
    token.touch(0o600)
    token.write_text("0123456789abcdef")
    agent, ca, asking = papers.agent, papers.ca, papers.client
    config.write_text(
        f'port = 0\ntoken_file = "token"\nengine = "memory"\nlist_environment = "POD_NAME"\n[[allow]]\nexe = "{querydb}"\n'
        f'[tls]\ncert = "{agent.cert}"\nkey = "{agent.key}"\nclient_ca = "{ca.cert}"\n'
    )
    spec.write_text("functions: []\nlimits: {pause_ms: 10000}\n")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with running(FREEZEFRAME, "agent", "--config", config, stderr=subprocess.PIPE) as listening:
        where = ["--agent", f"https://{listening.ready['address']}", "--token-file", token, "--port", 0]
        who = ["--agent-ca", ca.cert, "--agent-cert", asking.cert, "--agent-key", asking.key]
        files = ["--spec", spec, "--data", tmp_path / "snapshots"]
        with running(FREEZEFRAME, "serve", *where, *who, *files, env=environment) as source:
            request = urllib.request.Request(f"{source.ready['url']}/api/v1/snapshots", b"{}", method="POST")
            request.add_header("Content-Type", "application/json")
            with urllib.request.urlopen(request, timeout=60) as answer:
                number = json.load(answer)["snapshot_id"]
            source.process.terminate()
            source.process.wait(30)
        listening.process.terminate()
        assert listening.process.stderr is not None
        with listening.process.stderr as stream:
            said = stream.read()
    assert f'"pid": {target.pid}' in said
    assert f'"spec": "{hashlib.sha256(spec.read_bytes()).hexdigest()}"' in said
    with closing(sqlite3.connect(tmp_path / "snapshots" / f"{number}.sqlite")) as connection:
        query = "SELECT command_line, environment FROM processes WHERE pid = ?"
        found = connection.execute(query, [target.pid]).fetchall()
    assert found == [(None, '{"POD_NAME": "shop-7"}')]


@pytest.fixture
def silent() -> Iterator[list[socket.socket]]:
    connections: list[socket.socket] = []
    yield connections
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("secure", [False, True])
def test_silent_clients_hold_up_nobody_and_are_let_go(
    secure: bool, papers: Papers, silent: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.connection.HEAD_S", 1.5)
    monkeypatch.setattr("agent.server.HANDSHAKE_S", 1.5)
    config = AgentConfig(tls=papers.files if secure else None, limits=AgentLimits(connections=3))
    with serving(config) as agent:
        port = agent.server.server_port
        asking = client(port, Trust(papers.ca.cert)) if secure else Agent(f"http://127.0.0.1:{port}", TOKEN)
        silent += [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(2)]
        assert asking.processes().host  # while two say nothing
        silent += [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(5)]
        assert asking.processes().host  # those that have said nothing for the longest have made room
        for connection in silent[:4]:
            ends(connection)
        began = time.monotonic()
        while time.monotonic() - began < 10 and trickled(silent[-1]):
            time.sleep(0.02)
        assert time.monotonic() - began < 10, "a client that sends byte by byte is let go like any other"
        for connection in silent[4:]:
            ends(connection)
        assert answers(asking)
        while len(agent.server.strangers):  # a handshake that failed is read on for a moment
            assert time.monotonic() - began < 20
            time.sleep(0.02)


def trickled(connection: socket.socket) -> bool:
    """Send one byte of a head that never ends; False where nobody listens any more."""
    try:
        connection.sendall(b"G")
    except OSError:
        return False
    return True


def ends(connection: socket.socket) -> None:
    """Read until the other side has closed."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        return


def test_a_client_that_does_not_read_its_answer_is_let_go(
    busy: Busy, patient_program: Program, silent: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.connection.BODY_S", 0.2)
    monkeypatch.setattr("agent.connection.SLOWEST", 1 << 30)
    with serving(AgentConfig(limits=AgentLimits(connections=1))) as agent:
        port = agent.server.server_port
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", port))
        silent.append(connection)
        path = f"/v1/binaries?build_id={patient_program.build_id}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        asking = Agent(f"http://127.0.0.1:{port}", TOKEN)
        end = time.monotonic() + 10
        while not answers(asking):
            assert time.monotonic() < end
        assert busy.tracers() == {"0"}


def answers(asking: Agent) -> bool:
    try:
        return bool(asking.processes().host)
    except CannotNow:
        return False
