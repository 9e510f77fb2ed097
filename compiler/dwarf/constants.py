"""The constants of a type, as Go's compiler lists them: named integers beside each package's functions.

It writes one DIE for each constant of integer type at package level, name before type before value
(dumpGlobalConst in cmd/compile/internal/gc/obj.go, PutIntConst in cmd/internal/dwarf/dwarf.go), of the packages of which
the program has any code. A type is looked for by the bytes of the reference to it, so that nothing else is read.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from compiler.dwarf.dies import Die
from compiler.dwarf.units import DebugInfo, Unit, name_of, number
from compiler.ir.frozen import frozen

MAX_NAME = 2048
"""Bytes of a constant's name with its package."""
_LAYOUT = (("DW_AT_name", "DW_FORM_string"), ("DW_AT_type", "DW_FORM_ref_addr"))
FIRST_PRINTABLE = 0x20


@frozen
class Constant:
    """One constant. `package` is the path of the one that declares it; `value` the number that DWARF has."""

    package: str
    name: str
    value: int


def constants_of(info: DebugInfo, type_offset: int) -> tuple[Constant, ...]:
    """All constants of the type with this DIE, in the order in which .debug_info has them: as declared, by package."""
    found = []
    codes: dict[int, frozenset[int]] = {}
    read: set[int] = set()
    for at, unit in _references(info, type_offset):
        if unit.abbrevs not in codes:
            codes[unit.abbrevs] = _codes(info, unit)
        if not codes[unit.abbrevs] or unit.start in read:
            continue
        if all(code < FIRST_PRINTABLE for code in codes[unit.abbrevs]):
            dies = _die_before(info, unit, at, codes[unit.abbrevs])
        else:  # the code could be a letter of the name: read the unit from its beginning
            read.add(unit.start)
            dies = (die for depth, die in info.subtree(unit.dies) if depth == 1)
        found += [each for die in dies if (each := _constant(die, type_offset)) is not None]
    return tuple(found)


def constants_named(info: DebugInfo, written: str) -> tuple[tuple[Constant, int], ...]:
    """Every constant of that name, each with its type's DIE; of its package's import path the last element is enough."""
    found: dict[int, tuple[Constant, int]] = {}
    starts = [unit.start for unit in info.units]
    for name in (written.encode(), b"/" + written.encode()):
        for at in info.section.find_name(name, 0, info.section.size):
            unit = info.units[bisect_right(starts, at) - 1]
            for die in _die_before(info, unit, at + len(name), _codes(info, unit)):
                type_offset = number(die, "DW_AT_type")
                constant = None if type_offset is None else _constant(die, type_offset)
                if (
                    constant is not None
                    and type_offset is not None
                    and f"{constant.package}.{constant.name}".endswith(written)
                ):
                    found[die.offset] = constant, type_offset
    exact = [each for each in found.values() if f"{each[0].package}.{each[0].name}" == written]
    return tuple(exact or found.values())


def _references(info: DebugInfo, type_offset: int) -> Iterator[tuple[int, Unit]]:
    """Where a name's end and a reference to the type follow each other, and the unit around it."""
    starts = [unit.start for unit in info.units]
    wanted = b"\x00" + type_offset.to_bytes(4, "little")
    for at in info.section.find(wanted):
        index = bisect_right(starts, at) - 1
        if index >= 0 and info.units[index].dies < at < info.units[index].end:
            yield at, info.units[index]


def _codes(info: DebugInfo, unit: Unit) -> frozenset[int]:
    """The abbreviations of the unit that describe a constant by name, type and value."""
    return frozenset(
        code
        for code, declaration in info.abbrevs(unit).items()
        if declaration.tag == "DW_TAG_constant" and declaration.attributes[:2] == _LAYOUT
    )


def _die_before(info: DebugInfo, unit: Unit, name_end: int, codes: frozenset[int]) -> Iterator[Die]:
    """The DIE whose name ends here, if it can be that of a constant: a code, then nothing but the name's characters."""
    head = info.bytes[max(unit.dies, name_end - MAX_NAME) : name_end]
    match = re.search(rb"[\x00-\x1f]([^\x00-\x1f]+)\Z", head)
    if match is not None and head[match.start()] in codes:
        yield info.die(name_end - len(head) + match.start())


def _constant(die: Die, type_offset: int) -> Constant | None:
    """The constant that a DIE describes; None for any other DIE, and for bytes that only look like one."""
    value, full = number(die, "DW_AT_const_value"), name_of(die)
    if die.tag != "DW_TAG_constant" or number(die, "DW_AT_type") != type_offset or value is None or full is None:
        return None
    package, _, name = full.rpartition(".")
    return Constant(package, name, value) if name != "_" else None
