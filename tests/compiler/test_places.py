"""What optimization does to variables: a value on a real target is what its source says there, or absent with a reason."""

import json
import re
import sqlite3
import subprocess
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from compiler.binary import Binary
from tests.conftest import ROOT, build
from tests.programs import running

SOURCE = ROOT / "tests/targets/places"
FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",), "PIE": ("-buildmode=pie",)}
ENGINES = ("memory", "ebpf")
TOLD = re.compile(r"// (main\.\S+): (.+)$", re.MULTILINE)
NOTHING = object()


def told() -> dict[str, dict[str, Any]]:
    """What the target's comments say: of each function, its variables' values."""
    found = {}
    for match in TOLD.finditer((SOURCE / "main.go").read_text().split("package main", 1)[1]):
        pairs = (pair.split("=", 1) for pair in match[2].split())
        found[match[1]] = {name: NOTHING if value == "-" else json.loads(value) for name, value in pairs}
    return found


@pytest.fixture(scope="module", params=FLAGS)
def files(request: pytest.FixtureRequest, go: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("places")
    binary = build(go, SOURCE, folder / "places", *FLAGS[request.param])
    wanted = [
        {"function": function, "table": f"t{at}", "collect": [{"expr": e, "as": f"c{i}"} for i, e in enumerate(values)]}
        for at, (function, values) in enumerate(told().items())
    ]
    wanted.append({"function": "main.mapped", "table": "mapped", "collect": ["file", "found"]})
    wanted.append({"function": "main.resultsSeen", "table": "results", "collect": ["text", "list", "err"]})
    wanted.append({"function": "main.capturedSeen", "table": "captured", "collect": ["text", "kept", "failed"]})
    spec, found = folder / "spec.yaml", {engine: folder / f"{engine}.sqlite" for engine in ENGINES}
    spec.write_text(json.dumps({"functions": wanted, "limits": {"pause_ms": 60_000}}))
    with running(binary) as target:
        for engine, out in found.items():
            arguments = ["--pid", target.pid, "--spec", spec, "--out", out, "--engine", engine, "--json"]
            command = [str(ROOT / ".venv/bin/freezeframe"), "snapshot", *map(str, arguments)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_no_variable_is_another_than_its_source_says(files: dict[str, Path], engine: str) -> None:
    wrong, right, missing = [], 0, 0
    with closing(sqlite3.connect(files[engine])) as connection:
        reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
        for table, column, reason in connection.execute("SELECT table_name, column_name, reason FROM absences"):
            reasons[table, column].append(reason)
        for at, (function, values) in enumerate(told().items()):
            columns = ", ".join(f"c{number}" for number in range(len(values)))
            [row] = connection.execute(f"SELECT {columns} FROM t{at}").fetchall()
            for number, (name, value) in enumerate(values.items()):
                got = json.loads(row[number]) if isinstance(value, list) and row[number] is not None else row[number]
                absent = reasons[f"t{at}", f"c{number}"]
                if (got is None or isinstance(got, dict)) and absent:
                    missing += value is not NOTHING
                elif got == value:
                    right += 1
                else:
                    wrong.append(f"{function} {name}: {got!r}, not {'anything' if value is NOTHING else repr(value)}")
    assert not wrong, "\n".join(wrong)
    assert right > 30
    assert missing < 60


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_really_assigned_is_there(files: dict[str, Path], engine: str) -> None:
    """What keeps a variable that may not have been assigned out leaves those alone that were."""
    at = list(told()).index("main.replaced")
    with closing(sqlite3.connect(files[engine])) as connection:
        assert connection.execute(f"SELECT c0 FROM t{at}").fetchall() == [(2,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_deferred_call_will_see_is_there(
    files: dict[str, Path], engine: str, request: pytest.FixtureRequest
) -> None:
    """Debug info has no word for it that a lone place on the stack is all of a variable, nor that a closure has its address."""
    with closing(sqlite3.connect(files[engine])) as connection:
        assert connection.execute("SELECT * FROM results").fetchall()[0][-3:] == ("ABc", "[3,3]", None)
        [(text, kept, failed)] = connection.execute("SELECT text, kept, failed FROM captured").fetchall()
        missing = connection.execute(
            "SELECT table_name, column_name, detail FROM absences WHERE table_name IN ('results', 'captured')"
        ).fetchall()
    assert (text, failed) == ("ABc", None)
    if "-N" not in request.node.name:  # there one place is told for the whole function, and not that it is its own
        assert json.loads(kept)["$addr"].startswith("0x")
        [(*where, why)] = missing
        assert where == ["captured", "kept"]
        assert "nothing here uses it after this call" in why


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_larger_than_any_memory_is_an_address(files: dict[str, Path], engine: str) -> None:
    """Databases declare arrays of 256 TB to point into mapped files with."""
    with closing(sqlite3.connect(files[engine])) as connection:
        [(file, found)] = connection.execute("SELECT file, found FROM mapped").fetchall()
        absences = connection.execute("SELECT detail FROM absences WHERE table_name = 'mapped'").fetchall()
    shown = json.loads(file)
    data = shown["Data"]
    assert shown["Size"] == 7
    assert json.loads(found)["$addr"] == data["$addr"]
    assert shown["Rows"] == {"$absent": "unsupported"}
    assert shown["Page"]["$addr"] == data["$addr"]
    for name in ("[281474976710655]uint8", "main.filePage"):
        assert (f"what a *{name} points to is too large; at {data['$addr']}",) in absences


@pytest.mark.parametrize("engine", ENGINES)
def test_a_counter_that_is_in_no_loop_is_there(files: dict[str, Path], engine: str) -> None:
    """A recursion's depth is only counted and compared, too."""
    at = list(told()).index("main.deep")
    with closing(sqlite3.connect(files[engine])) as connection:
        assert connection.execute(f"SELECT c0 FROM t{at}").fetchall() == [(1,)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("function", ["main.oneLine.func1", "main.oneLineResult"])
@pytest.mark.parametrize("files", ["-N -l"], indirect=True)
def test_what_is_all_on_one_line_has_its_variables(files: dict[str, Path], engine: str, function: str) -> None:
    """Without optimization there is one place for the whole function, and no line behind the first says that it is filled. (Of
    optimized code debug info has lists.)"""
    at = list(told()).index(function)
    with closing(sqlite3.connect(files[engine])) as connection:
        assert connection.execute(f"SELECT reason FROM absences WHERE table_name = 't{at}'").fetchall() == []


def test_a_part_of_a_struct_is_no_variable(tmp_path: Path) -> None:
    """Go 1.27 tells where p's field A is as if there were a variable pA."""
    said = subprocess.run([ROOT / "scripts/toolchain", "1.27.3"], capture_output=True, text=True, check=True)
    with Binary(build(Path(said.stdout.strip()), SOURCE, tmp_path / "places")) as binary:
        [instance] = binary.functions.instances("main.parts")
        names = [each.name for each in instance.variables]
        assert re.search(rb"[^.]pB\0", binary.info.bytes)
        assert names.count("pA") == 1
        assert "pB" not in names
        assert "pB" not in binary.functions.declared("main.parts")
        assert {"p", "pA", "n"} <= binary.functions.declared("main.parts")
