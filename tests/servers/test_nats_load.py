"""A NATS server at work: messages flow and connections come and go while it is captured."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.nats_server import Client, get, serving
from tests.servers.servers import NATS
from tests.servers.snapshots import assert_stacks_of, rows, take
from tests.traceback import Dumped, parse_dump, still

pytestmark = pytest.mark.timeout(1800)
QUIET, PUBLISHERS, SUBSCRIBERS, SNAPSHOTS = 20, 2, 5, 2
COMES_AND_GOES = 300
COUNTERS = ("in_msgs", "out_msgs", "in_bytes", "out_bytes")
SERVER = "github.com/nats-io/nats-server/v2/server"
BUSY = (f"{SERVER}.(*client).readLoop", f"{SERVER}.(*client).writeLoop", f"{SERVER}.(*Server).acceptConnections")
"""What is at work for the load."""
MOVES = (
    "net/http.(*conn).serve", "net/http.(*connReader).backgroundRead", "net/http.(*Server).Serve", f"{SERVER}/ats.Register.func1",
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """A snapshot, and the server's own word before and after it."""

    before: dict[int, dict[str, Any]]
    after: dict[int, dict[str, Any]]
    dump: dict[int, Dumped]
    file: Path
    came: int
    """Connections that were made meanwhile."""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Taken]]:
    binary, folder = NATS.build(), tmp_path_factory.mktemp("nats-load")
    with ExitStack() as stack:
        pid, port, monitor, profile = stack.enter_context(serving(binary, folder))
        for number in range(QUIET):
            client = stack.enter_context(Client(port, number))
            client.send(f"SUB quiet.{number} 1")
            client.settle()
        stack.enter_context(load(port))

        def one(number: int) -> Taken:
            file = folder / f"{number}.sqlite"
            had = total(monitor)
            before, dump = connections(monitor), parse_dump(get(profile, "/debug/pprof/goroutine?debug=2"))
            take(pid, NATS.spec, file)
            dump = still(dump, parse_dump(get(profile, "/debug/pprof/goroutine?debug=2")), MOVES)
            return Taken(before, connections(monitor), dump, file, total(monitor) - had)

        yield [one(number) for number in range(SNAPSHOTS)]


def total(monitor: int) -> int:
    """All connections that there ever were."""
    return int(json.loads(get(monitor, "/varz"))["total_connections"])


def connections(monitor: int) -> dict[int, dict[str, Any]]:
    """The server's own page, by connection."""
    return {each["cid"]: each for each in json.loads(get(monitor, "/connz?subs=1&limit=10000"))["connections"]}


@contextmanager
def load(port: int) -> Iterator[None]:
    """Messages from publishers to subscribers, thousands a second, and connections that come and go."""
    done, flowing = threading.Event(), threading.Event()

    def publish(client: Client) -> None:
        while not done.wait(0.02):
            for _ in range(200):
                client.send("PUB load.all 11", "hello world")
            client.settle()
            flowing.set()

    def receive(client: Client) -> None:
        while not done.wait(0.01):
            client.settle()

    def come_and_go() -> None:
        while not done.wait(0.02):
            with Client(port, COMES_AND_GOES) as client:
                client.settle()

    with ExitStack() as stack:
        clients = [stack.enter_context(Client(port, 100 + number)) for number in range(PUBLISHERS + SUBSCRIBERS)]
        for client in clients:
            client.send("SUB load.> 7" if client in clients[PUBLISHERS:] else "SUB other 7")
            client.settle()
        threads = [threading.Thread(target=publish, args=(client,)) for client in clients[:PUBLISHERS]]
        threads += [threading.Thread(target=receive, args=(client,)) for client in clients[PUBLISHERS:]]
        threads.append(threading.Thread(target=come_and_go))
        for thread in threads:
            thread.start()
        try:
            assert flowing.wait(60)
            yield
        finally:
            done.set()
            for thread in threads:
                thread.join()


def test_connections_are_those_of_its_own_page(taken: list[Taken]) -> None:
    """Whoever was there before and after is there; counters lie between."""
    for each in taken:
        found = {row["cid"]: row for row in rows(each.file, "SELECT * FROM connections WHERE kind = 0")}
        lasting = {cid for cid, own in each.before.items() if "name" in own} & each.after.keys()
        assert len(lasting) >= QUIET + PUBLISHERS + SUBSCRIBERS
        assert lasting <= found.keys()
        others = {row["name"] for cid, row in found.items() if cid not in lasting}
        assert others <= {f"client {COMES_AND_GOES}", ""}  # one that has only just come has not said its name
        for cid in lasting:
            own, later, row = each.before[cid], each.after[cid], found[cid]
            same = ("name", "lang", "version", "ip", "port")
            assert {name: row[name] for name in same} == {name: own[name] for name in same}
            assert len(json.loads(row["subs"])) == own["subscriptions"]
            for name in COUNTERS:
                assert own[name] <= row[name] <= later[name], (name, own, row)


def test_there_was_load(taken: list[Taken]) -> None:
    for each in taken:
        more = [each.after[cid]["out_msgs"] - own["out_msgs"] for cid, own in each.before.items() if cid in each.after]
        assert sum(count > 0 for count in more) >= SUBSCRIBERS
        assert each.came > 0


def test_stacks_are_those_of_its_own_dump(taken: list[Taken]) -> None:
    for each in taken:
        quiet = {cid for cid, own in each.before.items() if own.get("name") in {f"client {n}" for n in range(QUIET)}}
        loops = rows(each.file, "SELECT goroutine_id, cid FROM connections UNION SELECT goroutine_id, cid FROM writers")
        resting = {row["goroutine_id"] for row in loops if row["cid"] in quiet}
        assert len(resting & each.dump.keys()) == 2 * QUIET
        assert_stacks_of({number: each.dump[number] for number in resting}, each.file, ())
        rest = {number: dumped for number, dumped in each.dump.items() if number not in resting}
        assert assert_stacks_of(rest, each.file, BUSY) > 5
