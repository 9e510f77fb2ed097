"""The variables that a column's name may mean in one copy of a function's code, and all that decides whether one does at a PC."""

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from compiler.code.frame import Frame
from compiler.code.homes import Homes, own_slots
from compiler.code.lines import Lines, joined
from compiler.code.renewals import Renewals, returning, words
from compiler.code.stays import Moves, Stays
from compiler.code.sunk import Assignments, Sunk
from compiler.dwarf.functions import Instance, Range, Variable
from compiler.dwarf.locations import Known, PlaceFinder
from compiler.ir.program import AtCfa, Piece

if TYPE_CHECKING:
    from compiler.binary import Binary


class Candidate:
    """One variable that the column's name may mean, with everything that decides whether it does at a PC."""

    def __init__(self, binary: "Binary", variable: Variable, code: "Code", *, shadows: bool) -> None:
        self.variable, lines = variable, code.lines
        self.places = binary.places(variable)
        self.assignments = code.assignments(variable, self.places)
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
        self._renewals = code.renewals(variable, self.places)
        self._renewed |= self._renewals.edges() if self._renewals else set()

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

    def overtaken(self, pieces: tuple[Piece, ...], pc: int, *, exact: bool) -> bool:
        """Whether these pieces may be what something else is by now."""
        return self._renewals is not None and self._renewals.doubtful(pieces, pc, exact=exact)

    def early(self, pieces: tuple[Piece, ...], pc: int, *, exact: bool) -> bool:
        """Whether these pieces may be what the variable is only going to be."""
        left = self._moves.left(pieces) if self._moves else ()
        if left and self._code.stays.reads(pc, left, exact=exact):
            return True
        if any(isinstance(piece, AtCfa) and piece.offset in self._foreign for piece in pieces):
            return True
        known = [there.pieces for rival in self._rivals if isinstance(there := rival.at_call(pc), Known)]
        return any(own_slots(pieces) & own_slots(theirs) for theirs in known)


class Code:
    """What all columns of an instance ask of its code."""

    def __init__(self, binary: "Binary", instance: Instance) -> None:
        self._binary, self._instance = binary, instance
        self.lines = Lines(binary.pclntab, instance)
        self.homes = Homes(binary.arguments, binary.pclntab, instance)

    def arguments(self) -> dict[int, PlaceFinder]:
        """Where its arguments are, by their DIEs; none of an inlined call, whose arguments have no homes."""
        variables = [] if self._instance.level else self._instance.variables
        return {each.die.offset: self._binary.places(each) for each in variables if each.parameter and not each.result}

    def assignments(self, variable: Variable, finder: PlaceFinder) -> Assignments | None:
        """What the code does to a variable that its locations do not tell; None where it can do nothing."""
        if finder.constant or not self._binary.types.is_computed(variable.type):
            return None
        places = (*finder.places(), *self.homes.on_entry(variable, finder))
        if not any(isinstance(place, AtCfa) for place in places):
            return None  # no word of the frame ever holds it

        def held(pc: int) -> set[int]:
            found = finder.exact(pc)
            return own_slots(found.pieces) if isinstance(found, Known) else set()

        return self._sunk.assignments(variable, places, lambda at: self._begins.get(at, ()), held) or None

    def rivals(self, finder: PlaceFinder) -> list[PlaceFinder]:
        """Variables that may have a place before the variable has it, which debug info says to be there already.

        Of `last = v`, both names are the value's as soon as v has it; so where a variable that had a place before shares
        one with a variable that got it by its declaration, nobody knows whether it has been assigned yet.
        """
        slots = set() if finder.constant else own_slots(tuple(finder.places()))
        return (
            [each for each, theirs in self._from_declarations if finder.first < each.first and slots & theirs]
            if slots
            else []
        )

    def moves(self, variable: Variable, finder: PlaceFinder) -> Moves | None:
        """Where the variable was before; None where it never leaves a place on the stack for another."""
        if finder.constant or not own_slots(tuple(finder.places())):
            return None
        found = Moves(finder, self.homes.on_entry(variable, finder), self.stays.saved(finder))
        return found if found.all_left() else None

    def renewals(self, variable: Variable, finder: PlaceFinder) -> Renewals | None:
        """Where the variable's slots serve something else; None where they never do."""
        shared = variable.parameter and not variable.result and bool(own_slots(tuple(finder.places())))
        parts = self._binary.types.taken_apart(variable.type)
        if not (shared or parts) or b"-N" in self._binary.info.flags(variable.die):
            return None
        if finder.constant and (not parts or self._is_in_memory(variable, finder)):
            return None
        calls = returning(self.stays.steps, parts, self._results) if parts else set()
        if not (calls or shared):
            return None
        return Renewals(self.stays, finder, self.homes.on_entry(variable, finder), calls, shared=shared) or None

    def _is_in_memory(self, variable: Variable, finder: PlaceFinder) -> bool:
        """Whether a variable of one place really is there all the time. (Since Go 1.27 debug info also says it of structs that
        come on the stack and are taken apart.)"""
        slots = set(words(finder.places()))
        return bool(slots) and ((variable.result and self.lines.defers) or not slots.isdisjoint(self.stays.pointed))

    def _results(self, address: int) -> frozenset[int] | None:
        """The types of what the function at an address returns; None where that depends on type arguments."""
        pclntab = self._binary.pclntab
        index = pclntab.index_of(address)
        name = "" if index is None else pclntab.name_at(index)
        types = self._binary.functions.results(name)
        return None if types and "[" in name else types

    @cached_property
    def stays(self) -> Stays:
        """What the code still reads of the frame: an inlined call's goes on in what is around it."""
        first = self._instance.ranges[0][0]
        steps = self._binary.steps(first) if self._instance.level else self._sunk.steps
        return Stays(steps, Frame(self._binary.pclntab, first))

    @cached_property
    def _from_declarations(self) -> list[tuple[PlaceFinder, set[int]]]:
        """Variables that got their first place where their declaration gave them a value, and their slots."""
        found = [(each, self._binary.places(each)) for each in self._instance.variables]
        return [
            (finder, own_slots(tuple(finder.places())))
            for each, finder in found
            if not finder.constant and self.lines.at(finder.first - 1) == each.line
        ]

    @cached_property
    def _sunk(self) -> Sunk:
        return Sunk(self._binary.executable, self._binary.pclntab, self._instance, self.lines.at)

    @cached_property
    def _begins(self) -> dict[int, list[int]]:
        """By PC, the variables (their DIEs) that come to another place there."""
        found: dict[int, list[int]] = {}
        for variable in self._binary.functions.beside(self._instance):
            for at in self._binary.places(variable).begins():
                found.setdefault(at, []).append(variable.die.offset)
        return found
