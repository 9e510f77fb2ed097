"""Every kind of Go value in every kind of place, held against the program's own word, on both engines.

A value may be missing with a reason; it is never different.
"""

import json
import sqlite3
import subprocess
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import zoo
from tests.conftest import ROOT, build
from tests.programs import running
from tests.servers.snapshots import is_whole
from tests.traceback import Dumped, parse_dump, shown, still

pytestmark = [pytest.mark.every_go, pytest.mark.timeout(600)]

FREEZEFRAME = ROOT / ".venv/bin/freezeframe"
ENGINES = ("memory", "ebpf")
GOROUTINES = (
    "SELECT process_id, goroutine_id, status, wait_reason, start_function, created_by, system, waits_on, labels,"
    " created_by_line FROM goroutines"
)
MOVES = ("net/http.(*conn).serve", "net/http.(*Server).Serve", "main.spins", "main.yields")
"""Functions of goroutines that do not stand still."""
OF_CONSTRAINTS = {
    "main.united[...]", "main.pointed[...]", "main.compared[...]", "main.withSetter[...]", "main.behind[...]",
    "main.behindLast[...]",
    "main.sliced[...]", "main.mappedTo[...]", "main.fed[...]", "main.judged[...]", "main.spanned[...]",
    "main.(*team[...]).joined", "main.team[...].copied",
}  # fmt: skip
"""Generic functions whose type arguments are no matter of methods alone."""
TRACEBACK_FRAMES = 100
"""Go's traceback elides the middle of a stack with more frames."""


@dataclass(frozen=True)
class Scene:
    """The zoo, standing still, and a snapshot of it for each engine."""

    functions: list[zoo.Function]
    dump: dict[int, Dumped]
    files: dict[str, Path]
    reports: dict[str, dict[str, Any]]

    def rows(self, engine: str, sql: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.files[engine])) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    def verdict(self, engine: str, function: zoo.Function) -> zoo.Verdict:
        return zoo.verdict(partial(self.rows, engine), function)


@pytest.fixture(scope="module")
def binary(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/zoo", built / "zoo")


@pytest.fixture(scope="module")
def scene(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """It ends before it is judged: some of its goroutines are never tired, and would take the processor from the judge."""
    folder = tmp_path_factory.mktemp("zoo")
    with running(binary) as target:
        truth = json.loads(_get(f"http://{target.ready['address']}/truth"))
        named = zoo.functions(truth)
        spec = folder / "zoo.yaml"
        spec.write_text(zoo.spec_of(named, zoo.LIMITS))
        before = parse_dump(_get(f"http://{target.ready['address']}/stack"))
        files = {engine: folder / f"{engine}.sqlite" for engine in ENGINES}
        reports = {engine: _snapshot(target.pid, spec, files[engine], engine) for engine in ENGINES}
        after = parse_dump(_get(f"http://{target.ready['address']}/stack"))
    return Scene(named, still(before, after, MOVES), files, reports)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def _snapshot(pid: int, spec: Path, out: Path, engine: str) -> dict[str, Any]:
    """What it reported; taken again where the stack of a goroutine is missing because its thread just handled a signal."""
    arguments = ["--pid", str(pid), "--spec", str(spec), "--out", str(out), "--engine", engine, "--json"]
    done = subprocess.run([str(FREEZEFRAME), "snapshot", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report if is_whole(out) else _snapshot(pid, spec, out, engine)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_no_value_is_different(scene: Scene, engine: str) -> None:
    verdicts = [scene.verdict(engine, function) for function in scene.functions]
    wrong = [each for verdict in verdicts for each in verdict.wrong]
    assert not wrong, "\n".join(wrong[:200])
    assert sum(verdict.right for verdict in verdicts) > 30_000


def test_chains_are_whole_at_the_default_depth(scene: Scene, engine: str) -> None:
    [chained] = [each for each in scene.functions if each.name == "main.chained"]
    verdict = scene.verdict(engine, chained)
    assert not verdict.wrong
    assert not verdict.missing
    assert verdict.right > 2 * 60


@pytest.mark.parametrize("name", ["main.syncMapped", "main.syncLookups", "main.addressed"])
def test_what_is_shown_as_what_it_means_is_whole(scene: Scene, engine: str, name: str) -> None:
    """But for parameters that optimization takes apart."""
    [function] = [each for each in scene.functions if each.name == name]
    verdict = scene.verdict(engine, function)
    assert not verdict.wrong
    assert not [each for each in verdict.missing if not each.endswith("optimized out")]
    assert verdict.right > 40


def test_pointers_of_generic_code_are_told_by_the_dictionary_of_the_call(scene: Scene, engine: str) -> None:
    """Which the call keeps while it needs it; here it makes types of it all over."""
    [shared] = [each for each in scene.functions if each.name == "main.shared[...]"]
    verdict = scene.verdict(engine, shared)
    assert not verdict.wrong
    assert not [each for each in verdict.missing if not each.endswith("optimized out")]


def test_what_a_constraint_tells_of_a_type_argument_is_shown(scene: Scene, engine: str) -> None:
    """What is missing of it, optimization has dropped or put where nobody finds it."""
    told = [each for each in scene.functions if each.name in OF_CONSTRAINTS]
    assert {each.name for each in told} == OF_CONSTRAINTS
    for function in told:
        verdict = scene.verdict(engine, function)
        assert not verdict.wrong
        assert not [each for each in verdict.missing if "unsupported" in each or "issue" in each]
        assert verdict.right > 1


def test_a_literal_is_there_after_its_last_use(scene: Scene, engine: str) -> None:
    """Nothing keeps it alive any more, and nothing has to."""
    for name, variable in (("main.unused", "s"), ("main.recursive", "tag")):
        [function] = [each for each in scene.functions if each.name == name]
        verdict = scene.verdict(engine, function)
        assert not verdict.wrong
        assert not [each for each in verdict.missing if each.startswith(f"{name} {variable}:")]


@pytest.mark.parametrize(("name", "variable"), [("main.arrays", "e"), ("main.arrays", "empties"), ("main.smalls", "e")])
def test_what_has_no_size_is_there_wherever_it_is_declared(scene: Scene, engine: str, name: str, variable: str) -> None:
    [function] = [each for each in scene.functions if each.name == name]
    verdict = scene.verdict(engine, function)
    assert not verdict.wrong
    assert not [each for each in verdict.missing if each.startswith(f"{name} {variable}:")]


def test_little_is_missing(scene: Scene, engine: str) -> None:
    """Optimization leaves some variables nowhere, in every Go version others; at most one cell in twelve."""
    missing = [each for function in scene.functions for each in scene.verdict(engine, function).missing]
    cells = sum(len(f.columns) * len(rows) for f in scene.functions for rows in f.frames.values())
    assert len(missing) < cells / 12, "\n".join(missing[:200])


def test_nothing_is_lost(scene: Scene, engine: str) -> None:
    """What running goroutines' registers and unused stack slots point to may be unreadable: nobody asked for it."""
    [process] = scene.reports[engine]["processes"]
    assert {loss["kind"] for loss in process["losses"]} <= {"unreadable"}, process["losses"]


def test_stacks_are_those_of_the_dump(scene: Scene, engine: str) -> None:
    stacks: dict[int, list[tuple[str, str, int]]] = {number: [] for number in scene.dump}
    for row in scene.rows(engine, "SELECT goroutine_id, function, file, line FROM frames ORDER BY goroutine_id, depth"):
        if row["goroutine_id"] in stacks and shown([row["function"]]):
            stacks[row["goroutine_id"]].append((row["function"], row["file"], row["line"]))
    assert len(stacks) > 150
    for number, dumped in scene.dump.items():
        lines = [(name, *line) for name, line in zip(dumped.functions, dumped.lines, strict=True)]
        assert _elided(stacks[number], len(lines)) == lines, number


def _elided(frames: list[tuple[str, str, int]], length: int) -> list[tuple[str, str, int]]:
    """What a traceback of so many frames shows of a deeper stack: both ends."""
    if len(frames) == length or length < TRACEBACK_FRAMES // 2:
        return frames
    return [*frames[: TRACEBACK_FRAMES // 2], *frames[TRACEBACK_FRAMES // 2 - length :]]


def test_states_and_creators_are_those_of_the_dump(scene: Scene, engine: str) -> None:
    found = {row["goroutine_id"]: row for row in scene.rows(engine, "SELECT * FROM goroutines")}
    for number, dumped in scene.dump.items():
        row = found[number]
        assert (row["wait_reason"] or row["status"]) == dumped.state, number
        assert row["created_by"] == dumped.created_by or (dumped.created_by is None and not row["created_by"]), number
        assert dumped.parent in (None, row["parent_goroutine_id"])
        assert dumped.created_at in (None, (row["created_by_file"], row["created_by_line"]))


def test_both_engines_give_the_same(scene: Scene) -> None:
    ids = ", ".join(map(str, sorted(scene.dump)))
    tables = [f"SELECT * FROM {each.table}" for each in scene.functions]
    for sql in ("SELECT * FROM frames", GOROUTINES, *tables, "SELECT * FROM absences"):
        ordered = f"{sql} WHERE goroutine_id IN ({ids}) ORDER BY 1, 2, 3, 4, 5, 6"
        memory, ebpf = (scene.rows(engine, ordered) for engine in ENGINES)
        assert memory == ebpf, sql
