"""Snapshots of servers as a user takes them, and their stacks held against the server's own dumps."""

import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.engine import NOT_WALKED
from tests.conftest import ROOT
from tests.traceback import Dumped, shown

FREEZEFRAME = ROOT / ".venv/bin/freezeframe"


def take(pid: int, spec: Path, out: Path, engine: str = "ebpf") -> None:
    """A snapshot by the command line."""
    command: list[str | Path] = [
        FREEZEFRAME,
        "snapshot",
        "--pid",
        str(pid),
        "--spec",
        spec,
        "--out",
        out,
        "--engine",
        engine,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def take_whole(pid: int, spec: Path, out: Path, engine: str = "ebpf") -> None:
    """A snapshot in which no goroutine's stack is missing because its thread just handled a signal; the next one has it."""
    take(pid, spec, out, engine)
    while not is_whole(out):
        take(pid, spec, out, engine)


def is_whole(file: Path) -> bool:
    """Whether no stack is missing for that reason."""
    return not rows(file, f"SELECT * FROM losses WHERE detail = '{NOT_WALKED}'")


def rows(file: Path, sql: str) -> list[dict[str, Any]]:
    """What the snapshot answers."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]


def stacks(file: Path) -> dict[int, tuple[str, ...]]:
    """The functions that Go's own traceback would show, innermost first, by goroutine."""
    found: dict[int, list[str]] = {}
    for row in rows(file, "SELECT goroutine_id, function FROM frames ORDER BY goroutine_id, depth"):
        found.setdefault(row["goroutine_id"], []).append(row["function"])
    return {number: shown(functions) for number, functions in found.items()}


def assert_stacks_of(dump: Mapping[int, Dumped], file: Path, busy: Sequence[str]) -> int:
    """That all of these goroutines stand in the snapshot as in the dump; how many were compared to the innermost frame.

    One that runs a function of `busy` is at work and may have moved meanwhile: from that function on outwards it is the same.
    """
    found = stacks(file)
    whole = 0
    for number, dumped in dump.items():
        outer = next((at for at, name in enumerate(dumped.functions) if name in busy), None)
        if outer is None:
            assert found[number] == dumped.functions, number
        else:
            assert found[number][-(len(dumped.functions) - outer) :] == dumped.functions[outer:], number
        whole += outer is None
    return whole
