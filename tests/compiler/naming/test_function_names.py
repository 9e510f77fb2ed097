"""Functions of every kind by the names that a spec may write for them: rows for exactly the frames that Go's own traceback
shows, on both engines."""

import json
import re
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.naming.patterns import written_name
from compiler.spec import read_spec
from tests.conftest import ROOT, build
from tests.programs import running
from tests.traceback import parse_dump

OURS = ("main.", "example.com/")
FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",)}
ESCAPED = "example.com/yaml%2ev3."
LABELS = {
    "main.keyed[int,string]": ["one", "two"],
    "main.keyed[main.id, string]": ["one", "two"],
    "main.keyed[go.shape.int,go.shape.string]": ["one", "two"],
    "main.keyed[string,*main.value]": ["four", "three"],
    "main.keyed[string,main.pair]": ["five"],
    "main.keyed[string,main.ids]": ["six"],
    "main.keyed[string,[]main.id]": ["six"],
    "main.keyed[string,map[string]any]": ["seven"],
    "main.keyed[string,map[string]interface{}]": ["seven"],
    "main.keyed[string,example.com/yaml.v3.Node]": ["eight"],
    "main.keyed[string,yaml.v3.Node]": ["eight"],
    "main.keyed[string,yaml.Node]": ["eight"],
    "main.keyed[string,error]": ["nine"],
    "main.keyed[int,func(int) string]": ["ten"],
    "main.keyed[...]": ["eight", "eleven", "five", "four", "nine", "one", "seven", "six", "ten", "three", "two"],
    "main.(*list[int]).Push": ["int"],
    "main.(*list[byte]).Push": ["uint8"],
    "main.(*list[...]).Push": ["int", "string", "uint8"],
    "main.list[string].Each": ["each"],
    "main.list[...].Each.func1": ["closure of each"],
    "main.closed[int].func1": ["closure of closed"],
    "main.inner[float64]": ["inlined"],
    "example.com/yaml.v3.(*Decoder).Decode": ["decode"],
    "example.com/yaml%2ev3.(*Decoder).Decode": ["decode"],
    "example.com/yaml.v3.(*Decoder).Each.func1": ["closure of decode"],
    "example.com/yaml.v3.Walk[main.pair]": ["walk"],
    "main.value.Value": ["method", "through interface", "through embedding", "value"],
    "main.(*value).Pointer": ["pointer", "pointer method"],
    "main.(*server).Serve.func1.1": ["closure of a closure"],
    "main.worker": ["go", "defer"],
    "main.small": ["small"],
}  # fmt: skip
"""What a spec writes, and the labels of the frames that it means."""
PATTERNS: dict[str, Callable[[str], bool]] = {
    "main.*": lambda name: name.startswith("main."),
    "main.(*server).*": lambda name: name.startswith("main.(*server)."),
    "main.(**).P*": lambda name: name in ("main.(*value).Pointer", "main.(*list[...]).Push"),
    "main.keyed*": lambda name: name == "main.keyed[...]",
    "main.(*list[...]).*": lambda name: name.startswith("main.(*list[...])."),
    "example.com/yaml.v3.*": lambda name: name.startswith(ESCAPED),
    "example.com/*.func1": lambda name: name == ESCAPED + "(*Decoder).Each.func1",
    "*.Each": lambda name: name in (ESCAPED + "(*Decoder).Each", "main.list[...].Each"),
}
"""Patterns, and which functions of a traceback they mean."""


@dataclass(frozen=True)
class Taken:
    """A snapshot, and what the program's own dump said: functions by goroutine, innermost first."""

    file: Path
    dump: dict[int, tuple[str, ...]]
    tables: dict[str, str]
    explained: dict[str, list[dict[str, Any]]]
    """By table: the copies of the functions' code, as `freezeframe compile --explain` has them."""
    optimized: bool
    tells_captured: bool
    """Whether debug info marks what a closure captured: since Go 1.23."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(sql).fetchall()

    def frames(self, written: str) -> Counter[tuple[int, str]]:
        return Counter(self.rows(f"SELECT goroutine_id, function FROM {self.tables[written]}"))


@pytest.fixture(scope="module", params=FLAGS)
def flags(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def binary(flags: str, go: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(go, ROOT / "tests/targets/names", tmp_path_factory.mktemp("names") / "names", *FLAGS[flags])


@pytest.fixture(scope="module", params=["memory", "ebpf"])
def taken(
    request: pytest.FixtureRequest, flags: str, binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taken]:
    folder = tmp_path_factory.mktemp("taken")
    with running(binary) as target:
        dumped = parse_dump(target.ready["dump"])
        dump = {number: each.functions for number, each in dumped.items() if number != 1}
        assert len(dump) == target.ready["cases"]
        shown = {name for functions in dump.values() for name in functions if name.startswith(OURS)}
        written = sorted({*shown, *LABELS, *PATTERNS})
        tables = {name: f"t{number}" for number, name in enumerate(written)}
        functions = [{"function": name, "table": tables[name], "collect": ["label"]} for name in written]
        functions.append({"function": "main.c*", "table": "some", "collect": ["n", "label", "missing", "count"]})
        spec = folder / "spec.yaml"
        spec.write_text(json.dumps({"functions": functions, "limits": {"pause_ms": 10_000}}))
        out = folder / "out.sqlite"
        _freezeframe("snapshot", "--pid", target.pid, "--spec", spec, "--out", out, "--engine", request.param)
        with Binary(binary) as opened:
            tells = not opened.go_version.startswith(("go1.21", "go1.22"))
        report = json.loads(_freezeframe("compile", binary, "--spec", spec, "--explain", "--json"))
        explained = {each["table"]: each["copies"] for each in report["functions"]}
        yield Taken(out, dump, tables, explained, optimized=flags == "optimized", tells_captured=tells)


def _freezeframe(*arguments: object) -> str:
    command = [str(ROOT / ".venv/bin/freezeframe"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_function_of_a_traceback_by_its_name_there(taken: Taken) -> None:
    frames = Counter((number, name) for number, names in taken.dump.items() for name in names if name.startswith(OURS))
    assert len({name for _, name in frames}) > 60
    for name in {name for _, name in frames}:
        expected = Counter({key: count for key, count in frames.items() if key[1] == name})
        found = Counter({key: count for key, count in taken.frames(name).items() if key[0] in taken.dump})
        assert found == expected, name


@pytest.mark.parametrize("written", LABELS)
def test_a_name_as_people_write_it(taken: Taken, written: str) -> None:
    rows = taken.rows(f"SELECT label FROM {taken.tables[written]}")
    assert len(rows) == len(LABELS[written])
    labels = sorted(label for (label,) in rows if label is not None)
    if not taken.optimized:
        assert labels == sorted(LABELS[written])
    assert not Counter(labels) - Counter(LABELS[written])
    sql = f"SELECT count(*) FROM absences WHERE table_name = '{taken.tables[written]}' AND column_name = 'label'"
    assert taken.rows(sql) == [(len(rows) - len(labels),)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_several_functions_by_a_pattern(taken: Taken, pattern: str) -> None:
    expected = Counter(
        (number, name) for number, names in taken.dump.items() for name in names if PATTERNS[pattern](name)
    )
    found = Counter({key: count for key, count in taken.frames(pattern).items() if key[0] in taken.dump})
    assert expected
    assert found == expected


def test_what_is_explained_is_what_is_captured(taken: Taken) -> None:
    """Each value was in one of the places that are named for its line; each missing one is missing there for that reason."""
    checked = 0
    for table, copies in taken.explained.items():
        rows = taken.rows(
            f"SELECT t.function, t.line, t.label, a.reason FROM {table} t LEFT JOIN absences a "
            f"ON a.table_name = '{table}' AND a.column_name = 'label' AND a.path = '' "
            "AND (a.process_id, a.goroutine_id, a.depth) = (t.process_id, t.goroutine_id, t.depth)"
        )
        for function, line, label, reason in rows:
            words = [
                place["words"]
                for copy in copies
                if copy["function"] == written_name(function)
                for column in copy["columns"]
                if column["column"] == "label"
                for place in column["places"]
                if any(first <= line <= last for first, last in place["lines"])
            ]
            if label is None:
                gone = "but nothing keeps alive" if reason == "optimized out" else f"absent: {reason} ("
                assert any(each.startswith(f"absent: {reason} (") or gone in each for each in words), (function, line)
            else:
                assert any(not each.startswith("absent") for each in words), (function, line, words)
            checked += 1
    assert checked > 200


def test_what_only_some_of_the_functions_have(taken: Taken) -> None:
    reasons = dict(
        taken.rows(
            "SELECT function, reason FROM some JOIN absences USING (process_id, goroutine_id, depth) "
            "WHERE table_name = 'some' AND column_name = 'n'"
        )
    )
    assert reasons["main.call"] == "no such variable"
    captured = taken.rows("SELECT n FROM some WHERE function = 'main.closing.func1'")
    if taken.tells_captured:
        assert captured == [(len("closing"),)]
    assert captured == [(len("closing"),)] or reasons["main.closing.func1"] != "no such variable"
    assert taken.rows("SELECT DISTINCT missing FROM some") == [(None,)]
    missing = "SELECT DISTINCT reason FROM absences WHERE table_name = 'some' AND column_name = 'missing'"
    assert taken.rows(missing) == [("issue",)]
    issues = taken.rows("SELECT message FROM issues WHERE item LIKE 'main.c*%'")
    assert issues == [('no variable "missing" in main.c* (misspelt, or the compiler kept it nowhere)',)]
    [(count,)] = taken.rows("SELECT DISTINCT count FROM some")
    assert count == len(taken.dump)


@pytest.mark.parametrize(
    ("written", "message", "near"),
    [
        ("main.plian", 'no function "main.plian" in this binary', "main.plain"),
        ("main.(*servr).Serve", 'no function "main.(*servr).Serve" in this binary', "main.(*server).Serve"),
        ("man.plain", 'no function "man.plain" in this binary', "main.plain"),
        ("mine.PLAIN", None, "main.plain"),
        ("example.com/yaml.v2.(*Decoder).Decode", None, "example.com/yaml.v3.(*Decoder).Decode"),
        ("main.keyed", 'no function "main.keyed" in this binary', "main.keyed[...]"),
        ("main.keyed[bool,string]", None, "main.keyed[...]"),
        ("main.(*server).Z*", 'no function "main.(*server).Z*" in this binary', "main.(*server).Serve"),
        (
            "main.value.Value-fm",
            '"main.value.Value-fm" is a wrapper that Go\'s compiler made, and no traceback shows it: name what it calls',
            "main.value.Value",
        ),
        ("main.(*around).Value", None, "main.value.Value"),
        (
            "runtime.deferreturn",  # only the function table says it
            '"runtime.deferreturn" is a wrapper that Go\'s compiler made, and no traceback shows it: name what it calls',
            None,
        ),
        (
            "*",
            '"*" stands for more than 2000 functions: write a narrower pattern',
            None,
        ),
    ],
)
def test_a_function_that_cannot_be_had(binary: Path, written: str, message: str | None, near: str | None) -> None:
    spec = read_spec(json.dumps({"functions": [{"function": written, "table": "t", "collect": ["x"]}]}), "spec.yaml")
    with Binary(binary) as opened:
        compiled = compile_spec(spec, opened)
    [issue] = compiled.issues
    assert message is None or issue.message == message
    assert near is None or near in issue.nearest
    assert compiled.program.sites == ()


def test_copies_are_found_wherever_they_are_mentioned(binary: Path) -> None:
    """One pass for many functions finds what looking for each finds."""
    with Binary(binary) as opened, Binary(binary) as other:
        names = sorted(opened.index.functions)[::20]
        opened.functions.prepare(names)
        assert opened.functions.instances("sync.(*Mutex).Lock")
        for name in names:
            together, alone = opened.functions.instances(name), other.functions.instances(name)
            assert [(i.name, i.level, i.ranges) for i in together] == [(i.name, i.level, i.ranges) for i in alone]


def test_wrappers_are_those_that_the_traceback_leaves_out(binary: Path) -> None:
    with Binary(binary) as opened:
        wrappers = {name for name in opened.index.functions if opened.functions.is_wrapper(name)}
        assert "main.value.Value-fm" in wrappers
        ranges = opened.pclntab.functions()
        assert all(opened.pclntab.frames(lo) == () for name in wrappers for lo, _ in ranges.get(name, []))


def test_a_generic_methods_dictionary_is_taken_for_no_argument(binary: Path) -> None:
    """It stands behind the receiver, which the traceback leaves out for it."""
    with Binary(binary) as opened:
        expected = {
            "main.(*list[go.shape.int]).Push": {"label": 16, "item": 32},
            "main.list[go.shape.string].Each": {"label": 32},
        }
        for name, offsets in expected.items():
            [instance] = opened.functions.instances(name)
            names = {variable.die.offset: variable.name for variable in instance.variables}
            slots = opened.arguments.slots(instance)
            assert {names[die]: each[0].offset for die, each in slots.items()} == offsets


def test_variables_of_many_types_are_one_issue(binary: Path) -> None:
    """An expression that fits none of them, one that fits a single type, and one whose variable has one type everywhere."""
    collect = ["l.Nothing", "key.At", "s.name", "label.Text"]
    spec = read_spec(json.dumps({"functions": [{"function": "main.*", "table": "t", "collect": collect}]}), "spec.yaml")
    with Binary(binary) as opened:
        compiled = compile_spec(spec, opened)
    found = {issue.item: issue.message for issue in compiled.issues}
    assert len(found) == len(compiled.issues)
    assert found["main.*: label.Text"] == '".Text" in "label.Text": string is no struct'
    lists = re.fullmatch(
        r'"l.Nothing" does not fit in (\d+) of the \1 functions that have "l": no field "Nothing" in main.list\[\w+\] '
        r"\(main\..*list\[.*\].*\); no field .*",
        found["main.*: l.Nothing"],
    )
    assert lists, found["main.*: l.Nothing"]
    assert '".At": string is no struct (main.keyed[' in found["main.*: key.At"]
