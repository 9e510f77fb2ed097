"""Random values of random Go types, and expressions into them, held against the program's own reflection, on both engines.

`pytest tests/test_values.py --fuzz 20` tries twenty times as many functions, and new ones: it prints its seed, which
FREEZEFRAME_TEST_SEED takes.
"""

import json
import os
import shutil
import sqlite3
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests import values, zoo
from tests.conftest import ROOT, build, version_of
from tests.programs import running
from tests.servers.snapshots import rows, take

pytestmark = [pytest.mark.every_version, pytest.mark.timeout(600)]

FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",)}
ENGINES = ("memory", "ebpf")
FUNCTIONS = 40


@dataclass(frozen=True)
class Scene:
    """Functions that stand still, what they say of their values, and snapshots of them."""

    functions: list[zoo.Function]
    files: dict[str, Path]


@pytest.fixture(scope="module", params=FLAGS)
def scene(request: pytest.FixtureRequest, go: Path, fuzz: int, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("values")
    source = shutil.copytree(ROOT / "tests/targets/zoo", folder / "source")
    seed = int(os.environ.get("FREEZEFRAME_TEST_SEED") or (1 if fuzz == 1 else time.time_ns()))
    print(f"seed {seed}")
    text = values.written(seed, FUNCTIONS * fuzz, generic_methods=version_of(go) >= (1, 27))
    (source / "values.go").write_text(text)
    spec = folder / "spec.yaml"
    with running(build(go, source, folder / "values", *FLAGS[request.param])) as target:
        with urllib.request.urlopen(f"http://{target.ready['address']}/truth") as answer:
            functions = zoo.functions(json.load(answer))
        spec.write_text(zoo.spec_of(functions, zoo.LIMITS))
        files = {engine: folder / f"{engine}.sqlite" for engine in ENGINES}
        for engine, out in files.items():
            take(target.pid, spec, out, engine)
    return Scene(functions, files)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_value_is_different(scene: Scene, engine: str) -> None:
    right, missing, wrong = 0, list[str](), list[str]()
    for function in scene.functions:
        verdict = zoo.verdict(partial(rows, scene.files[engine]), function)
        right, missing, wrong = right + verdict.right, missing + verdict.missing, wrong + verdict.wrong
    print(right, "right", len(missing), "missing")
    assert not wrong, "\n".join(wrong[:200])
    assert right > 10 * FUNCTIONS
    assert len(missing) < right / 4, "\n".join(missing[:200])


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_lost_to_what_nobody_asked_for(scene: Scene, engine: str) -> None:
    """An engine that follows garbage copies until its room is used up."""
    with closing(sqlite3.connect(scene.files[engine])) as connection:
        assert connection.execute("SELECT * FROM losses WHERE kind <> 'unreadable'").fetchall() == []
