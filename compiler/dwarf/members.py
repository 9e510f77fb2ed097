"""The members of a structure, all at once: one expression over their bytes instead of a reading of each DIE."""

import re
from itertools import starmap

from compiler.dwarf.dies import Die
from compiler.dwarf.leb import unsigned
from compiler.dwarf.units import DebugInfo, Unit, text

GO_EMBEDDED = 0x2903
LAYOUT = (
    ("DW_AT_name", "DW_FORM_string"),
    ("DW_AT_data_member_location", "DW_FORM_udata"),
    ("DW_AT_type", "DW_FORM_ref_addr"),
    (GO_EMBEDDED, "DW_FORM_flag"),
)
"""What Go writes of each (DW_ABRV_STRUCTFIELD in cmd/internal/dwarf)."""
BODY = rb"([^\x00]*+)\x00([\x80-\xff]*+[\x00-\x7f])(.{4})(.)"
Found = tuple[str, int, int, bool]
"""Name, offset, DIE offset of the type, whether it is embedded."""


class MemberReader:
    """Reads the members of structures of which Go wrote the debug info."""

    def __init__(self, info: DebugInfo) -> None:
        self._info = info
        self._patterns: dict[int, tuple[re.Pattern[bytes], re.Pattern[bytes]] | None] = {}

    def read(self, structure: Die) -> list[Found] | None:
        """Name, offset, type and embedding of each; None where they are laid out in another way, or anything else is between
        them."""
        unit, begin = self._info.unit_at(structure.offset), structure.offset + structure.size
        if not structure.has_children:
            return []
        patterns = None if unit is None else self._patterns_of(unit)
        if unit is None or patterns is None:
            return None
        one, all_of_them = patterns
        whole = all_of_them.match(self._info.bytes, begin, unit.end)
        return None if whole is None else list(starmap(_member, one.findall(self._info.bytes, begin, whole.end() - 1)))

    def _patterns_of(self, unit: Unit) -> "tuple[re.Pattern[bytes], re.Pattern[bytes]] | None":
        """Expressions for one member, and for all up to the end of a list of children."""
        if unit.abbrevs not in self._patterns:
            table = self._info.abbrevs(unit)
            codes = [code for code, each in table.items() if each.tag == "DW_TAG_member" and code < 0x80]
            usual = len(codes) == 1 and table[codes[0]].attributes == LAYOUT and not table[codes[0]].has_children
            code = re.escape(bytes(codes))
            made = (code + BODY, rb"(?:" + code + BODY.replace(b"(", b"(?:") + rb")*+\x00") if usual else None
            self._patterns[unit.abbrevs] = made and (re.compile(made[0], re.DOTALL), re.compile(made[1], re.DOTALL))
        return self._patterns[unit.abbrevs]


def _member(name: bytes, at: bytes, type_offset: bytes, embedded: bytes) -> Found:
    offset = at[0] if len(at) == 1 else unsigned(memoryview(at), 0)[0]
    return text(name) or "_", offset, int.from_bytes(type_offset, "little"), embedded != b"\0"
