"""The index of a binary's names: functions, types, globals and runtime types to the offsets of their DIEs.

Go's linker uses one small abbreviation table, so a regular expression made from that table can hop over whole units at
memory speed: uninteresting DIEs in a possessive loop, interesting ones captured. A unit in which the last match does not
end exactly at the unit's end does not fit the expression, and is read DIE by DIE instead.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from compiler.dwarf.executable import BadBinary
from compiler.dwarf.units import DebugInfo, Unit, name_of, number

GO_RUNTIME_TYPE = 0x2904
TYPE_TAGS = frozenset(
    f"DW_TAG_{kind}_type"
    for kind in (
        "base",
        "structure",
        "pointer",
        "array",
        "subroutine",
        "interface",
        "class",
        "union",
        "enumeration",
        "unspecified",
    )
) | {"DW_TAG_typedef"}
LEB = rb"[\x80-\xff]*+[\x00-\x7f]"
FIXED_FORMS = {
    "DW_FORM_data1": 1, "DW_FORM_flag": 1, "DW_FORM_ref1": 1, "DW_FORM_strx1": 1, "DW_FORM_addrx1": 1,
    "DW_FORM_data2": 2, "DW_FORM_ref2": 2, "DW_FORM_strx2": 2, "DW_FORM_addrx2": 2,
    "DW_FORM_data4": 4, "DW_FORM_ref4": 4, "DW_FORM_ref_addr": 4, "DW_FORM_sec_offset": 4, "DW_FORM_strp": 4,
    "DW_FORM_line_strp": 4, "DW_FORM_strx4": 4, "DW_FORM_addrx4": 4, "DW_FORM_strx3": 3, "DW_FORM_addrx3": 3,
    "DW_FORM_data8": 8, "DW_FORM_ref8": 8, "DW_FORM_ref_sig8": 8, "DW_FORM_addr": 8, "DW_FORM_data16": 16,
    "DW_FORM_flag_present": 0, "DW_FORM_implicit_const": 0,
}  # fmt: skip
LEB_FORMS = frozenset(
    f"DW_FORM_{form}" for form in ("udata", "sdata", "addrx", "strx", "loclistx", "rnglistx", "ref_udata")
)


@dataclass(slots=True)
class Index:
    """Names to DIE offsets in .debug_info. A name can have several DIEs (abstract, out of line, wrapper; same-named types)."""

    functions: dict[str, list[int]] = field(default_factory=dict)
    types: dict[str, list[int]] = field(default_factory=dict)
    globals: dict[str, list[int]] = field(default_factory=dict)
    runtime_types: dict[int, int] = field(default_factory=dict)
    """Offset from moduledata.types to the type's DIE."""
    subprograms: list[int] = field(default_factory=list)
    """Offsets of all subprogram DIEs, ascending."""
    slow_units: int = 0
    """Units that did not fit the expression and were read DIE by DIE."""


def build_index(info: DebugInfo) -> Index:
    """Index every Go unit of the executable."""
    index = Index()
    scanners: dict[int, _Scanner | None] = {}
    seen_go = False
    for unit in info.units:
        if unit.abbrevs not in scanners:
            scanners[unit.abbrevs] = _Scanner.of(info.abbrevs(unit)) if info.is_go(unit) else None
        scanner = scanners[unit.abbrevs]
        if scanner is None:
            continue
        seen_go = True
        if not scanner.scan(info.bytes, unit, index):
            index.slow_units += 1
            _read_slowly(info, unit, index)
    if not seen_go:
        raise BadBinary("its debug info has no unit written by the Go compiler", where=str(info.executable.path))
    index.subprograms.sort()
    return index


@dataclass(frozen=True, slots=True)
class _Keen:
    """What to file of one interesting abbreviation: the group of its name and that of its runtime type, where it has them."""

    kind: str
    start_group: int
    name_group: int | None
    runtime_type_group: int | None


class _Scanner:
    """The compiled expression of one abbreviation table."""

    def __init__(self, pattern: "re.Pattern[bytes]", keen: dict[int, _Keen]) -> None:
        self._pattern = pattern
        self._keen = keen

    @staticmethod
    def of(abbrevs: dict[int, Any]) -> "_Scanner | None":
        """None for a table with nothing interesting in it, or with a form that no expression can hop over."""
        dull, keen_parts, keen = [rb"\x00"], [], {}
        group = 0
        for code, declaration in sorted(abbrevs.items()):
            specs = list(declaration.iter_attr_specs())
            kind = _kind(declaration["tag"], specs)
            parts = [_pattern_of(str(form)) for _, form in specs]
            if code >= 0x80 or any(part is None for part in parts):
                return None
            body = [part for part in parts if part is not None]
            if kind is None:
                dull.append(re.escape(bytes([code])) + b"".join(body))
                continue
            start = group = group + 1
            name_group = runtime_group = None
            for position, (name, form) in enumerate(specs):
                wanted_name = name == "DW_AT_name" and form == "DW_FORM_string"
                wanted_type = name == GO_RUNTIME_TYPE and form == "DW_FORM_addr"
                if wanted_name or wanted_type:
                    group += 1
                    body[position] = b"(" + (rb"[^\x00]*+)\x00" if wanted_name else rb".{8})")
                    name_group = group if wanted_name else name_group
                    runtime_group = group if wanted_type else runtime_group
            group += 1
            # The empty group at the end closes last, so that lastindex tells which abbreviation matched.
            keen_parts.append(b"(" + re.escape(bytes([code])) + b")" + b"".join(body) + b"()")
            keen[group] = _Keen(kind, start, name_group, runtime_group)
        if not keen:
            return None
        source = b"(?:" + b"|".join(dull) + rb")*+(?:" + b"|".join(keen_parts) + rb"|\Z)"
        return _Scanner(re.compile(source, re.DOTALL), keen)

    def scan(self, info: bytes, unit: Unit, index: Index) -> bool:
        """File the unit's names; False (and nothing filed) where the expression does not fit the unit to its last byte."""
        matches = []
        at = unit.dies
        for match in self._pattern.finditer(info, unit.dies, unit.end):
            if match.start() != at:
                return False
            at = match.end()
            matches.append(match)
        if at != unit.end:
            return False
        for match in matches:
            if match.lastindex is not None:
                self._file(match, self._keen[match.lastindex], index)
        return True

    @staticmethod
    def _file(match: "re.Match[bytes]", keen: _Keen, index: Index) -> None:
        offset = match.start(keen.start_group)
        if keen.kind == "function":
            index.subprograms.append(offset)
        if keen.name_group is not None:
            name = match[keen.name_group].decode("utf-8", "replace")
            _names(index, keen.kind).setdefault(name, []).append(offset)
        if keen.runtime_type_group is not None:
            runtime_type = int.from_bytes(match[keen.runtime_type_group], "little")
            if runtime_type:
                index.runtime_types[runtime_type] = offset


def _names(index: Index, kind: str) -> dict[str, list[int]]:
    return {"function": index.functions, "type": index.types, "global": index.globals}[kind]


def _kind(tag: str, specs: list[tuple[Any, Any]]) -> str | None:
    names = {name for name, _ in specs}
    if tag == "DW_TAG_subprogram":
        return "function"
    if tag in TYPE_TAGS:
        return "type" if "DW_AT_name" in names else None
    if tag == "DW_TAG_variable" and "DW_AT_external" in names and "DW_AT_name" in names:
        return "global"
    return None


def _pattern_of(form: str) -> bytes | None:
    """The expression for one attribute's bytes; None for a form that Go does not write."""
    if form in FIXED_FORMS:
        return rb".{%d}" % FIXED_FORMS[form] if FIXED_FORMS[form] else b""
    if form in LEB_FORMS:
        return LEB
    if form == "DW_FORM_string":
        return rb"[^\x00]*+\x00"
    if form in ("DW_FORM_block1", "DW_FORM_exprloc"):
        # A length byte below 128 is the same in both forms; longer blocks make the unit fall back.
        return b"(?:" + b"|".join(re.escape(bytes([size])) + rb".{%d}" % size for size in range(128)) + b")"
    return None


def _read_slowly(info: DebugInfo, unit: Unit, index: Index) -> None:
    """File the unit's names DIE by DIE."""
    try:
        for depth, die in info.subtree(unit.dies):
            kind = _kind(str(die.tag), [(name, None) for name in die.attributes])
            if kind is None or depth != 1:
                continue
            if kind == "function":
                index.subprograms.append(die.offset)
            name = name_of(die)
            if name is not None:
                _names(index, kind).setdefault(name, []).append(die.offset)
            runtime_type = number(die, GO_RUNTIME_TYPE)
            if runtime_type:
                index.runtime_types[runtime_type] = die.offset
    except Exception as error:  # noqa: BLE001 - elftools raises whatever its parsers meet in damaged bytes
        raise BadBinary(f"a unit of its debug info is damaged: {error}", where=str(info.executable.path)) from None
