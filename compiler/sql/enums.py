"""The names of constants: what `enum_name()` says of a number, by the Go type that it has in the process it comes from."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from compiler.ir.frozen import frozen
from compiler.sql.functions import SqlFunction
from compiler.sql.shown import SqlValue, is_absent, json_value, shown

MIN_FLAGS = 3
"""Constants with one bit each from which on a type is taken for bit flags; two (1 and 2) may as well be counted."""

_DIGITS = re.compile(r"-?[0-9]{1,20}")
REMEMBERED = 4096
"""Values whose names are kept at hand; a snapshot has many of few."""


@frozen
class TypeNames:
    """The constants of one type, by value. `type`: as `$type` marks it, main.State; `type_name`: without its package.

    `flags`: those that its own package declares, where they are bit flags.
    """

    type: str
    type_name: str
    names: tuple[tuple[int, str], ...]
    flags: tuple[tuple[int, str], ...] = ()

    def name(self, value: int) -> str:
        """The constant's name; of bit flags several, `FlagA|FlagC`; of what has none the type's and the number, as Go's
        stringer writes it: `State(7)`."""
        names = dict(self.names)
        if value in names:
            return names[value]
        flags = flags_in(value, dict(self.flags)) if value > 0 else []
        return "|".join(flags) or f"{self.type_name}({value})"


@frozen
class EnumNames:
    """The names of what a place of a function table holds in one binary."""

    table: str
    column: str
    path: str
    """In the column's JSON, in SQLite's notation."""
    own: TypeNames | None
    """Of the place's type; None where it is known only with each value: in an interface."""
    held: tuple[TypeNames, ...] = ()
    """Of the types that interfaces hold, where the place is in one."""


def is_flags(values: Sequence[int]) -> bool:
    """Whether constants with these values are bit flags: at least three, and each but zero has one bit, its own."""
    bits = {value for value in values if value}
    return len(bits) >= MIN_FLAGS and all(value > 0 and value & (value - 1) == 0 for value in bits)


def flags_in(value: int, names: Mapping[int, str]) -> list[str]:
    """The flags that are set, lowest bit first, and what is left of the value; nothing where none is."""
    found = [names[bit] for bit in sorted(names) if value & bit]
    rest = value & ~sum(names)
    return [*found, *([f"{rest:#x}"] if rest and found else [])]


Names = Mapping[tuple[int, str, str, str], EnumNames]
"""By process_id, table, column and path."""
NO_NAMES: Names = MappingProxyType({})


def by_process(processes: Sequence[Sequence[EnumNames]]) -> Names:
    """The names of a snapshot's processes, which are numbered from 1."""
    return {
        (process_id, each.table, each.column, each.path): each
        for process_id, known in enumerate(processes, start=1)
        for each in known
    }


def enum_function(names: Names) -> SqlFunction:
    """enum_name(value, process_id, table, column, path): NULL for NULL, for what is absent, for what an interface holds
    that is no constant, and where the binary does not tell the type (an Issue says why)."""

    @lru_cache(maxsize=REMEMBERED)
    def enum_name(value: SqlValue, *where: *tuple[int, str, str, str]) -> str | None:
        known = names.get(where)
        if value is None or known is None or is_absent(value):
            return None
        number = _number(value)
        if number is None and known.own is None:
            return _held(value, known.held)
        if known.own is None:
            what = f"enum_name() got {shown(value)}, a field of what an interface holds: its type is not known"
            raise ValueError(f"{what}; collect the field with a type assertion, x.(*T).State")
        if number is None:
            raise ValueError(f"enum_name() takes a number, got {shown(value)}")
        return known.own.name(number)

    return SqlFunction(5, enum_name)


def _number(value: object) -> int | None:
    """The number; a uint64 beyond int64 is its digits, and so is what SQLite's own `->` cuts out of JSON."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) else None


def _held(value: SqlValue, held: Sequence[TypeNames]) -> str | None:
    """The name of a constant in an interface, shown with its type; None for anything else in one."""
    match json_value(value):
        case {"$type": str(marked), "$value": int(number)} if not isinstance(number, bool):
            known = [each for each in held if each.type == marked.lstrip("*")]
            return known[0].name(number) if len(known) == 1 else None
        case _:
            return None
