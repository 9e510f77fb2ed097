"""The units of .debug_info and single DIEs in them, without reading what lies between. Beside the units it holds no state."""

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

from compiler.dwarf.abbrevs import Abbreviation, ByCode, read_abbreviations
from compiler.dwarf.dies import Attribute, Die, Layout, layout, read_die
from compiler.dwarf.executable import BadBinary, Executable
from compiler.dwarf.leb import unsigned
from compiler.dwarf.lists import Entry, location_list, range_list
from compiler.dwarf.sections import Section
from compiler.ir.frozen import frozen

if TYPE_CHECKING:  # what Go writes is read without elftools, which takes long to import
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.die import DIE
    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DWARFInfo

GO_PACKAGE_NAME = 0x2905
GO_ABBREVS_ATTRIBUTES = frozenset({GO_PACKAGE_NAME, 0x2900})
GO_MARKS = tuple(bytes([each & 0x7F | 0x80, each >> 7]) for each in sorted(GO_ABBREVS_ATTRIBUTES))
"""As an abbreviation table spells them, in LEB128."""
SECTIONS = {
    "debug_info_sec": ".debug_info",
    "debug_abbrev_sec": ".debug_abbrev",
    "debug_str_sec": ".debug_str",
    "debug_loc_sec": ".debug_loc",
    "debug_ranges_sec": ".debug_ranges",
    "debug_addr_sec": ".debug_addr",
    "debug_str_offsets_sec": ".debug_str_offsets",
    "debug_line_str_sec": ".debug_line_str",
    "debug_loclists_sec": ".debug_loclists",
    "debug_rnglists_sec": ".debug_rnglists",
}
TOP_TAGS = frozenset(f"DW_TAG_{kind}_unit" for kind in ("compile", "partial", "type", "skeleton"))
MAX_HEADER = 24
"""Bytes of a unit's header."""
MAX_PATH = 1024
"""Bytes of a package's import path."""
UNIT_REFERENCES = frozenset(f"DW_FORM_{form}" for form in ("ref1", "ref2", "ref4", "ref8", "ref_udata"))
ListReader = Callable[[memoryview, int, int, int, Callable[[int], int]], Iterator[Entry]]
MAX_SUBTREE = 2_000_000
"""DIEs of one function; more is damage."""


@frozen
class Unit:
    """The bytes of one unit: where its header and its first DIE begin, where it ends, which abbreviations it uses."""

    start: int
    dies: int
    end: int
    version: int
    abbrevs: int


class DebugInfo:
    """The debug info of one executable; without units where it has none."""

    def __init__(self, executable: Executable) -> None:
        self.executable = executable
        info = executable.mapped(".debug_info")
        if info is None or executable.mapped(".debug_abbrev") is None:
            info = Section(b"", 0, 0)
        self.section = info
        self.bytes = info.view
        self.units = tuple(_hop(self.bytes))
        self._starts = [unit.start for unit in self.units]
        self._abbrevs: dict[int, ByCode[Abbreviation]] = {}
        self._layouts: dict[int, ByCode[Layout | None]] = {}
        self._address_bases: dict[int, int] = {}
        self._compile_units: dict[int, CompileUnit] = {}
        self._attributes: dict[tuple[int, int], tuple[str | int, ...]] = {}
        self.die = lru_cache(maxsize=1 << 15)(self._die)
        """The DIE at a section offset."""

    @cached_property
    def elftools(self) -> "DWARFInfo":
        """The same debug info as elftools reads it."""
        from elftools.dwarf.dwarfinfo import DwarfConfig, DWARFInfo

        sections = {role: _descriptor(self.executable, name) for role, name in SECTIONS.items()}
        sections["debug_info_sec"] = _described(self.section, SECTIONS["debug_info_sec"])
        return DWARFInfo(
            config=DwarfConfig(
                little_endian=True, machine_arch=self.executable.machine.elftools, default_address_size=8
            ),
            **sections,
            **dict.fromkeys(_UNUSED_SECTIONS),
        )

    def locations(self, die: Die, offset: int) -> Iterator[Entry]:
        """The location list at an offset, to which the DIE refers."""
        name = ".debug_loclists" if self._unit(die.offset).version >= 5 else ".debug_loc"
        return self._list(die, offset, name, location_list)

    def ranges(self, die: Die, offset: int) -> Iterator[Entry]:
        """The range list at an offset, to which the DIE refers."""
        name = ".debug_rnglists" if self._unit(die.offset).version >= 5 else ".debug_ranges"
        return self._list(die, offset, name, range_list)

    def _list(self, die: Die, offset: int, name: str, read: ListReader) -> Iterator[Entry]:
        section, unit = self.executable.mapped(name), self._unit(die.offset)
        if section is None:
            return iter(())
        base = number(self.top_die(die), "DW_AT_low_pc") or 0
        return read(section.view, offset, unit.version, base, partial(self._address, unit))

    def _address(self, unit: Unit, index: int) -> int:
        """An address of the unit by its index in .debug_addr."""
        section = self.executable.mapped(".debug_addr")
        if unit.start not in self._address_bases:
            top = self._read(unit.dies, unit, lambda _: 0)  # whose own addresses are not of interest
            base = number(top, "DW_AT_addr_base")
            if base is None:
                raise ValueError("addresses by index, and its unit does not say where they are")
            self._address_bases[unit.start] = base
        if section is None:
            raise ValueError("addresses by index, and no section .debug_addr")
        at = self._address_bases[unit.start] + 8 * index
        return int(struct.unpack_from("<Q", section.view, at)[0])

    def abbrevs(self, unit: Unit) -> ByCode[Abbreviation]:
        """The unit's abbreviation table: code to layout."""
        if unit.abbrevs not in self._abbrevs:
            section = self.executable.mapped(".debug_abbrev")
            self._abbrevs[unit.abbrevs] = (
                ByCode() if section is None else read_abbreviations(section.view, unit.abbrevs)
            )
        return self._abbrevs[unit.abbrevs]

    @cached_property
    def has_go(self) -> bool:
        """Whether the Go compiler wrote any of it; linkers may drop Go's and keep C's. ValueError where nobody can tell, for
        it is damaged."""
        end = self.units[-1].end if self.units else 0
        if (self.section.size and not end) or any(self.bytes[end : end + MAX_HEADER]):  # zeros may fill the end
            raise ValueError(f"no unit begins at offset {end:#x}, where the one before ends")
        if any(self.is_go(unit) for unit in self.units):
            return True
        for unit in self.units:
            self._check(unit)
        return False

    def _check(self, unit: Unit) -> None:
        """ValueError unless the unit's abbreviation table describes its first DIE as that of a unit."""
        code, _ = unsigned(self.bytes, unit.dies)
        found = self.abbrevs(unit).get(code)
        if found is None or found.tag not in TOP_TAGS:
            raise ValueError(f"its abbreviation table does not describe the unit at offset {unit.start:#x}")

    def is_go(self, unit: Unit) -> bool:
        """Whether the Go compiler wrote the unit."""
        return self._may_be_go(unit) and any(
            name in GO_ABBREVS_ATTRIBUTES
            for declaration in self.abbrevs(unit).values()
            for name, _ in declaration.attributes
        )

    def _may_be_go(self, unit: Unit) -> bool:
        """Whether its abbreviation table has the bytes of any attribute of Go's: those of C are not read for that."""
        section, tables = self.executable.mapped(".debug_abbrev"), self._tables
        if section is None or unit.abbrevs >= section.size:
            return True  # who reads it tells what is wrong
        end = tables[bisect_right(tables, unit.abbrevs)] if unit.abbrevs < tables[-1] else section.size
        table = bytes(section.view[unit.abbrevs : end])
        return any(each in table for each in GO_MARKS)

    @cached_property
    def _tables(self) -> list[int]:
        """Where abbreviation tables begin, ascending."""
        return sorted({unit.abbrevs for unit in self.units})

    def package_name(self, path: str) -> str | None:
        """What the package at an import path calls itself ("redis" for .../go-redis/v9); None where no unit is its."""
        units = self.units_of(path)
        if not units:
            return None
        top = self.die(units[-1].dies)
        found = top.attributes.get(GO_PACKAGE_NAME)
        if found is None or not isinstance(found.value, bytes) or name_of(top) != path:
            return None
        return text(found.value)

    def units_of(self, path: str) -> list[Unit]:
        """The Go units that seem to be of the package at an import path."""
        return self._packages.get(path.encode(), [])

    @cached_property
    def _packages(self) -> dict[bytes, list[Unit]]:
        """Go's units by what seems to be their name: the text behind the code of their first DIE."""
        go = {unit.abbrevs: unit for unit in self.units}
        written = {abbrevs for abbrevs, unit in go.items() if self.is_go(unit)}
        found: dict[bytes, list[Unit]] = {}
        for unit in self.units:
            if unit.abbrevs in written:
                start = unit.dies + 1
                name = bytes(self.bytes[start : start + MAX_PATH]).partition(b"\0")[0]
                found.setdefault(name, []).append(unit)
        return found

    def unit_at(self, offset: int) -> Unit | None:
        """The unit around an offset; None where there is none."""
        index = bisect_right(self._starts, offset) - 1
        return self.units[index] if index >= 0 and offset < self.units[index].end else None

    def _unit(self, offset: int) -> Unit:
        unit = self.unit_at(offset)
        if unit is None:
            raise BadBinary(
                f"its debug info refers to offset {offset:#x}, which is in no unit", where=str(self.executable.path)
            )
        return unit

    def attributes(self, offset: int) -> tuple[str | int, ...]:
        """Which attributes the DIE at an offset has, by its abbreviation alone: without reading one of them."""
        unit, code, at, shift = self._unit(offset), 0, offset, 0
        while True:
            byte = self.bytes[at]
            code |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        key = (unit.abbrevs, code)
        if key not in self._attributes:
            self._attributes[key] = tuple(name for name, _ in self.abbrevs(unit)[code].attributes)
        return self._attributes[key]

    def unit_of(self, offset: int) -> "CompileUnit":
        """The elftools unit that contains the DIE at `offset`."""
        start = self._unit(offset).start
        if start not in self._compile_units:
            self._compile_units[start] = self.elftools._parse_CU_at_offset(start)
            self._compile_units[start].get_top_DIE()  # which tells where its addresses by index are
        return self._compile_units[start]

    def top_die(self, die: Die) -> Die:
        """The DIE of the unit that a DIE is in."""
        return self.die(self._unit(die.offset).dies)

    def flags(self, die: Die) -> tuple[bytes, ...]:
        """The compiler's flags of which the unit that a DIE is in tells: those that change the code, or the debug info."""
        producer = self.top_die(die).attributes.get("DW_AT_producer")
        if producer is None:
            return ()
        if not isinstance(producer.value, bytes):
            raise ValueError("what compiled it is not told by a text")
        return tuple(producer.value.partition(b";")[2].split())

    def _die(self, offset: int) -> Die:
        unit = self._unit(offset)
        return self._read(offset, unit, partial(self._address, unit))

    def _read(self, offset: int, unit: Unit, address: Callable[[int], int]) -> Die:
        layouts = self._layouts.get(unit.abbrevs)
        if layouts is None:
            layouts = ByCode((code, layout(each)) for code, each in self.abbrevs(unit).items())
            self._layouts[unit.abbrevs] = layouts
        return read_die(self.bytes, offset, unit.start, layouts, address) or self._by_elftools(offset)

    def elftools_die(self, offset: int) -> "DIE":
        """The DIE at an offset as elftools reads it, whatever its forms are."""
        from elftools.dwarf.die import DIE

        section = self.elftools.debug_info_sec
        assert section is not None
        return DIE(self.unit_of(offset), section.stream, offset)

    def _by_elftools(self, offset: int) -> Die:
        try:
            die = self.elftools_die(offset)
        except Exception as error:  # noqa: BLE001 - elftools raises whatever its parsers meet in damaged bytes
            raise ValueError(f"{type(error).__name__}: {error}") from None
        attributes = cast(dict[str | int, Any], die.attributes)
        found = {name: Attribute(_plain(each.value), str(each.form)) for name, each in attributes.items()}
        tag = None if die.is_null() else str(die.tag)
        return Die(offset, die.size, tag, bool(die.has_children), found, self._unit(offset).start)

    def subtree(self, offset: int) -> Iterator[tuple[int, Die]]:
        """(depth, DIE) of a DIE and all below it, in order; the DIE itself has depth 0."""
        unit, depth = self._unit(offset), 0
        address = partial(self._address, unit)
        for _ in range(MAX_SUBTREE):
            if offset >= unit.end:
                return
            die = self._read(offset, unit, address)
            offset += die.size
            if die.tag is None:
                depth -= 1
            else:
                yield depth, die
                depth += die.has_children
            if depth <= 0:
                return
        raise ValueError(f"more than {MAX_SUBTREE} entries below one")


_UNUSED_SECTIONS = (
    "debug_aranges_sec",
    "debug_frame_sec",
    "eh_frame_sec",
    "debug_line_sec",
    "debug_pubtypes_sec",
    "debug_pubnames_sec",
    "debug_sup_sec",
    "gnu_debugaltlink_sec",
    "debug_types_sec",
)


def _plain(value: object) -> int | bytes:
    """A value of elftools as a Die has it: blocks as bytes."""
    if isinstance(value, list):
        return bytes(value)
    if not isinstance(value, int | bytes):
        raise ValueError(f"a value that is a {type(value).__name__}")
    return value


def _descriptor(executable: Executable, name: str) -> "DebugSectionDescriptor | None":
    section = executable.mapped(name)
    return None if section is None else _described(section, name)


def _described(section: Section, name: str) -> "DebugSectionDescriptor":
    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor

    return DebugSectionDescriptor(stream=section.stream(), name=name, global_offset=0, size=section.size, address=0)


def _hop(info: memoryview) -> Iterator[Unit]:
    """From unit header to unit header; stops at the first that is not one (32-bit DWARF 2 to 5, 8-byte addresses)."""
    start = 0
    while start + 12 <= len(info):
        length, version = struct.unpack_from("<IH", info, start)
        end = start + 4 + length
        if length >= 0xFFFFFFF0 or not 2 <= version <= 5 or end > len(info):
            return
        if version == 5:
            kind, _, abbrevs = struct.unpack_from("<BBI", info, start + 6)
            dies = start + 12 + {4: 8, 5: 8, 2: 12, 6: 12}.get(kind, 0)
        else:
            (abbrevs,) = struct.unpack_from("<I", info, start + 6)
            dies = start + 11
        yield Unit(start, dies, end, version, abbrevs)
        start = end


def text(value: bytes) -> str:
    """A DWARF string as text."""
    return value.decode("utf-8", "replace")


def name_of(die: Die) -> str | None:
    """DW_AT_name; None also where it is no text."""
    found = die.attributes.get("DW_AT_name")
    return None if found is None or not isinstance(found.value, bytes) else text(found.value)


def number(die: Die, attribute: str | int) -> int | None:
    """An attribute's integer value (for references: the section offset); None also where it is none."""
    found = die.attributes.get(attribute)
    if found is None or not isinstance(found.value, int):
        return None
    return int(found.value) + (die.unit if found.form in UNIT_REFERENCES else 0)
