"""The constants that are found by the bytes of their type are those that reading every DIE finds."""

from collections import defaultdict
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.dwarf import constants as module
from compiler.dwarf.constants import Constant, constants_of
from compiler.dwarf.units import name_of, number


def by_iteration(binary: Binary) -> dict[int, list[Constant]]:
    """Every constant, by the offset of its type."""
    found: dict[int, list[Constant]] = defaultdict(list)
    for unit in binary.info.units:
        for _, die in binary.info.subtree(unit.dies):
            if die.tag == "DW_TAG_constant":
                type_offset, value = number(die, "DW_AT_type"), number(die, "DW_AT_const_value")
                package, _, name = (name_of(die) or "").rpartition(".")
                assert type_offset is not None
                assert value is not None
                found[type_offset].append(Constant(package, name, value))
    return found


@pytest.mark.every_version
@pytest.mark.timeout(600)
def test_every_types_constants_are_all_and_only_its_own(querydb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Binary(querydb) as binary:
        expected = by_iteration(binary)
        names = {binary.types.name(offset): offset for offset in expected}
        own = [offset for name, offset in names.items() if "." in name]
        assert len(own) > 50
        assert {offset: list(constants_of(binary.info, offset)) for offset in own} == {
            each: expected[each] for each in own
        }
        assert constants_of(binary.info, names["int"]) == tuple(expected[names["int"]])
        [mutex] = binary.index.types["*sync.Mutex"]
        assert constants_of(binary.info, mutex) == ()
        # Where an abbreviation's code could be a letter, the units are read from their beginning.
        monkeypatch.setattr(module, "FIRST_PRINTABLE", 0)
        [month] = binary.index.types["time.Month"]
        assert list(constants_of(binary.info, month)) == expected[month]
        assert [each.name for each in expected[month]][:2] == ["January", "February"]
