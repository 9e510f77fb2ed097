"""Literals as map keys: whether they fit a key's type, and by what an engine can tell most other keys apart."""

from compiler.dwarf.gotypes import BASIC_KINDS, KIND_INTERFACE, KIND_STRING, GoTypes
from compiler.ir.program import Literal

LENGTH_AT = 8
"""Of a string."""


def misfit(types: GoTypes, key_type: int, key: Literal) -> str:
    """Why no key of this type can equal the literal; "" where one can."""
    kind, name = types.kind(key_type), types.printed(key_type)
    if kind == KIND_INTERFACE:
        return ""
    basic = BASIC_KINDS.get(kind)
    if kind == KIND_STRING:
        return "" if isinstance(key, str) else f"a key of type {name} is written as text"
    if basic == "bool":
        return "" if isinstance(key, bool) else f"a key of type {name} is true or false"
    if basic in ("int", "uint"):
        return _misfit_number(types.size(key_type), key, name, signed=basic == "int")
    if basic == "float":
        return "" if isinstance(key, int | float) and not isinstance(key, bool) else f"a key of type {name} is a number"
    return f"a key of type {name or 'struct'} cannot be written; collect the whole map"


def _misfit_number(size: int, key: Literal, name: str, *, signed: bool) -> str:
    if type(key) is not int:
        return f"a key of type {name} is a whole number"
    low, high = (-(1 << 8 * size - 1), 1 << 8 * size - 1) if signed else (0, 1 << 8 * size)
    return "" if low <= key < high else f"{key} is no {name}"


def map_filter(types: GoTypes, key_type: int, key: Literal) -> tuple[int, int, int]:
    """(offset, size, value) of the bytes that a key has which equals the literal; size 0 where that is not so simple."""
    kind, size = types.kind(key_type), types.size(key_type)
    if kind == KIND_STRING and isinstance(key, str):
        return LENGTH_AT, 8, len(key.encode())
    if BASIC_KINDS.get(kind) in ("bool", "int", "uint") and isinstance(key, int):
        return 0, size, key & ((1 << 8 * size) - 1)
    return 0, 0, 0
