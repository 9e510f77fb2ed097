"""Lists of addresses that DIEs refer to: where a variable is by PC, and which code a scope is made of.

DWARF 4, sections 2.6.2 and 2.17.3 (.debug_loc, .debug_ranges); DWARF 5, sections 7.7.3 and 7.25 (.debug_loclists, .debug_rnglists).
"""

import struct
from collections.abc import Callable, Iterator

from compiler.dwarf.leb import unsigned

PAIR, WORD, HALF = struct.Struct("<QQ"), struct.Struct("<Q"), struct.Struct("<H")
HIGHEST = (1 << 64) - 1
LOCATION_KINDS = ("end", "base index", "indexes", "index length", "offsets", "default", "base", "ends", "start length")
RANGE_KINDS = ("end", "base index", "indexes", "index length", "offsets", "base", "ends", "start length")
"""The kinds of entries of DWARF 5, by number (DW_LLE_, DW_RLE_)."""

Address = Callable[[int], int]
"""Of an index into .debug_addr."""
Entry = tuple[int, int, bytes]
"""[lo, hi) addresses, and the location expression that holds there."""


def location_list(section: memoryview, at: int, version: int, base: int, address: Address) -> Iterator[Entry]:
    """The location list of a DIE in a unit of this DWARF version, whose code begins at `base`."""
    if version >= 5:
        return _entries(section, at, base, address, LOCATION_KINDS)
    return _pairs(section, at, base, with_expressions=True)


def range_list(section: memoryview, at: int, version: int, base: int, address: Address) -> Iterator[Entry]:
    """The same of a list of ranges, whose expressions are empty."""
    if version >= 5:
        return _entries(section, at, base, address, RANGE_KINDS)
    return _pairs(section, at, base, with_expressions=False)


def _pairs(section: memoryview, at: int, base: int, *, with_expressions: bool) -> Iterator[Entry]:
    """Up to DWARF 4: pairs of addresses from the base on."""
    while True:
        lo, hi = PAIR.unpack_from(section, at)
        at += PAIR.size
        if not lo and not hi:
            return
        if lo == HIGHEST:
            base = hi
            continue
        expression = b""
        if with_expressions:
            (size,) = HALF.unpack_from(section, at)
            expression, at = _cut(section, at + HALF.size, size)
        yield base + lo, base + hi, expression


def _entries(section: memoryview, at: int, base: int, address: Address, kinds: tuple[str, ...]) -> Iterator[Entry]:
    """DWARF 5: each entry says of which kind it is."""
    while True:
        kind = kinds[section[at]]
        at += 1
        if kind == "end":
            return
        if kind == "base index":
            index, at = unsigned(section, at)
            base = address(index)
            continue
        if kind == "offsets":  # nearly all
            first, at = unsigned(section, at)
            second, at = unsigned(section, at)
            lo, hi = base + first, base + second
        elif kind == "base":
            (base,), at = WORD.unpack_from(section, at), at + WORD.size
            continue
        else:
            lo, hi, at = _bounds(section, at, address, kind)
        expression = b""
        if kinds is LOCATION_KINDS:
            size, at = unsigned(section, at)
            expression, at = _cut(section, at, size)
        yield lo, hi, expression


def _bounds(section: memoryview, at: int, address: Address, kind: str) -> tuple[int, int, int]:
    """An entry's addresses, and what follows them."""
    match kind:
        case "default":  # where no other entry holds: Go has none
            return 0, 0, at
        case "ends":
            lo, hi = PAIR.unpack_from(section, at)
            return lo, hi, at + PAIR.size
        case "start length":
            (lo,) = WORD.unpack_from(section, at)
            length, at = unsigned(section, at + WORD.size)
            return lo, lo + length, at
    first, at = unsigned(section, at)
    second, at = unsigned(section, at)
    if kind == "indexes":
        return address(first), address(second), at
    return address(first), address(first) + second, at


def _cut(section: memoryview, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(section):
        raise ValueError("a location that ends behind its section")
    return bytes(section[at : at + size]), at + size
