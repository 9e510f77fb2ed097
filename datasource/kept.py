"""Bytes kept by key in one SQLite file, the latest used of them up to a number of bytes. Losing it costs time only.

Safe under concurrent processes and under their sudden end: SQLite's own locks and rollback journal. What is not as it
was written (a disk's fault, a cut file, another program's file of that name) counts as not kept; a file that SQLite
cannot read is replaced. A full, read-only or busy disk is no error either: nothing is kept then.
"""

import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

LAYOUT = 2
"""Of the table. A file of another layout is emptied."""
TABLE = """
CREATE TABLE kept (key TEXT PRIMARY KEY, used INTEGER, size INTEGER, head_sum INTEGER, body_sum INTEGER, head BLOB, body BLOB)
"""
OLDEST_FIRST = """
DELETE FROM kept WHERE key IN (
    SELECT key FROM (SELECT key, sum(size) OVER (ORDER BY used DESC, rowid DESC) AS total FROM kept) WHERE total > ?)
"""
UNREADABLE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH})
PATIENCE_S = 2.0
"""How long to wait for another process that is writing."""
COARSE_S = 600
"""A use is noted when the last noted one is older: reading seldom has to write."""

T = TypeVar("T")


class Kept:
    """The file at `path`, which holds a bounded number of bytes."""

    def __init__(self, path: Path, limit: int | None = None) -> None:
        """`limit`: CACHE_BYTES where none is given."""
        self._path, self._given_limit = path, limit

    @property
    def _limit(self) -> int:
        from compiler.ir.limits import CACHE_BYTES  # only who writes has to wait for dataclasses to be imported

        return CACHE_BYTES if self._given_limit is None else self._given_limit

    def head(self, key: str) -> bytes | None:
        """The small part of what is kept under the key."""
        return self._attempt(lambda connection: self._read(connection, key, "head"))

    def body(self, key: str) -> bytes | None:
        """The large part of it."""
        return self._attempt(lambda connection: self._read(connection, key, "body"))

    def keep(self, key: str, head: bytes, body: bytes) -> None:
        """Keep both parts, and forget what was not used for longest where there is no room."""
        size = len(head) + len(body)
        row = (key, int(time.time()), size, zlib.crc32(head), zlib.crc32(body), head, body)

        def write(connection: sqlite3.Connection) -> None:
            if size > self._limit:
                return
            with _transaction(connection):
                connection.execute("DELETE FROM kept WHERE key = ?", (key,))
                connection.execute(OLDEST_FIRST, (self._limit - size,))
                connection.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?)", row)

        self._attempt(write)

    def change(self, key: str, changed: Callable[[bytes | None], bytes]) -> None:
        """Keep as the head what `changed` makes of it, nobody else writing meanwhile."""

        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                head = changed(self._read(connection, key, "head", note=False))
                row = (key, int(time.time()), len(head), zlib.crc32(head), zlib.crc32(b""), head, b"")
                connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                connection.execute(OLDEST_FIRST, (self._limit,))

        self._attempt(write)

    def _read(self, connection: sqlite3.Connection, key: str, part: str, *, note: bool = True) -> bytes | None:
        row = connection.execute(f"SELECT used, {part}_sum, {part} FROM kept WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        used, checksum, data = row
        if not isinstance(data, bytes) or zlib.crc32(data) != checksum:
            return None
        now = int(time.time())
        if note and now - used > COARSE_S:
            with suppress(sqlite3.OperationalError):  # somebody is writing: then not
                connection.execute("UPDATE kept SET used = ? WHERE key = ?", (now, key))
        return data

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `work` gives on the file, which is made anew where it cannot be read; None where that is of no use."""
        for _ in range(2):
            try:
                with self._open() as connection:
                    return work(connection)
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in UNREADABLE:
                    return None
                with suppress(OSError):
                    self._path.with_name(self._path.name + "-journal").unlink(missing_ok=True)
                    self._path.unlink(missing_ok=True)
            except (OSError, TypeError, ValueError):
                return None
        return None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(self._path, timeout=PATIENCE_S, isolation_level=None)) as connection:
            # After a power cut the file may be damaged, which is noticed; that is cheaper than to wait for the disk.
            connection.execute("PRAGMA synchronous = OFF")
            if connection.execute("PRAGMA user_version").fetchone() != (LAYOUT,):
                _lay_out(connection)
            yield connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _lay_out(connection: sqlite3.Connection) -> None:
    with _transaction(connection):
        if connection.execute("PRAGMA user_version").fetchone() == (LAYOUT,):
            return  # another process was faster
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (name,) in names.fetchall():
            connection.execute('DROP TABLE "{}"'.format(name.replace('"', '""')))
        connection.execute(TABLE)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
