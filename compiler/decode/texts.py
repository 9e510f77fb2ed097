"""What a rendered value is made of: marks, paths, and the texts of strings, keys and JSON."""

import base64
import json
from typing import Any

from compiler.decode import scalars

Json = Any
Path = tuple[Any, str] | None
"""Where a value is within its column: (path of what contains it, its own step); None for the column itself."""


class Marked(dict[str, Json]):
    """An object that is a struct or carries marks, so that further marks belong into it. Maps are plain dicts."""


class Typed(dict[str, Json]):
    """What an interface holds: it has its type already, so an interface around it takes it as a value."""


def path_text(path: Path) -> str:
    """A path as absences have it: .User.Name[3]["key"]."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return "".join(reversed(steps))


def to_json(value: Json) -> str:
    """Compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_or_base64(found: bytes) -> Json:
    """UTF-8 as text, anything else in base64."""
    try:
        return found.decode()
    except UnicodeDecodeError:
        return {"$base64": base64.b64encode(found).decode()}


def whole_characters(found: bytes) -> bytes:
    """Without the first bytes of a character that a cut went through; as it is where it is no UTF-8 anyway."""
    try:
        found.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and len(found) - error.start < 4:
            return found[: error.start]
    return found


def number_text(value: scalars.Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return scalars.float_text(value)
    return str(value)


def key_text(value: Json) -> str:
    """A key's text: a string's own, a pointer's address, else its JSON, also of a string that was cut."""
    if isinstance(value, Marked) and value.keys() == {"$addr"}:
        return str(value["$addr"])
    return value if isinstance(value, str) else to_json(value)


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
