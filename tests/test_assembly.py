"""Goroutines in assembly that uses the frame pointer's register for its own ends: their stacks are whole all the same."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.engine import NOT_WALKED
from tests.conftest import ROOT, build
from tests.programs import running
from tests.test_querydb import ENGINES, snapshot

pytestmark = [pytest.mark.every_version, pytest.mark.timeout(600)]

COUNT = 2
WHOLE = 3
"""Snapshots that have all stacks."""
SPEC = {
    "functions": [{"function": "main.hash", "table": "hash", "collect": [{"expr": "j.ID", "as": "id"}]}],
    "limits": {"pause_ms": 10_000},
}
OUTER = ["crypto/md5.Sum", "main.hash", "main.forever"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stack_goes_on_behind_assembly(go: Path, built: Path, tmp_path: Path, engine: str) -> None:
    binary = build(go, ROOT / "tests/targets/hashing", built / "hashing")
    spec, file = tmp_path / "spec.yaml", tmp_path / "file.sqlite"
    spec.write_text(json.dumps(SPEC))
    in_assembly = whole = 0
    with running(binary, COUNT) as target:
        while whole < WHOLE:
            snapshot(target.pid, spec, file, engine)
            with closing(sqlite3.connect(file)) as connection:
                losses = [detail for (detail,) in connection.execute("SELECT detail FROM losses")]
                assert losses in ([], [NOT_WALKED])
                whole += not losses  # else a thread just handled a signal, such as the runtime's own
                found: dict[int, list[str]] = {}
                for goroutine, function in connection.execute(
                    "SELECT goroutine_id, function FROM frames ORDER BY goroutine_id, depth"
                ):
                    found.setdefault(goroutine, []).append(function)
                ids = connection.execute("SELECT id FROM hash WHERE id IS NOT NULL").fetchall()
            assert set(ids) <= {(id_,) for id_ in range(COUNT)}
            for functions in found.values():
                if functions[0] == "crypto/md5.block":
                    in_assembly += 1
                    assert functions[-4:-1] == OUTER
    assert in_assembly
