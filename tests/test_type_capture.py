"""Type-level capture: what a spec collects of a type is shown wherever one is met, on both engines."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, build
from tests.programs import Target, running

FREEZEFRAME = ROOT / ".venv/bin/freezeframe"
SPEC = """
limits: {pause_ms: 60000}
types:
  - type: "*main.user"
    collect:
      - Name
      - {expr: Boss.Name, as: boss}
      - {expr: 'Attrs["age"].(int)', as: age}
      - "Roles[0]"
      - "len(Roles)"
      - "Roles[1:2]"
      - {expr: Boss.__addr, as: boss_at}
      - Nmae
  - type: net.OpError
    collect: [Op, Err.Code]
  - type: nothing.Here
    collect: [x]
functions:
  - {function: main.boxes, table: boxes, collect: [u, v, err, wrapped, plain]}
  - {function: main.contexts, table: contexts, collect: [ctx.Value(*main.user), {expr: own, limits: {depth: 1}, as: own}]}
"""
ADA = {
    "Name": "Ada", "boss": {"$absent": "nil"}, "age": {"$absent": "no such key"}, "Roles[0]": "root", "len(Roles)": 1,
    "Roles[1:2]": [], "boss_at": None, "Nmae": {"$absent": "issue"},
}  # fmt: skip
ERROR = {"$type": "*net.OpError", "Op": "dial", "Err.Code": 111}


@pytest.fixture(scope="module")
def zoo(go: Path, built: Path) -> Iterator[Target]:
    with running(build(go, ROOT / "tests/targets/zoo", built / "zoo")) as target:
        yield target


@pytest.fixture(params=["memory", "ebpf"])
def snapshot(request: pytest.FixtureRequest, zoo: Target, tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    """The tables of a snapshot."""
    spec, out = tmp_path / "spec.yaml", tmp_path / "s.sqlite"
    spec.write_text(SPEC)
    arguments = ["--pid", str(zoo.pid), "--spec", str(spec), "--out", str(out), "--engine", request.param]
    done = subprocess.run([str(FREEZEFRAME), "snapshot", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(out)) as connection:
        connection.row_factory = sqlite3.Row
        names = ("boxes", "contexts", "issues", "absences")
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}


def plain(text: str) -> Any:
    """The value without addresses, which no test knows."""
    return json.loads(text, object_hook=lambda found: {key: each for key, each in found.items() if key != "$addr"})


def test_a_type_is_shown_as_what_is_collected_of_it(snapshot: dict[str, list[dict[str, Any]]]) -> None:
    [row] = snapshot["boxes"]
    assert plain(row["u"]) == ADA
    held = plain(row["v"])
    assert held.pop("boss_at") == json.loads(row["u"])["$addr"]
    assert held == {
        "$type": "main.user", "Name": "Bo", "boss": "Ada", "age": 42, "Roles[0]": "dev", "len(Roles)": 3,
        "Roles[1:2]": ["ops"], "Nmae": {"$absent": "issue"},
    }  # fmt: skip
    assert plain(row["err"]) == ERROR
    assert plain(row["wrapped"])["err"] == ERROR
    assert plain(row["plain"]) == {"$type": "*errors.errorString", "s": "plain"}


def test_in_what_a_context_carries_too(snapshot: dict[str, list[dict[str, Any]]]) -> None:
    [row] = snapshot["contexts"]
    assert plain(row["ctx.Value(*main.user)"]) == {"$type": "*main.user", **ADA}
    assert '"Roles[0]"' not in row["own"]  # depth 1 does not reach it


def test_every_member_that_is_missing_has_its_reason(snapshot: dict[str, list[dict[str, Any]]]) -> None:
    reasons = {
        (row["column_name"], row["path"]): row["reason"] for row in snapshot["absences"] if row["table_name"] == "boxes"
    }
    assert reasons["u", ".boss"] == "nil"
    assert reasons["u", ".age"] == "no such key"
    assert reasons["u", ".Nmae"] == reasons["v", ".Nmae"] == "issue"


def test_what_the_binary_does_not_have_is_an_issue(snapshot: dict[str, list[dict[str, Any]]]) -> None:
    assert [(row["item"], row["message"], row["nearest"]) for row in snapshot["issues"]] == [
        ("type *main.user: Nmae", 'no field "Nmae" in main.user, in "Nmae"', "Name"),
        ("type nothing.Here", 'no struct type "nothing.Here" in this binary', None),
    ]
