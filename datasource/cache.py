"""What compiling found out, kept between runs by build id: indexes of names, Programs, and the types that interfaces hold.

Nothing is used that another compiler made: a hash of its source is part of every key.
"""

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import compiler
from datasource.kept import Kept

if TYPE_CHECKING:  # most runs find what they ask for, and need nothing that compiling and decoding need
    from compiler.compiled import Compiled
    from compiler.sql.enums import EnumNames, TypeNames


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/freezeframe, or ~/.cache/freezeframe."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "freezeframe"


@cache
def compiler_version() -> str:
    """A hash of the compiler's own source."""
    digest, root = hashlib.sha256(), os.path.dirname(compiler.__file__)  # noqa: PTH120 - every run waits for this
    files = [f"{folder}/{name}" for folder, _, names in os.walk(root) for name in names if name.endswith(".py")]
    for file in sorted(files):
        with open(file, "rb", buffering=0) as source:  # noqa: PTH123
            digest.update(file.removeprefix(root).encode() + b"\0" + source.read())
    return digest.hexdigest()


def hash_of(spec_text: str) -> str:
    """What tells specs apart: their text, with its lines, for issues name them."""
    return hashlib.sha256(spec_text.encode()).hexdigest()


class Cache:
    """The cache in one directory."""

    def __init__(self, directory: Path, version: str | None = None) -> None:
        """`version` stands for the compiler; without one it is a hash of its source."""
        self._kept = Kept(directory / "compiled.sqlite")
        self._version = compiler_version() if version is None else version

    # ------------------------------------------------------------ Programs

    def program(self, build_id: str, spec_hash: str, known: frozenset[int]) -> "Compiled | None":
        """What compiling gave before, if it is kept."""
        key = self._key("program", build_id, spec_hash, sorted(known))
        head, body = self._kept.head(key), self._kept.body(key)
        return None if head is None or body is None else _unpacked(head, body)

    def report(self, build_id: str, spec_hash: str, known: frozenset[int]) -> dict[str, Any] | None:
        """What compiling had to tell, as JSON has it (`Compiled.plain`), if that is kept; much quicker than the whole."""
        head = self._kept.head(self._key("program", build_id, spec_hash, sorted(known)))
        return None if head is None else dict(json.loads(head))

    def keep(self, build_id: str, spec_hash: str, known: frozenset[int], compiled: "Compiled") -> None:
        """Keep what compiling gave."""
        from compiler.ir.program_codec import program_to_bytes

        key = self._key("program", build_id, spec_hash, sorted(known))
        self._kept.keep(key, json.dumps(compiled.plain()).encode(), program_to_bytes(compiled.program))

    # ------------------------------------------------------------ indexes

    def index(self, build_id: str) -> bytes | None:
        """The packed index of a binary's names, if it is kept."""
        return self._kept.body(self._key("index", build_id))

    def keep_index(self, build_id: str, packed: bytes) -> None:
        """Keep it."""
        self._kept.keep(self._key("index", build_id), b"", packed)

    # ------------------------------------------------------------ types that interfaces hold

    def runtime_types(self, build_id: str) -> frozenset[int]:
        """Types (offsets) that interfaces of this binary were seen to hold."""
        return frozenset(_offsets(self._kept.head(_key("types", build_id))))

    def remember_types(self, build_id: str, offsets: frozenset[int]) -> None:
        """Remember more of them."""
        if offsets:

            def together(known: bytes | None) -> bytes:
                return json.dumps(sorted(offsets.union(_offsets(known)))).encode()

            self._kept.change(_key("types", build_id), together)

    def _key(self, kind: str, *parts: object) -> str:
        return _key(kind, self._version, *parts)


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _offsets(kept: bytes | None) -> list[int]:
    return [] if kept is None else json.loads(kept)


def _unpacked(kept: bytes, program: bytes) -> "Compiled":
    from compiler.compiled import Compiled, FunctionReport
    from compiler.ir.frames import Issue
    from compiler.ir.program_codec import program_from_bytes

    head = json.loads(kept)
    issues = tuple(Issue(**{**issue, "nearest": tuple(issue["nearest"])}) for issue in head["issues"])
    functions = tuple(
        FunctionReport(
            each["function"],
            each["table"],
            tuple((name, lo, hi, level) for name, lo, hi, level in each["instances"]),
            tuple((column, expression, kind) for column, expression, kind in each["columns"]),
        )
        for each in head["functions"]
    )
    return Compiled(program_from_bytes(program), issues, functions, tuple(_enum_names(each) for each in head["enums"]))


def _enum_names(parts: dict[str, Any]) -> "EnumNames":
    from compiler.sql.enums import EnumNames

    own = None if parts["own"] is None else _type_names(parts["own"])
    return EnumNames(parts["table"], parts["column"], parts["path"], own, tuple(map(_type_names, parts["held"])))


def _type_names(parts: dict[str, Any]) -> "TypeNames":
    from compiler.sql.enums import TypeNames

    names, flags = (tuple((value, name) for value, name in parts[key]) for key in ("names", "flags"))
    return TypeNames(parts["type"], parts["type_name"], names, flags)
