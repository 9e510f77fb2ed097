"""Where DWARF says a variable is: location lists and expressions as pieces by PC. Evaluates nothing, invents nothing."""

from dataclasses import dataclass

from elftools.dwarf.die import DIE
from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.dwarf.locationlists import BaseAddressEntry, LocationEntry

from compiler.dwarf.units import DebugInfo, number
from compiler.ir.program import AtAddress, AtCfa, InRegister, Piece

EVERYWHERE = (0, 1 << 64)


@dataclass(frozen=True, slots=True)
class Known:
    """The variable's bytes are in these pieces (gaps: bytes that are kept nowhere)."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """DWARF says it is nowhere, or says so in operations that Go does not write; `reason` as in REASONS."""

    reason: str
    detail: str = ""


Location = Known | Unknown


@dataclass(frozen=True, slots=True)
class LocationRange:
    """PCs [lo, hi) with one location."""

    lo: int
    hi: int
    location: Location


@dataclass(frozen=True, slots=True)
class Locations:
    """All locations of one variable. `constant`: one for the whole function, which says nothing about when it holds a value."""

    ranges: tuple[LocationRange, ...]
    constant: bool


NOWHERE = Unknown("optimized out")


def read_locations(info: DebugInfo, die: DIE, size: int) -> Locations:
    """The locations of a variable of `size` bytes."""
    attribute = die.attributes.get("DW_AT_location")
    if attribute is None:
        return Locations((), constant=False)
    form = str(attribute.form)
    if form.startswith("DW_FORM_block") or form == "DW_FORM_exprloc":
        location = _expression(die, bytes(attribute.value), size)
        return Locations((LocationRange(*EVERYWHERE, location),), constant=True)
    if info.location_lists is None:
        return Locations((), constant=False)
    return Locations(tuple(_list(info, die, attribute.value, size)), constant=False)


def _list(info: DebugInfo, die: DIE, offset: int, size: int) -> list[LocationRange]:
    base = number(die.cu.get_top_DIE(), "DW_AT_low_pc") or 0
    found = []
    for entry in info.location_lists.get_location_list_at_offset(offset, die):
        match entry:
            case BaseAddressEntry(base_address=address):
                base = address
            case LocationEntry(begin_offset=lo, end_offset=hi, loc_expr=expression, is_absolute=absolute):
                shift = 0 if absolute else base
                if lo < hi:
                    found.append(LocationRange(lo + shift, hi + shift, _expression(die, bytes(expression), size)))
    return found


def _expression(die: DIE, expression: bytes, size: int) -> Location:  # noqa: C901, PLR0912 - a case an operation
    """A Go location expression: call_frame_cfa, fbreg, regN, addr, each perhaps followed by piece."""
    pieces: list[Piece] = []
    at, place, offset = 0, "", 0
    for op in DWARFExprParser(die.cu.structs).parse_expr(expression):
        match op.op_name:
            case "DW_OP_fbreg":
                place, offset = "cfa", op.args[0]
            case "DW_OP_call_frame_cfa":
                place, offset = "cfa", 0
            case "DW_OP_consts" | "DW_OP_constu" | "DW_OP_plus_uconst" if place == "cfa":
                offset += op.args[0]
            case "DW_OP_plus" if place == "cfa":
                pass
            case "DW_OP_addr":
                place, offset = "address", op.args[0]
            case "DW_OP_regx":
                place, offset = "register", op.args[0]
            case "DW_OP_piece":
                if place:
                    pieces.append(_piece(place, at, op.args[0], offset))
                at, place = at + op.args[0], ""
            case name if name.startswith("DW_OP_reg"):
                place, offset = "register", int(name.removeprefix("DW_OP_reg"))
            case name:
                return Unknown("unsupported", f"location operation {name}")
    if place and size > at:
        pieces.append(_piece(place, at, size - at, offset))
    if not pieces and size:
        return NOWHERE
    return Known(tuple(piece for piece in pieces if piece.size))


def _piece(place: str, at: int, size: int, offset: int) -> Piece:
    if place == "cfa":
        return AtCfa(at, size, offset)
    return AtAddress(at, size, offset) if place == "address" else InRegister(at, size, offset)


def in_register(location: Location) -> bool:
    """Whether any of it is in a register."""
    return isinstance(location, Known) and any(isinstance(piece, InRegister) for piece in location.pieces)


class PlaceFinder:
    """One variable's location by PC."""

    def __init__(self, locations: Locations) -> None:
        self._ranges = sorted(locations.ranges, key=lambda each: each.lo)
        self.constant = locations.constant

    def exact(self, pc: int) -> Location:
        """At an instruction that is about to run: registers are where DWARF says."""
        return next((each.location for each in self._ranges if each.lo <= pc < each.hi), NOWHERE)

    def at_call(self, pc: int) -> Location:
        """In a caller, `pc` being the return address - 1.

        The call often is the last instruction of the range in registers, and the range of the spill slot begins at the
        return address; a caller's registers are gone, so the slot is what counts.
        """
        here, after = self.exact(pc), self.exact(pc + 1)
        if isinstance(here, Known) and not in_register(here):
            return here
        if isinstance(after, Known) and not in_register(after):
            return after
        if not isinstance(here, Known):
            return here
        kept = tuple(piece for piece in here.pieces if not isinstance(piece, InRegister))
        return Known(kept) if kept else Unknown("in register", "of the frame it called")

    def edges(self) -> set[int]:
        """PCs at which either answer may change."""
        return {
            edge for each in self._ranges for edge in (each.lo, each.hi, each.lo - 1, each.hi - 1) if not self.constant
        }
