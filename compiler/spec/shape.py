"""The keys of a spec and the kind of value each takes, judged before anything is looked at in itself.

A judge takes a plain value, the keys on the way to it, and a list for what is wrong with it. It gives the value back with
what was left out filled in, which counts where nothing is wrong. No value is converted to another kind.
"""

from collections.abc import Callable, Iterable
from typing import Any

from compiler.ir.frozen import frozen
from compiler.ir.limits import LIMIT_NAMES, Limits
from compiler.sql.names import nearest

MINIMUM = 'write at least "functions: []"'
WHOLE_SPEC_LIMITS = ("frames", "process_bytes", "pause_ms")
"""They bound a process's capture, not a value in it."""
VALUE_LIMITS = tuple(name for name in LIMIT_NAMES if name not in WHOLE_SPEC_LIMITS)

Loc = tuple[int | str, ...]
"""Keys and numbers in lists, from the top of the spec."""


@frozen
class Fault:
    """What is wrong at `loc`; `key`: of a mapping, the key whose line counts."""

    loc: Loc
    what: str
    remedy: str
    key: str = ""
    missing: bool = False
    """Something is not there at all."""


Judge = Callable[[Any, Loc, list[Fault]], Any]
Keys = dict[str, tuple[Judge, Any]]
"""By key: its value's judge, and what stands for it where it is left out."""
REQUIRED = object()
"""Nothing does."""


def kind_of(value: object) -> str:
    """What a value is, in words."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _not(wanted: str, value: object, loc: Loc) -> Fault:
    remedy = f"write {wanted}"
    if wanted.startswith("text"):
        remedy = "quote it" if isinstance(value, (bool, int, float)) else "write text"
    return Fault(loc, f"must be {wanted}, but is {kind_of(value)}", remedy)


# ---------------------------------------------------------------- judges


def any_text(value: Any, loc: Loc, faults: list[Fault]) -> Any:
    """A text, which may be empty."""
    if not isinstance(value, str):
        faults.append(_not("text", value, loc))
    return value


def text(value: Any, loc: Loc, faults: list[Fault]) -> Any:
    """A text that is not empty."""
    if value == "":
        faults.append(Fault(loc, "must not be empty", "write it or remove the key"))
    return any_text(value, loc, faults)


def optional(judge: Judge) -> Judge:
    """The same, or no value at all."""
    return lambda value, loc, faults: None if value is None else judge(value, loc, faults)


def list_of(judge: Judge, *, least: int = 0) -> Judge:
    """A list of `least` such values or more."""

    def judged(value: Any, loc: Loc, faults: list[Fault]) -> Any:
        if not isinstance(value, list):
            faults.append(_not("a list", value, loc))
            return ()
        if len(value) < least:
            faults.append(Fault(loc, "must not be an empty list", "name at least one"))
        return tuple(judge(each, (*loc, number), faults) for number, each in enumerate(value))

    return judged


def by_name(judge: Judge) -> Judge:
    """A mapping of any names to such values."""

    def judged(value: Any, loc: Loc, faults: list[Fault]) -> Any:
        if not isinstance(value, dict):
            faults.append(_not("a mapping", value, loc))
            return {}
        return {name: judge(each, (*loc, name), faults) for name, each in value.items()}

    return judged


def mapping(keys: Keys, *, short_for: str = "") -> Judge:
    """A mapping with these keys; a bare text may be short for one that has only the key `short_for`."""

    def judged(value: Any, loc: Loc, faults: list[Fault]) -> Any:
        if short_for and isinstance(value, str):
            value = {short_for: value}
        if not isinstance(value, dict):
            faults.append(_not("text or a mapping" if short_for else "a mapping", value, loc))
            return {}
        found = {key: default for key, (_, default) in keys.items()}
        for key, (judge, default) in keys.items():
            if key in value:
                found[key] = judge(value[key], (*loc, key), faults)
            elif default is REQUIRED:
                remedy = "add it" if loc else MINIMUM
                faults.append(Fault(loc, f'the key "{key}" is missing', remedy, missing=True))
        faults += (_unknown(key, loc, keys) for key in value if key not in keys)
        return found

    return judged


def _unknown(key: str, loc: Loc, known: Iterable[str]) -> Fault:
    return Fault(loc, f'unknown key "{key}"', nearest(key, known), key)


def _whole_number(value: Any, loc: Loc, faults: list[Fault]) -> Any:
    if type(value) is not int:
        faults.append(_not("a whole number", value, loc))
    return value


def limits(allowed: tuple[str, ...]) -> Judge:
    """Limits by name, of those that may stand here."""
    numbers = by_name(_whole_number)

    def judged(value: Any, loc: Loc, faults: list[Fault]) -> Any:
        before = len(faults)
        changes = numbers(value, loc, faults)
        if len(faults) == before:
            faults += [fault for key in changes for fault in _limit_faults(key, changes[key], loc, allowed)][:1]
        return changes

    return judged


def _limit_faults(key: str, value: int, loc: Loc, allowed: tuple[str, ...]) -> list[Fault]:
    if key in allowed:
        problems = Limits().override({key: value}).problems()
        return [Fault(loc, problem, "write a number within the bounds", key) for problem in problems]
    if key in WHOLE_SPEC_LIMITS:
        return [Fault(loc, f'"{key}" is a limit of the whole spec', "move it to `limits` at the top level", key)]
    return [_unknown(key, loc, allowed)]


def _link(value: Any, loc: Loc, faults: list[Fault]) -> Any:
    before = len(faults)
    link = _LINK(value, loc, faults)
    if len(faults) == before and len(link["from_columns"]) != len(link["to_columns"]):
        what = f"{len(link['from_columns'])} from_columns are linked to {len(link['to_columns'])} to_columns"
        faults.append(Fault(loc, what, "name as many of each"))
    return link


# ---------------------------------------------------------------- the spec

_COLUMNS = list_of(text, least=1)
_LINK = mapping(
    {
        "from": (text, REQUIRED),
        "from_columns": (_COLUMNS, REQUIRED),
        "to": (text, REQUIRED),
        "to_columns": (_COLUMNS, REQUIRED),
        "note": (any_text, ""),
    }
)
_VALUE_LIMITS = limits(VALUE_LIMITS)
_COLLECT = mapping(
    {"expr": (text, REQUIRED), "as": (optional(text), None), "limits": (_VALUE_LIMITS, {})}, short_for="expr"
)
_EXTRA = mapping({"name": (text, REQUIRED), "expr": (text, REQUIRED), "unit": (optional(any_text), None)})
_FUNCTION = mapping(
    {
        "function": (text, REQUIRED),
        "table": (optional(text), None),
        "collect": (list_of(_COLLECT), ()),
        "extra": (list_of(_EXTRA), ()),
        "limits": (_VALUE_LIMITS, {}),
    }
)
_TYPE = mapping(
    {"type": (text, REQUIRED), "collect": (list_of(_COLLECT, least=1), REQUIRED), "limits": (_VALUE_LIMITS, {})}
)
_TABLE = mapping({"sql": (text, REQUIRED), "note": (any_text, "")}, short_for="sql")
SPEC: Judge = mapping(
    {
        "programs": (by_name(mapping({"exe": (text, REQUIRED)})), {}),
        "functions": (list_of(_FUNCTION), REQUIRED),
        "types": (list_of(_TYPE), ()),
        "tables": (by_name(_TABLE), {}),
        "links": (list_of(_link), ()),
        "limits": (limits(LIMIT_NAMES), {}),
    }
)
"""The whole spec."""
