"""What compiling found out, kept between runs: Programs by binary and spec, and the types that interfaces hold.

One SQLite file under the cache directory, safe under concurrent processes and bounded in size. Losing it costs time only.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import compiler
from compiler.compile import Compiled, FunctionReport
from compiler.ir.frames import Issue
from compiler.ir.program_codec import BadProgram, program_from_bytes, program_to_bytes
from compiler.sql.enums import EnumNames, TypeNames

MAX_PROGRAMS = 500
SCHEMA = """
CREATE TABLE IF NOT EXISTS programs (key TEXT PRIMARY KEY, used REAL, program BLOB, rest TEXT);
CREATE TABLE IF NOT EXISTS runtime_types (build_id TEXT, offset INTEGER, PRIMARY KEY (build_id, offset));
"""


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/freezeframe, or ~/.cache/freezeframe."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "freezeframe"


def compiler_version() -> str:
    """A hash of the compiler's own source: a Program of another compiler is never used."""
    digest = hashlib.sha256()
    folder = Path(compiler.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class Cache:
    """The cache in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._version = compiler_version()

    def program(self, build_id: str, spec_hash: str, known: frozenset[int]) -> Compiled | None:
        """What compiling gave before, if it is kept."""
        try:
            with self._open() as connection:
                key = self._key(build_id, spec_hash, known)
                row = connection.execute("SELECT program, rest FROM programs WHERE key = ?", (key,)).fetchone()
                connection.execute("UPDATE programs SET used = ? WHERE key = ?", (time.time(), key))
            return None if row is None else _unpacked(*row)
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError, BadProgram):
            return None  # a cache that cannot be read is no cache

    def keep(self, build_id: str, spec_hash: str, known: frozenset[int], compiled: Compiled) -> None:
        """Keep what compiling gave."""
        rest = {
            "issues": [asdict(issue) for issue in compiled.issues],
            "functions": [asdict(function) for function in compiled.functions],
            "enums": [asdict(each) for each in compiled.enums],
        }
        row = (
            self._key(build_id, spec_hash, known),
            time.time(),
            program_to_bytes(compiled.program),
            json.dumps(rest),
        )

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO programs VALUES (?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM programs WHERE key NOT IN (SELECT key FROM programs ORDER BY used DESC LIMIT ?)",
                (MAX_PROGRAMS,),
            )

        self._attempt(write)

    def runtime_types(self, build_id: str) -> frozenset[int]:
        """Types (offsets) that interfaces of this binary were seen to hold."""
        try:
            with self._open() as connection:
                rows = connection.execute("SELECT offset FROM runtime_types WHERE build_id = ?", (build_id,)).fetchall()
            return frozenset(offset for (offset,) in rows)
        except (sqlite3.Error, OSError):
            return frozenset()

    def remember_types(self, build_id: str, offsets: frozenset[int]) -> None:
        """Remember more of them."""
        rows = [(build_id, offset) for offset in sorted(offsets)]
        self._attempt(
            lambda connection: connection.executemany("INSERT OR IGNORE INTO runtime_types VALUES (?, ?)", rows)
        )

    def _key(self, build_id: str, spec_hash: str, known: frozenset[int]) -> str:
        text = json.dumps([self._version, build_id, spec_hash, sorted(known)])
        return hashlib.sha256(text.encode()).hexdigest()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(self._directory / "compiled.sqlite", timeout=5)) as connection, connection:
            connection.executescript(SCHEMA)
            yield connection

    def _attempt(self, write: Callable[[sqlite3.Connection], object]) -> None:
        """Writing is worth a try: a full or read-only disk costs the next run some time, nothing else."""
        with suppress(sqlite3.Error, OSError), self._open() as connection:
            write(connection)


def _unpacked(program: bytes, rest: str) -> Compiled:
    parts = json.loads(rest)
    issues = tuple(Issue(**{**issue, "nearest": tuple(issue["nearest"])}) for issue in parts["issues"])
    functions = tuple(
        FunctionReport(
            each["function"],
            each["table"],
            tuple((name, lo, hi, level) for name, lo, hi, level in each["instances"]),
            tuple((column, expression, kind) for column, expression, kind in each["columns"]),
        )
        for each in parts["functions"]
    )
    enums = tuple(_enum_names(each) for each in parts["enums"])
    return Compiled(program_from_bytes(program), issues, functions, enums)


def _enum_names(parts: dict[str, Any]) -> EnumNames:
    own = None if parts["own"] is None else _type_names(parts["own"])
    return EnumNames(parts["table"], parts["column"], parts["path"], own, tuple(map(_type_names, parts["held"])))


def _type_names(parts: dict[str, Any]) -> TypeNames:
    return TypeNames(parts["type"], parts["type_name"], tuple((value, name) for value, name in parts["names"]))
