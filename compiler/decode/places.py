"""Which columns a frame has, and their cells: from a site's places through a column's steps to a value."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import assert_never

from compiler.decode.image import Gap, Image, Window
from compiler.decode.reading import Missed
from compiler.decode.stepping import Here
from compiler.decode.steps import Steps
from compiler.decode.texts import Marked, to_json
from compiler.decode.values import ValueReader
from compiler.ir.chase import is_byte
from compiler.ir.frames import Absence, Cell, SqlValue
from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AtAddress,
    AtCfa,
    InRegister,
    Located,
    Missing,
    Piece,
    Place,
    Program,
    Site,
)
from compiler.ir.types import Address, Basic, Big, Duration, NetAddr, Pointer, Slice, String, Time, TypeId, Wrapper

INT64_MAX = (1 << 63) - 1
MAX_REMEMBERED = 1 << 16
"""Cells kept by what they were read from, for goroutines often share what they point to."""


class Sites:
    """Finds a Program's sites by PC."""

    def __init__(self, program: Program) -> None:
        self._found: dict[tuple[bool, int], tuple[Site, ...]] = {}
        self._spans = {exact: _disjoint([s for s in program.sites if s.exact is exact]) for exact in (False, True)}

    def at(self, pc: int, *, exact: bool) -> tuple[Site, ...]:
        """The sites that contain a link-time PC, in the Program's order."""
        found = self._found.get((exact, pc))
        if found is None:
            edges, sites = self._spans[exact]
            index = bisect_right(edges, pc) - 1
            found = self._found[exact, pc] = sites[index] if index >= 0 else ()
        return found


def _disjoint(sites: Sequence[Site]) -> tuple[list[int], list[tuple[Site, ...]]]:
    """Where the set of sites changes, and the sites from there on."""
    edges = sorted({edge for site in sites for edge in (site.lo, site.hi)})
    live: list[Site] = []
    found: list[tuple[Site, ...]] = []
    following = 0
    for edge in edges:
        live = [site for site in live if site.hi > edge]
        while following < len(sites) and sites[following].lo <= edge:
            live.append(sites[following])
            following += 1
        found.append(tuple(live))
    return edges, found


@frozen
class FramePlace:
    """Where a frame's variables are: its CFA, and the registers where they are known (DWARF order)."""

    cfa: int
    registers: tuple[int, ...] | None


class CellReader:
    """Reads cells. Equal reads give one shared Cell."""

    def __init__(self, program: Program, image: Image, values: ValueReader, bias: int) -> None:
        self._program, self._image, self._values, self._bias = program, image, values, bias
        self._steps = values.picker = Steps(program, image, values, bias)
        self._bare: dict[TypeId, bool] = {}
        self._missing: dict[Missing, Cell] = {}
        self._remembered: dict[tuple[int, Window | Here], Cell] = {}

    def cell(self, place: Place, frame: FramePlace) -> Cell:
        """One column of one frame."""
        match place:
            case Missing(reason=reason, detail=detail):
                if place not in self._missing:
                    self._missing[place] = absent(reason, detail)
                return self._missing[place]
            case Located(access=number, pieces=pieces, dead=unfollowed):
                root = self._root(pieces, self._program.accesses[number].root_size, frame)
                if unfollowed:
                    root = Window(root.data, root.gaps, self._mortal(root, unfollowed))
                return self._follow(number, root)

    def _mortal(self, root: Window, unfollowed: tuple[int, ...]) -> tuple[int, ...]:
        """Of pointers that nothing keeps alive, those whose memory may be somebody else's by now: not those to constants."""
        return tuple(at for at in unfollowed if self._image.constant(root.word(at), 1) is None)

    # ------------------------------------------------------------ the root variable

    def _root(self, pieces: tuple[Piece, ...], size: int, frame: FramePlace) -> Window:
        if len(pieces) == 1 and isinstance(pieces[0], AtCfa) and pieces[0].size == size:
            whole = self._image.read(frame.cfa + pieces[0].offset, size)
            if whole is not None:
                return Window(whole)
        data, gaps, reached = bytearray(size), [], 0
        for piece in sorted(pieces, key=lambda each: each.at):
            if piece.at > reached:
                gaps.append(Gap(reached, piece.at, "optimized out"))
            window = self._piece(piece, frame)
            data[piece.at : piece.at + piece.size] = window.data
            gaps += [
                Gap(max(gap.lo + piece.at, reached), gap.hi + piece.at, gap.reason, gap.detail) for gap in window.gaps
            ]
            reached = max(reached, piece.at + piece.size)
        if reached < size:
            gaps.append(Gap(reached, size, "optimized out"))
        return Window(bytes(data), tuple(gaps))

    def _piece(self, piece: Piece, frame: FramePlace) -> Window:
        match piece:
            case AtCfa(size=size, offset=offset):
                return self._copied(frame.cfa + offset, size)
            case AtAddress(size=size, address=address):
                return self._copied(address + self._bias, size)
            case InRegister(size=size, number=number):
                if frame.registers is None or number >= 16 or size > 8:
                    return Window(bytes(size), (Gap(0, size, "in register"),))
                return Window(frame.registers[number].to_bytes(8, "little")[:size])
            case _:
                assert_never(piece)

    def _copied(self, address: int, size: int) -> Window:
        found = self._image.window(address, size)
        return Window(bytes(size), (Gap(0, size, self._image.why(address, size)),)) if found is None else found

    # ------------------------------------------------------------ from the root to the value

    def _follow(self, number: int, root: Window) -> Cell:
        try:
            number, access = self._steps.chosen(number, Here(root, 0))
            here, limits = self._steps.along(Here(root, 0), access.steps, access.limits)
            size = self._program.types[access.type].size
            return self._read(number, access, here if here.window is None else self._steps.read(here, size), limits)
        except Missed as missed:
            return absent(missed.reason, missed.detail)

    def _read(self, number: int, access: Access, there: Window | Here, limits: Limits) -> Cell:
        """What is in hand or at an address, remembered: the cell follows from these alone."""
        key = (number, there)
        cell = self._remembered.get(key)
        if cell is None:
            cell = self._render(access, Here(there, 0) if isinstance(there, Window) else there, limits)
            if len(self._remembered) < MAX_REMEMBERED:
                self._remembered[key] = cell
        return cell

    def _render(self, access: Access, here: Here, limits: Limits) -> Cell:
        type_id = access.type
        if access.tail is not None:
            found = self._steps.finish(here, access.tail, limits)
            here, type_id, limits = found.here, found.type, found.limits
        window = self._steps.read(here, self._program.types[type_id].size)
        value, absences = self._values.read(window, 0, type_id, limits)
        if type_id not in self._bare:
            self._bare[type_id] = is_bare(self._program, type_id)
        return Cell(to_sql(value, bare=self._bare[type_id]), absences)


def absent(reason: str, detail: str = "") -> Cell:
    """A cell that is missing as a whole."""
    return Cell(None, (Absence("", reason, detail),))


def is_bare(program: Program, type_id: TypeId) -> bool:
    """Whether a column of this type holds the bare value: a scalar or text, also behind pointers."""
    seen: set[TypeId] = set()
    while type_id not in seen:
        seen.add(type_id)
        kind = program.types[type_id]
        match kind:
            case Basic() | Duration() | Time() | String() | Address() | Big() | NetAddr():
                return True
            case Slice(elem=elem):
                return is_byte(program.types[elem])
            case Wrapper(type=inner):
                type_id = inner
            case Pointer(elem=elem) if elem is not None:
                type_id = elem
            case _:
                return False
    return False


def to_sql(value: object, *, bare: bool) -> SqlValue:
    """A rendered value as its column holds it; one that is missing as a whole is NULL, as nil is.

    Where a pointer is all that is known of it, the mark stays, for the address in it; a column of bare values has no room.
    """
    if value is None or (isinstance(value, Marked) and "$absent" in value and (bare or not _has_address(value))):
        return None
    if bare and isinstance(value, Marked) and "$value" in value:
        value = value["$value"]
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if value <= INT64_MAX else str(value)
    return value if isinstance(value, float | str) else to_json(value)


def _has_address(mark: Marked) -> bool:
    return "$addr" in mark and mark["$absent"] != "torn"
