"""One regular expression for one abbreviation table, which hops over a unit's DIEs at memory speed.

Uninteresting DIEs are passed in a possessive loop, an interesting one ("keen") ends the match. Every alternative begins
with another code byte and every repeat is possessive, so that the expression never goes back over bytes, whatever they
are. It matches everywhere, each match beginning where the last one ended: what is no DIE is swallowed as a misfit up to
the unit's end. A unit with a misfit is not believed at all.
"""

import re
import struct
from array import array
from collections.abc import Iterable
from functools import cached_property
from itertools import compress, islice
from typing import Any

from compiler.dwarf.abbrevs import Abbreviation
from compiler.dwarf.units import Unit
from compiler.ir.frozen import field, frozen

GO_RUNTIME_TYPE, GO_DICT_INDEX = 0x2904, 0x2906
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
KINDS = ("function", "type", "global")
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
LEB, STRING = rb"[\x80-\xff]*+[\x00-\x7f]", rb"[^\x00]*+\x00"
FREQUENT = (
    "DW_TAG_member", "DW_TAG_inlined_subroutine", "DW_TAG_formal_parameter", "DW_TAG_variable", "DW_TAG_lexical_block",
)  # fmt: skip
"""What most DIEs of a Go program are; alternatives are tried in this order."""
USUAL_BLOCK, LONGEST_BLOCK = 15, 255
"""Bytes of a location expression: of nearly all; of all that a block with a length of one byte can hold.

The expression with all lengths takes five times longer to compile, so it is made only for a unit that needs it.
"""
MAX_ATTRIBUTES = 2048
"""Of a whole abbreviation table; Go's has 170."""
CHUNK, MAX_CHUNKS = 1 << 11, 1 << 11
"""Matches that are looked at together, and how many times that of one unit; the largest known unit has 125,000."""


def kind_of(tag: str, names: set[Any]) -> str | None:
    """What a DIE with this tag and these attributes is indexed as; None where it is not."""
    if tag == "DW_TAG_subprogram":
        return "function"
    if tag in TYPE_TAGS:
        # What has an index in a dictionary is a type parameter within a function (".param0").
        return "type" if "DW_AT_name" in names and GO_DICT_INDEX not in names else None
    if tag == "DW_TAG_variable" and "DW_AT_external" in names and "DW_AT_name" in names:
        return "global"
    return None


@frozen
class Scanned:
    """What one unit holds: per kind the DIEs and the ends of their names, all subprograms, and runtime types."""

    slow: bool = False
    """Whether the unit did not fit the expression and was read DIE by DIE."""
    odd: dict[str, list[tuple[bytes, int]]] = field(default_factory=dict)
    """Of such a unit, per kind, names and their DIEs."""
    names: dict[str, "tuple[array[int], array[int]]"] = field(
        default_factory=lambda: {kind: (array("I"), array("I")) for kind in KINDS}
    )
    subprograms: "array[int]" = field(default_factory=lambda: array("I"))
    runtime_types: "array[int]" = field(default_factory=lambda: array("Q"))
    runtime_dies: "array[int]" = field(default_factory=lambda: array("I"))

    @property
    def size(self) -> int:
        """How many things it is that are kept."""
        return len(self.subprograms) + sum(len(dies) for dies, _ in self.names.values())


class Scanner:
    """The expression of one abbreviation table."""

    def __init__(self, abbrevs: dict[int, Abbreviation]) -> None:
        """`abbrevs`: code to layout."""
        self._abbrevs = abbrevs
        specs = {code: each.attributes for code, each in abbrevs.items()}
        kinds = {code: kind_of(each.tag, {name for name, _ in specs[code]}) for code, each in abbrevs.items()}
        self._keen = {code: kind for code, kind in kinds.items() if kind is not None}
        self._named = {code for code in self._keen if any(name == "DW_AT_name" for name, _ in specs[code])}
        typed = {code for code in self._keen if any(name == GO_RUNTIME_TYPE for name, _ in specs[code])}
        self._masks = {kind: _mask(code for code in self._named if self._keen[code] == kind) for kind in KINDS}
        self._subprograms = _mask(code for code, kind in self._keen.items() if kind == "function")
        self._has_runtime_type = _mask(typed)
        self.usable = (
            all(0 < code < 0x80 for code in abbrevs)
            and sum(map(len, specs.values())) <= MAX_ATTRIBUTES
            and all(_part(form, 0) is not None for each in specs.values() for _, form in each)
            and all(specs[code][0] == ("DW_AT_name", "DW_FORM_string") for code in self._named)
            and all(dict(specs[code])[GO_RUNTIME_TYPE] == "DW_FORM_addr" for code in typed)
        )
        """Whether units of this table can be scanned; those of another are to be read DIE by DIE."""

    def scan(self, info: memoryview, unit: Unit) -> Scanned | None:
        """What the unit holds; None where the expression does not fit it to its last byte."""
        if not self._keen:
            return Scanned()
        return self._scan(info, unit, self._usual) or self._scan(info, unit, self._full)

    @cached_property
    def _usual(self) -> "re.Pattern[bytes]":
        return self._pattern(USUAL_BLOCK)

    @cached_property
    def _full(self) -> "re.Pattern[bytes]":
        return self._pattern(LONGEST_BLOCK)

    def _pattern(self, longest: int) -> "re.Pattern[bytes]":
        """Group 1 is a lookahead: the keen DIE's code, with its name behind it; the last group that matched is its
        runtime type, where it has one. No group has matched at the unit's end, and the last one where nothing fits.
        """
        dull = sorted(self._abbrevs.keys() - self._keen.keys(), key=lambda code: (self._rank(code), -code))
        keen = sorted(self._keen)
        parts = [
            b"(?:" + b"|".join([rb"\x00", *(self._body(code, longest) for code in dull)]) + b")*+(?:",
            b"(?=(" + b"|".join(self._head(code) for code in keen) + b"))",
            b"(?:" + b"|".join(self._body(code, longest) for code in keen) + b")",
            rb"|\Z|(.++))",
        ]
        return re.compile(b"".join(parts), re.DOTALL)

    def _rank(self, code: int) -> int:
        tag = self._abbrevs[code].tag
        return FREQUENT.index(tag) if tag in FREQUENT else len(FREQUENT)

    def _head(self, code: int) -> bytes:
        return b"\\x%02x" % code + (rb"[^\x00]*+" if code in self._named else b"")

    def _body(self, code: int, longest: int) -> bytes:
        parts = [
            rb"(.{8})" if code in self._keen and name == GO_RUNTIME_TYPE else _part(form, longest) or b""
            for name, form in self._abbrevs[code].attributes
        ]
        return b"\\x%02x" % code + b"".join(parts)

    def _scan(self, info: memoryview, unit: Unit, pattern: "re.Pattern[bytes]") -> Scanned | None:
        found, matches = Scanned(), pattern.finditer(info, unit.dies, unit.end)
        for _ in range(MAX_CHUNKS):
            chunk = list(islice(matches, CHUNK))
            ended = not chunk or chunk[-1].lastindex is None
            while chunk and chunk[-1].lastindex is None:
                chunk.pop()  # the unit's end
            if chunk and chunk[-1].lastindex == pattern.groups:
                return None
            self._file(info, chunk, found)
            if ended:
                return found
        return None

    def _file(self, info: memoryview, chunk: "list[re.Match[bytes]]", found: Scanned) -> None:
        starts, ends = [match.start(1) for match in chunk], [match.end(1) for match in chunk]
        codes = bytes(map(info.__getitem__, starts))
        for kind, (dies, name_ends) in found.names.items():
            selected = codes.translate(self._masks[kind])
            if 1 in selected:  # where all the types are, there is hardly anything else
                dies.extend(compress(starts, selected))
                name_ends.extend(compress(ends, selected))
        found.subprograms.extend(compress(starts, codes.translate(self._subprograms)))
        selected = codes.translate(self._has_runtime_type)
        if 1 not in selected:
            return
        typed = b"".join([match[match.lastindex or 0] for match in compress(chunk, selected)])
        values = struct.unpack(f"<{len(typed) // 8}Q", typed)
        found.runtime_types.extend(filter(None, values))
        found.runtime_dies.extend(compress(compress(starts, selected), values))


def _mask(codes: Iterable[int]) -> bytes:
    """A table for bytes.translate: 1 for these codes, 0 for others."""
    wanted = set(codes)
    return bytes(code in wanted for code in range(256))


def _part(form: str, longest: int) -> bytes | None:
    """The expression for one attribute's bytes; None for a form that Go does not write."""
    if form in FIXED_FORMS:
        return b"." * FIXED_FORMS[form]
    if form in LEB_FORMS:
        return LEB
    if form == "DW_FORM_string":
        return STRING
    if form in ("DW_FORM_block1", "DW_FORM_exprloc"):
        # A length below 128 is the same byte in both forms; an exprloc that is longer has another byte of length.
        sizes = range(min(longest, 127 if form == "DW_FORM_exprloc" else longest) + 1)
        return b"(?:" + b"|".join(b"\\x%02x.{%d}+" % (size, size) for size in sizes) + b")"
    return None
