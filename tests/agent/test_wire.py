"""What agent and data source say to each other comes back as it went, and nothing else is taken."""

import json
from pathlib import Path

import pytest

from agent.main import read_token
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.wire import BadWire, Failure, GoProcess, Processes

PROCESS = GoProcess(7, "/bin/shop", "shop", "a/b/c/d", None, "amd64", 1_700_000_000_000_000_000)


def test_processes_survive_the_way() -> None:
    message = Processes("host", (PROCESS, PROCESS))
    assert Processes.from_json(message.to_json()) == message


def test_later_fields_are_ignored() -> None:
    plain = json.loads(PROCESS.to_json()) | {"cgroup": "x"}
    assert GoProcess.from_json(json.dumps(plain).encode()) == PROCESS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the answer is not JSON; check that this is the address of a freezeframe agent"),
        (b"[" * 100_000, "the answer is not JSON; check that this is the address of a freezeframe agent"),
        (b"[]", "Processes lacks fields; use one version for agent and data source"),
        (b'{"host": "x"}', "Processes lacks fields; use one version for agent and data source"),
        (b'{"host": 1, "processes": []}', "Processes.host is not of type <class 'str'>; use one version for agent and data source"),
        (b'{"host": "x", "processes": [{}]}', "Processes.processes[0] lacks fields; use one version for agent and data source"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_one_error(text: bytes, message: str) -> None:
    with pytest.raises(BadWire) as refused:
        Processes.from_json(text)
    assert str(refused.value) == message


def test_an_error_travels_with_its_parts() -> None:
    error = BadInput("no such thing", where="here", remedy="look there")
    failure = Failure.from_json(Failure.of(error).to_json())
    assert failure.message == "here: no such thing; look there"
    assert isinstance(failure.error(400), BadInput)
    assert isinstance(failure.error(503), CannotNow)
    assert str(failure.error(503)) == str(error)


def test_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("0123456789abcdef\n")
    assert read_token(path, {}) == "0123456789abcdef"
    assert read_token(None, {"FREEZEFRAME_AGENT_TOKEN": "x" * 16}) == "x" * 16
    with pytest.raises(BadInput, match="FREEZEFRAME_AGENT_TOKEN: the agent needs a token of at least 16 printable"):
        read_token(None, {})
    with pytest.raises(CannotNow, match="the token file cannot be read: No such file or directory"):
        read_token(tmp_path / "none", {})
