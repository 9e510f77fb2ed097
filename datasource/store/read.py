"""Ask a finished snapshot: one SELECT, on a read-only connection with an authorizer, a deadline and a bound on rows."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.frames import SqlValue
from compiler.sql.select import sql_select_guard
from datasource.store.derive import register_functions

DEADLINE_S = 30.0
MAX_ROWS = 1_000_000
MAGIC = b"SQLite format 3\0"
NO_SNAPSHOT = "this is not a snapshot file (SQLite)"
STEPS = 10_000
"""SQLite virtual-machine steps between looks at the clock."""
ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})


@dataclass(frozen=True, slots=True)
class Rows:
    """A query's answer: column names, rows, and whether rows beyond the bound were left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[SqlValue, ...], ...]
    cut: bool


def query(path: Path, sql: str, *, deadline_s: float = DEADLINE_S, max_rows: int = MAX_ROWS) -> Rows:
    """Rows of one SELECT over a snapshot file. BadInput for bad SQL, CannotNow when its time is over."""
    text = sql_select_guard(sql)
    with _reading(path) as connection:
        errors: list[str] = []
        register_functions(connection, errors)
        connection.set_authorizer(_authorize)
        end = time.monotonic() + deadline_s
        connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        try:
            cursor = connection.execute(text)
            rows = cursor.fetchmany(max_rows + 1)
        except sqlite3.Error as error:
            raise _explained(error, errors, path, deadline_s) from None
        columns = tuple(column[0] for column in cursor.description)
        return Rows(columns, tuple(rows[:max_rows]), len(rows) > max_rows)


def _explained(error: sqlite3.Error, errors: list[str], path: Path, deadline_s: float) -> BadInput | CannotNow:
    if "interrupted" in str(error):
        return CannotNow(f"the query did not end within {deadline_s:g} s", remedy="ask for less, or filter earlier")
    if "not a database" in str(error) or "malformed" in str(error):
        return BadInput(NO_SNAPSHOT, where=str(path), remedy="name a file made by freezeframe snapshot")
    if "prohibited" in str(error) or "not authorized" in str(error):
        return BadInput(f"this is not allowed on a snapshot: {error}", remedy="read from its tables with one SELECT")
    what = errors[-1] if errors else str(error)
    return BadInput(
        f"the query failed: {what}", remedy="see the tables and columns with: SELECT name, sql FROM sqlite_schema"
    )


def _authorize(action: int, _first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    if action not in ALLOWED or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FORBIDDEN_FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        what = "this is not a file" if path.exists() else "no such file"
        raise BadInput(what, where=str(path), remedy="name a file made by freezeframe snapshot")
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise BadInput(f"cannot read it: {error.strerror}", where=str(path), remedy="name a readable file") from None
    if magic != MAGIC:
        raise BadInput(NO_SNAPSHOT, where=str(path), remedy="name a file made by freezeframe snapshot")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise BadInput(f"cannot open it: {error}", where=str(path), remedy="name a readable snapshot file") from None
    with closing(connection):
        yield connection


def spec_issues(path: Path) -> tuple[tuple[str, str], ...]:
    """(item, message) of what the spec says of no process in particular: tables and columns that could not be derived."""
    with _reading(path) as connection:
        return tuple(connection.execute("SELECT item, message FROM issues WHERE process_id IS NULL ORDER BY line"))


def table_rows(path: Path) -> dict[str, int]:
    """Number of rows of every table of a snapshot, by name."""
    with _reading(path) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type IN ('table','view') ORDER BY name"
            )
        ]
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name.replace(chr(34), chr(34) * 2)}"').fetchone()[0]
            for name in names
        }
