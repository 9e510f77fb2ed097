"""Our own reader of single DIEs and of the lists they refer to, beside elftools' on the same bytes."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from elftools.dwarf.locationlists import LocationEntry
from elftools.dwarf.ranges import RangeEntry

from compiler.binary import Binary
from compiler.dwarf.abbrevs import ByCode
from compiler.dwarf.dies import Die, read_die
from compiler.dwarf.leb import signed, unsigned
from compiler.dwarf.units import DebugInfo
from tests.conftest import ROOT, build

STRIDE = 97
"""Every how many DIEs one is compared."""


def all_dies(info: DebugInfo) -> Iterator[Die]:
    """Every DIE of Go's units, one behind the other, each unit to its last byte."""
    for unit in info.units:
        at = unit.dies
        while info.is_go(unit) and at < unit.end:
            die = info.die(at)
            yield die
            at += die.size
        assert at == unit.end or not info.is_go(unit)


def compare(info: DebugInfo) -> dict[str, int]:
    """How many of which sort were compared."""
    counts = {"dies": 0, "locations": 0, "ranges": 0}
    for die in islice(all_dies(info), 0, None, STRIDE):
        theirs = info.elftools_die(die.offset)
        assert (die.size, die.tag, die.has_children) == (theirs.size, theirs.tag, bool(theirs.has_children))
        assert die.attributes.keys() == theirs.attributes.keys()
        for name, each in theirs.attributes.items():
            value = bytes(each.value) if isinstance(each.value, list) else each.value
            assert die.attributes[name] == (value, each.form)
            if name == "DW_AT_location" and each.form == "DW_FORM_sec_offset":
                counts["locations"] += 1
                lists: Any = info.elftools.location_lists()
                expected = absolute(info, die, lists.get_location_list_at_offset(each.value, theirs), LocationEntry)
                assert [*info.locations(die, each.value)] == expected
            elif name == "DW_AT_ranges":
                counts["ranges"] += 1
                theirs_of: Any = info.elftools.range_lists()
                expected = absolute(info, die, theirs_of.get_range_list_at_offset(each.value, theirs.cu), RangeEntry)
                assert [*info.ranges(die, each.value)] == expected
        counts["dies"] += 1
    return counts


def absolute(info: DebugInfo, die: Die, entries: list[Any], kind: type[Any]) -> list[tuple[int, int, bytes]]:
    """Entries of elftools with the base of each added to it."""
    base = info.top_die(die).attributes["DW_AT_low_pc"].value
    found = []
    for entry in entries:
        if isinstance(entry, kind):
            shift = 0 if entry.is_absolute else base
            found.append((entry.begin_offset + shift, entry.end_offset + shift, bytes(getattr(entry, "loc_expr", b""))))
        else:
            base = entry.base_address
    return found


@pytest.mark.every_version
def test_dies_are_what_elftools_reads(querydb: Path) -> None:
    with Binary(querydb) as binary:
        counts = compare(binary.info)
    assert min(counts.values()) > 30
    assert counts["dies"] > 1000


def test_so_they_are_in_the_older_version_of_dwarf(go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOEXPERIMENT", "nodwarf5")  # Go writes version 5 from 1.25 on
    with Binary(build(go, ROOT / "tests/targets/scopes", tmp_path / "older")) as binary:
        assert {unit.version for unit in binary.info.units} == {4}
        counts = compare(binary.info)
    assert min(counts.values()) > 30


@pytest.mark.parametrize(
    ("data", "without_sign", "with_sign"),
    [
        (b"\x02", 2, 2),
        (b"\x7f", 127, -1),
        (b"\x80\x01", 128, 128),
        (b"\xff\x7e", 16255, -129),
        (b"\x80\x7f", 16256, -128),
    ],
)
def test_numbers_of_any_length(data: bytes, without_sign: int, with_sign: int) -> None:
    """DWARF 5, tables C.1 and C.2 of appendix C, among them."""
    assert unsigned(memoryview(data + b"x"), 0) == (without_sign, len(data))
    assert signed(memoryview(data + b"x"), 0) == (with_sign, len(data))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80" * 1000])
def test_a_number_without_an_end_is_none(data: bytes) -> None:
    with pytest.raises((IndexError, ValueError)):
        unsigned(memoryview(data), 0)


def test_an_entry_that_no_abbreviation_describes_is_told_by_its_code() -> None:
    with pytest.raises(ValueError, match="an entry of its debug info has the unknown code 69"):
        read_die(memoryview(b"\0\x45\0"), 1, 0, ByCode(), int)
