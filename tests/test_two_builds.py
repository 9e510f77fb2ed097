"""Variables in the middle of the standard library's functions: what they are in an optimized build, held against one that is not.

A debugger is no oracle for optimized code: it believes the same debug info. But the same code on the same input, stopped at the
same call, has the same values in both builds, and in the one that is not optimized every variable has a place of its own.
"""

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compiler.binary import Binary
from tests.conftest import ROOT, build
from tests.programs import running
from tests.servers.snapshots import rows, take

pytestmark = [pytest.mark.every_version, pytest.mark.timeout(900)]

POINTS = 16
"""Calls at which each scenario is stopped."""
LIMITS = {"depth": 1, "frames": 1000, "pause_ms": 60_000}
WITHOUT_TRACE = {("sort.median", "c"), ("sort.median_func", "c"), ("slices.medianCmpFunc[...]", "c")}
"""Assigned from an inlined call, and not needed any more: one of what ARCHITECTURE.md says to leave no trace."""
LARGEST = 1 << 32
"""Numbers beyond may be addresses."""

Frame = tuple[str, int, int]
"""Its function, and the goroutine and depth that it has in the snapshot."""


@dataclass(frozen=True)
class Build:
    """A snapshot of one build: by scenario and point the frames, outermost first; by goroutine and depth the variables there."""

    stacks: dict[tuple[str, int], list[Frame]]
    variables: dict[tuple[int, int], dict[str, Any]]


@dataclass(frozen=True)
class Scene:
    optimized: Build
    plain: Build


def spec_of(functions: list[tuple[str, list[str]]]) -> str:
    items = [
        {"function": name, "table": f"t{at}", "collect": [{"expr": v, "as": f"c{n}"} for n, v in enumerate(variables)]}
        for at, (name, variables) in enumerate(functions)
    ]
    return json.dumps({"limits": LIMITS, "functions": items})


def looked_at(binary: Path, pid: int, folder: Path) -> Build:
    """All variables of all functions that the scenarios stand in."""
    spec, out = folder / "spec.json", folder / "out.sqlite"
    spec.write_text(spec_of([("main.scenario", ["name", "after"])]))
    take(pid, spec, out)
    within = (
        "SELECT DISTINCT f.function FROM frames f JOIN t0 s USING (goroutine_id) WHERE f.depth <= s.depth ORDER BY 1"
    )
    names = [row["function"] for row in rows(out, within) if not row["function"].startswith("runtime.")]
    functions = []
    with Binary(binary) as opened:
        for name in names:
            copies = [each for linked in opened.names.meant(name).names for each in opened.functions.instances(linked)]
            variables = dict.fromkeys(
                v.name for each in copies for v in each.variables if v.name.isidentifier() and v.name != "_"
            )
            if variables:
                functions.append((name, list(variables)))
    spec.write_text(spec_of(functions))
    take(pid, spec, out)
    found = {}
    for at, (_, columns) in enumerate(functions):
        for row in rows(out, f"SELECT * FROM t{at}"):
            found[row["goroutine_id"], row["depth"]] = {name: row[f"c{n}"] for n, name in enumerate(columns)}
    stacks: dict[int, list[Frame]] = {}
    for row in rows(out, "SELECT goroutine_id, depth, function FROM frames ORDER BY goroutine_id, depth DESC"):
        stacks.setdefault(row["goroutine_id"], []).append((row["function"], row["goroutine_id"], row["depth"]))
    by_scenario = {}
    for frames in stacks.values():
        first = next((at for at, frame in enumerate(frames) if frame[0] == "main.scenario"), None)
        if first is not None:
            scenario = found[frames[first][1:]]
            by_scenario[scenario["name"], scenario["after"]] = frames[first:]
    return Build(by_scenario, found)


@pytest.fixture(scope="module")
def scene(go: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    looks = []
    with ExitStack() as stack:
        for name, flags in (("optimized", ()), ("plain", ("-gcflags=all=-N -l",))):
            folder = tmp_path_factory.mktemp(name)
            binary = build(go, ROOT / "tests/targets/library", folder / "library", *flags)
            target = stack.enter_context(running(binary, POINTS))
            looks.append(looked_at(binary, target.pid, folder))
            assert len({scenario for scenario, _ in looks[-1].stacks}) == target.ready["scenarios"]
    return Scene(*looks)


def told(cell: Any) -> Any:
    """A number, text, or list of these, which is the same in every process; None of what has addresses in it, or may have."""
    if isinstance(cell, str) and '"$addr"' in cell:
        return None
    if isinstance(cell, list):
        return cell if all(told(each) is not None for each in cell) else None
    if isinstance(cell, str) and cell.startswith(("[", "{")):
        try:
            value = json.loads(cell)
        except ValueError:
            return cell  # a text that begins so
        return told(value) if isinstance(value, list) else None
    return None if isinstance(cell, int) and abs(cell) >= LARGEST else cell


def test_optimized_code_has_the_values_that_plain_code_has(scene: Scene) -> None:
    equal, wrong = 0, list[str]()
    assert scene.optimized.stacks.keys() == scene.plain.stacks.keys()
    for point, frames in scene.optimized.stacks.items():
        for (function, *at), (same, *other) in zip(frames, scene.plain.stacks[point], strict=False):
            if function != same:
                break  # what follows is how goroutines wait
            values = scene.optimized.variables.get((at[0], at[1]), {})
            expected = scene.plain.variables.get((other[0], other[1]), {})
            for name in values.keys() & expected.keys():
                value, wanted = told(values[name]), told(expected[name])
                if value is None or wanted is None:
                    continue
                equal += value == wanted
                if value != wanted and (function, name) not in WITHOUT_TRACE:
                    wrong.append(f"{point} {function} {name}: {value!r}, not {wanted!r}")
    assert not wrong, "\n".join(wrong)
    print(equal, "equal")
    assert equal > 1000
