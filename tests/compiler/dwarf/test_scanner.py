"""The expression on tables and bytes that no Go linker writes: it fits or does not, and takes time in proportion."""

import struct
from collections.abc import Sequence
from typing import Any

import pytest

from compiler.dwarf.abbrevs import Abbreviation, read_abbreviations
from compiler.dwarf.scanner import GO_RUNTIME_TYPE, Scanner
from compiler.dwarf.units import Unit

SUBPROGRAM, PARAMETER, VARIABLE, STRUCT = 0x2E, 0x05, 0x34, 0x13
NAME, LOW_PC, LOCATION, EXTERNAL, ORIGIN = 0x03, 0x11, 0x02, 0x3F, 0x31
ADDR, BLOCK1, STRING, FLAG, REF_ADDR, UDATA, STRP, EXPRLOC = 0x01, 0x0A, 0x08, 0x0C, 0x10, 0x0F, 0x0E, 0x18

Row = tuple[int, int, Sequence[tuple[int, int]]]


def leb(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def table(*rows: Row) -> dict[int, Abbreviation]:
    """An abbreviation table of (code, tag, [(attribute, form)])."""
    raw = b"".join(
        leb(code) + leb(tag) + b"\0" + b"".join(leb(each) for spec in specs for each in spec) + b"\0\0"
        for code, tag, specs in rows
    )
    return read_abbreviations(memoryview(raw + b"\0"), 0)


FUNCTION: Row = (1, SUBPROGRAM, [(NAME, STRING)])
OUT_OF_LINE: Row = (2, SUBPROGRAM, [(ORIGIN, REF_ADDR), (LOW_PC, ADDR)])
LOCAL: Row = (3, VARIABLE, [(NAME, STRING), (LOCATION, BLOCK1)])
TYPE: Row = (4, STRUCT, [(NAME, STRING), (0x0B, UDATA), (GO_RUNTIME_TYPE, ADDR)])
GLOBAL: Row = (5, VARIABLE, [(NAME, STRING), (LOCATION, EXPRLOC), (EXTERNAL, FLAG)])
USUAL = (FUNCTION, OUT_OF_LINE, LOCAL, TYPE, GLOBAL)


def scan(info: bytes, *rows: Row) -> Any:
    return Scanner(table(*(rows or USUAL))).scan(memoryview(info), Unit(0, 0, len(info), 5, 0))


def test_every_kind_is_found_where_it_is() -> None:
    info = (
        b"\x01main.f\0" + b"\x03x\0\x02\x91\x08" + b"\0"
        b"\x02" + bytes(12) + b"\x04main.T\0\x88\x01" + struct.pack("<Q", 77) + b"\x05main.g\0\x01\x9c\x01" + b"\0\0"
    )  # fmt: skip
    found = scan(info)
    spelled = {
        kind: [(die, info[die + 1 : end]) for die, end in zip(dies, ends, strict=True)]
        for kind, (dies, ends) in found.names.items()
    }
    assert spelled == {"function": [(0, b"main.f")], "type": [(28, b"main.T")], "global": [(46, b"main.g")]}
    assert list(found.subprograms) == [0, 15]
    assert (list(found.runtime_types), list(found.runtime_dies)) == ([77], [28])


@pytest.mark.parametrize("size", [0, 15, 16, 127, 128, 255])
def test_location_expressions_of_any_length_fit(size: int) -> None:
    """Most units need only the expression for short ones; a longer one is tried before a unit is given up."""
    info = b"\x03x\0" + bytes([size]) + b"\xff" * size + b"\x01main.f\0"
    assert list(scan(info).subprograms) == [len(info) - 8]


@pytest.mark.parametrize(
    "info",
    [
        b"\x01main.f",  # no end of the name
        b"\x01main.f\0\x06",  # no such code
        b"\x01main.f\0\x02" + bytes(11),  # cut
        b"\x04main.T\0" + b"\x80" * 40,  # a number without an end
        b"\x03x\0\xff" + bytes(254),  # an expression longer than the unit
        b"\x01main.f\0" + b"\x07" * 1000 + b"\x01main.g\0",  # damage between two functions
    ],
)
def test_a_unit_that_does_not_fit_to_its_last_byte_gives_nothing(info: bytes) -> None:
    assert scan(info) is None


@pytest.mark.parametrize(
    "rows",
    [
        [(200, SUBPROGRAM, [(NAME, STRING)])],  # a code of two bytes
        [(1, SUBPROGRAM, [(NAME, STRP)])],  # a name kept elsewhere, as dwz leaves it
        [(1, SUBPROGRAM, [(ORIGIN, REF_ADDR), (NAME, STRING)])],  # a name that is not first
        [FUNCTION, (2, VARIABLE, [(LOCATION, 0x16)])],  # a form that is not known (DW_FORM_indirect)
        [FUNCTION, (2, VARIABLE, [(NAME, UDATA)] * 5000)],  # more attributes than any compiler writes
        [(4, STRUCT, [(NAME, STRING), (GO_RUNTIME_TYPE, UDATA)])],
    ],
)
def test_a_table_that_no_expression_can_be_made_of_is_not_scanned(rows: list[Row]) -> None:
    assert not Scanner(table(*rows)).usable


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (b"\0", True),  # nothing but ends of lists
        (b"\x01", False),  # one name without an end
        (b"\x01\0", True),  # functions without names
        (b"\x02" + b"\x02" * 12, True),  # not one zero byte, which ends names
        (b"\x03\x80\0", False),  # expressions of a length that only the second attempt knows, and then damage
        (b"\x04\0\x80", False),  # one number without an end
        (b"\xff", False),
    ],
)
def test_time_and_memory_stay_in_proportion(pattern: bytes, fits: bool) -> None:
    """Two megabytes of what would make an expression that goes back over its text take for ever."""
    info = pattern * ((2 << 20) // len(pattern))
    assert (scan(info) is not None) == fits


def test_a_table_with_nothing_interesting_gives_nothing() -> None:
    assert list(scan(b"\x03x\0\x00" * 10, LOCAL).subprograms) == []
