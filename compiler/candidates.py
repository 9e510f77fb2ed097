"""One variable that a name may mean in one copy of a function's code, and all that decides what is known of it at a PC."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from compiler.code.ahead import computed_ahead, read_ahead
from compiler.code.carried import carried
from compiler.code.homes import own_slots
from compiler.code.lines import joined
from compiler.code.unnamed import half_stored, unnamed
from compiler.copycode import Code
from compiler.dwarf.functions import Range, Variable
from compiler.dwarf.locations import Known, Location
from compiler.ir.program import AtCfa, InRegister, Missing, Piece

if TYPE_CHECKING:
    from compiler.binary import Binary


SUNK = Missing("optimized out", "the function assigns to it again, and the new value is kept nowhere during this call")
RENEWED = Missing("optimized out", "what is kept here may be something else by now")
EARLY = Missing("optimized out", "what is kept here may be what is only going to be assigned to it")
EARLIER = Missing("optimized out", "what is kept here is only the argument that it was at first")
COUNTS = Missing("optimized out", "its loop may count the other way round, for nothing else uses it")


def one_variable(a: Variable, b: Variable) -> bool:
    """Whether two of one name are one parameter: as it came, and as the pointer to it."""
    together = (a.nesting, a.line) == (b.nesting, b.line) and a.escaped != b.escaped
    return together and (b if a.escaped else a).parameter


def _spots(pieces: tuple[Piece, ...]) -> set[tuple[bool, int]]:
    """Which registers and slots of the frame the pieces are in."""
    return {
        (True, piece.offset) if isinstance(piece, AtCfa) else (False, piece.number)
        for piece in pieces
        if isinstance(piece, AtCfa | InRegister)
    }


class _Rule(Protocol):
    """What is asked about a variable at a PC."""

    def edges(self) -> set[int]:
        """PCs at which its answer may change."""


class Candidate:
    """One variable that a name may mean, with everything that decides whether it does at a PC."""

    def __init__(self, binary: "Binary", variable: Variable, code: Code, namesakes: Sequence[Variable]) -> None:
        """`namesakes`: all that have the name, itself among them."""
        self.variable, lines = variable, code.lines
        shadows = any(each is not variable and not one_variable(each, variable) for each in namesakes)
        self.places = binary.places(variable)
        self._scope = code.scope(variable)
        self._found: dict[tuple[int, bool], Location | Missing] = {}
        self._assignments = code.assignments(variable, self.places)
        moved = code.may_have_moved(variable)
        # One that escaped is on the heap, and its argument is what it was at first.
        self._at_home = not moved and not any(each.escaped for each in namesakes)
        self._first_only = moved and self.places.constant and (variable.result or code.copies_first(self.places))
        self._only_counts = code.only_counts(variable, self.places)
        self._rivals = [*code.rivals(self.places), *code.swapped(variable, self.places)]
        self._returned = code.returned(variable)
        self._foreign = code.homes.of_others(variable, self.places, code.arguments)
        undeclared: tuple[Range, ...] = ()
        if (variable.parameter or variable.captured) and self.places.constant and self.places.in_own_frame():
            # A result: not cleared yet; or not taken out of the closure yet.
            undeclared = tuple(code.unwritten(variable, self.places) if lines.one else lines.entering())
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
        self._moves, self._code = code.moves(variable, self.places), code
        self._left = self._moves.all_left() if self._moves else set()
        self._read_ahead = read_ahead(code.stays, self.places, self._left, lines.spot)
        self._ahead = computed_ahead(code.stays, self.places, variable, lines.spot)
        self._unnamed = unnamed(code.stays, self.places, code.homes.unframed) | half_stored(code.stays, self.places)
        self._twofold = code.twofold(self.places)
        self._shared = code.shared(variable, self.places)
        self._carried = carried(code.stays, self.places)
        self._pending = code.pending(variable, self.places)
        self._mixtures = code.mixtures(variable, self.places)
        self._renewals = code.renewals(variable, self.places)

    @cached_property
    def edges(self) -> set[int]:
        """PCs at which an answer may change: where a rule's may, or where a list of instructions begins or ends."""
        code, stays = self._code, self._code.stays
        lines = code.lines if self._assignments else None
        rules: tuple[_Rule | None, ...] = (
            self.places, *self._rivals, *self._returned, self._assignments, lines, self._mixtures, self._renewals
        )  # fmt: skip
        own = self._ahead, self._unnamed, self._twofold, self._pending, self._shared, self._carried
        instructions = (*own, *self._read_ahead.values())
        return set[int]().union(
            *(rule.edges() for rule in rules if rule is not None),
            *(stays.edges_of(each) for each in instructions),
            stays.edges(self._left),
            code.filled.edges(self.places, code.homes.on_entry(self.variable, self.places)),
            *self._scope,
            *self._undeclared,
        )

    def visible(self, pc: int) -> bool:
        """Whether `pc` is in its scope, and it is declared there."""
        scope = self._scope
        if scope and not any(lo <= pc < hi for lo, hi in scope):
            return False
        last = bisect_right(self._begins, pc)
        return not last or pc >= self._undeclared[last - 1][1]

    def found(self, pc: int, *, exact: bool) -> Location | Missing:
        """Where it is at `pc`, or during the call there; Missing where what debug info says of it may not be true."""
        key = pc, exact
        if key not in self._found:  # several columns may ask for fields of one variable
            self._found[key] = self._find(pc, exact=exact)
        return self._found[key]

    def _find(self, pc: int, *, exact: bool) -> Location | Missing:
        location = self.places.exact(pc) if exact else self.places.at_call(pc)
        if self._at_home and not exact:
            location = self._code.homes.completed(self.variable, self.places, location, pc)
        location = self._code.filled.narrowed(self.places, location, pc)
        return self._untrue(location.pieces, pc, exact=exact) or location if isinstance(location, Known) else location

    def _untrue(self, pieces: tuple[Piece, ...], pc: int, *, exact: bool) -> Missing | None:
        """Why what is in these pieces may not be its value. (What is assigned in memory is there before the next call.)"""
        if self.places.in_memory and not exact:
            return None
        if self._first_only:
            return EARLIER
        if self._only_counts:
            return COUNTS
        if self._assignments is not None and self._assignments.outdated(pc, pieces):
            return SUNK
        if self._overtaken(pieces, pc) or (exact and self._code.stays.instruction(pc) in self._unnamed):
            return RENEWED
        return EARLY if self._early(pieces, pc, exact=exact) else None

    def _overtaken(self, pieces: tuple[Piece, ...], pc: int) -> bool:
        """Whether these pieces may be what something else is by now."""
        at = self._code.stays.instruction(pc)
        if at in self._shared or at in self._carried:
            return True
        if self._mixtures is not None and self._mixtures.mixed(pieces, pc):
            return True
        return self._renewals is not None and self._renewals.doubtful(pieces, pc)

    def _early(self, pieces: tuple[Piece, ...], pc: int, *, exact: bool) -> bool:
        """Whether these pieces may be what the variable is only going to be."""
        at = self._code.stays.instruction(pc)
        if at in self._ahead or at in self._twofold or at in self._pending:
            return True
        left = self._moves.left(pieces) if self._moves else ()
        if left and self._code.stays.reads(pc, left, exact=exact):
            return True
        if any(at in self._read_ahead.get(slot, ()) for slot in left):
            return True
        if any(isinstance(piece, AtCfa) and piece.offset in self._foreign for piece in pieces):
            return True
        for each in self._returned:
            beside = each.exact(pc) if exact else each.at_call(pc)
            if isinstance(beside, Known) and not _spots(pieces).isdisjoint(_spots(beside.pieces)):
                return True
        known = [there.pieces for rival in self._rivals if isinstance(there := rival.at_call(pc), Known)]
        return any(own_slots(pieces) & own_slots(theirs) for theirs in known)
