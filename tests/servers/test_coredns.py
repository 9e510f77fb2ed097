"""A running CoreDNS at work: queries that wait for an upstream which never answers, among many that are answered at once."""

import itertools
import json
import socket
import struct
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.servers import COREDNS
from tests.servers.snapshots import assert_stacks_of, rows, take
from tests.traceback import Dumped, parse_dump, still

pytestmark = pytest.mark.timeout(1800)
QUERIES = {1000 + 7 * number: f"host{number}.silent.test." for number in range(7)}
"""Id to name."""
COREFILE = """
.:{port} {{
    bind 127.0.0.1
    errors
    log
    pprof 127.0.0.1:{pprof}
    cache 30 {{
        servfail 0
    }}
    template IN A busy.test {{
        answer "{{{{ .Name }}}} 60 IN A 10.1.2.3"
    }}
    forward silent.test 127.0.0.1:{upstream} {{
        health_check 1h
        max_fails 0
    }}
}}
"""


BUSY = ("github.com/miekg/dns.(*Server).serveUDP",)
"""What is at work for the load."""
MOVES = ("net/http.(*conn).serve", "net/http.(*Server).Serve", "github.com/miekg/dns.(*Server).serveUDPPacket")


def free() -> int:
    """A port on loopback that is free now, for UDP as well as for TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            with suppress(OSError):
                udp.bind(tcp.getsockname())
                return int(tcp.getsockname()[1])


def question(number: int, name: str) -> bytes:
    """A DNS query for an A record (RFC 1035, 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


@dataclass(frozen=True)
class Scene:
    """Snapshots by engine, and what stood still in the server's own dump."""

    files: dict[str, Path]
    dumps: dict[str, dict[int, Dumped]]
    upstream: int
    answered: int

    def rows(self, engine: str, sql: str) -> list[dict[str, Any]]:
        return rows(self.files[engine], sql)


def _dump(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/debug/pprof/goroutine?debug=2", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    binary, folder = COREDNS.build(), tmp_path_factory.mktemp("coredns")
    port, pprof = free(), free()
    with ExitStack() as stack:
        silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(60)
        upstream = silent.getsockname()[1]
        corefile = folder / "Corefile"
        corefile.write_text(COREFILE.format(port=port, pprof=pprof, upstream=upstream))
        server = subprocess.Popen(
            [str(binary), "-conf", str(corefile)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        stack.callback(server.wait)
        stack.callback(server.kill)
        _wait(pprof)
        stack.enter_context(_asking(port))
        for _ in QUERIES:
            silent.recv(512)
        files: dict[str, Path] = {}
        dumps: dict[str, dict[int, Dumped]] = {}
        answered = stack.enter_context(_load(port))
        for engine in ("memory", "ebpf"):
            files[engine] = folder / f"{engine}.sqlite"
            before = parse_dump(_dump(pprof))
            take(server.pid, COREDNS.spec, files[engine], engine)
            dumps[engine] = still(before, parse_dump(_dump(pprof)), MOVES)
        yield Scene(files, dumps, upstream, len(answered))


@contextmanager
def _load(port: int) -> Iterator[list[int]]:
    """Queries of two clients, each asked when the last one has been answered; yields the numbers of those that were."""
    done = threading.Event()
    answered: list[int] = []

    def ask(first: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(30)
            for number in itertools.count(first, 2):
                if done.is_set():
                    return
                client.sendto(question(number % 1000, f"n{number}.busy.test."), ("127.0.0.1", port))
                answer = client.recv(512)
                assert answer.endswith(bytes((10, 1, 2, 3)))
                answered.append(number)

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask, first) for first in range(2)]
        try:
            while len(answered) < 100:
                assert not any(each.done() for each in asking), [each.exception() for each in asking if each.done()]
                time.sleep(0.01)
            yield answered
        finally:
            done.set()
    for each in asking:
        each.result()


@contextmanager
def _asking(port: int) -> Iterator[None]:
    """All the queries, four times a second: an unanswered one lives for some seconds, so that there are always some."""
    done = threading.Event()

    def ask() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            while not done.wait(0.25):
                for number, name in QUERIES.items():
                    client.sendto(question(number, name), ("127.0.0.1", port))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.fixture(params=["memory", "ebpf"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_query_in_flight_is_there(scene: Scene, engine: str) -> None:
    waiting = set()
    for row in scene.rows(engine, "SELECT * FROM queries"):
        [asked] = json.loads(row["questions"])
        assert (asked["Qtype"], asked["Qclass"], row["recursion"]) == (1, 1, 1)
        assert row["listener"].startswith("dns://127.0.0.1:")
        if not asked["Name"].endswith(".busy.test."):
            assert asked["Name"] == QUERIES[row["id"]]
            waiting.add(row["id"])
    assert waiting == QUERIES.keys()


def test_there_was_load(scene: Scene) -> None:
    assert scene.answered > 1000


def test_the_whole_plugin_chain_of_a_query_is_on_one_stack(scene: Scene, engine: str) -> None:
    """The frames of the plugins agree on the query, and say for whom it waits."""
    sql = (
        "SELECT q.id AS id, c.id AS cached, f.zone, l.upstream, l.originId FROM queries q"
        " JOIN cached c USING (goroutine_id) JOIN forwarded f USING (goroutine_id) JOIN lookups l USING (goroutine_id)"
    )
    rows = scene.rows(engine, sql)
    assert {row["id"] for row in rows} == QUERIES.keys()
    for row in rows:
        assert row["upstream"] == f"127.0.0.1:{scene.upstream}"
        assert row["cached"] in (row["id"], None)
        assert row["zone"] == "silent.test."
        assert row["originId"] == row["id"]  # the question goes out under a number of its own


def test_stacks_are_those_of_its_own_dump(scene: Scene, engine: str) -> None:
    """Of what stood still all the time: listeners, probes, the connection manager."""
    assert assert_stacks_of(scene.dumps[engine], scene.files[engine], BUSY) > 5
