"""What SQL makes of values as the decoder shows them: a UUID or an IP address of bytes, a pointer's address, what is absent."""

import base64
import ipaddress
import json
import re
import uuid as uuids
from typing import Any

SqlValue = int | float | str | bytes | None

INT64 = range(-(1 << 63), 1 << 63)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_ADDRESS = re.compile(r'\{(?:"\$type":"(?:[^"\\]|\\.)*",)?(?:"\$absent":"[^"\\]*",)?"\$(?:addr|ref)":"(0x[0-9a-f]+)"')
"""How the address stands at the head of what has one, so that a large struct needs not be parsed for it."""
_UUID_TAKES = "uuid() takes 16 bytes or the 36 characters of a UUID"
_IP_TAKES = "ip() takes the 4 or 16 bytes of an IP address"


def uuid(value: SqlValue) -> str | None:
    """The text (8-4-4-4-12 hexadecimal digits) of a 16-byte value, however it is shown; of such a text, in lower case.

    NULL stays NULL, and so does what is absent: `absences` has its reason. Raises ValueError for anything else, also
    for bytes that a limit cut.
    """
    if value is None:
        return None
    found = value if isinstance(value, bytes) else _bytes(json_value(value), _UUID_TAKES)
    if found is None:
        return None
    if len(found) == 36 and _UUID.fullmatch(text := found.decode("latin-1")):
        return text.lower()
    if len(found) != 16:
        raise ValueError(f"{_UUID_TAKES}, got {len(found)} bytes: {shown(value)}")
    return str(uuids.UUID(bytes=found))


def ip(value: SqlValue) -> str | None:
    """The text of a net.IP's bytes, however they are shown, as Go prints it: IPv4 in 16 bytes as IPv4 (String in net/ip.go).

    NULL stays NULL, and so do an empty IP and what is absent. Raises ValueError for anything else, texts of addresses too.
    """
    found = value if isinstance(value, bytes) else None if value is None else _bytes(json_value(value), _IP_TAKES)
    if not found:
        return None
    if len(found) == 4:
        return str(ipaddress.IPv4Address(found))
    if len(found) != 16:
        raise ValueError(f"{_IP_TAKES}, got {len(found)} bytes: {shown(value)}")
    address_ = ipaddress.IPv6Address(found)
    return str(address_.ipv4_mapped or address_)


def json_value(value: SqlValue) -> Any:
    """What the JSON text of an object or array says; anything else as it stands."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _bytes(value: Any, takes: str) -> bytes | None:
    """The bytes of a value that is shown; None for one that is absent. `takes`: what the function wants, for errors."""
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass")
        case [*items] if items and all(type(item) is int and 0 <= item < 256 for item in items):
            return bytes(items)
        case {"$absent": _}:
            return None
        case {"$value": _, "$len": int(length)}:
            remedy = "raise limits.slice_items (of an array) or limits.string_bytes (of a []byte or string)"
            raise ValueError(
                f"{takes.split(maxsplit=1)[0]} got the beginning of {length} bytes, a limit cut the rest; {remedy}"
            )
        case {"$base64": str(text), **rest} if not rest.keys() - {"$type"}:
            return base64.b64decode(text)
        case {"$value": inner, **rest} if not rest.keys() - {"$type", "$addr"}:
            return None if inner is None else _bytes(inner, takes)
        case _:
            raise ValueError(f"{takes}, got {shown(value)}")


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


def held(value: SqlValue) -> SqlValue:
    """A value as it is outside of an interface, if it is a number or a text; NULL for one that is absent."""
    if is_absent(value):
        return None
    if not isinstance(value, str) or not value.startswith('{"$type":'):
        return value
    match json_value(value):
        case {"$type": _, "$value": (bool() | int() | float() | str() | None) as inner, **rest} if not rest:
            if isinstance(inner, int):
                return str(inner) if inner not in INT64 else int(inner)
            return inner
        case {"$type": _, "$value": {"$absent": _}, **rest} if not rest:
            return None
        case _:
            return value


def is_absent(value: SqlValue) -> bool:
    """Whether this is the mark of a value that is missing; the table `absences` says why."""
    return isinstance(value, str) and value.startswith('{"$absent":')


def shown(value: object) -> str:
    """A value in an error: not too long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
