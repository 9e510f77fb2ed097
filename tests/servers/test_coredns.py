"""A running CoreDNS: queries that wait for an upstream which never answers."""

import json
import socket
import sqlite3
import struct
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.servers.servers import COREDNS
from tests.traceback import parse_dump, shown, still

pytestmark = pytest.mark.timeout(1800)
FREEZEFRAME = ROOT / ".venv/bin/freezeframe"
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
    forward silent.test 127.0.0.1:{upstream} {{
        health_check 1h
        max_fails 0
    }}
}}
"""


def free(kind: socket.SocketKind) -> int:
    """A port on loopback that is free now."""
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def question(number: int, name: str) -> bytes:
    """A DNS query for an A record (RFC 1035, 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


@dataclass(frozen=True)
class Scene:
    """Snapshots by engine, and what stood still in the server's own dump."""

    files: dict[str, Path]
    dump: dict[int, tuple[str, ...]]
    upstream: int

    def rows(self, engine: str, sql: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.files[engine])) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]


def _dump(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/debug/pprof/goroutine?debug=2", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    binary, folder = COREDNS.build(), tmp_path_factory.mktemp("coredns")
    port, pprof = free(socket.SOCK_DGRAM), free(socket.SOCK_STREAM)
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
        files = {}
        before = _dump(pprof)
        for engine in ("memory", "ebpf"):
            files[engine] = folder / f"{engine}.sqlite"
            arguments = ["--pid", str(server.pid), "--spec", str(COREDNS.spec), "--out", str(files[engine])]
            command = [str(FREEZEFRAME), "snapshot", *arguments, "--engine", engine]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        after = _dump(pprof)
        dump = still(parse_dump(before), parse_dump(after), ("net/http.(*conn).serve", "net/http.(*Server).Serve"))
        yield Scene(files, {number: each.functions for number, each in dump.items()}, upstream)


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
    rows = scene.rows(engine, "SELECT * FROM queries")
    assert {row["id"] for row in rows} == QUERIES.keys()
    for row in rows:
        [asked] = json.loads(row["questions"])
        assert asked == {"Name": QUERIES[row["id"]], "Qtype": 1, "Qclass": 1}
        assert row["recursion"] == 1
        assert row["listener"].startswith("dns://127.0.0.1:")


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


def test_stacks_are_those_of_its_own_dump(scene: Scene) -> None:
    """Of what stood still all the time: listeners, probes, the connection manager."""
    stacks: dict[int, list[str]] = {number: [] for number in scene.dump}
    for row in scene.rows("ebpf", "SELECT goroutine_id, function FROM frames ORDER BY goroutine_id, depth"):
        if row["goroutine_id"] in stacks and shown([row["function"]]):
            stacks[row["goroutine_id"]].append(row["function"])
    assert len(stacks) > 5
    for number, functions in scene.dump.items():
        assert tuple(stacks[number]) == functions, number
