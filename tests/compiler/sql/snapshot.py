"""A small real snapshot-like database, and pairs of SQL read from files."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compiler.sql.functions import recording

PAIRS = Path(__file__).parent / "pairs"
START = "2026-01-02T03:04:05.123456789Z"
SCHEMA = {
    "processes": ("process_id", "pid", "captured_at_ns"),
    "goroutines": ("process_id", "goroutine_id", "status"),
    "queries": ("process_id", "goroutine_id", "q", "user", "age_s"),
}
PEOPLE = ("ann", "bob", "cid", "ann", None)


@contextmanager
def opened(errors: list[str] | None = None) -> Iterator[sqlite3.Connection]:
    """The database of SCHEMA with five queries in it, and our functions."""
    connection = sqlite3.connect(":memory:")
    try:
        for name, columns in SCHEMA.items():
            connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        connection.execute("INSERT INTO processes VALUES (1, 42, 1767323046123456789)")
        for number, user in enumerate(PEOPLE, start=1):
            connection.execute("INSERT INTO goroutines VALUES (1, ?, 'waiting')", (number,))
            row = (number, json.dumps(query(number, user), ensure_ascii=False), user, number * 1.5 if user else None)
            connection.execute("INSERT INTO queries VALUES (1, ?, ?, ?, ?)", row)
        for name, function in recording([] if errors is None else errors).items():
            connection.create_function(name, function.nargs, function.call, deterministic=True)
        yield connection
    finally:
        connection.close()


def query(number: int, user: str | None) -> dict[str, object]:
    """A Go struct as the decoder would give it."""
    return {
        "SQL": f"SELECT 'é' -- {number}",
        "user": {"Name": user},
        "Args": [{"Name": "first"}, {"Name": f"last {number}"}],
        "Done": number % 2 == 0,
        "Err": None,
        "Big": 2**64 - 1,
        "N": number * 3,
        "M": 0.5,
        "Select": 7,
        "$mark": 8,
        "Map": {"a b": 1, "it's": 2},
        "Start": START,
    }


def blocks(name: str) -> list[str]:
    """The statements of a file: separated by empty lines, comment lines dropped."""
    text = "\n".join(line for line in (PAIRS / name).read_text().splitlines() if not line.startswith("-- "))
    return [block.strip() for block in text.split("\n\n") if block.strip()]


def rows(connection: sqlite3.Connection, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Column names and rows."""
    cursor = connection.execute(sql)
    return [column[0] for column in cursor.description], cursor.fetchall()
