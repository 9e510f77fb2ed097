"""enum_name(), uuid(), ago() and ->__addr over real captures, held against what the program says of its own values.

One snapshot of two processes that were built from different constants.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.capture import arm
from agent.engines import choose_engine
from agent.processes import Processes
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.compiled import Compiled
from compiler.ir.program import Program
from compiler.ir.raw import RawCapture
from compiler.spec import Spec, SpecError, read_spec
from datasource.cache import Cache
from datasource.compiling import compile_cached
from datasource.store.read import query
from datasource.store.write import Captured, new_snapshot_id, write_snapshot
from datasource.take import take
from tests.conftest import ROOT, build
from tests.programs import Target, running

pytestmark = pytest.mark.every_go
SPEC = """
functions:
  - function: main.work
    table: jobs
    collect:
      - {expr: job.Start, as: start}
      - {expr: job.Raw, as: raw}
      - {expr: job.Tx.__addr, as: tx_at}
      - {expr: len(job.List), as: listed}
      - {expr: job.Box.(*main.Tx).State, as: asserted}
      - job
      - state
      - level
      - id
      - box
    extra:
      - {name: n, expr: "job->N"}
      - {name: own_state, expr: "job->State"}
      - {name: is_State, expr: "enum_name(own_state)"}
      - {name: is_Pointer, expr: "enum_name(job->Pointer)"}
      - {name: is_asserted, expr: enum_name(asserted)}
      - {name: First, expr: "enum_name(job->List[0])"}
      - {name: Second, expr: "enum_name(job->List[1])"}
      - {name: is_ByName, expr: "enum_name(job->ByName['a b'])"}
      - {name: is_Sign, expr: "enum_name(job->>'$.Sign')"}
      - {name: is_Wide, expr: "enum_name(job->Wide)"}
      - {name: is_Flag, expr: "enum_name(job->Flag)"}
      - {name: is_Level, expr: "enum_name(job->Level)"}
      - {name: is_Mode, expr: "enum_name(job->Mode)"}
      - {name: is_Month, expr: "enum_name(job->Month)"}
      - {name: is_Colour, expr: "enum_name(job->Colour)"}
      - {name: is_Plain, expr: "enum_name(job->Plain)"}
      - {name: Label, expr: "'is ' || lower(enum_name(state))"}
      - {name: is_ID, expr: uuid(id)}
      - {name: field_id, expr: uuid(job->ID)}
      - {name: is_Raw, expr: uuid(raw)}
      - {name: is_Text, expr: uuid(job->Text)}
      - {name: age_s, expr: ago(start), unit: s}
      - {name: left_s, expr: "-ago(job->Later)", unit: s}
      - {name: never_s, expr: ago(job->Never)}
      - {name: is_Addr, expr: "job->Tx->__addr"}
      - {name: kept, expr: "job->Kept->__addr"}
      - {name: err, expr: "job->Err.__addr"}
      - {name: boxed, expr: enum_name(box)}
      - {name: ranked, expr: enum_name(job->Rank)}
      - {name: errno, expr: enum_name(job->Err->Err)}
      - {name: of_pointer, expr: enum_name(job->Box)}
      - {name: missing, expr: enum_name(job->Stat)}
      - {name: inside, expr: enum_name(job->Box->State)}
      - {name: counted, expr: enum_name(listed)}
  - function: main.hold
    table: txs
    collect: [tx]
    extra: [{name: n, expr: "tx->N"}, {name: own, expr: "tx->__addr"}, {name: parent, expr: "tx->parent->__addr"}]
  - function: "main.generic[...]"
    table: generics
    collect: [value]
    extra: [{name: x, expr: enum_name(value)}]
  - function: "main.twice*"
    table: twice
    collect: [thing]
    extra: [{name: x, expr: enum_name(thing)}]
tables:
  joined: |
    SELECT j.process_id, j.job->N AS n, t.tx->N AS tx, enum_name(j.state) AS state, enum_name(t.tx->State) AS tx_state,
           ago(start) AS age_s, uuid(j.id) AS id
    FROM jobs AS j JOIN txs AS t ON t.process_id = j.process_id AND t.tx->__addr = j.job->Tx->__addr
  by_state: SELECT enum_name(job->State) AS state, count(*) AS jobs, max(ago(start)) AS oldest FROM jobs GROUP BY 1 ORDER BY 1
  again: |
    SELECT n, ago(at, captured_at_ns) AS age_s
    FROM (SELECT n, job->Start AS at, process_id FROM jobs) JOIN processes USING (process_id)
limits: {pause_ms: 10000}
"""
TOLD = (
    "State",
    "Pointer",
    "ByName",
    "Sign",
    "Wide",
    "Flag",
    "Level",
    "Mode",
    "Month",
    "Colour",
    "Plain",
    "ID",
    "Text",
    "Addr",
)


@dataclass(frozen=True)
class Scene:
    """Both programs' own words by process_id, and the snapshot of them."""

    words: dict[int, list[dict[str, Any]]]
    file: Path

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Read by a plain SQLite, which has none of our functions."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]


@pytest.fixture(scope="module")
def binaries(go: Path, built: Path) -> list[Path]:
    flags: list[tuple[str, ...]] = [(), ("-tags=old",)]
    return [build(go, ROOT / "tests/targets/named", built / f"named{n}", *each) for n, each in enumerate(flags)]


@pytest.fixture(scope="module")
def scene(binaries: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("named")
    spec = read_spec(SPEC, "named.yaml")
    with ExitStack() as stack:
        targets = [stack.enter_context(running(binary)) for binary in binaries]
        captured = [captured_of(target, spec, Cache(folder / "cache")) for target in targets]
        taken_at = captured[0].capture.header.captured_at_ns
        file = folder / "named.sqlite"
        write_snapshot(file, spec, captured, taken_at_ns=taken_at, snapshot_id=new_snapshot_id(taken_at))
        yield Scene({number: target.ready["jobs"] for number, target in enumerate(targets, start=1)}, file)


def captured_of(target: Target, spec: Spec, cache: Cache) -> Captured:
    """Compile, then take the same from the cache, and capture with that."""
    engine = choose_engine("ebpf")
    process, _ = Processes().identify(target.pid)

    def fire(program: Program) -> RawCapture:
        with arm(target.pid, program, engine) as armed:
            return armed.fire()

    def compile_with(types: frozenset[int]) -> Compiled:
        fresh, cached = compile_cached(cache, spec, binary, types)
        again, from_cache = compile_cached(cache, spec, binary, types)
        assert (cached, from_cache, again) == (False, True, fresh)
        return again

    with Binary(Path(f"/proc/{target.pid}/exe")) as binary:
        taken = take(binary, compile_with, fire, frozenset())
    made = taken.compiled
    return Captured("here", "named", process.exe, made.program, taken.capture, made.issues, made.enums)


def test_every_value_is_what_the_program_calls_it(scene: Scene) -> None:
    compared = 0
    for row in scene.rows("SELECT * FROM jobs"):
        word = scene.words[row["process_id"]][row["n"]]
        for name in TOLD:
            assert row[f"is_{name}"] == word[name], (name, row)
            compared += 1
        assert (row["First"], row["Second"]) == ("StateClosed", word["State"])
        assert (row["Label"], row["field_id"]) == ("is " + word["State"].lower(), word["ID"])
        assert row["kept"] == word["Addr"]
        assert (row["tx_at"], row["boxed"], row["ranked"], row["errno"], row["of_pointer"]) == (
            word["Addr"],
            word["State"],
            word["Level"],
            "ENOENT",
            None,
        )
        assert row["is_asserted"] == scene.words[1][row["n"] % 5]["State"]
        assert row["err"].startswith("0x")
    assert compared == 2 * 23 * len(TOLD)


def test_uuids_of_bytes_are_those_that_are_uuids(scene: Scene) -> None:
    for row in scene.rows("SELECT * FROM jobs"):
        assert row["is_Raw"] == scene.words[row["process_id"]][row["n"]]["Raw"]


def test_how_long_ago_is_exact(scene: Scene) -> None:
    rows = scene.rows("SELECT * FROM jobs JOIN processes USING (process_id)")
    for row in rows:
        word = scene.words[row["process_id"]][row["n"]]
        assert row["age_s"] == (row["captured_at_ns"] - word["StartNs"]) / 1_000_000_000
        assert row["left_s"] == (word["LaterNs"] - row["captured_at_ns"]) / 1_000_000_000
        assert row["never_s"] is None
    again = {(row["process_id"], row["n"]): row["age_s"] for row in rows}
    assert sorted(each["age_s"] for each in scene.rows("SELECT * FROM again")) == sorted(again.values())


def test_addresses_join_rows_of_one_process(scene: Scene) -> None:
    rows = scene.rows("SELECT * FROM joined")
    assert len(rows) == 2 * 23
    for row in rows:
        word = scene.words[row["process_id"]][row["n"]]
        assert (row["tx"], row["state"], row["id"]) == (word["Tx"], word["State"], word["ID"])
        assert row["tx_state"] == scene.words[1][row["tx"] // 100]["State"]
        assert row["age_s"] > 0
    txs = scene.rows("SELECT * FROM txs")
    assert [(row["own"][:2], row["own"] == row["parent"]) for row in txs] == [("0x", True)] * 10


def test_derived_tables_count_by_name(scene: Scene) -> None:
    rows = scene.rows("SELECT * FROM by_state")
    assert {row["state"]: row["jobs"] for row in rows} == {
        "StateIdle": 8, "StateActive": 8, "State(2)": 8, "StateClosed": 8, "State(7)": 8, "State(-3)": 6,
    }  # fmt: skip
    assert all(row["oldest"] > 0 for row in rows)


def test_what_a_binary_does_not_tell_is_an_issue(scene: Scene) -> None:
    plain = "main.Plain has no constants in this binary (Go lists those of packages that have code in it)"
    several = "enum_name(thing): it is main.Sign or main.State, depending on the place in the code"
    untyped = (
        "enum_name() got N, a field of what an interface holds: its type is not known; "
        "collect the field with a type assertion, x.(*T).State"
    )
    issues = scene.rows("SELECT process_id, item, message, nearest FROM issues ORDER BY process_id, line")
    expected = [
        ('functions[0].extra[15] "is_Plain"', f"enum_name(job->Plain): {plain}", None),
        ('functions[0].extra[31] "missing"', 'enum_name(job->Stat): no field "Stat" in main.Job', "Start, State"),
        ('functions[0].extra[33] "counted"', "enum_name(listed): listed is not a value of one Go type (int)", None),
        ('functions[2].extra[0] "x"', "enum_name(value): the type is known only when it is captured", None),
        ('functions[3].extra[0] "x"', several, None),
    ]
    when_derived = (None, "extra column jobs.inside", untyped, None)
    for each in issues:  # of several goroutines' values it is told by the first
        each["message"] = re.sub(r"got \d+", "got N", each["message"])
    assert [tuple(each.values()) for each in issues] == [
        when_derived,
        *((n, *each) for n in (1, 2) for each in expected),
    ]
    assert scene.rows("SELECT DISTINCT missing, inside, counted FROM jobs") == [
        {"missing": None, "inside": None, "counted": None}
    ]
    assert scene.rows("SELECT DISTINCT x FROM twice") == [{"x": None}]
    assert scene.rows("SELECT DISTINCT x FROM generics") == [{"x": None}]


def test_a_finished_snapshot_is_asked_with_the_functions_that_need_no_binary(scene: Scene) -> None:
    sql = "SELECT uuid(id), ago(start, captured_at_ns), job->Tx->__addr FROM jobs JOIN processes USING (process_id)"
    asked = query(scene.file, f"{sql} WHERE n = 3 AND process_id = 1").rows
    kept = scene.rows("SELECT is_ID, age_s, is_Addr FROM jobs WHERE n = 3 AND process_id = 1")
    assert asked == (tuple(kept[0].values()),)


WRONG = {
    "enum_name(job->Name)": "enum_name(job->Name): string is no integer type, it has no named constants; "
    "leave enum_name() out",
    "enum_name(job->Start)": "enum_name(job->Start): time.Time is no integer type, it has no named constants; "
    "leave enum_name() out",
    "enum_name(job)": "enum_name(job): main.Job is no integer type, it has no named constants; leave enum_name() out",
    "enum_name(job->Count)": "enum_name(job->Count): int has no constants of its own; leave enum_name() out, or name a "
    "value of a type of its own, such as `type State int`",
    "job->Done->__addr": "job->Done.__addr: a value of type chan int does not show its address in a row, only pointers "
    "to structs do; collect the expression itself with .__addr behind it",
    "job->Pointer->__addr": "job->Pointer.__addr: a value of type *main.State does not show its address in a row, only "
    "pointers to structs do; collect the expression itself with .__addr behind it",
    "job->Tail->__addr": "job->Tail.__addr: a value of type **main.Tx does not show its address in a row, only pointers "
    "to structs do; collect the expression itself with .__addr behind it",
    "id->__addr": "id->__addr: a value of type main.Token does not show its address in a row, only pointers to structs "
    "do; collect the expression itself with .__addr behind it",
}


@pytest.mark.parametrize(("expression", "message"), WRONG.items())
def test_what_a_type_cannot_give_is_an_error_of_the_spec(binaries: list[Path], expression: str, message: str) -> None:
    extra = [{"name": "x", "expr": expression}]
    functions = [{"function": "main.work", "table": "jobs", "collect": ["job", "id"], "extra": extra}]
    tables = {"t": f"SELECT {expression} AS x FROM jobs"}
    in_extra = {"functions": functions}
    in_table = {"functions": [{**functions[0], "extra": []}], "tables": tables}
    for written, item in ((in_extra, 'functions[0].extra[0] "x"'), (in_table, "tables.t")):
        spec = read_spec(json.dumps(written), "named.yaml")
        with Binary(binaries[0]) as binary, pytest.raises(SpecError) as caught:
            compile_spec(spec, binary)
        assert str(caught.value) == f"named.yaml:1: {item}: {message}"


def test_an_id_that_a_limit_cut_is_an_issue_and_never_an_id(binaries: list[Path], tmp_path: Path) -> None:
    text = """
functions:
  - function: main.work
    table: jobs
    collect: [job, id]
    extra: [{name: whole, expr: uuid(id)}, {name: inside, expr: uuid(job->ID)}]
limits: {slice_items: 8, pause_ms: 10000}
"""
    spec = read_spec(text, "cut.yaml")
    with running(binaries[0]) as target:
        captured = captured_of(target, spec, Cache(tmp_path / "cache"))
    file = tmp_path / "cut.sqlite"
    write_snapshot(file, spec, [captured], taken_at_ns=1, snapshot_id="x")
    scene = Scene({}, file)
    message = (
        "uuid() got the beginning of 16 bytes, a limit cut the rest; "
        "raise limits.slice_items (of an array) or limits.string_bytes (of a []byte or string)"
    )
    assert scene.rows("SELECT item, message, line FROM issues") == [
        {"item": "extra column jobs.whole", "message": message, "line": 6},
        {"item": "extra column jobs.inside", "message": message, "line": 6},
    ]
    assert scene.rows("SELECT DISTINCT whole, inside FROM jobs") == [{"whole": None, "inside": None}]


def test_what_is_collected_of_a_type_is_named_by_its_own_names(binaries: list[Path], tmp_path: Path) -> None:
    text = """
types:
  - type: "*main.Tx"
    collect: [N, {expr: State, as: st}, {expr: parent.State, as: up}, len(parent.N), {expr: parent.Stat, as: gone}]
functions:
  - function: main.hold
    table: txs
    collect: [tx]
    extra:
      - {name: state, expr: enum_name(tx->st)}
      - {name: parent, expr: enum_name(tx->up)}
      - {name: at, expr: tx->__addr}
      - {name: left_out, expr: enum_name(tx->State)}
      - {name: gone, expr: enum_name(tx->gone)}
limits: {pause_ms: 10000}
"""
    spec = read_spec(text, "types.yaml")
    file = tmp_path / "types.sqlite"
    with running(binaries[0]) as target:
        captured = captured_of(target, spec, Cache(tmp_path / "cache"))
    write_snapshot(file, spec, [captured], taken_at_ns=1, snapshot_id="x")
    scene = Scene({1: target.ready["jobs"]}, file)
    rows = scene.rows("SELECT tx, state, parent, at, left_out, gone FROM txs")
    assert len(rows) == 5
    for row in rows:
        value = json.loads(row["tx"])
        assert row["state"] == row["parent"] == scene.words[1][value["N"] // 100]["State"]
        assert (row["at"], row["left_out"], row["gone"]) == (value["$addr"], None, None)
    assert [(each["item"], each["message"]) for each in scene.rows("SELECT * FROM issues")][-1:] == [
        ('functions[0].extra[3] "left_out"', 'enum_name(tx->State): the spec collects no "State" of main.Tx')
    ]


def test_times_collected_of_a_type_are_known(binaries: list[Path]) -> None:
    types = [{"type": "main.Job", "collect": [{"expr": "Start", "as": "at"}]}]
    extra = [{"name": "x", "expr": "captured_at_ns - job->at"}]
    functions = [{"function": "main.work", "table": "jobs", "collect": ["job"], "extra": extra}]
    spec = read_spec(json.dumps({"types": types, "functions": functions}), "types.yaml")
    with Binary(binaries[0]) as binary, pytest.raises(SpecError) as caught:
        compile_spec(spec, binary)
    assert str(caught.value).endswith("arithmetic on it would be wrong; write unix_ns(job->at)")
