"""What agent and data source say to each other comes back as it went, and nothing else is taken."""

import json

import pytest

from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.wire import BadWire, Failure, GoProcess, Processes, Variable

PROCESS = GoProcess(
    7,
    "/bin/shop",
    "shop",
    "a/b/c/d",
    None,
    "amd64",
    1_700_000_000_000_000_000,
    7,
    True,
    "shop -v",
    (Variable("A", "b"),),
)


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
