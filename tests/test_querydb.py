"""The whole path on the demo service: what a snapshot says, held against what the process says of itself, on both engines."""

import json
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.programs import running
from tests.traceback import Dumped, parse_dump, shown, still

pytestmark = [pytest.mark.every_go, pytest.mark.timeout(600)]

SPEC = ROOT / "examples/querydb/querydb.yaml"
FREEZEFRAME = ROOT / ".venv/bin/freezeframe"
SESSIONS, TRANSACTIONS, BLOCKED, IDLE, BACKGROUND = 23, 13, 7, 5, 3
SERVES_THE_DUMP = ("net/http.(*conn).serve", "net/http.(*connReader).backgroundRead")
ENGINES = ("memory", "ebpf")
NOT_SAID = {"$addr", "receivers", "senders"}
"""What the demo does not say of itself: addresses, and who waits at a channel."""


@dataclass(frozen=True)
class Scene:
    """A querydb that stands still, its own word on everything, and a snapshot of it for each engine."""

    pid: int
    truth: dict[str, list[dict[str, Any]]]
    base_unix_ns: int
    dump: dict[int, Dumped]
    files: dict[str, Path]
    reports: dict[str, dict[str, Any]]

    def rows(self, engine: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.files[engine])) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def scene(querydb: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene_of(querydb, tmp_path_factory.mktemp("scene")) as found:
        yield found


@contextmanager
def scene_of(querydb: Path, folder: Path) -> Iterator[Scene]:
    """The demo service of one build, its own word, and its snapshots in `folder`."""
    counts = ["-sessions", SESSIONS, "-transactions", TRANSACTIONS, "-blocked", BLOCKED, "-idle", IDLE]
    with running(querydb, "-load", *counts, "-background", BACKGROUND) as target:
        debug = f"http://{target.ready['debug']}/debug"
        truth = json.loads(_get(f"{debug}/truth"))
        before = parse_dump(_get(f"{debug}/stack?others=1"))
        # The reference engine is slow: on a busy machine it may not be done within the demo's 100 ms.
        spec = folder / "querydb.yaml"
        spec.write_text(SPEC.read_text().replace("pause_ms: 100", "pause_ms: 10000"))
        files, reports = {}, {}
        for engine in ENGINES:
            files[engine] = folder / f"{engine}.sqlite"
            reports[engine] = snapshot(target.pid, spec, files[engine], engine)
        after = parse_dump(_get(f"{debug}/stack?others=1"))
        dump = still(before, after, SERVES_THE_DUMP)
        assert len(dump) > SESSIONS
        yield Scene(target.pid, truth["tables"], truth["base_unix_ns"], dump, files, reports)


def _get(url: str) -> str:
    request = urllib.request.Request(url, headers={"Connection": "close"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def snapshot(pid: int, spec: Path, out: Path, engine: str) -> dict[str, Any]:
    """What the command reports of a snapshot that it wrote to `out`."""
    arguments = ["--pid", str(pid), "--spec", str(spec), "--out", str(out), "--engine", engine, "--json"]
    command = [str(FREEZEFRAME), "snapshot", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_report_counts_what_is_in_the_file(scene: Scene, engine: str) -> None:
    report = scene.reports[engine]
    [process] = report["processes"]
    assert process["pid"] == scene.pid
    assert process["engine"] == engine
    assert process["issues"] == []
    assert process["losses"] == []
    assert process["pause_ms"] > 0
    for table, count in report["tables"].items():
        assert scene.rows(engine, f'SELECT count(*) FROM "{table}"') == [(count,)]
    assert process["goroutines"] == report["tables"]["goroutines"]
    assert process["frames"] == report["tables"]["frames"]
    assert report["tables"]["queries"] == report["tables"]["oldest_queries"] == SESSIONS
    assert report["tables"]["lock_waits"] == report["tables"]["blocked_queries"] == BLOCKED
    assert report["tables"]["transactions"] == TRANSACTIONS
    assert report["tables"]["sessions"] == SESSIONS + IDLE
    assert report["tables"]["compactions"] == BACKGROUND


def test_goroutines_are_those_of_the_dump(scene: Scene, engine: str) -> None:
    ids = {number for (number,) in scene.rows(engine, "SELECT goroutine_id FROM goroutines WHERE system = 0")}
    assert set(scene.dump) <= ids
    # Beyond the still ones there are only those that serve the debug page, which come and go.
    moving = ids - set(scene.dump)
    for number in moving:
        functions = {f for (f,) in scene.rows(engine, f"SELECT function FROM frames WHERE goroutine_id = {number}")}
        assert functions & {*SERVES_THE_DUMP, "net/http.(*Server).Serve"}, functions


def test_stacks_are_those_of_the_dump(scene: Scene, engine: str) -> None:
    stacks: dict[int, list[str]] = {number: [] for number in scene.dump}
    lines: dict[int, list[tuple[str, int]]] = {number: [] for number in scene.dump}
    sql = "SELECT goroutine_id, function, file, line FROM frames ORDER BY goroutine_id, depth"
    for number, function, file, line in scene.rows(engine, sql):
        if number in stacks and shown([function]):
            stacks[number].append(function)
            lines[number].append((file, line))
    for number, dumped in scene.dump.items():
        assert tuple(stacks[number]) == dumped.functions, number
        assert tuple(lines[number]) == dumped.lines, number


def test_states_and_creators_are_those_of_the_dump(scene: Scene, engine: str) -> None:
    sql = "SELECT goroutine_id, status, wait_reason, created_by, parent_goroutine_id FROM goroutines"
    found = {row[0]: row[1:] for row in scene.rows(engine, sql)}
    for number, dumped in scene.dump.items():
        status, wait_reason, created_by, parent = found[number]
        assert (wait_reason or status) == dumped.state, number
        assert created_by == dumped.created_by, number
        if dumped.parent is not None:
            assert parent == dumped.parent


def test_every_value_is_what_the_program_says(scene: Scene, engine: str) -> None:
    checked = 0
    absent = set(scene.rows(engine, "SELECT table_name, column_name, goroutine_id, path FROM absences"))
    for table, expected in scene.truth.items():
        columns = [name for _, name, *_ in scene.rows(engine, f'PRAGMA table_info("{table}")')]
        rows = {row[columns.index("goroutine_id")]: row for row in scene.rows(engine, f'SELECT * FROM "{table}"')}
        assert set(rows) == {each["goroutine_id"] for each in expected}, table
        for wanted in expected:
            row = rows[wanted["goroutine_id"]]
            for column, value in wanted.items():
                if column in columns:
                    got = _plain(row[columns.index(column)], value)
                    missing = {path for t, c, g, path in absent if (t, c, g) == (table, column, row[1])}
                    checked += _same(got, value, f"{table}.{column}", missing)
    assert checked > 1000


def _plain(cell: Any, like: Any) -> Any:
    """A SQL cell as the truth would write it: JSON text as its value, 0 and 1 as bool."""
    if isinstance(like, dict | list) and isinstance(cell, str):
        return json.loads(cell)
    if isinstance(like, bool) and cell in (0, 1):
        return bool(cell)
    if isinstance(like, int) and isinstance(cell, str):
        return int(cell)  # uint64 beyond int64
    return cell


def _same(got: Any, wanted: Any, where: str, missing: set[str]) -> int:
    """Compare deeply; addresses are not compared, and what a limit left out must be among the absences."""
    if isinstance(got, dict) and "$absent" in got:
        assert missing, where
        return 0
    if isinstance(wanted, dict):
        assert isinstance(got, dict), where
        assert got.keys() - NOT_SAID == wanted.keys() - NOT_SAID, where
        return sum(_same(got[key], value, f"{where}.{key}", missing) for key, value in wanted.items() if key != "$addr")
    if isinstance(wanted, list):
        assert isinstance(got, list), where
        assert len(got) == len(wanted), where
        return sum(_same(g, w, f"{where}[{i}]", missing) for i, (g, w) in enumerate(zip(got, wanted, strict=True)))
    assert got == wanted, where
    assert isinstance(got, bool) == isinstance(wanted, bool), where
    return 1


def test_the_oldest_query_is_first(scene: Scene, engine: str) -> None:
    rows = scene.rows(engine, "SELECT goroutine_id, age_s FROM oldest_queries")
    ages = [age for _, age in rows]
    assert ages == sorted(ages, reverse=True)
    starts = {each["goroutine_id"]: each["start_unix_ns"] for each in scene.truth["queries"] if "start_unix_ns" in each}
    [(captured_at_ns,)] = scene.rows(engine, "SELECT captured_at_ns FROM processes")
    if starts:
        assert rows[0][0] == min(starts, key=lambda number: starts[number])
        for number, age in rows:
            assert age == pytest.approx((captured_at_ns - starts[number]) / 1e9)


def test_no_value_is_missing_without_a_reason(scene: Scene, engine: str) -> None:
    reasons = {reason for (reason,) in scene.rows(engine, "SELECT DISTINCT reason FROM absences")}
    assert reasons <= {"depth"}


def test_who_waits_for_whom(scene: Scene, engine: str) -> None:
    sql = "SELECT goroutine_id, holder_txn, holder_goroutine_id FROM blocked_queries"
    owners = {txn: number for number, txn in scene.rows(engine, "SELECT goroutine_id, id FROM transactions")}
    truth = {each["goroutine_id"]: each["holder_txn"] for each in scene.truth["lock_waits"]}
    for number, holder_txn, holder in scene.rows(engine, sql):
        assert holder_txn == truth[number]
        assert holder == owners[holder_txn]


def test_who_waits_at_a_transactions_channel(scene: Scene, engine: str) -> None:
    """Whoever waits for a transaction's lock stands in the queue of the channel that its end closes."""
    waiting: dict[int, list[int]] = {}
    for number, holder in scene.rows(engine, "SELECT goroutine_id, holder_txn FROM lock_waits ORDER BY goroutine_id"):
        waiting.setdefault(holder, []).append(number)
    assert waiting
    for txn_id, txn in scene.rows(engine, "SELECT id, txn FROM transactions"):
        ended = json.loads(txn)["ended"]
        assert sorted(ended["receivers"]) == waiting.get(txn_id, [])
        assert ended["senders"] == []


def test_both_engines_give_the_same(scene: Scene) -> None:
    ids = ", ".join(map(str, sorted(scene.dump)))
    for sql in (
        f"SELECT * FROM frames WHERE goroutine_id IN ({ids}) ORDER BY 1, 2, 3",
        (
            "SELECT goroutine_id, status, wait_reason, start_function, created_by, parent_goroutine_id, system FROM goroutines"
            f" WHERE goroutine_id IN ({ids}) ORDER BY 1"
        ),
        "SELECT process_id, goroutine_id, depth, function, line, q, user, sql FROM queries ORDER BY 2",
        "SELECT * FROM lock_waits ORDER BY 2",
        "SELECT process_id, goroutine_id, depth, line, id, start, state, session_id, txn FROM transactions ORDER BY 2",
        "SELECT * FROM sessions ORDER BY 2",
        "SELECT * FROM compactions ORDER BY 2",
        "SELECT * FROM absences ORDER BY 1, 2, 3, 4, 5, 6",
    ):
        memory, ebpf = (scene.rows(engine, sql) for engine in ENGINES)
        assert memory == ebpf, sql
    # Each capture reads the two clocks anew, one right after the other.
    sql = f"SELECT goroutine_id, wait_since_ns FROM goroutines WHERE goroutine_id IN ({ids}) ORDER BY 1"
    memory, ebpf = (scene.rows(engine, sql) for engine in ENGINES)
    for (number, first), (same, second) in zip(memory, ebpf, strict=True):
        assert number == same
        assert first == second or first == pytest.approx(second, abs=10_000_000)
