"""A Spec: what to collect and how to show it. Every item knows its line and its name in the spec's text."""

import hashlib
import json
from fnmatch import fnmatchcase

from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits

LimitChanges = tuple[tuple[str, int], ...]
"""Limits that an item sets for itself: (name, value), sorted."""


@frozen
class ProgramRule:
    """A program is called `name` when the path of its executable matches the glob `exe` (`*` also crosses slashes)."""

    name: str
    exe: str
    line: int
    item: str


@frozen
class Collect:
    """An expression to capture, as the column `name`."""

    expr: str
    name: str
    line: int
    item: str
    limits: LimitChanges = ()


@frozen
class Extra:
    """A column that SQL makes of its row, its process's and its goroutine's columns, and the extras before it."""

    name: str
    expr: str
    unit: str | None
    line: int
    item: str


@frozen
class FunctionSpec:
    """A function whose frames are the rows of `table`."""

    function: str
    table: str
    collect: tuple[Collect, ...]
    extra: tuple[Extra, ...]
    line: int
    item: str
    limits: LimitChanges = ()


@frozen
class TypeSpec:
    """Wherever a value of the struct type is met, it is shown as these expressions, from its fields on."""

    type: str
    collect: tuple[Collect, ...]
    line: int
    item: str
    limits: LimitChanges = ()


@frozen
class DerivedTable:
    """A table that one SELECT makes of others."""

    name: str
    sql: str
    line: int
    item: str
    note: str = ""


@frozen
class Link:
    """Rows of two tables belong together when the columns are equal, pair by pair."""

    source: str
    source_columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    note: str
    line: int
    item: str


@frozen
class Spec:
    """A checked spec. `tables` stand in an order in which each reads only those before it."""

    programs: tuple[ProgramRule, ...]
    functions: tuple[FunctionSpec, ...]
    tables: tuple[DerivedTable, ...]
    links: tuple[Link, ...]
    limits: Limits
    text: str
    origin: str
    types: tuple[TypeSpec, ...] = ()

    def program_for(self, exe: str) -> str | None:
        """The name of the first program rule that this executable's path matches."""
        return next((rule.name for rule in self.programs if fnmatchcase(exe, rule.exe)), None)


_PLACES = frozenset({"line", "item", "text", "origin"})


def spec_hash(spec: Spec) -> str:
    """SHA-256 (hexadecimal) of what the spec says; comments, layout and file name do not count."""
    from dataclasses import asdict

    content = asdict(spec, dict_factory=lambda pairs: {key: value for key, value in pairs if key not in _PLACES})
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
