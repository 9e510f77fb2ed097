"""Variables in the middle of functions with random bodies, held against the source, on both engines.

`pytest tests/test_bodies.py --fuzz 20` tries twenty times as many functions, and new ones: it prints its seed, which
FREEZEFRAME_TEST_SEED takes.
"""

import json
import os
import shutil
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import bodies
from tests.conftest import ROOT, build, version_of
from tests.programs import running
from tests.servers.snapshots import take_whole

FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",), "-cover": ("-cover", "-covermode=atomic")}
ENGINES = ("memory", "ebpf")
FUNCTIONS = 64


@dataclass(frozen=True)
class Scene:
    """Functions that wait, what their variables are by the source, and snapshots of them."""

    written: list[bodies.Body]
    told: dict[str, bodies.Told]
    files: dict[str, Path]


@pytest.fixture(scope="module", params=FLAGS)
def scene(
    request: pytest.FixtureRequest, go: Path, fuzz: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("bodies")
    source = shutil.copytree(ROOT / "tests/targets/bodies", folder / "source")
    seed = int(os.environ.get("FREEZEFRAME_TEST_SEED") or (1 if fuzz == 1 else time.time_ns()))
    print(f"seed {seed}")
    text, written = bodies.written(seed, FUNCTIONS * fuzz, version_of(go))
    (source / "calls.go").write_text(text)
    binary = build(go, source, folder / "bodies", *FLAGS[request.param])
    spec = folder / "spec.yaml"
    spec.write_text(bodies.spec_of(written))
    with running(binary) as target:
        files = {engine: folder / f"{engine}.sqlite" for engine in ENGINES}
        for engine, out in files.items():
            take_whole(target.pid, spec, out, engine)
        yield Scene(written, bodies.told(target.ready, written), files)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_variable_is_what_the_source_makes_it(scene: Scene, engine: str) -> None:
    verdict = bodies.Verdict()
    with closing(sqlite3.connect(scene.files[engine])) as connection:
        connection.row_factory = sqlite3.Row
        absent: dict[str, set[str]] = defaultdict(set)
        for row in connection.execute("SELECT table_name, column_name FROM absences WHERE path = ''"):
            absent[row["table_name"]].add(row["column_name"])
        for body in scene.written:
            # Of a function that calls itself, the innermost frame is the one that waits.
            rows = connection.execute(f"SELECT * FROM {body.name} ORDER BY depth LIMIT 1").fetchall()
            assert len(rows) == (body.name in scene.told), body.name
            for row in rows:
                bodies.judge(body, dict(row), scene.told[body.name], absent[body.name], verdict)
    print(verdict.right, "right", verdict.once, "once so", verdict.missing, "missing")
    assert not verdict.wrong, "\n".join(verdict.wrong)
    assert verdict.right > FUNCTIONS
    assert verdict.missing < verdict.right + verdict.once


@pytest.mark.parametrize("engine", ENGINES)
def test_a_block_of_which_no_code_is_left_hides_nothing(scene: Scene, engine: str) -> None:
    with closing(sqlite3.connect(scene.files[engine])) as connection:
        known, *rest = connection.execute("SELECT c0, c1, c2 FROM hidden").fetchone()
    assert (json.loads(known), rest) == ({"$type": "string", "$value": "known"}, [3, "t5"])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_loops_variable_is_there_though_the_next_one_is_known(scene: Scene, engine: str) -> None:
    with closing(sqlite3.connect(scene.files[engine])) as connection:
        assert connection.execute("SELECT c0 FROM ordinary").fetchone() == (0,)
