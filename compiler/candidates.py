"""The variables that a column's name may mean in one copy of a function's code, and all that decides whether one does at a PC."""

from bisect import bisect_right
from typing import TYPE_CHECKING

from compiler.code.ahead import computed_ahead
from compiler.code.homes import own_slots
from compiler.code.lines import joined
from compiler.copycode import Code
from compiler.dwarf.functions import Range, Variable
from compiler.dwarf.locations import Known, Location
from compiler.ir.program import AtCfa, Piece

if TYPE_CHECKING:
    from compiler.binary import Binary


class Candidate:
    """One variable that the column's name may mean, with everything that decides whether it does at a PC."""

    def __init__(self, binary: "Binary", variable: Variable, code: Code, *, shadows: bool) -> None:
        self.variable, lines = variable, code.lines
        self.places = binary.places(variable)
        self.assignments = code.assignments(variable, self.places)
        self.moved = code.may_have_moved(variable)
        """Whether it may be on the heap, and not at home any more."""
        self.first_only = self.moved and self.places.constant and code.copies_first(self.places)
        """Whether its one place may have only the argument that it was at first."""
        self.only_counts = code.only_counts(variable, self.places)
        """Whether it may be a loop's that counts the other way round."""
        self._rivals = code.rivals(self.places)
        self._foreign = code.homes.of_others(variable, self.places, code.arguments)
        undeclared: tuple[Range, ...] = ()
        if (variable.parameter or variable.captured) and self.places.constant and self.places.in_own_frame():
            undeclared = tuple(lines.entering())  # a result: not cleared yet; or not taken out of the closure yet
        elif variable.captured:
            undeclared = tuple(lines.recovered())
        elif variable.line and not variable.parameter:
            # A constant location says nothing about when it holds a value: while the declaration's own line runs (it may
            # be calling something) it does not yet. A list of locations knows, but what optimization computes ahead of
            # its declaration is in it too.
            undeclared = tuple(lines.before(variable.line + (self.places.constant or shadows)))
            undeclared += tuple(lines.recovered())
            if self.places.constant:
                undeclared += tuple(lines.leaving())
        self._undeclared = joined(undeclared)
        self._begins = [lo for lo, _ in self._undeclared]
        self._renewed = self.assignments.edges() | lines.edges() if self.assignments else set()
        self._moves, self._code = code.moves(variable, self.places), code
        self._renewed |= code.stays.edges(self._moves.all_left()) if self._moves else set()
        self._ahead = computed_ahead(code.stays, self.places, variable, code.lines.spot)
        self._renewed |= code.stays.edges_of(self._ahead)
        self._mixtures = code.mixtures(variable, self.places)
        self._renewed |= self._mixtures.edges() if self._mixtures else set()
        self._renewals = code.renewals(variable, self.places)
        self._renewed |= self._renewals.edges() if self._renewals else set()
        self._renewed |= code.filled.edges(self.places, code.homes.on_entry(variable, self.places))

    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        spans = (*self.variable.scope, *self._undeclared)
        shared = {edge for rival in self._rivals for edge in rival.edges()}
        return self.places.edges() | self._renewed | shared | {edge for span in spans for edge in span}

    def visible(self, pc: int) -> bool:
        """Whether `pc` is in its scope, and it is declared there."""
        scope = self.variable.scope
        if scope and not any(lo <= pc < hi for lo, hi in scope):
            return False
        last = bisect_right(self._begins, pc)
        return not last or pc >= self._undeclared[last - 1][1]

    def filled(self, location: Location, pc: int) -> Location:
        """The location without home slots in which there may be nothing yet."""
        return self._code.filled.narrowed(self.places, location, pc)

    def overtaken(self, pieces: tuple[Piece, ...], pc: int) -> bool:
        """Whether these pieces may be what something else is by now."""
        if self._mixtures is not None and self._mixtures.mixed(pieces, pc):
            return True
        return self._renewals is not None and self._renewals.doubtful(pieces, pc)

    def early(self, pieces: tuple[Piece, ...], pc: int, *, exact: bool) -> bool:
        """Whether these pieces may be what the variable is only going to be."""
        if self._code.stays.instruction(pc) in self._ahead:
            return True
        left = self._moves.left(pieces) if self._moves else ()
        if left and self._code.stays.reads(pc, left, exact=exact):
            return True
        if any(isinstance(piece, AtCfa) and piece.offset in self._foreign for piece in pieces):
            return True
        known = [there.pieces for rival in self._rivals if isinstance(there := rival.at_call(pc), Known)]
        return any(own_slots(pieces) & own_slots(theirs) for theirs in known)
