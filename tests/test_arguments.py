"""Arguments, held against Go's own traceback: what it prints without "?" is there, and the same, on both engines."""

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import arguments
from tests.conftest import ROOT, build, version_of
from tests.programs import running
from tests.servers.snapshots import take_whole
from tests.traceback import HEAD

pytestmark = [pytest.mark.every_version, pytest.mark.timeout(600)]

FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",), "PIE": ("-buildmode=pie",)}
ENGINES = ("memory", "ebpf")
FUNCTIONS = 120


@dataclass(frozen=True)
class Scene:
    """A program that stands still, what its traceback prints (goroutine, function, arguments), and snapshots of it."""

    functions: list[arguments.Function]
    printed: list[tuple[int, str, str]]
    files: dict[str, Path]
    blanks: bool


@pytest.fixture(scope="module", params=FLAGS)
def scene(request: pytest.FixtureRequest, go: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("args")
    source = shutil.copytree(ROOT / "tests/targets/args", folder / "source")
    text, functions = arguments.written(seed=1, count=FUNCTIONS)
    (source / "calls.go").write_text(text)
    binary = build(go, source, folder / "args", *FLAGS[request.param])
    spec = folder / "spec.yaml"
    spec.write_text(arguments.spec_of(functions))
    with running(binary) as target:
        files = {engine: folder / f"{engine}.sqlite" for engine in ENGINES}
        for engine, out in files.items():
            take_whole(target.pid, spec, out, engine)
        yield Scene(functions, list(_printed(target.ready["stack"])), files, version_of(go) >= (1, 23))


def _printed(dump: str) -> Iterator[tuple[int, str, str]]:
    for block in dump.strip().split("\n\n"):
        head, *rest = block.splitlines()
        found = HEAD.match(head)
        assert found is not None, head
        for line in rest:
            if line.startswith("main.") and line.endswith(")"):
                inside = arguments.arguments_of(line)
                yield int(found[1]), line[: len(line) - len(inside) - 2], inside


@pytest.fixture(params=ENGINES)
def verdict(request: pytest.FixtureRequest, scene: Scene) -> arguments.Verdict:
    verdict = arguments.Verdict()
    with closing(sqlite3.connect(scene.files[request.param])) as connection:
        connection.row_factory = sqlite3.Row
        absences: dict[tuple[str, int], dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
        for row in connection.execute("SELECT * FROM absences WHERE table_name IS NOT NULL"):
            why = f"{row['reason']} {row['detail']}"
            absences[row["table_name"], row["goroutine_id"]][row["column_name"]][row["path"] or ""] = why
        by_name = {function.name: function for function in scene.functions}
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for goroutine, name, inside in scene.printed:
            function = by_name.get(name)
            if function is None or function.table not in tables or inside == "...":
                continue
            rows = connection.execute(f"SELECT * FROM {function.table} WHERE goroutine_id = {goroutine}").fetchall()
            assert len(rows) == 1, (name, goroutine, len(rows))
            known = absences[function.table, goroutine]
            arguments.judge(function, inside, dict(rows[0]), known, verdict, blanks=scene.blanks)
    return verdict


def test_no_argument_differs_from_the_traceback(verdict: arguments.Verdict) -> None:
    assert not verdict.wrong, "\n".join(verdict.wrong)
    assert verdict.right > 200


def test_what_the_traceback_vouches_for_is_there(verdict: arguments.Verdict) -> None:
    assert not verdict.missing, "\n".join(verdict.missing)
