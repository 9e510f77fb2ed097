"""From one copy of a function's code to its sites: PC ranges in which every column has one and the same place."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from compiler.dwarf.functions import Instance, Range, Variable
from compiler.dwarf.locations import EVERYWHERE, Known, LocationRange, Locations, PlaceFinder, Unknown, read_locations
from compiler.ir.program import AtAddress, Located, Missing, Place, Site
from compiler.resolve import Resolved

if TYPE_CHECKING:
    from compiler.binary import Binary
    from compiler.pclntab import Pclntab


class Column(Protocol):
    """What a site needs of a collected expression."""

    package_variable: tuple[int, int] | None
    """(address, type) where the expression begins at a package variable."""
    absent: Missing
    """What to say where the instance has no variable of the name."""

    def access(self, type_offset: int, *, escaped: bool) -> tuple[int, Resolved] | None: ...
    def variables(self, instance: Instance) -> list[Variable]: ...


def build(binary: "Binary", function: int, instance: Instance, columns: Sequence[Column]) -> Iterator[Site]:
    """The sites of one instance, for call sites and for exact PCs, neighbours with equal places joined."""
    traced = [_Traced(binary, instance, column) for column in columns]
    for exact in (False, True):
        edges = {edge for each in traced for edge in each.edges()}
        for lo, hi in instance.ranges:
            cuts = sorted({lo, hi, *(edge for edge in edges if lo < edge < hi)})
            yield from _joined(
                Site(
                    start,
                    end,
                    exact,
                    function,
                    instance.level,
                    tuple(each.place(start, exact=exact) for each in traced),
                )
                for start, end in pairwise(cuts)
            )


def _joined(found: Iterable[Site]) -> Iterator[Site]:
    held: Site | None = None
    for site in found:
        if held is not None and held.hi == site.lo and held.places == site.places:
            held = Site(held.lo, site.hi, held.exact, held.function, held.level, held.places)
            continue
        if held is not None:
            yield held
        held = site
    if held is not None:
        yield held


class _Candidate:
    """One variable that the column's name may mean, with everything that decides whether it does at a PC."""

    def __init__(self, binary: "Binary", instance: Instance, variable: Variable, *, shadows: bool) -> None:
        self.variable = variable
        self.places = PlaceFinder(read_locations(binary.info, variable.die, binary.types.shape(variable.type)))
        self.undeclared: tuple[Range, ...] = ()
        if (self.places.constant or shadows) and not variable.parameter and variable.line:
            self.undeclared = tuple(_lines_up_to(binary.pclntab, instance, variable.line))

    def edges(self) -> set[int]:
        return self.places.edges() | {edge for span in (*self.variable.scope, *self.undeclared) for edge in span}

    def in_scope(self, pc: int) -> bool:
        return not self.variable.scope or any(lo <= pc < hi for lo, hi in self.variable.scope)

    def declared(self, pc: int) -> bool:
        return not any(lo <= pc < hi for lo, hi in self.undeclared)


def _lines_up_to(pclntab: "Pclntab", instance: Instance, line: int) -> Iterator[Range]:
    """PCs of the instance whose source line is not behind `line`.

    A constant location says nothing about liveness: until its declaration has run, the slot holds whatever was there
    before. While the declaration's own line runs (it may be calling something) that is still so.
    """
    for lo, hi in instance.ranges:
        index = pclntab.index_of(lo)
        if index is None:
            continue
        spans = [(max(a, lo), min(b, hi)) for a, b, _ in pclntab.values(index, "pcln") if a < hi and b > lo]
        for start, end in spans:
            frame = next((f for f in pclntab.frames(start) if f.level == instance.level), None)
            if frame is None or frame.line <= line:
                yield start, end


class _Traced:
    """A column within one instance."""

    def __init__(self, binary: "Binary", instance: Instance, column: Column) -> None:
        self._column = column
        variables = column.variables(instance)
        self._candidates = [_Candidate(binary, instance, v, shadows=len(variables) > 1) for v in variables]
        if column.package_variable is not None:
            address, type_offset = column.package_variable
            size = binary.types.size(type_offset)
            known = Known((AtAddress(0, size, address),))
            self._package = (type_offset, PlaceFinder(Locations((LocationRange(*EVERYWHERE, known),), constant=True)))

    def edges(self) -> set[int]:
        return {edge for candidate in self._candidates for edge in candidate.edges()}

    def place(self, pc: int, *, exact: bool) -> Place:
        if self._column.package_variable is not None:
            type_offset, finder = self._package
            return self._located(type_offset, finder, pc, escaped=False, exact=exact)
        visible = [candidate for candidate in self._candidates if candidate.in_scope(pc)]
        declared = [candidate for candidate in visible if candidate.declared(pc)]
        if not declared:
            return Missing("not declared") if self._candidates else self._column.absent
        # Innermost block first, then the latest declaration; of those, one that is somewhere beats one that is not.
        ranked = sorted(declared, key=lambda c: (-c.variable.nesting, -c.variable.line, c.variable.escaped))
        names_it = [
            c
            for c in ranked
            if (c.variable.nesting, c.variable.line) == (ranked[0].variable.nesting, ranked[0].variable.line)
        ]
        found = [
            self._located(c.variable.type, c.places, pc, escaped=c.variable.escaped, exact=exact) for c in names_it
        ]
        return next((place for place in found if isinstance(place, Located)), found[0])

    def _located(self, type_offset: int, finder: PlaceFinder, pc: int, *, escaped: bool, exact: bool) -> Place:
        access = self._column.access(type_offset, escaped=escaped)
        if access is None:
            return Missing("issue")
        location = finder.exact(pc) if exact else finder.at_call(pc)
        match location:
            case Unknown(reason=reason, detail=detail):
                return Missing(reason, detail)
            case Known(pieces=()):
                return Missing("optimized out")
            case Known(pieces=pieces):
                return Located(access[0], pieces)
