"""Names that mean different variables at different PCs: values on a real target, on both engines."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, build
from tests.programs import running

pytestmark = [pytest.mark.every_version, pytest.mark.timeout(600)]

SPEC = """
functions:
  - {function: main.shadow, table: shadow, collect: [n, i, total, name]}
  - {function: main.before, table: before, collect: [later, name]}
  - {function: main.large, table: large, collect: [buffer, n]}
  - {function: main.escaped, table: escaped, collect: [value, pointer, n]}
  - function: main.fields
    table: fields
    collect:
      - {expr: it.name, as: own}
      - {expr: it.Name, as: promoted}
      - {expr: it.setting.Level, as: level}
      - {expr: it.ID, as: id}
      - {expr: (*it).inner.depth, as: inner}
      - {expr: Current.Level, as: global_level}
      - {expr: Current, as: global}
      - it
  - {function: main.inlined, table: inlined, collect: [word, times]}
  - {function: main.outer, table: outer_, collect: [word]}
  - {function: main.capturing.func1, table: capturing, collect: [i, total, name]}
  - {function: main.shadowing.func1, table: shadowing, collect: [Captured]}
  - {function: "main.largest[...]", table: largest, collect: [values, best]}
limits: {pause_ms: 10000}
"""
FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",), "PIE": ("-buildmode=pie",)}


@pytest.fixture(scope="module", params=FLAGS)
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["memory", "ebpf"])
def file(
    request: pytest.FixtureRequest, how: str, go: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("scopes")
    binary = build(go, ROOT / "tests/targets/scopes", folder / "scopes", *FLAGS[how])
    spec, out = folder / "spec.yaml", folder / "out.sqlite"
    spec.write_text(SPEC)
    with running(binary) as target:
        arguments = ["--pid", target.pid, "--spec", spec, "--out", out, "--engine", request.param, "--json"]
        command = [str(ROOT / ".venv/bin/freezeframe"), "snapshot", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        yield out


def rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


def reason(file: Path, table: str, column: str) -> list[tuple[str]]:
    return rows(file, f"SELECT reason FROM absences WHERE table_name = '{table}' AND column_name = '{column}'")


def test_the_innermost_variable_of_a_name_counts(file: Path, how: str) -> None:
    [(n, i, total, name)] = rows(file, "SELECT n, i, total, name FROM shadow")
    # The inner n is a string that says so; if the optimizer keeps it nowhere it is missing, never an outer n.
    assert n == "inner 71" or (n is None and reason(file, "shadow", "n"))
    if how == "-N -l":
        assert (n, i, total) == ("inner 71", 1, 7 + 70)
    assert name == "seven77" or reason(file, "shadow", "name")


def test_what_is_not_declared_yet_is_absent(file: Path) -> None:
    [(later, name)] = rows(file, "SELECT later, name FROM before")
    assert later is None
    assert reason(file, "before", "later")[0][0] in ("not declared", "optimized out", "in register")
    assert name == "not yet"


def test_a_variable_that_is_too_large_costs_only_itself(file: Path) -> None:
    [(buffer, n)] = rows(file, "SELECT buffer, n FROM large")
    assert buffer is None
    assert reason(file, "large", "buffer") == [("issue",)]
    assert n == 15 or reason(file, "large", "n") == [("optimized out",)]
    issues = rows(file, "SELECT message FROM issues WHERE item LIKE '%buffer'")
    assert issues == [("the variable has 100000 bytes, and at most 65536 are read of one",)]


def test_an_escaped_variable_is_read_where_it_went(file: Path) -> None:
    [(value, pointer)] = rows(file, "SELECT value, pointer FROM escaped")
    assert value == 42 or reason(file, "escaped", "value")
    assert pointer == 42 or reason(file, "escaped", "pointer")
    assert 42 in (value, pointer)


def test_fields_promoted_and_of_package_variables(file: Path) -> None:
    sql = "SELECT own, promoted, level, id, inner, global_level FROM fields"
    assert rows(file, sql) == [("own", "promoted", 3, 99, 5, 7)]
    [(item, current)] = rows(file, 'SELECT it, "global" FROM fields')
    shown = json.loads(item)
    assert shown.pop("$addr").startswith("0x")
    assert shown.pop("setting").pop("Name") == "promoted"
    assert shown == {"base": {"ID": 99}, "name": "own"}
    assert json.loads(current)["Name"] == "package variable"


def test_an_inlined_call_is_a_frame(file: Path, how: str) -> None:
    assert rows(file, "SELECT count(*) FROM inlined") == [(1,)]
    [(word, inlined)] = rows(
        file,
        "SELECT i.word, f.inlined FROM inlined i JOIN frames f USING (process_id, goroutine_id, depth)",
    )
    assert word == "word" or reason(file, "inlined", "word")
    assert inlined == (0 if how == "-N -l" else 1)
    assert rows(file, "SELECT word FROM outer_") == [("word",)] or reason(file, "outer_", "word")


def test_what_a_closure_captures(file: Path) -> None:
    """Also where it was inlined into the function around it, and where a package has a variable of the same name."""
    [(i, total, name)] = rows(file, "SELECT i, total, name FROM capturing")
    assert i == 2 or reason(file, "capturing", "i")
    assert total == 103 or reason(file, "capturing", "total")
    assert name == "captured"
    [(captured,)] = rows(file, "SELECT Captured FROM shadowing")
    assert captured == 42 or reason(file, "shadowing", "Captured")
    assert not rows(file, "SELECT * FROM issues WHERE item LIKE '%func1%'")


def test_every_instance_of_a_generic_function(file: Path) -> None:
    found = rows(file, 'SELECT "function", "values" FROM largest ORDER BY 2')
    assert [function for function, _ in found] == ["main.largest[...]"] * 2
    kept = [json.loads(values) for _, values in found if values is not None]
    assert len(kept) + len(reason(file, "largest", "values")) == 2
    assert kept
    assert all(values in ([3, 11, 5], ["c", "z", "e"]) for values in kept)
