"""A running etcd at work: keys are put, watchers watch, leases last; held against its own word before and after a snapshot."""

import base64
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.servers.servers import ETCD
from tests.servers.snapshots import assert_stacks_of, rows, take
from tests.traceback import Dumped, parse_dump, still

pytestmark = pytest.mark.timeout(1800)
WATCHERS, WRITERS = 4, 8
SNAPSHOTS, MORE = 3, 20
"""Snapshots are taken until one has a request in flight; each lives for a millisecond."""
LEASES = {1001: 600, 1002: 700, 1003: 800}
"""Id to seconds."""
LEADER = 2
"""raft.StateLeader."""
ETCDSERVER, GRPC = "go.etcd.io/etcd/server/v3", "google.golang.org/grpc"
BUSY = (
    f"{ETCDSERVER}/etcdserver.(*EtcdServer).run", f"{ETCDSERVER}/etcdserver.(*raftNode).start.func1",
    f"{ETCDSERVER}/etcdserver.(*EtcdServer).linearizableReadLoop", f"{ETCDSERVER}/storage/backend.(*backend).run",
    f"{ETCDSERVER}/storage/mvcc.(*watchableStore).syncVictimsLoop", f"{ETCDSERVER}/storage/mvcc.(*watchableStore).syncWatchersLoop",
    f"{ETCDSERVER}/lease.(*lessor).runLoop", "go.etcd.io/etcd/pkg/v3/schedule.(*fifo).run", "go.etcd.io/raft/v3.(*node).run",
    f"{GRPC}/internal/transport.(*loopyWriter).run", f"{GRPC}/internal/transport.(*http2Client).reader",
    f"{GRPC}/internal/transport.(*http2Server).HandleStreams", f"{GRPC}.(*Server).serverWorker",
    f"{GRPC}/internal/grpcsync.(*CallbackSerializer).run", "net/http.(*conn).serve", "net/http.(*Server).Serve",
    "net/http.(*connReader).backgroundRead",
)  # fmt: skip
"""What is at work for the load, or all the time."""


@dataclass(frozen=True)
class Taken:
    """A snapshot, and the server's own word before and after it."""

    before: dict[str, Any]
    after: dict[str, Any]
    dump: dict[int, Dumped]
    file: Path


def free() -> int:
    """A port on loopback that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int]]:
    """(pid, client port) of a member of its own cluster."""
    port = free()
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free()}"
    command = [
        ETCD.build(), "--data-dir", folder / "data", "--enable-pprof", "--unsafe-no-fsync", "--log-level", "error",
        "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
        "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
    ]  # fmt: skip
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not _ready(port):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        yield process.pid, port
    finally:
        process.kill()
        process.wait()


def _ready(port: int) -> bool:
    try:
        return bool(json.loads(_get(port, "/health"))["health"] == "true")
    except (OSError, urllib.error.URLError):
        return False


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return str(answer.read().decode())


def ask(port: int, path: str, body: object) -> dict[str, Any]:
    """Ask its JSON gateway."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v3/{path}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def text(key: str) -> str:
    """A key as the gateway wants it."""
    return base64.b64encode(key.encode()).decode()


@contextmanager
def watching(port: int, number: int) -> Iterator[None]:
    """A watcher of a key that nobody writes."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/v3/watch", json.dumps({"create_request": {"key": text(f"watched/{number}")}}))
        assert json.loads(connection.getresponse().readline())["result"]["created"]
        yield
    finally:
        connection.close()


@contextmanager
def writing(port: int) -> Iterator[None]:
    """Keys are put by several writers, each as soon as its last one is there."""
    done = threading.Event()

    def write(writer: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for number in range(1_000_000):
            if done.is_set():
                break
            body = {"key": text(f"load/{writer}/{number % 50}"), "value": text("v" * 100)}
            connection.request("POST", "/v3/kv/put", json.dumps(body))
            assert connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Taken]]:
    folder = tmp_path_factory.mktemp("etcd")
    with ExitStack() as stack:
        pid, port = stack.enter_context(serving(folder))
        for lease, seconds in LEASES.items():
            ask(port, "lease/grant", {"ID": lease, "TTL": seconds})
        for number in range(WATCHERS):
            stack.enter_context(watching(port, number))
        stack.enter_context(writing(port))

        def one(number: int) -> Taken:
            file = folder / f"{number}.sqlite"
            before, dump = ask(port, "maintenance/status", {}), parse_dump(_get(port, "/debug/pprof/goroutine?debug=2"))
            take(pid, ETCD.spec, file)
            dump = still(dump, parse_dump(_get(port, "/debug/pprof/goroutine?debug=2")))
            return Taken(before, ask(port, "maintenance/status", {}), dump, file)

        found: list[Taken] = []
        while len(found) < SNAPSHOTS or (len(found) < MORE and not any(requests(each) for each in found)):
            found.append(one(len(found)))
        yield found


def requests(taken: Taken) -> list[dict[str, Any]]:
    """The requests in flight of a snapshot."""
    return rows(taken.file, "SELECT * FROM requests")


def test_there_was_load(taken: list[Taken]) -> None:
    for each in taken:
        assert int(each.after["header"]["revision"]) > int(each.before["header"]["revision"]) + WRITERS


def test_the_member_is_what_it_says_itself(taken: list[Taken]) -> None:
    for each in taken:
        own = {name: int(each.before["header"][name]) for name in ("member_id", "raft_term")}
        [server] = rows(each.file, "SELECT * FROM servers")
        assert (int(server["member"]), server["term"], int(server["leader"])) == (
            own["member_id"], own["raft_term"], int(each.before["leader"]),
        )  # fmt: skip
        assert server["name"] == "default"
        assert int(each.before["raftAppliedIndex"]) <= server["applied"] <= server["committed"]
        assert server["committed"] <= int(each.after["raftIndex"])
        [raft] = rows(each.file, "SELECT * FROM raft")
        assert (int(raft["id"]), raft["term"], raft["state"]) == (own["member_id"], own["raft_term"], LEADER)
        assert int(raft["vote"]) == int(raft["leader"]) == own["member_id"]


def test_the_store_is_between_what_it_was_and_what_it_became(taken: list[Taken]) -> None:
    for each in taken:
        [store] = rows(each.file, "SELECT * FROM stores")
        assert int(each.before["header"]["revision"]) <= store["revision"] <= int(each.after["header"]["revision"])
        assert json.loads(store["synced"]).keys() == {f"watched/{number}" for number in range(WATCHERS)}
        [backend] = rows(each.file, "SELECT * FROM backends")
        assert int(each.before["dbSize"]) <= backend["size"] <= int(each.after["dbSize"])


def test_leases_and_watchers_are_all_there(taken: list[Taken]) -> None:
    for each in taken:
        [lessor] = rows(each.file, "SELECT * FROM lessors")
        leases = json.loads(lessor["leases"])
        assert {int(number): lease["ttl"] for number, lease in leases.items()} == LEASES
        streams = rows(each.file, "SELECT * FROM watch_streams")
        assert len(streams) == WATCHERS
        assert {int(row["member"]) % 2**64 for row in streams} == {int(each.before["header"]["member_id"])}


def test_requests_in_flight_are_the_writers(taken: list[Taken]) -> None:
    """Their numbers begin with the member's. The request itself is no longer needed once it has been handed to raft."""
    assert any(requests(each) for each in taken)
    for each in taken:
        found = requests(each)
        ids = [int(row["id"]) for row in found if row["id"] is not None]
        assert len(ids) == len(set(ids)) <= WRITERS
        assert {number >> 48 for number in ids} <= {int(each.before["header"]["member_id"]) & 0xFFFF}
        why = "SELECT goroutine_id, column_name FROM absences WHERE table_name = 'requests'"
        absent = {(row["goroutine_id"], row["column_name"]) for row in rows(each.file, why)}
        for row in found:
            assert row["id"] is not None or (row["goroutine_id"], "id") in absent
            put = json.loads(row["put"] or "{}")
            assert (row["goroutine_id"], "put") in absent or put["Key"].startswith("load/")


def test_stacks_are_those_of_its_own_dump(taken: list[Taken]) -> None:
    for each in taken:
        assert assert_stacks_of(each.dump, each.file, BUSY) > 15
