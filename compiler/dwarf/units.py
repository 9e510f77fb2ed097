"""The units of .debug_info and single DIEs in them, without reading what lies between. Beside the units it holds no state."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import IO, Any, cast

from elftools.common.exceptions import DWARFError
from elftools.construct.core import Construct, ConstructError
from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from compiler.dwarf.executable import BadBinary, Executable
from compiler.dwarf.sections import Section
from compiler.ir.frozen import frozen

GO_PACKAGE_NAME = 0x2905
GO_ABBREVS_ATTRIBUTES = frozenset({GO_PACKAGE_NAME, 0x2900})
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
MAX_PATH = 1024
"""Bytes of a package's import path."""
STRING_CHUNK = 96
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
        sections = {role: _descriptor(executable, name) for role, name in SECTIONS.items()}
        sections["debug_info_sec"] = _described(info, SECTIONS["debug_info_sec"])
        self._dwarf = DWARFInfo(
            config=DwarfConfig(little_endian=True, machine_arch=executable.machine.elftools, default_address_size=8),
            **sections,
            **dict.fromkeys(_UNUSED_SECTIONS),
        )
        assert self._dwarf.debug_info_sec is not None
        self._stream = self._dwarf.debug_info_sec.stream
        self.units = tuple(_hop(self.bytes))
        self._starts = [unit.start for unit in self.units]
        self._compile_units: dict[int, CompileUnit] = {}
        self._attributes: dict[tuple[int, int], tuple[str | int, ...]] = {}
        self.die = lru_cache(maxsize=1 << 15)(self._die)
        """The DIE at a section offset."""

    @cached_property
    def location_lists(self) -> Any:
        """elftools' reader of .debug_loc and .debug_loclists; None where there is neither."""
        return self._dwarf.location_lists()

    @cached_property
    def range_lists(self) -> Any:
        """elftools' reader of .debug_ranges and .debug_rnglists; None where there is neither."""
        return self._dwarf.range_lists()

    def abbrevs(self, unit: Unit) -> dict[int, Any]:
        """The unit's abbreviation table: code to declaration."""
        table: dict[int, Any] = self._dwarf.get_abbrev_table(unit.abbrevs)._abbrev_map
        return table

    @cached_property
    def has_go(self) -> bool:
        """Whether the Go compiler wrote any of it; linkers may drop Go's and keep C's."""
        return any(self.is_go(unit) for unit in self.units)

    def is_go(self, unit: Unit) -> bool:
        """Whether the Go compiler wrote the unit."""
        return any(
            name in GO_ABBREVS_ATTRIBUTES
            for declaration in self.abbrevs(unit).values()
            for name, _ in declaration.iter_attr_specs()
        )

    def package_name(self, path: str) -> str | None:
        """What the package at an import path calls itself ("redis" for .../go-redis/v9); None where no unit is its."""
        unit = self._packages.get(path.encode())
        if unit is None:
            return None
        attributes = cast(dict[str | int, Any], self.die(unit.dies).attributes)
        found = attributes.get(GO_PACKAGE_NAME)
        return text(found.value) if found is not None and name_of(self.die(unit.dies)) == path else None

    @cached_property
    def _packages(self) -> dict[bytes, Unit]:
        """Go's units by what seems to be their name: the text behind the code of their first DIE."""
        go = {unit.abbrevs: unit for unit in self.units}
        written = {abbrevs for abbrevs, unit in go.items() if self.is_go(unit)}
        found = {}
        for unit in self.units:
            if unit.abbrevs in written:
                start = unit.dies + 1
                found[bytes(self.bytes[start : start + MAX_PATH]).partition(b"\0")[0]] = unit
        return found

    def _unit(self, offset: int) -> Unit:
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or offset >= self.units[index].end:
            raise BadBinary(
                f"its debug info refers to offset {offset:#x}, which is in no unit", where=str(self.executable.path)
            )
        return self.units[index]

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
            specs = self.abbrevs(unit)[code].iter_attr_specs()
            self._attributes[key] = tuple(name for name, _ in specs)
        return self._attributes[key]

    def unit_of(self, offset: int) -> CompileUnit:
        """The elftools unit that contains the DIE at `offset`."""
        start = self._unit(offset).start
        if start not in self._compile_units:
            unit = self._dwarf._parse_CU_at_offset(start)
            forms = cast(dict[str, Construct], unit.structs.Dwarf_dw_form)
            forms["DW_FORM_string"] = _InlineString("")
            unit.get_top_DIE()
            self._compile_units[start] = unit
        return self._compile_units[start]

    def _die(self, offset: int) -> DIE:
        return DIE(self.unit_of(offset), self._stream, offset)

    def subtree(self, offset: int) -> Iterator[tuple[int, DIE]]:
        """(depth, DIE) of a DIE and all below it, in order; the DIE itself has depth 0."""
        unit = self.unit_of(offset)
        stream, end, depth = self._stream, unit.cu_offset + unit.size, 0
        for _ in range(MAX_SUBTREE):
            if offset >= end:
                return
            die = DIE(unit, stream, offset)
            offset += die.size
            if die.is_null():
                depth -= 1
            else:
                yield depth, die
                depth += bool(die.has_children)
            if depth <= 0:
                return
        raise DWARFError(f"more than {MAX_SUBTREE} entries below one")


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


class _InlineString(Construct):
    """A DIE's inline string, read a few dozen bytes at a time; elftools' own reader takes them one by one."""

    def parse_stream(self, stream: IO[bytes]) -> bytes:
        start, found = stream.tell(), b""
        while True:
            chunk = stream.read(STRING_CHUNK)
            end = chunk.find(b"\0")
            if end >= 0:
                found += chunk[:end]
                stream.seek(start + len(found) + 1)
                return found
            if not chunk:
                raise ConstructError("a string without an end")
            found += chunk


def _descriptor(executable: Executable, name: str) -> DebugSectionDescriptor | None:
    section = executable.mapped(name)
    return None if section is None else _described(section, name)


def _described(section: Section, name: str) -> DebugSectionDescriptor:
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


def text(value: Any) -> str:
    """A DWARF string attribute as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def name_of(die: DIE) -> str | None:
    """DW_AT_name."""
    attribute = die.attributes.get("DW_AT_name")
    return None if attribute is None else text(attribute.value)


def number(die: DIE, attribute: str | int) -> int | None:
    """An attribute's integer value (for references: the section offset)."""
    attributes = cast(dict[str | int, Any], die.attributes)  # elftools keeps vendor attributes by their number
    found = attributes.get(attribute)
    if found is None or not isinstance(found.value, int):
        return None
    if str(found.form) in ("DW_FORM_ref1", "DW_FORM_ref2", "DW_FORM_ref4", "DW_FORM_ref8", "DW_FORM_ref_udata"):
        return int(found.value) + int(die.cu.cu_offset)
    return int(found.value)
