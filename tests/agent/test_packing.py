"""A large capture travels packed where the client asks for it, and is the same."""

import zlib
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest

from agent.engines import choose_engine
from agent.packing import WORTH_IT, wanted
from compiler.ir.program import Program
from compiler.ir.raw import KIND_GOROUTINE, RawCapture
from datasource.agents import Agent as Client
from tests.agent.conftest import compiled
from tests.agent.serving import GOOD, TOKEN, Agent, serving
from tests.conftest import ROOT, build
from tests.programs import Target, running

MANY = 6000


@pytest.fixture(scope="module")
def parked_binary(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/parked", built / "parked")


@pytest.fixture(scope="module")
def parked(parked_binary: Path) -> Iterator[Target]:
    with running(parked_binary, "-n", 0, "-light", MANY) as target:
        yield target


@pytest.fixture(scope="module")
def program(parked_binary: Path) -> Program:
    return compiled(parked_binary, "functions: []\nlimits: {pause_ms: 60000}\n")


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with serving(engine=partial(choose_engine, "ebpf")) as running_agent:
        yield running_agent


@pytest.mark.parametrize(
    ("said", "size", "packs"),
    [("gzip", WORTH_IT, True), ("gzip", WORTH_IT - 1, False), ("", WORTH_IT, False), ("identity", WORTH_IT, False),
     ("br, GZIP ;q=0.5", WORTH_IT, True), ("gzip; q=0", WORTH_IT, False)],
)  # fmt: skip
def test_it_is_packed_where_the_client_says_so_and_it_pays(said: str, size: int, packs: bool) -> None:
    assert wanted(said, size) is packs


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_what_arrives_is_the_capture(agent: Agent, parked: Target, program: Program, coding: str) -> None:
    connection = HTTPConnection("127.0.0.1", agent.server.server_port, timeout=20)
    armed = agent.arm(parked.pid, program)
    connection.request("POST", f"/v1/captures/{armed.capture}/fire", None, {**GOOD, "Accept-Encoding": coding})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.getheader("Content-Encoding", "identity") == coding
    content = zlib.decompress(body, 31) if coding == "gzip" else body
    assert goroutines(RawCapture.from_bytes(content)) > MANY
    assert (len(body) < WORTH_IT) == (coding == "gzip")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1"])
def test_the_data_source_unpacks_it(agent: Agent, parked: Target, program: Program, host: str) -> None:
    """It asks for a packed one where the agent is not on its own machine; of 127.1 it does not know that it is."""
    client = Client(f"http://{host}:{agent.server.server_port}", TOKEN)
    with client.armed(parked.pid, program) as number:
        assert goroutines(client.fire(number)) > MANY


def goroutines(raw: RawCapture) -> int:
    assert len(raw.records) > WORTH_IT
    return sum(kind == KIND_GOROUTINE for kind, _ in raw.walk())
