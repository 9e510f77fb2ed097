"""The whole path on a stripped demo service: everything but variables is what the process says of itself, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, build
from tests.test_querydb import (
    BACKGROUND,
    BLOCKED,
    IDLE,
    SESSIONS,
    TRANSACTIONS,
    Scene,
    engine,
    scene_of,
    test_goroutines_are_those_of_the_dump,
    test_stacks_are_those_of_the_dump,
    test_states_and_creators_are_those_of_the_dump,
)

pytestmark = [pytest.mark.every_go, pytest.mark.timeout(600)]

__all__ = [
    "engine",
    "test_goroutines_are_those_of_the_dump",
    "test_stacks_are_those_of_the_dump",
    "test_states_and_creators_are_those_of_the_dump",
]


@pytest.fixture(scope="module")
def scene(go: Path, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    stripped = build(go, ROOT / "examples/querydb", built / "querydb-stripped", "-ldflags=-s -w")
    with scene_of(stripped, tmp_path_factory.mktemp("stripped")) as found:
        yield found


def test_one_issue_says_why_there_are_no_variables(scene: Scene, engine: str) -> None:
    [process] = scene.reports[engine]["processes"]
    assert len(process["issues"]) == 1, process["issues"]
    assert "no debug info (stripped" in str(process["issues"][0])


def test_labels_that_cannot_be_read_are_a_loss(scene: Scene, engine: str) -> None:
    """Up to Go 1.23 they are a map, which debug info alone describes; every client's goroutine has one."""
    [process] = scene.reports[engine]["processes"]
    [(go_version,)] = scene.rows(engine, "SELECT go_version FROM processes")
    kept = tuple(map(int, go_version.removeprefix("go").split(".")[:2])) >= (1, 24)
    lost = "goroutines' labels were not copied, or not as a whole"
    assert process["losses"] == ([] if kept else [{"kind": "details", "count": SESSIONS + IDLE, "detail": lost}])
    labelled = "SELECT count(DISTINCT goroutine_id) FROM goroutine_labels WHERE key = 'user'"
    assert scene.rows(engine, labelled) == [(SESSIONS + IDLE if kept else 0,)]


def test_every_frame_has_its_row_without_values(scene: Scene, engine: str) -> None:
    report = scene.reports[engine]
    counts = {"queries": SESSIONS, "lock_waits": BLOCKED, "transactions": TRANSACTIONS, "compactions": BACKGROUND}
    for table, count in counts.items():
        assert report["tables"][table] == count
    assert scene.rows(engine, "SELECT DISTINCT q, sql, user FROM queries") == [(None, None, None)]
    assert scene.rows(engine, "SELECT DISTINCT reason FROM absences") == [("no debug info",)]
