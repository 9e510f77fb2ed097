"""The SQL functions that Freezeframe adds to SQLite, in plain Python: the store registers them, SQL may call them.

A function raises ValueError with a clear sentence; sqlite3 itself would swallow it, so register `recording(errors)` and
read the sentence there when SQLite says "user-defined function raised exception".
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from compiler.ir.frozen import frozen
from compiler.sql.shown import INT64, SqlValue, address, held, ip, is_absent, json_value, shown, uuid

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_OF_GOS_OWN_TYPE = re.compile(r'\{"\$type":"(?:u?int(?:8|16|32|64)?|uintptr|float(?:32|64)|bool|string)",')
"""A type with names for its values is one that somebody declared."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZERO_TIME = "0001-01-01T00:00:00.000000000Z"
_DIGITS = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_EXAMPLE = "2026-01-02T03:04:05.000000000Z"


@frozen
class SqlFunction:
    """A deterministic SQL function: how many arguments it takes and what it does."""

    nargs: int
    call: Callable[..., SqlValue]


def unix_ns(time: SqlValue) -> int | None:
    """Nanoseconds since 1970 of an RFC 3339 time, exactly; NULL for NULL, for Go's zero time (never set), and for a time that
    is absent.

    Raises ValueError for what is no such time, or lies outside the years 1677 to 2262 that int64 can hold.
    """
    time = held(time)
    if time is None or time == ZERO_TIME:
        return None
    nanoseconds = _nanoseconds("unix_ns", time)
    if nanoseconds not in INT64:
        raise ValueError(f"unix_ns() got {shown(time)}, which is not between the years 1677 and 2262 that it can hold")
    return nanoseconds


def ago(time: SqlValue, captured_at_ns: SqlValue) -> float | None:
    """Seconds from an RFC 3339 time to the capture (Unix time in ns), negative for one after it; exact but for the last
    rounding. NULL for NULL, for Go's zero time, for a time that is absent, and where the capture is NULL.

    Raises ValueError for what is no such time, and for a capture that is no number of nanoseconds.
    """
    time = held(time)
    if time is None or captured_at_ns is None or time == ZERO_TIME:
        return None
    if not isinstance(captured_at_ns, int):
        what = (
            f"ago() takes captured_at_ns, Unix time in nanoseconds, as its second argument, got {shown(captured_at_ns)}"
        )
        raise ValueError(what)
    return (captured_at_ns - _nanoseconds("ago", time)) / 1_000_000_000


def _nanoseconds(function: str, time: SqlValue) -> int:
    """Nanoseconds since 1970, of any year that Python's calendar has."""
    match = _RFC3339.fullmatch(time) if isinstance(time, str) else None
    if match is None:
        raise ValueError(f"{function}() takes the text of a time such as {_EXAMPLE}, got {shown(time)}")
    whole, fraction, zone = match.groups()
    try:
        since = datetime.fromisoformat(whole + zone.replace("Z", "+00:00")) - _EPOCH
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{function}() got {shown(time)}, which is no time: {error}") from None
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def bare(text: SqlValue) -> SqlValue:
    """The SQL value of a piece of JSON text: true is 1, an integer beyond int64 its digits, an object its JSON text; of what
    an interface holds of one of Go's own types that value; NULL for what is absent, for a text is more than any number."""
    if not isinstance(text, str):
        return text
    match text[:1]:
        case "{":
            return held(text) if is_absent(text) or _OF_GOS_OWN_TYPE.match(text) else text
        case "[":
            return text
        case '"':
            return str(json.loads(text))
        case _:
            return _scalar(json.loads(text))


def _scalar(value: bool | int | float | None) -> SqlValue:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and value not in INT64:
        return str(value)
    return value


def number(operand: SqlValue) -> SqlValue:
    """`operand` of an arithmetic operator; of what an interface holds the number, NULL where it holds none and for what is
    absent: SQLite would take 0. ValueError for a time, of which it would take the year, and for a whole struct or list."""
    return _number(operand, "arithmetic on it would be wrong")


def ordered(operand: SqlValue) -> SqlValue:
    """`operand` of a comparison by size with a number: of a text the number that it is, NULL for any other text, which is neither
    more nor less than a number (to SQLite each is more); else as `number` has it."""
    found = _number(operand, "which SQLite takes for more than any number")
    return found if not isinstance(found, str) else _read(found) if _DIGITS.fullmatch(found) else None


def comparable(operand: SqlValue) -> SqlValue:
    """`operand` of an equality with a number: of what an interface holds the number or text, of a text the number that it is
    (beyond int64 it stays the digits); NULL for what is absent."""
    found = held(operand) if isinstance(operand, str) else operand
    if not isinstance(found, str) or not _DIGITS.fullmatch(found):
        return found
    read = _read(found)
    return found if isinstance(read, float) and _is_whole(found) else read


def _number(operand: SqlValue, otherwise: str) -> SqlValue:
    """The operand as `number` has it; `otherwise`: why a time and a whole value are refused."""
    if not isinstance(operand, str):
        return operand
    found: SqlValue = operand
    match json_value(operand):
        case {"$absent": _}:
            return None
        case {"$type": _, "$value": (bool() | int() | float()) as inner}:
            return _scalar(inner)
        case {"$type": _, "$value": str(inner)} if _is_time(inner):
            found = inner
        case {"$type": _}:
            return None
        case dict() | list():
            raise ValueError(f"{shown(operand)} is a whole value, {otherwise}; name the part that is a number")
    if _is_time(found):
        raise ValueError(f"{shown(found)} is a time, {otherwise}; write unix_ns(...)")
    return found


def _is_time(value: object) -> bool:
    return isinstance(value, str) and _RFC3339.fullmatch(value) is not None


def _read(digits: str) -> int | float:
    """The number of a text; beyond int64 the nearest that SQLite can hold."""
    return int(digits) if _is_whole(digits) and int(digits) in INT64 else float(digits)


def _is_whole(digits: str) -> bool:
    return digits.lstrip("-").isdigit()


FUNCTIONS: Mapping[str, SqlFunction] = MappingProxyType(
    {
        "address": SqlFunction(1, address),
        "ago": SqlFunction(2, ago),
        "bare": SqlFunction(1, bare),
        "comparable": SqlFunction(1, comparable),
        "ip": SqlFunction(1, ip),
        "number": SqlFunction(1, number),
        "ordered": SqlFunction(1, ordered),
        "unix_ns": SqlFunction(1, unix_ns),
        "uuid": SqlFunction(1, uuid),
    }
)


def recording(errors: list[str], more: Mapping[str, SqlFunction] = MappingProxyType({})) -> dict[str, SqlFunction]:
    """The functions (and `more` of them), each appending the text of what it raises to `errors`."""
    functions = {**FUNCTIONS, **more}
    return {name: SqlFunction(each.nargs, _recorded(each.call, errors)) for name, each in functions.items()}


def _recorded(call: Callable[..., SqlValue], errors: list[str]) -> Callable[..., SqlValue]:
    def recorded(*arguments: SqlValue) -> SqlValue:
        try:
            return call(*arguments)
        except ValueError as error:
            errors.append(str(error))
            raise

    return recorded
