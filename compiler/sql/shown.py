"""What SQL makes of values as the decoder shows them: a UUID of 16 bytes, a pointer's address, what is absent."""

import base64
import json
import re
import uuid as uuids
from typing import Any

SqlValue = int | float | str | bytes | None

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_ADDRESS = re.compile(r'\{(?:"\$type":"(?:[^"\\]|\\.)*",)?(?:"\$absent":"[^"\\]*",)?"\$(?:addr|ref)":"(0x[0-9a-f]+)"')
"""How the address stands at the head of what has one, so that a large struct needs not be parsed for it."""
_WANTS = "uuid() takes 16 bytes or the 36 characters of a UUID"


def uuid(value: SqlValue) -> str | None:
    """The text (8-4-4-4-12 hexadecimal digits) of a 16-byte value, however it is shown; of such a text, in lower case.

    NULL stays NULL, and so does what is absent: `absences` has its reason. Raises ValueError for anything else, also
    for bytes that a limit cut.
    """
    if value is None:
        return None
    found = value if isinstance(value, bytes) else _bytes(json_value(value))
    if found is None:
        return None
    if len(found) == 36 and _UUID.fullmatch(text := found.decode("latin-1")):
        return text.lower()
    if len(found) != 16:
        raise ValueError(f"{_WANTS}, got {len(found)} bytes: {shown(value)}")
    return str(uuids.UUID(bytes=found))


def json_value(value: SqlValue) -> Any:
    """What the JSON text of an object or array says; anything else as it stands."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _bytes(value: Any) -> bytes | None:
    """The bytes of a value that may be a UUID; None for one that is absent."""
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass")
        case [*items] if items and all(type(item) is int and 0 <= item < 256 for item in items):
            return bytes(items)
        case {"$absent": _}:
            return None
        case {"$value": _, "$len": int(length)}:
            remedy = "raise limits.slice_items (of an array) or limits.string_bytes (of a []byte or string)"
            raise ValueError(f"uuid() got the beginning of {length} bytes, a limit cut the rest; {remedy}")
        case {"$base64": str(text), **rest} if not rest.keys() - {"$type"}:
            return base64.b64decode(text)
        case {"$value": inner, **rest} if not rest.keys() - {"$type", "$addr"}:
            return None if inner is None else _bytes(inner)
        case _:
            raise ValueError(f"{_WANTS}, got {shown(value)}")


def address(value: SqlValue) -> str | None:
    """`value->__addr`: the address (0xc000...) of what a pointer points to, as its value carries it.

    NULL for nil, for what is absent without an address, and for what an interface holds that is no pointer. Raises
    ValueError for a value that never carries an address.
    """
    if value is None:
        return None
    head = _ADDRESS.match(value) if isinstance(value, str) else None
    if head is not None:
        return head[1]
    found = json_value(value)
    if isinstance(found, dict):
        known = found.get("$addr", found.get("$ref"))
        if isinstance(known, str):
            return known
        if "$absent" in found or "$type" in found:
            return None
    remedy = "only pointers to structs show their address in a row; collect the expression with .__addr behind it"
    raise ValueError(f"->__addr: {shown(value)} carries no address; {remedy}")


def is_absent(value: SqlValue) -> bool:
    """Whether this is the mark of a value that is missing; the table `absences` says why."""
    return isinstance(value, str) and value.startswith('{"$absent":')


def shown(value: object) -> str:
    """A value in an error: not too long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
