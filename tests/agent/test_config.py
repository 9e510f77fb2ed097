"""The agent's configuration: what its file may say, and one clear sentence for whatever else it says."""

import os
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from agent.allow import Rule
from agent.config import AgentConfig, AgentLimits, TlsFiles
from agent.config_file import read_config
from agent.engine_memory import MemoryEngine
from agent.main import read_token, warnings
from agent.server import make_server
from compiler.ir.errors import BadInput
from tests.conftest import ROOT
from tests.programs import running

TOKEN = "0123456789abcdef"
FREEZEFRAME = ROOT / ".venv/bin/freezeframe"


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "agent.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, "")) == AgentConfig()


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """
        host = "::1"
        port = 0
        token_file = "token"
        engine = "memory"
        insecure = true
        list_command_lines = true
        list_environment = "POD_NAME"
        audit_file = "audit"
        metrics_without_token = true
        [tls]
        cert = "cert.pem"
        key = "/etc/key.pem"
        client_ca = "ca.pem"
        [limits]
        armed_s = 5
        goroutines = 6
        threads = 7
        captures_per_minute = 8
        captures_per_minute_per_process = 9
        connections = 10
        memory_mib = 200
        [[allow]]
        exe = "/usr/bin/*"
        user = ["0", "nobody"]
        [[allow]]
        cgroup = ["/a/*", "/b"]
    """
    config = read_config(written(tmp_path, text))
    assert config == AgentConfig(
        host="::1",
        port=0,
        token_file=tmp_path / "token",
        engine="memory",
        insecure=True,
        list_command_lines=True,
        list_environment=("POD_NAME",),
        audit_file=tmp_path / "audit",
        metrics_without_token=True,
        tls=TlsFiles(tmp_path / "cert.pem", Path("/etc/key.pem"), tmp_path / "ca.pem"),
        limits=AgentLimits(5, 6, 7, 8, 9, 10, 200),
        allow=(Rule(exe=("/usr/bin/*",), user=("0", "nobody")), Rule(cgroup=("/a/*", "/b"))),
    )
    untouched = [
        each.name for each in fields(config) if getattr(config, each.name) == getattr(AgentConfig(), each.name)
    ]
    assert untouched == [], "this test sets every key"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prt = 1", 'FILE: prt: unknown key; nearest: "port"; known here: host, port, '),
        ("[limits]\narmed = 1", 'FILE: limits.armed: unknown key; nearest: "armed_s"; known here: armed_s, '),
        ("[[allow]]\nexe = 'x'\npath = 'y'", "FILE: allow[0].path: unknown key; known here: exe, user, cgroup"),
        ("port = '1'", "FILE: port: must be an integer; it is '1'"),
        ("port = true", "FILE: port: must be an integer; it is True"),
        ("port = 65536", "FILE: port: is 65536; write a number from 0 to 65535"),
        ("[limits]\narmed_s = 0", "FILE: limits.armed_s: is 0; write a number from 1 to 3600"),
        ("insecure = 1", "FILE: insecure: must be true or false; it is 1"),
        ("host = ''", "FILE: host: is empty; write something, or leave the key out"),
        ("tls = {cert = 'a'}", "FILE: tls.key: is missing; add it under [tls]"),
        ("token_file = 3", "FILE: token_file: must be a path (text); it is 3"),
        ("limits = 3", "FILE: limits: must be a table; write [limits]"),
        ("allow = 3", "FILE: allow: must be a list of tables; write [[allow]]"),
        ("allow = ['x']", "FILE: allow[0]: must be a table; write [allow[0]]"),
        ("[[allow]]\nuser = [1]", "FILE: allow[0].user: must be text or a list of texts; it is [1]"),
        ("port = ", "FILE: this is not TOML: "),
        (b"\xff", "FILE: the configuration file is not text; name a text file"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(text: str | bytes, sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadInput) as refused:
        read_config(path)
    assert str(refused.value).startswith(sentence.replace("FILE", str(path)))


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "", 0o664)
    with pytest.raises(BadInput) as refused:
        read_config(path)
    assert str(refused.value) == (
        f"{path}: the configuration file is not safe: others can change it; chmod go-w {path}"
    )  # fmt: skip
    path.chmod(0o644)
    read_config(path)
    with pytest.raises(BadInput, match="the configuration file cannot be read: No such file or directory; name a"):
        read_config(tmp_path / "none")


@pytest.mark.parametrize("rule", [Rule(), Rule(user=("nobody-of-this-name",))])
def test_a_rule_that_says_nothing_or_names_nobody_is_refused(rule: Rule) -> None:
    with pytest.raises(BadInput) as refused:
        make_server(AgentConfig(port=0, allow=(Rule(exe=("*",)), rule)), TOKEN, MemoryEngine, origin="agent.toml")
    assert str(refused.value) == (
        'agent.toml: allow[1].user: there is no user "nobody-of-this-name"; name a user of this machine, or write the number'
        if rule.user
        else 'agent.toml: allow[1]: the rule has no condition; write exe = "*" to permit everything'
    )


def test_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o640)
    assert read_token(path, {}) == TOKEN
    assert read_token(None, {"FREEZEFRAME_AGENT_TOKEN": "x" * 16}) == "x" * 16
    with pytest.raises(BadInput, match="FREEZEFRAME_AGENT_TOKEN: the agent needs a token of at least 16 printable"):
        read_token(None, {})
    with pytest.raises(BadInput, match="the token file cannot be read: No such file or directory"):
        read_token(tmp_path / "none", {})
    path.chmod(0o604)
    with pytest.raises(BadInput) as refused:
        read_token(path, {})
    assert str(refused.value) == f"{path}: the token file is not safe: others can read it; chmod 600 {path}"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "some.host", ""])
def test_beyond_this_machine_only_where_the_configuration_says_so(host: str) -> None:
    with pytest.raises(BadInput) as refused:
        make_server(AgentConfig(host=host), TOKEN, MemoryEngine, origin="agent.toml")
    assert "would send the token and every capture in the clear" in str(refused.value)
    assert "insecure = true" in str(refused.value)


def test_insecure_listens_and_says_so() -> None:
    config = AgentConfig(host="0.0.0.0", port=0, insecure=True, allow=())
    make_server(config, TOKEN, MemoryEngine).server_close()
    assert warnings(config) == ["insecure: the token and every capture travel in the clear"]
    assert warnings(AgentConfig()) == [
        "no [[allow]] in its configuration: every Go process of this machine can be captured"
    ]


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'host = "0.0.0.0"\nport = 1\nengine = "memory"\n')
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN}
    arguments = ["agent", "--config", path, "--host", "127.0.0.1", "--port", 0]
    with running(FREEZEFRAME, *arguments, env=environment, stderr=subprocess.DEVNULL) as target:
        assert target.ready["engine"] == "memory"
        host, _, port = target.ready["address"].rpartition(":")
        assert (host, port != "1") == ("127.0.0.1", True)


def test_a_wrong_file_ends_the_command_with_2(tmp_path: Path) -> None:
    path = written(tmp_path, "prt = 1")
    done = subprocess.run([FREEZEFRAME, "agent", "--config", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"freezeframe: {path}: prt: unknown key")
