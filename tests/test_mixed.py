"""Go and C in one program, linked by the C compiler: goroutines in C, and called back from C, on both engines."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, build
from tests.programs import running
from tests.test_querydb import ENGINES, snapshot
from tests.traceback import Dumped, parse_dump, shown

pytestmark = [pytest.mark.every_version, pytest.mark.timeout(600)]

COUNT = 5
SPEC = """
functions:
  - function: main.outbound
    table: outbound
    collect: [id, {expr: req.ID, as: request}, {expr: req.Name, as: name}]
  - function: main.inbound
    table: inbound
    collect: [id, {expr: req.Name, as: name}]
  - function: main.calledBack
    table: called_back
    collect: [id, {expr: req.Name, as: name}, {expr: req.Tags, as: tags}]
limits: {pause_ms: 10000}
"""
BUILDS = {"plain": (), "pie": ("-buildmode=pie",), "stripped": ("-ldflags=-s -w",)}


@dataclass(frozen=True)
class Scene:
    """One build's own dump, and what each engine saw."""

    build: str
    dump: dict[int, Dumped]
    files: dict[str, Path]
    reports: dict[str, dict[str, Any]]

    def rows(self, engine: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.files[engine])) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module", params=BUILDS)
def scene(request: pytest.FixtureRequest, go: Path, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder, which = tmp_path_factory.mktemp("mixed"), request.param
    binary = build(go, ROOT / "tests/targets/mixed", built / f"mixed-{which}", *BUILDS[which], cgo=True)
    spec = folder / "spec.yaml"
    spec.write_text(SPEC)
    files = {engine: folder / f"{engine}.sqlite" for engine in ENGINES}
    with running(binary, "-n", COUNT) as target:
        reports = {engine: snapshot(target.pid, spec, files[engine], engine) for engine in ENGINES}
        dump = {number: found for number, found in parse_dump(target.ready["dump"]).items() if number != 1}
    return Scene(which, dump, files, reports)


@pytest.mark.parametrize("engine", ENGINES)
def test_stacks_through_c_are_those_of_the_dump(scene: Scene, engine: str) -> None:
    assert len(scene.dump) >= 2 * COUNT
    assert scene.reports[engine]["processes"][0]["losses"] == []
    for number, dumped in scene.dump.items():
        sql = f"SELECT function, file, line FROM frames WHERE goroutine_id = {number} ORDER BY depth"
        found = [row for row in scene.rows(engine, sql) if shown([row[0]])]
        assert tuple(name for name, _, _ in found) == dumped.functions, number
        assert tuple((file, line) for _, file, line in found) == dumped.lines, number
        sql = f"SELECT status, wait_reason, created_by FROM goroutines WHERE goroutine_id = {number}"
        [(status, wait_reason, created_by)] = scene.rows(engine, sql)
        assert (wait_reason or status, created_by) == (dumped.state, dumped.created_by)


@pytest.mark.parametrize("engine", ENGINES)
def test_values_on_either_side_of_c_are_right(scene: Scene, engine: str) -> None:
    issues = scene.reports[engine]["processes"][0]["issues"]
    if scene.build == "stripped":
        assert len(issues) == 1
        assert scene.rows(engine, "SELECT count(*), max(name) FROM called_back") == [(COUNT, None)]
        return
    assert issues == []
    rows = scene.rows(engine, "SELECT id, request, name FROM outbound ORDER BY id")
    assert rows == [(id_, id_, f"request-{id_}") for id_ in range(COUNT)]
    rows = scene.rows(engine, "SELECT id, name FROM inbound ORDER BY id")
    assert rows == [(id_, f"request-{id_}") for id_ in range(100, 100 + COUNT)]
    rows = scene.rows(engine, "SELECT id, name, tags FROM called_back ORDER BY id")
    assert rows == [(id_, f"request-{id_}", f'["c","{id_ * id_}"]') for id_ in range(100, 100 + COUNT)]
    assert scene.rows(engine, "SELECT * FROM absences") == []
