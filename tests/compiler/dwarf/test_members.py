"""All members of a structure at once, beside reading DIE by DIE what is below it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.dwarf.dies import Die
from compiler.dwarf.members import GO_EMBEDDED, Found, MemberReader
from compiler.dwarf.units import DebugInfo, name_of, number
from tests.compiler.dwarf.test_dies import all_dies
from tests.conftest import ROOT, build


def die_by_die(info: DebugInfo, structure: Die) -> Iterator[Found]:
    for depth, die in info.subtree(structure.offset):
        if depth == 1:
            at, kind = number(die, "DW_AT_data_member_location"), number(die, "DW_AT_type")
            assert die.tag == "DW_TAG_member"
            assert at is not None
            assert kind is not None
            yield name_of(die) or "_", at, kind, bool(number(die, GO_EMBEDDED))


def structures(info: DebugInfo) -> Iterator[Die]:
    return (die for die in all_dies(info) if die.tag == "DW_TAG_structure_type")


@pytest.mark.every_version
def test_members_are_what_is_below_a_structure(querydb: Path) -> None:
    with Binary(querydb) as binary:
        reader, seen = MemberReader(binary.info), 0
        for structure in structures(binary.info):
            members = list(die_by_die(binary.info, structure))
            assert reader.read(structure) == members
            seen += len(members)
    assert seen > 1000


def test_what_another_compiler_wrote_is_left_to_who_reads_dies(go: Path, tmp_path: Path) -> None:
    mixed = build(go, ROOT / "tests/targets/mixed", tmp_path / "mixed", "-ldflags=-linkmode=external", cgo=True)
    with Binary(mixed) as binary:
        info, reader, seen = binary.info, MemberReader(binary.info), 0
        for unit in info.units:
            for _, die in info.subtree(unit.dies) if not info.is_go(unit) else ():
                if die.tag == "DW_TAG_structure_type" and die.has_children:
                    assert reader.read(die) is None
                    seen += 1
    assert seen


def test_so_is_what_has_anything_else_among_its_members(querydb: Path) -> None:
    with Binary(querydb) as binary:
        info, reader = binary.info, MemberReader(binary.info)
        structure = next(each for each in structures(info) if reader.read(each))
        followed_by_itself = structure._replace(offset=structure.offset - structure.size)
        assert reader.read(followed_by_itself) is None
