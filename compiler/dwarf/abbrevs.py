"""Abbreviation tables (.debug_abbrev): how the DIEs of each code are laid out. DWARF 5, sections 7.5.3 to 7.5.6.

What Go's compiler and linker write has its names here; other names are looked up in elftools, which takes its time to
be imported.
"""

from typing import TypeVar

from compiler.dwarf.leb import signed, unsigned
from compiler.ir.frozen import frozen

TAGS = {
    0x01: "array_type", 0x05: "formal_parameter", 0x0B: "lexical_block", 0x0D: "member", 0x0F: "pointer_type",
    0x11: "compile_unit", 0x13: "structure_type", 0x15: "subroutine_type", 0x16: "typedef",
    0x18: "unspecified_parameters", 0x1D: "inlined_subroutine", 0x21: "subrange_type", 0x24: "base_type",
    0x27: "constant", 0x2E: "subprogram", 0x34: "variable", 0x3B: "unspecified_type",
}  # fmt: skip
ATTRIBUTES = {
    0x02: "location", 0x03: "name", 0x0B: "byte_size", 0x10: "stmt_list", 0x11: "low_pc", 0x12: "high_pc",
    0x13: "language", 0x1B: "comp_dir", 0x1C: "const_value", 0x20: "inline", 0x25: "producer", 0x27: "prototyped",
    0x2F: "upper_bound", 0x31: "abstract_origin", 0x34: "artificial", 0x37: "count", 0x38: "data_member_location",
    0x3A: "decl_file", 0x3B: "decl_line", 0x3E: "encoding", 0x3F: "external", 0x40: "frame_base", 0x49: "type",
    0x4B: "variable_parameter", 0x55: "ranges", 0x56: "trampoline", 0x58: "call_file", 0x59: "call_line",
    0x73: "addr_base",
}  # fmt: skip
VENDOR = range(0x2900, 0x2A00)
"""Go's own attributes, which are called by their numbers."""
FORMS = {
    0x01: "addr", 0x05: "data2", 0x06: "data4", 0x07: "data8", 0x08: "string", 0x0A: "block1", 0x0B: "data1",
    0x0C: "flag", 0x0D: "sdata", 0x0F: "udata", 0x10: "ref_addr", 0x11: "ref1", 0x12: "ref2", 0x13: "ref4",
    0x14: "ref8", 0x15: "ref_udata", 0x17: "sec_offset", 0x18: "exprloc", 0x19: "flag_present", 0x1B: "addrx",
    0x21: "implicit_const",
}  # fmt: skip
IMPLICIT_CONSTANT = 0x21

T = TypeVar("T")


@frozen
class Abbreviation:
    """How the DIEs of one code are laid out."""

    tag: str
    has_children: bool
    attributes: tuple[tuple[str | int, str], ...]
    """(name, form) of each attribute."""
    constants: tuple[int, ...]
    """The value of each that has it here and not in the DIE; 0 of others."""


class ByCode(dict[int, T]):
    """What belongs to each code of a table."""

    def __missing__(self, code: int) -> T:
        raise ValueError(f"an entry of its debug info has the unknown code {code}")


def read_abbreviations(section: memoryview, at: int) -> ByCode[Abbreviation]:
    """Code to layout, of the table at an offset; IndexError or ValueError where there is none."""
    found = ByCode[Abbreviation]()
    while True:
        code, at = unsigned(section, at)
        if not code:
            return found
        tag, at = unsigned(section, at)
        has_children, at = section[at] != 0, at + 1
        attributes: list[tuple[str | int, str]] = []
        constants: list[int] = []
        while True:
            name, at = unsigned(section, at)
            form, at = unsigned(section, at)
            if not name and not form:
                break
            constant, at = signed(section, at) if form == IMPLICIT_CONSTANT else (0, at)
            attributes.append((_attribute(name), _form(form)))
            constants.append(constant)
        found[code] = Abbreviation(_tag(tag), has_children, tuple(attributes), tuple(constants))


def _tag(number: int) -> str:
    if number in TAGS:
        return f"DW_TAG_{TAGS[number]}"
    from elftools.dwarf.enums import ENUM_DW_TAG

    return _named(ENUM_DW_TAG, number) or str(number)


def _attribute(number: int) -> str | int:
    if number in ATTRIBUTES:
        return f"DW_AT_{ATTRIBUTES[number]}"
    if number in VENDOR:
        return number
    from elftools.dwarf.enums import ENUM_DW_AT

    return _named(ENUM_DW_AT, number) or number


def _form(number: int) -> str:
    if number in FORMS:
        return f"DW_FORM_{FORMS[number]}"
    from elftools.dwarf.enums import ENUM_DW_FORM

    return _named(ENUM_DW_FORM, number) or str(number)


def _named(names: "dict[str, object]", number: int) -> str | None:
    return next((name for name, value in names.items() if value == number), None)
