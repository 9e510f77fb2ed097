"""The arguments of one copy of a function in their home slots: where debug info has lost sight of them, but not the traceback.

Beyond what the traceback does, a home slot is believed only where the debug info does not know of another place on the
stack: an argument that has been elsewhere may have been assigned again, and its home slot be left behind.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from compiler.code.arginfo import Arguments, Saved, Slot
from compiler.code.pclntab import Pclntab
from compiler.dwarf.functions import Instance, Variable
from compiler.dwarf.locations import Known, Location, PlaceFinder
from compiler.ir.program import AtCfa, Piece


def own(piece: Piece) -> bool:
    """Whether it is in the function's own frame, whose slots serve one variable after the other."""
    return isinstance(piece, AtCfa) and piece.offset < 0


def own_slots(pieces: tuple[Piece, ...]) -> set[int]:
    """Where in the function's own frame the pieces are, from the CFA."""
    return {piece.offset for piece in pieces if isinstance(piece, AtCfa) and piece.offset < 0}


def came_on_stack(finder: PlaceFinder, entry: int) -> tuple[Piece, ...]:
    """Where debug info says a variable to be as the function begins, if all of it is in the caller's frame; () if not."""
    came = finder.exact(entry)
    if finder.constant or not isinstance(came, Known):
        return ()
    return came.pieces if all(isinstance(p, AtCfa) and p.offset >= 0 for p in came.pieces) else ()


class Homes:
    """One instance's home slots, and where it has no frame."""

    def __init__(self, arguments: Arguments, pclntab: Pclntab, instance: Instance, saved: Saved) -> None:
        self._arguments, self._saved = arguments, saved
        self._slots = arguments.slots(instance)
        self._dictionary = arguments.dictionary(instance)
        self._ranges, self._instance = instance.ranges, instance
        self._unframed = None if instance.level else asks_for_stack(pclntab, instance.ranges[0][0])

    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        live = self._arguments.edges(self._ranges[0][0]) if self._slots or self._dictionary else set()
        return live | set(self._unframed or ())

    def unframed(self, pc: int) -> bool:
        """Whether `pc` is where the function asks for more stack. It is laid out after the function's last instruction;
        location lists that reach to the end of the function do not mean it."""
        return self._unframed is not None and self._unframed[0] <= pc < self._unframed[1]

    def dictionary(self, pc: int, described: PlaceFinder | None) -> int | None:
        """Where from the CFA on the dictionary is kept during the call at `pc`; None where it is not, or nobody knows.
        `described`: where debug info says that it is, which says so of its slot whether it has been stored there or not."""
        slot = self._dictionary
        if slot is not None:
            return slot.offset if self._arguments.live(pc, slot) else None
        location = None if described is None else described.at_call(pc)
        match location:
            case Known(pieces=(AtCfa(size=8, offset=offset),)) if self._arguments.stored_first(self._ranges[0][0]):
                return offset
            case _:
                return None

    def on_entry(self, variable: Variable, finder: PlaceFinder) -> tuple[Piece, ...]:
        """Where a parameter is while more stack is asked for; () where that is not known."""
        if not variable.parameter or variable.result or variable.escaped:
            return ()
        slots = self._slots.get(variable.die.offset, ())
        if slots:
            return _pieces(slots)
        return came_on_stack(finder, self._ranges[0][0])

    def of_others(
        self, variable: Variable, finder: PlaceFinder, arguments: Mapping[int, PlaceFinder]
    ) -> frozenset[int]:
        """Home slots (from the CFA) of other arguments, in which debug info may say a variable to be before it is assigned
        from them; none for a local that begins there (`mine := argument`). `arguments`: all, by their DIEs, of which those
        that neither the traceback's table nor the calling convention tells of are taken at debug info's word: of two that say to
        have one home, neither is believed."""
        own = variable.die.offset
        slots = {each.offset for of, theirs in self._slots.items() if of != own for each in theirs}
        cut = [of for of in arguments if not self._slots.get(of)]
        if cut and self._passed:
            slots |= {offset for of in cut if of != own for offset in self._passed.get(of, ())}
        else:
            pieces = [piece for of in cut if of != own for piece in self._in_callers_frame(arguments[of])]
            slots |= {piece.offset for piece in pieces}
        begins = {piece.offset for piece in finder.pieces(finder.first) if isinstance(piece, AtCfa)}
        return frozenset() if slots & begins and not variable.parameter else frozenset(slots)

    @cached_property
    def _passed(self) -> Mapping[int, frozenset[int]]:
        """By argument, where it is kept by the calling convention; none where nothing confirms that."""
        return self._arguments.passed(self._instance, self._slots, self._saved)

    def _in_callers_frame(self, finder: PlaceFinder) -> Iterator[AtCfa]:
        """Where an argument came on the stack, or else everywhere that it is in its caller's frame."""
        pieces = came_on_stack(finder, self._ranges[0][0]) or finder.places()
        return (piece for piece in pieces if isinstance(piece, AtCfa) and piece.offset >= 0)

    def completed(self, variable: Variable, finder: PlaceFinder, location: Location, pc: int) -> Location:
        """The location during the call at `pc`, with what of the variable is at home and was not known."""
        slots = self._slots.get(variable.die.offset, ())
        if not slots or (finder.constant and isinstance(location, Known)):
            return location
        known = location.pieces if isinstance(location, Known) else ()
        if all(any(p.at <= s.at and s.at + s.size <= p.at + p.size for p in known) for s in slots):
            return location
        homes = {slot.offset for slot in slots}
        if any(offset not in homes for offset in finder.stack_offsets()):
            return location
        missing = [s for s in slots if not any(p.at < s.at + s.size and s.at < p.at + p.size for p in known)]
        live = [slot for slot in missing if self._arguments.live(pc, slot)]
        return Known((*known, *_pieces(live))) if live else location


def _pieces(slots: "tuple[Slot, ...] | list[Slot]") -> tuple[Piece, ...]:
    return tuple(AtCfa(slot.at, slot.size, slot.offset) for slot in slots)


def asks_for_stack(pclntab: Pclntab, pc: int) -> tuple[int, int] | None:
    """The PCs behind the body of the function around `pc`; None where it never asks for more stack, or has no frame at all."""
    index = pclntab.index_of(pc)
    sizes = [] if index is None else pclntab.values(index, "pcsp")
    if len(sizes) < 2 or sizes[-1][2]:
        return None
    return sizes[-1][0], sizes[-1][1]
