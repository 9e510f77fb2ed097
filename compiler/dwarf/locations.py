"""Where DWARF says a variable is: location lists and expressions as pieces by PC. Evaluates nothing, invents nothing."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise, product

from compiler.dwarf.dies import Die
from compiler.dwarf.expressions import operations
from compiler.dwarf.units import DebugInfo
from compiler.ir.frozen import frozen
from compiler.ir.program import AtAddress, AtCfa, InRegister, Piece
from compiler.ir.types import WORD

EVERYWHERE = (0, 1 << 64)


@frozen
class Known:
    """The variable's bytes are in these pieces (gaps: bytes that are kept nowhere)."""

    pieces: tuple[Piece, ...]


@frozen
class Unknown:
    """DWARF says it is nowhere, or says so in operations that Go does not write; `reason` as in REASONS."""

    reason: str
    detail: str = ""


Location = Known | Unknown


@frozen
class LocationRange:
    """PCs [lo, hi) with one location."""

    lo: int
    hi: int
    location: Location
    slots: tuple[int, ...] = ()
    """Where on the stack parts of it are, from the CFA, also where it cannot be told which parts."""


@frozen
class Locations:
    """All locations of one variable. `constant`: one for the whole function, which says nothing about when it holds a value.

    `in_memory`: it is never anywhere but in a slot of its own, to which whatever is assigned goes at once.
    """

    ranges: tuple[LocationRange, ...]
    constant: bool
    in_memory: bool = False


NOWHERE = Unknown("optimized out")
AMBIGUOUS = Unknown("partial", "only a part of it is kept here, and the debug info does not say which")
LONE = Unknown(AMBIGUOUS.reason, AMBIGUOUS.detail)
"""A single part that no DW_OP_piece measures: one word, or all of what is in memory."""


def never(_pc: int, _slot: int) -> bool:
    """Of no variable it is known that it is in memory."""
    return False


@frozen
class Shape:
    """What a variable is made of: its size, and its words as (offset, size) where Go's compiler may keep them apart.

    `words` is None for a type that it always keeps in one place (cmd/compile/internal/ssa, CanSSA).
    """

    size: int
    words: tuple[tuple[int, int], ...] | None


def read_locations(info: DebugInfo, die: Die, shape: Shape, in_memory: Callable[[int, int], bool] = never) -> Locations:
    """The locations of a variable of this shape. `in_memory`: whether all of it is in the stack's slot, in the function at a PC."""
    attribute = die.attributes.get("DW_AT_location")
    if attribute is None:
        return Locations((), constant=False)
    if isinstance(attribute.value, bytes):
        location, _ = _placed(attribute.value, Shape(shape.size, None), info.executable.machine.last_word_register)
        return Locations((LocationRange(*EVERYWHERE, location),), constant=True)
    trusted = shape if b"-N" not in info.flags(die) else Shape(shape.size, None)
    found = _list(info, die, attribute.value, trusted)
    if found and all(_is_one_slot(each, shape.size) and in_memory(each.lo, each.slots[0]) for each in found):
        whole = ((each, Known((AtCfa(0, shape.size, each.slots[0]),))) for each in found)
        ranges = tuple(LocationRange(each.lo, each.hi, location, each.slots) for each, location in whole)
        return Locations(ranges, constant=False, in_memory=True)
    return Locations(tuple(found), constant=False)


def _is_one_slot(place: LocationRange, size: int) -> bool:
    """Whether all of a variable may be in one slot of the stack there."""
    return bool(place.slots) and (place.location is LONE or place.location == Known((AtCfa(0, size, place.slots[0]),)))


def _list(info: DebugInfo, die: Die, offset: int, shape: Shape) -> list[LocationRange]:
    last, found = info.executable.machine.last_word_register, list[LocationRange]()
    known = _known(shape, last)
    for lo, hi, expression in info.locations(die, offset):
        if lo < hi:
            placed = known.get(expression) or known.setdefault(expression, _placed(expression, shape, last))
            found.append(LocationRange(lo, hi, *placed))
    return found


@lru_cache(maxsize=1 << 10)
def _known(shape: Shape, last_word_register: int) -> dict[bytes, tuple[Location, tuple[int, ...]]]:  # noqa: ARG001
    """What expressions say of variables of one shape: many say the same."""
    return {}


def _placed(expression: bytes, shape: Shape, last_word_register: int) -> tuple[Location, tuple[int, ...]]:
    """Where an expression says that a variable is, and the slots of the stack in it."""
    parts = _parts(expression, last_word_register)
    if isinstance(parts, Unknown):
        return parts, ()
    return _laid_out(parts, shape), tuple(part.offset for part in parts if part.place == "cfa")


@frozen
class _Part:
    """One operand of a location: where, and how many bytes of the variable; None for what no DW_OP_piece measures."""

    place: str
    offset: int
    size: int | None


def _parts(expression: bytes, last_word_register: int) -> list[_Part] | Unknown:
    """A Go location expression: call_frame_cfa, fbreg, regN, addr, each perhaps followed by piece."""
    parts: list[_Part] = []
    place, offset = "", 0
    for name, operand in operations(expression):
        match name:
            case "fbreg":
                place, offset = "cfa", operand
            case "call_frame_cfa":
                place, offset = "cfa", 0
            case "consts" | "constu" | "plus_uconst" if place == "cfa":
                offset += operand
            case "plus" if place == "cfa":
                pass
            case "addr":
                place, offset = "address", operand
            case "piece":
                parts.append(_Part(place, offset, operand))
                place = ""
            case "regx":
                place, offset = "register", operand
                if offset > last_word_register:
                    return Unknown("in register", "a vector register")
            case _:
                return Unknown("unsupported", f"location operation DW_OP_{name}")
    if place:
        parts.append(_Part(place, offset, None))
    return parts


def _laid_out(parts: list[_Part], shape: Shape) -> Location:
    """The parts at their offsets within the variable.

    Go's compiler writes a part for each word of a variable that it still tracks, one after the other: without the
    padding between them, without the words that it tracks no more, and a lone part without saying which word it is, or that
    it is all of a variable in memory (PutLocationList in cmd/compile/internal/ssa/debug.go). What cannot be told apart is not
    believed.
    """
    if not shape.size or not any(part.place for part in parts):
        return NOWHERE if shape.size else Known(())
    sizes = [part.size for part in parts]
    total = sum(size or 0 for size in sizes)
    if sizes == [None]:
        if shape.words is not None and len(shape.words) > 1:
            return LONE
        offsets, sizes = [0], [min(shape.size, 8) if parts[0].place == "register" else shape.size]
    elif None in sizes:
        return Unknown("unsupported", "a location with a part of unknown size")
    elif total == shape.size:
        offsets = [sum(size or 0 for size in sizes[:number]) for number in range(len(sizes))]
    elif shape.words is not None and sizes == [size for _, size in shape.words]:
        offsets = [offset for offset, _ in shape.words]
    else:
        return AMBIGUOUS
    placed = zip(parts, offsets, sizes, strict=True)
    return Known(
        tuple(_piece(part.place, at, size or 0, part.offset) for part, at, size in placed if part.place and size)
    )


def _piece(place: str, at: int, size: int, offset: int) -> Piece:
    if place == "cfa":
        return AtCfa(at, size, offset)
    return AtAddress(at, size, offset) if place == "address" else InRegister(at, size, offset)


Where = tuple[bool, int]
"""Of a word: whether it is in a register; which one, or else where from the CFA."""


def words_in(pieces: Iterable[Piece]) -> dict[int, Where]:
    """By offset, where each word of some pieces is."""
    found: dict[int, Where] = {}
    for piece in pieces:
        if isinstance(piece, AtCfa):
            found |= {piece.at + at: (False, piece.offset + at) for at in range(0, piece.size, WORD)}
        elif isinstance(piece, InRegister):
            found[piece.at] = (True, piece.number)
    return found


def in_register(location: Location) -> bool:
    """Whether any of it is in a register."""
    return isinstance(location, Known) and any(isinstance(piece, InRegister) for piece in location.pieces)


class PlaceFinder:
    """One variable's location by PC."""

    def __init__(self, locations: Locations) -> None:
        self.ranges = sorted(locations.ranges, key=lambda each: each.lo)
        self.constant, self.in_memory = locations.constant, locations.in_memory
        self.first = self.ranges[0].lo if self.ranges else 0
        """The PC from which it has a place."""
        self._starts = [each.lo for each in self.ranges]
        self.overlap = any(each.hi > after.lo for each, after in pairwise(self.ranges))
        """Whether several of its ranges hold at one PC; then the first is what counts."""
        self._at_calls: dict[int, Location] = {}
        self._words: dict[int, Mapping[int, Where]] = {}

    def in_own_frame(self) -> bool:
        """Whether any of it is in the frame of the function itself, not in its caller's."""
        known = [each.location for each in self.ranges if isinstance(each.location, Known)]
        return any(isinstance(piece, AtCfa) and piece.offset < 0 for each in known for piece in each.pieces)

    def begins(self) -> set[int]:
        """PCs at which it is said to come to another place; none where it stays at one."""
        return set() if self.constant else {each.lo for each in self.ranges}

    def places(self) -> Iterator[Piece]:
        """Every piece of it in any place."""
        return (piece for _, piece in self._pieces())

    def came(self) -> Iterator[tuple[int, Piece]]:
        """Every piece of it in any place, with the PC from which it is said to be there."""
        return ((each.lo, piece) for each, piece in self._pieces())

    def moved(self) -> Iterator[tuple[AtCfa, AtCfa]]:
        """Pieces in the frame that are said to come from one place in it to another, and nothing between: from, to."""
        for before, after in pairwise(self.ranges):
            if before.hi == after.lo and isinstance(before.location, Known) and isinstance(after.location, Known):
                for one, other in product(before.location.pieces, after.location.pieces):
                    if isinstance(one, AtCfa) and isinstance(other, AtCfa) and one.at == other.at:
                        yield one, other

    def in_registers(self) -> Iterator[tuple[int, int, InRegister]]:
        """Every piece of it that is in a register, with the PCs between which it is."""
        return ((each.lo, each.hi, piece) for each, piece in self._pieces() if isinstance(piece, InRegister))

    def _pieces(self) -> Iterator[tuple[LocationRange, Piece]]:
        for each in self.ranges:
            if isinstance(each.location, Known):
                for piece in each.location.pieces:
                    yield each, piece

    def stack_offsets(self) -> set[int]:
        """Every place on the stack that it is said to be in at some PC, from the CFA; of parts that cannot be told apart too."""
        return {offset for each in self.ranges for offset in each.slots}

    def exact(self, pc: int) -> Location:
        """At an instruction that is about to run: registers are where DWARF says."""
        last = bisect_right(self._starts, pc)
        for each in self.ranges[0 if self.overlap else max(last - 1, 0) : last]:
            if pc < each.hi:
                return each.location
        return NOWHERE

    def pieces(self, pc: int) -> tuple[Piece, ...]:
        """Its pieces at an instruction that is about to run; () where it is nowhere, or nobody knows."""
        there = self.exact(pc)
        return there.pieces if isinstance(there, Known) else ()

    def words(self, pc: int) -> Mapping[int, Where]:
        """Where each word of it is at an instruction that is about to run, by offset; of those at fixed addresses nothing."""
        return self.words_of(self.exact(pc))

    def words_of(self, location: Location) -> Mapping[int, Where]:
        """The same of one of its own locations."""
        found = self._words.get(id(location))
        if found is None:
            found = words_in(location.pieces) if isinstance(location, Known) else {}
            self._words[id(location)] = found
        return found

    def at_call(self, pc: int) -> Location:
        """In a caller, `pc` being the return address - 1.

        The call often is the last instruction of the range in registers, and the range of the spill slot begins at the
        return address; a caller's registers are gone, so the slot is what counts.
        """
        found = self._at_calls.get(pc)
        if found is None:
            found = self._at_calls[pc] = self._at_call(pc)
        return found

    def _at_call(self, pc: int) -> Location:
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
            edge for each in self.ranges for edge in (each.lo, each.hi, each.lo - 1, each.hi - 1) if not self.constant
        }
