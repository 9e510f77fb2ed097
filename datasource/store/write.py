"""Write one snapshot: aside, then renamed. The file appears whole or not at all."""

import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlite_utils

from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.frames import Capture, Goroutine, Issue, Wait
from compiler.ir.program import Program
from compiler.spec import Spec
from compiler.spec.builtin import FUNCTION_TABLE_COLUMNS
from compiler.sql.enums import EnumNames, by_process
from compiler.sql.names import quote
from datasource.store.derive import create_function_table, derive
from datasource.store.schema import BUILT_IN, FORMAT, KEYS

SQLITE_FULL_CODES = ("full", "disk I/O error", "readonly")


@dataclass(frozen=True, slots=True)
class Captured:
    """One process as the snapshot files it."""

    host: str
    program_name: str
    exe: str
    program: Program
    capture: Capture
    issues: tuple[Issue, ...]
    enums: tuple[EnumNames, ...] = ()
    """The names of its constants, for enum_name()."""
    command_line: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """What its agent tells of these."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A process that was wanted but not captured, and why: an Issue of the snapshot."""

    host: str
    pid: int
    program_name: str
    message: str


def new_snapshot_id(taken_at_ns: int) -> str:
    """Sorts by time, tells snapshots of one nanosecond apart: 16 hexadecimal digits of time, 4 of chance."""
    return f"{taken_at_ns:016x}{secrets.token_hex(2)}"


def write_snapshot(
    path: Path,
    spec: Spec,
    processes: Sequence[Captured],
    *,
    taken_at_ns: int,
    snapshot_id: str,
    failed: Sequence[Failed] = (),
) -> None:
    """File the processes' captures and derive the spec's tables. BadInput where `path` cannot be written."""
    with _written_aside(path) as aside:
        try:
            with closing(sqlite3.connect(aside)) as connection:
                connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
                database = sqlite_utils.Database(connection)
                _create(database)
                database.table("snapshot").insert(
                    {"snapshot_id": snapshot_id, "taken_at_ns": taken_at_ns, "format": FORMAT}
                )
                _file_spec(database, spec)
                for function in spec.functions:
                    create_function_table(connection, function)
                for process_id, process in enumerate(processes, start=1):
                    _file_process(database, process_id, process)
                for each in failed:
                    item = f"process {each.pid} ({each.program_name}) on {each.host}"
                    _insert(connection, "issues", iter([(None, item, each.message, None, None)]))
                connection.commit()
                derive(connection, spec, by_process([each.enums for each in processes]))
                connection.commit()
        except sqlite3.OperationalError as error:
            if any(code in str(error) for code in SQLITE_FULL_CODES):
                raise CannotNow(
                    f"the snapshot could not be written: {error}", where=str(path), remedy="make room"
                ) from None
            raise


def check_writable(path: Path) -> None:
    """BadInput where a snapshot could not be written to `path`: to be asked before anything is captured."""
    _aside(path).unlink()


def _aside(path: Path) -> Path:
    """A new, empty file beside `path`."""
    if path.is_dir():
        raise BadInput("this is a directory", where=str(path), remedy="name a file to write")
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        aside.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        remedy = "name a file in a folder that exists and is writable"
        raise BadInput(f"cannot write here: {error.strerror}", where=str(path), remedy=remedy) from None
    return aside


@contextmanager
def _written_aside(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its name when the block ends well, and vanishes when it does not."""
    aside = _aside(path)
    try:
        yield aside
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _create(database: sqlite_utils.Database) -> None:
    for name, columns in BUILT_IN.items():
        database.create_table(name, dict(columns), pk=KEYS.get(name))


def _file_spec(database: sqlite_utils.Database, spec: Spec) -> None:
    digest = hashlib.sha256(spec.text.encode()).hexdigest()
    database.table("spec").insert({"origin": spec.origin, "sha256": digest, "text": spec.text})
    database.table("links").insert_all(
        {
            "from_table": link.source,
            "from_columns": json.dumps(link.source_columns),
            "to_table": link.target,
            "to_columns": json.dumps(link.target_columns),
            "note": link.note,
        }
        for link in spec.links
    )


def _file_process(database: sqlite_utils.Database, process_id: int, process: Captured) -> None:
    header, goroutines = process.capture.header, process.capture.goroutines
    database.table("processes").insert(
        {
            "process_id": process_id,
            "pid": header.pid,
            "host": process.host,
            "program": process.program_name,
            "exe": process.exe,
            "build_id": header.build_id,
            "go_version": process.program.go_version,
            "captured_at_ns": header.captured_at_ns,
            "pause_ms": header.pause.total / 1e6,
            "goroutines": len(goroutines),
            "frames": sum(len(goroutine.frames) for goroutine in goroutines),
            "engine": header.engine,
            "container_pid": header.container_pid,
            "command_line": process.command_line,
            "environment": json.dumps(process.environment, ensure_ascii=False) if process.environment else None,
        }
    )
    connection = database.conn
    _insert(connection, "goroutines", (_goroutine_row(process_id, goroutine) for goroutine in goroutines))
    _insert(connection, "frames", _frame_rows(process_id, goroutines))
    threads = process.capture.threads
    _insert(
        connection,
        "threads",
        ((process_id, t.tid, t.host_tid, t.goroutine_id, t.m, t.cpu, t.state) for t in threads),
    )
    _insert(connection, "waits", _wait_rows(process_id, goroutines))
    _insert(
        connection,
        "goroutine_labels",
        ((process_id, each.goroutine_id, key, value) for each in goroutines for key, value in each.labels),
    )
    _file_rows(connection, process_id, process)
    _insert(
        connection,
        "issues",
        ((process_id, i.item, i.message, ", ".join(i.nearest) or None, i.line) for i in process.issues),
    )
    _insert(connection, "losses", ((process_id, loss.kind, loss.count, loss.detail) for loss in process.capture.losses))


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    places = ", ".join("?" * len(BUILT_IN[table]))
    connection.executemany(f"INSERT INTO {quote(table)} VALUES ({places})", rows)


def _goroutine_row(process_id: int, goroutine: Goroutine) -> tuple[Any, ...]:
    return (
        process_id,
        goroutine.goroutine_id,
        goroutine.status,
        goroutine.wait_reason,
        goroutine.wait_since_ns,
        goroutine.start_function,
        goroutine.created_by or None,
        goroutine.parent_goroutine_id,
        int(goroutine.system),
        goroutine.created_by_file,
        goroutine.created_by_line,
        ", ".join(map(_wait_text, goroutine.waits)) or None,
        json.dumps(dict(goroutine.labels), ensure_ascii=False) if goroutine.labels else None,
        goroutine.m,
        goroutine.tid,
        goroutine.cpu,
        goroutine.locked_tid,
    )


def _wait_text(wait: Wait) -> str:
    """For people: "receive chan 0xc000012345"."""
    return " ".join(filter(None, (wait.operation, wait.object, _address(wait))))


def _address(wait: Wait) -> str | None:
    """As `__addr` columns have it."""
    return None if wait.address is None else f"{wait.address:#x}"


def _wait_rows(process_id: int, goroutines: Sequence[Goroutine]) -> Iterator[tuple[Any, ...]]:
    for goroutine in goroutines:
        for position, wait in enumerate(goroutine.waits):
            yield process_id, goroutine.goroutine_id, position, wait.operation, wait.object, _address(wait)


def _frame_rows(process_id: int, goroutines: Sequence[Goroutine]) -> Iterator[tuple[Any, ...]]:
    for goroutine in goroutines:
        for frame in goroutine.frames:
            yield (
                process_id,
                goroutine.goroutine_id,
                frame.depth,
                frame.function,
                frame.file,
                frame.line,
                int(frame.inlined),
            )


def _file_rows(connection: sqlite3.Connection, process_id: int, process: Captured) -> None:
    """Every frame's rows into their function tables, and a row in `absences` for whatever is missing in them."""
    rows: dict[int, list[tuple[Any, ...]]] = {}
    absences: list[tuple[Any, ...]] = []
    for goroutine in process.capture.goroutines:
        for frame in goroutine.frames:
            for row in frame.rows:
                values = [cell.value for cell in row.cells]
                place = (process_id, goroutine.goroutine_id, frame.depth)
                rows.setdefault(row.table, []).append((*place, frame.function, frame.line, *values))
                table = process.program.tables[row.table]
                absences += (
                    (*place, table.table, column, absence.path, absence.reason, absence.detail)
                    for column, cell in zip(table.columns, row.cells, strict=True)
                    for absence in cell.absences
                )
    for number, found in sorted(rows.items()):
        table = process.program.tables[number]
        names = ", ".join(quote(name) for name in (*FUNCTION_TABLE_COLUMNS, *table.columns))
        places = ", ".join("?" * (len(FUNCTION_TABLE_COLUMNS) + len(table.columns)))
        connection.executemany(f"INSERT INTO {quote(table.table)} ({names}) VALUES ({places})", found)
    _insert(connection, "absences", iter(absences))
