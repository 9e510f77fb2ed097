"""A running NATS server: what a snapshot says of its connections, streams and stacks, held against its own pages."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.nats_server import Client, get, serving
from tests.servers.servers import NATS
from tests.servers.snapshots import take
from tests.traceback import Dumped, parse_dump, shown, still

pytestmark = pytest.mark.timeout(1800)
CLIENTS, MESSAGES = 7, 5
MAY_BE_NIL = {
    ("connections", "pre"), ("senders", "tags"), ("consumers", "paused_until"), ("consumers", "err"), ("streams", "amch"),
}  # fmt: skip
MOVES = (
    "net/http.(*conn).serve",
    "net/http.(*connReader).backgroundRead",
    "net/http.(*Server).Serve",
    "github.com/nats-io/nats-server/v2/server/ats.Register.func1",
)


@dataclass(frozen=True)
class Scene:
    """The server's own word, and a snapshot for each engine, taken while nothing moved."""

    connections: dict[int, dict[str, Any]]
    streams: dict[str, dict[str, Any]]
    server: dict[str, Any]
    dump: dict[int, Dumped]
    files: dict[str, Path]

    def rows(self, engine: str, sql: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.files[engine])) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    binary, folder = NATS.build(), tmp_path_factory.mktemp("nats")
    with ExitStack() as stack:
        pid, port, monitor, profile = stack.enter_context(serving(binary, folder))
        clients = [stack.enter_context(Client(port, number)) for number in range(CLIENTS)]
        _work(clients)
        connections = _quiet(monitor)
        details = json.loads(get(monitor, "/jsz?streams=1&consumers=1"))["account_details"][0]["stream_detail"]
        before = parse_dump(get(profile, "/debug/pprof/goroutine?debug=2"))
        files = {}
        for engine in ("memory", "ebpf"):
            files[engine] = folder / f"{engine}.sqlite"
            take(pid, NATS.spec, files[engine], engine)
        after = parse_dump(get(profile, "/debug/pprof/goroutine?debug=2"))
        yield Scene(
            {each["cid"]: each for each in connections},
            {each["name"]: each for each in details},
            json.loads(get(monitor, "/varz")),
            still(before, after, MOVES),
            files,
        )


def _quiet(monitor: int) -> list[dict[str, Any]]:
    """The connections' own page, once nothing waits to be written: the last answers are booked after they were sent."""
    deadline = time.monotonic() + 30
    while True:
        found: list[dict[str, Any]] = json.loads(get(monitor, "/connz?subs=1"))["connections"]
        if not any(each["pending_bytes"] for each in found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def _work(clients: list[Client]) -> None:
    """Subscriptions, messages, a stream with a consumer; then quiet."""
    for number, client in enumerate(clients):
        for subscription in range(number):
            client.send(f"SUB news.{number}.{subscription} {subscription + 1}")
        client.settle()
    for number in range(MESSAGES):
        clients[0].send(f"PUB news.3.1 {4 + number}", "text" + "!" * number)
    first = clients[0]
    first.request("$JS.API.STREAM.CREATE.ORDERS", {"name": "ORDERS", "subjects": ["orders.>"], "storage": "file"})
    for number in range(MESSAGES):
        first.request(f"orders.{number}", {"order": number})
    config = {"durable_name": "billing", "ack_policy": "explicit", "deliver_subject": "deliver.billing"}
    first.request("$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.billing", {"stream_name": "ORDERS", "config": config})
    for client in clients:
        client.settle()


@pytest.fixture(params=["memory", "ebpf"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_connections_are_those_of_its_own_page(scene: Scene, engine: str) -> None:
    rows = {row["cid"]: row for row in scene.rows(engine, "SELECT * FROM connections WHERE kind = 0")}
    assert rows.keys() == scene.connections.keys()
    assert len(rows) == CLIENTS
    same = ("name", "lang", "version", "ip", "port", "in_msgs", "out_msgs", "in_bytes", "out_bytes")
    for cid, own in scene.connections.items():
        assert {name: rows[cid][name] for name in same} == {name: own[name] for name in same}
        assert rows[cid]["account"] == "$G"
        assert rows[cid]["server"] == scene.server["server_id"]
        assert rows[cid]["started"][:23] == own["start"][:23]
        subscriptions = json.loads(rows[cid]["subs"])
        assert len(subscriptions) == own["subscriptions"]


def test_every_writer_belongs_to_a_connection(scene: Scene, engine: str) -> None:
    rows = {row["cid"]: row for row in scene.rows(engine, "SELECT * FROM writers")}
    assert scene.connections.keys() <= rows.keys()
    for cid, own in scene.connections.items():
        assert rows[cid]["pending_bytes"] == own["pending_bytes"]
        assert rows[cid]["max_pending"] == scene.server["max_pending"]
        assert rows[cid]["deadline"] == scene.server["write_deadline"]


def test_streams_and_consumers_are_those_of_its_own_page(scene: Scene, engine: str) -> None:
    [stream] = [row for row in scene.rows(engine, "SELECT * FROM streams") if row["name"] == "ORDERS"]
    own = scene.streams["ORDERS"]
    assert stream["last_sequence"] == own["state"]["last_seq"] == MESSAGES
    assert json.loads(stream["subjects"]) == ["orders.>"]
    assert stream["created"][:23] == own["created"][:23]
    assert set(json.loads(stream["consumers"])) == {"billing"}
    [store] = [row for row in scene.rows(engine, "SELECT * FROM stores") if row["name"] == "ORDERS"]
    assert (store["messages"], store["bytes"], store["first"], store["last"]) == (
        own["state"]["messages"],
        own["state"]["bytes"],
        own["state"]["first_seq"],
        own["state"]["last_seq"],
    )
    [consumer] = scene.rows(engine, "SELECT * FROM consumers")
    assert (consumer["name"], consumer["in_stream"]) == ("billing", "ORDERS")
    assert consumer["pending"] == own["consumer_detail"][0]["num_pending"]


def test_the_server_itself(scene: Scene, engine: str) -> None:
    [server] = scene.rows(engine, "SELECT * FROM listeners")
    assert server["acceptName"] == "Client"
    assert server["server"] == scene.server["server_id"]
    assert server["port"] == scene.server["port"]
    assert server["connections"] == scene.server["total_connections"] == CLIENTS


def test_main_waits_and_needs_the_server_no_more(scene: Scene, engine: str) -> None:
    """An inlined call; nothing after it uses the pointer, so the garbage collector might have freed what it points to."""
    [row] = scene.rows(engine, "SELECT * FROM servers")
    assert row["function"].endswith("server.(*Server).WaitForShutdown")
    absent = scene.rows(engine, "SELECT column_name, reason, detail FROM absences WHERE table_name = 'servers'")
    assert {each["column_name"] for each in absent} == {"id", "clients", "port"}
    assert {each["reason"] for each in absent} == {"optimized out"}
    assert all("nothing here uses it after this call" in each["detail"] for each in absent)


def test_stacks_are_those_of_its_own_dump(scene: Scene, engine: str) -> None:
    stacks: dict[int, list[str]] = {number: [] for number in scene.dump}
    for row in scene.rows(engine, "SELECT goroutine_id, function FROM frames ORDER BY goroutine_id, depth"):
        if row["goroutine_id"] in stacks and shown([row["function"]]):
            stacks[row["goroutine_id"]].append(row["function"])
    assert len(stacks) > 2 * CLIENTS
    for number, dumped in scene.dump.items():
        assert tuple(stacks[number]) == dumped.functions, number


def test_no_null_without_a_reason(scene: Scene, engine: str) -> None:
    """A NULL is Go's nil, or a row in absences says why."""
    for table in ("connections", "writers", "listeners", "senders", "streams", "consumers", "stores", "servers"):
        why = {
            (row["goroutine_id"], row["column_name"])
            for row in scene.rows(engine, f"SELECT * FROM absences WHERE table_name = '{table}' AND path = ''")
        }
        for row in scene.rows(engine, f"SELECT * FROM {table}"):
            missing = {name for name, value in row.items() if value is None}
            unexplained = {name for name in missing if (row["goroutine_id"], name) not in why}
            assert {(table, name) for name in unexplained} <= MAY_BE_NIL
