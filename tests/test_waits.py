"""What a goroutine waits for, its labels, its threads and where it began, held against the program's own word, on both engines."""

import json
import os
import re
import sqlite3
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.capture import arm
from agent.engine import Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.decode import decode
from compiler.spec import read_spec
from datasource.store.write import Captured, new_snapshot_id, write_snapshot
from tests.conftest import ROOT, build
from tests.programs import running
from tests.traceback import Dumped, parse_dump

pytestmark = [pytest.mark.every_go, pytest.mark.timeout(600)]

ENGINES: dict[str, type[Engine]] = {"memory": MemoryEngine, "ebpf": EbpfEngine}
SPEC = "functions: []\nlimits: {pause_ms: 60000}\n"
UNTOLD = ("timer", "once")
"""Rows that do not know the address that they wait at."""
LEAKS = re.compile(r"^(\d+) @", re.MULTILINE)
LABELS = re.compile(r"^(\d+) @.*\n# labels: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Scene:
    """The program, standing still, and a snapshot of it for each engine."""

    truth: list[dict[str, Any]]
    dump: dict[int, Dumped]
    profile: str
    files: dict[str, Path]

    def rows(self, engine: str, sql: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.files[engine])) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    def goroutines(self, engine: str) -> dict[int, dict[str, Any]]:
        return {row["goroutine_id"]: row for row in self.rows(engine, "SELECT * FROM goroutines")}

    def named(self, name: str) -> list[int]:
        return [row["goroutine_id"] for row in self.truth if row["name"] == name]


@pytest.fixture(scope="module")
def binary(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/waits", built / "waits")


def _snapshot(pid: int, opened: Binary, engine: str, file: Path, text: str = SPEC) -> None:
    spec = read_spec(text, "waits.yaml")
    compiled = compile_spec(spec, opened)
    with arm(pid, compiled.program, ENGINES[engine]()) as armed:
        capture = decode(compiled.program, armed.fire(), opened.pclntab)
    captured = Captured("here", "waits", str(pid), compiled.program, capture, compiled.issues)
    write_snapshot(file, spec, [captured], taken_at_ns=1, snapshot_id=new_snapshot_id(1))


@pytest.fixture(scope="module")
def scene(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("waits")
    with Binary(binary) as opened, running(binary) as target:
        truth, dump, profile = (_get(target.ready["address"], each) for each in ("truth", "stack", "profile"))
        files = {name: folder / f"{name}.sqlite" for name in ENGINES}
        for name, file in files.items():
            _snapshot(target.pid, opened, name, file)
        yield Scene(json.loads(truth), parse_dump(dump), profile, files)


def _get(address: str, what: str) -> str:
    with urllib.request.urlopen(f"http://{address}/{what}", timeout=60) as answer:
        return str(answer.read().decode())


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_nothing_is_lost(scene: Scene, engine: str) -> None:
    assert scene.rows(engine, "SELECT * FROM losses") == []
    assert scene.rows(engine, "SELECT * FROM issues") == []


def test_waits_are_what_the_goroutines_say(scene: Scene, engine: str) -> None:
    found: dict[int, list[tuple[str, str, str]]] = {row["goroutine_id"]: [] for row in scene.truth}
    for row in scene.rows(engine, "SELECT * FROM waits ORDER BY goroutine_id, position"):
        if row["goroutine_id"] in found:
            assert row["position"] == len(found[row["goroutine_id"]])
            found[row["goroutine_id"]].append((row["operation"], row["object"], row["address"] or ""))
    wrong = {}
    for row in scene.truth:
        wanted = sorted((each["operation"], each["object"], each["address"]) for each in row["waits"] or ())
        if row["name"] not in UNTOLD and sorted(found[row["goroutine_id"]]) != wanted:
            wrong[row["name"]] = (found[row["goroutine_id"]], wanted)
    assert not wrong
    [timer], [once] = ([found[number] for number in scene.named(name)] for name in UNTOLD)
    assert [each[:2] for each in (*timer, *once)] == [("receive", "chan"), ("lock", "sync.Mutex")]
    assert len({address for waits in found.values() for *_, address in waits}) > 300


def test_waits_on_says_the_same_to_people(scene: Scene, engine: str) -> None:
    for number, row in scene.goroutines(engine).items():
        waits = scene.rows(engine, f"SELECT * FROM waits WHERE goroutine_id = {number} ORDER BY position")
        texts = [" ".join(filter(None, (each["operation"], each["object"], each["address"]))) for each in waits]
        assert row["waits_on"] == (", ".join(texts) or None)


def test_labels_are_what_the_goroutines_say(scene: Scene, engine: str) -> None:
    goroutines = scene.goroutines(engine)
    for row in scene.truth:
        labels = scene.rows(engine, f"SELECT * FROM goroutine_labels WHERE goroutine_id = {row['goroutine_id']}")
        assert {each["key"]: each["value"] for each in labels} == (row["labels"] or {}), row["name"]
        assert json.loads(goroutines[row["goroutine_id"]]["labels"] or "{}") == (row["labels"] or {}), row["name"]


def test_labels_are_those_of_the_profile(scene: Scene, engine: str) -> None:
    found = Counter[str]()
    for count, labels in LABELS.findall(scene.profile):
        found[_sorted(json.loads(labels))] += int(count)
    ours = [row["labels"] for row in scene.goroutines(engine).values() if row["labels"] is not None]
    assert Counter(_sorted(json.loads(each)) for each in ours) == found
    assert found.total() > 100


def _sorted(labels: dict[str, str]) -> str:
    return json.dumps(labels, sort_keys=True)


def test_who_began_a_goroutine_and_where(scene: Scene, engine: str) -> None:
    goroutines = scene.goroutines(engine)
    for row in scene.truth:
        found = goroutines[row["goroutine_id"]]
        if row["name"] != "finalizer":
            assert found["created_by_line"] == row["line"], row["name"]
            assert found["created_by_file"].endswith("/waits/main.go")
    for number, dumped in scene.dump.items():
        if number in goroutines:
            found = goroutines[number]
            assert dumped.created_at in (None, (found["created_by_file"], found["created_by_line"]))


def test_threads(scene: Scene, engine: str) -> None:
    goroutines = scene.goroutines(engine)
    for row in scene.truth:
        found = goroutines[row["goroutine_id"]]
        assert (found["locked_tid"] or 0) == row["locked_tid"], row["name"]
        preempted = row["name"] == "running" and found["status"] in ("runnable", "preempted")
        assert (found["tid"] or 0) == (0 if preempted else row["tid"]), row["name"]
        assert (found["m"] is None) == (found["tid"] is None)
    running_now = [each for each in goroutines.values() if each["m"] is not None]
    assert len({each["m"] for each in running_now}) == len(running_now)
    assert all(0 <= each["m"] < 1000 for each in running_now)


def test_threads_and_cpus(scene: Scene, engine: str) -> None:
    """A thread that may run on one CPU only was seen there, the one that computes as running."""
    threads = {row["tid"]: row for row in scene.rows(engine, "SELECT * FROM threads")}
    [process] = scene.rows(engine, "SELECT * FROM processes")
    assert process["pid"] in threads
    assert all(row["host_tid"] == tid and row["cpu"] is not None for tid, row in threads.items())
    [computing] = [row for row in scene.truth if row["name"] == "running"]
    assert (threads[computing["tid"]]["cpu"], threads[computing["tid"]]["state"]) == (computing["cpu"], "running")
    [calling] = [row for row in scene.truth if row["name"] == "calling"]
    assert threads[calling["tid"]]["state"] == "sleeping"
    assert threads[calling["tid"]]["goroutine_id"] == calling["goroutine_id"]
    for number, row in scene.goroutines(engine).items():
        if row["tid"] is not None:
            found = threads[row["tid"]]
            assert (found["goroutine_id"], found["m"], found["cpu"]) == (number, row["m"], row["cpu"])


def test_system_goroutines_are_those_that_the_dump_hides(scene: Scene, engine: str) -> None:
    goroutines = scene.goroutines(engine)
    shown = {number for number, row in goroutines.items() if not row["system"]}
    serving = {number for number, each in scene.dump.items() if any("/http.(*conn" in name for name in each.functions)}
    assert scene.named("finalizer")[0] in shown
    assert set(scene.dump) - serving <= shown
    assert all(goroutines[number]["start_function"].startswith("net/http.") for number in shown - set(scene.dump))


def test_a_wait_is_at_least_as_long_as_the_last_collection_knows(scene: Scene, engine: str) -> None:
    [process] = scene.rows(engine, "SELECT * FROM processes")
    goroutines = scene.goroutines(engine)
    since = [goroutines[row["goroutine_id"]]["wait_since_ns"] for row in scene.truth if row["name"] == "crowd"]
    assert all(0 < process["captured_at_ns"] - each < 600e9 for each in since)


def test_waits_join(scene: Scene, engine: str) -> None:
    """Who else waits at the channel of a goroutine?"""
    [one] = scene.named("some nil")
    others = scene.rows(
        engine,
        "SELECT theirs.goroutine_id FROM waits AS mine JOIN waits AS theirs USING (process_id, address)"
        f" WHERE mine.goroutine_id = {one}",
    )
    assert sorted(each["goroutine_id"] for each in others) == sorted(
        [one, *scene.named("crowd"), *scene.named("range")]
    )


def test_both_engines_give_the_same(scene: Scene) -> None:
    ids = ", ".join(str(row["goroutine_id"]) for row in scene.truth)
    for table in ("goroutines", "waits", "goroutine_labels"):
        sql = f"SELECT * FROM {table} WHERE goroutine_id IN ({ids}) ORDER BY 1, 2, 3"
        memory, ebpf = (scene.rows(name, sql) for name in ENGINES)
        for row in (*memory, *ebpf):
            for moving in ("wait_since_ns", "status", "m", "tid", "cpu"):  # by two clocks; and one goroutine computes
                row.pop(moving, None)
        assert memory == ebpf


def test_leaked_goroutines(binary: Path, engine: str, tmp_path: Path) -> None:
    """Those that Go's own leak profile finds; what they wait for is still told. Go 1.26 finds them where it is built with that
    experiment, earlier ones never."""
    file = tmp_path / "leaks.sqlite"
    with Binary(binary) as opened, running(binary) as target:
        leaks = sum(map(int, LEAKS.findall(_get(target.ready["address"], "leaks"))))
        truth = json.loads(_get(target.ready["address"], "truth"))
        _snapshot(target.pid, opened, engine, file)
        version = tuple(map(int, opened.go_version.removeprefix("go").split()[0].split(".")[:2]))
    supported = version >= (1, 27) or "goroutineleakprofile" in os.environ.get("GOEXPERIMENT", "")
    scene = Scene(truth, {}, "", {engine: file})
    leaked = [row for row in scene.goroutines(engine).values() if row["status"] == "leaked"]
    assert len(leaked) == leaks
    # How many varies: the profile takes whatever a stack still holds for a reference, once for that to the crowd's channel.
    assert (leaks > 0) == supported
    waits = {row["goroutine_id"]: len(row["waits"] or ()) for row in truth if row["name"] not in UNTOLD}
    for row in leaked:
        found = scene.rows(engine, f"SELECT * FROM waits WHERE goroutine_id = {row['goroutine_id']}")
        assert len(found) == waits.get(row["goroutine_id"], len(found))
        assert row["wait_reason"]


def test_what_there_was_no_room_for_is_a_loss(binary: Path, engine: str, tmp_path: Path) -> None:
    """No goroutine is lost for it, nothing is made up, and how many are concerned is said."""
    file = tmp_path / "small.sqlite"
    with Binary(binary) as opened, running(binary) as target:
        truth = json.loads(_get(target.ready["address"], "truth"))
        _snapshot(target.pid, opened, engine, file, "functions: []\nlimits: {pause_ms: 60000, process_bytes: 30000}\n")
    scene = Scene(truth, {}, "", {engine: file})
    goroutines = scene.goroutines(engine)
    assert {row["goroutine_id"] for row in truth} <= goroutines.keys()
    losses = {row["detail"]: row["count"] for row in scene.rows(engine, "SELECT * FROM losses WHERE kind = 'details'")}
    told = {row["goroutine_id"] for row in scene.rows(engine, "SELECT * FROM waits")}
    waiting = [row["goroutine_id"] for row in truth if row["waits"] and row["name"] not in UNTOLD]
    assert 0 < sum(each not in told for each in waiting) <= sum(losses.values())
    for row in truth:
        waits = scene.rows(engine, f"SELECT * FROM waits WHERE goroutine_id = {row['goroutine_id']}")
        addresses = {each["address"] for each in row["waits"] or ()}
        assert row["name"] in UNTOLD or {each["address"] or "" for each in waits} - {""} <= addresses


def test_a_stripped_binary_tells_them_too(go: Path, built: Path, tmp_path: Path) -> None:
    """From type descriptors: channels always, labels from Go 1.24 on (before, they are a map), locks' addresses from 1.26 on."""
    stripped, file = (
        build(go, ROOT / "tests/targets/waits", built / "stripped-waits", "-ldflags=-s -w"),
        tmp_path / "s.sqlite",
    )
    with Binary(stripped) as opened, running(stripped) as target:
        truth = json.loads(_get(target.ready["address"], "truth"))
        _snapshot(target.pid, opened, "ebpf", file)
        version = tuple(map(int, opened.go_version.removeprefix("go").split(".")[:2]))
    scene = Scene(truth, {}, "", {"ebpf": file})
    goroutines = scene.goroutines("ebpf")
    for row in truth:
        labels = json.loads(goroutines[row["goroutine_id"]]["labels"] or "{}")
        assert labels == ((row["labels"] or {}) if version >= (1, 24) else {})
        waits = scene.rows("ebpf", f"SELECT * FROM waits WHERE goroutine_id = {row['goroutine_id']}")
        wanted = Counter((each["operation"], each["object"], each["address"] or None) for each in row["waits"] or ())
        if version < (1, 26):
            wanted = Counter((how, what, at if what == "chan" else None) for how, what, at in wanted.elements())
        if row["name"] not in UNTOLD:
            assert Counter((each["operation"], each["object"], each["address"]) for each in waits) == wanted
