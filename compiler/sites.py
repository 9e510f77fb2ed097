"""From one copy of a function's code to its sites: PC ranges in which every column has one and the same place."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from compiler.candidates import Candidate
from compiler.code.homes import own
from compiler.copycode import Code
from compiler.dwarf.functions import Instance, Variable
from compiler.dwarf.locations import (
    EVERYWHERE,
    Known,
    Location,
    LocationRange,
    Locations,
    PlaceFinder,
    Unknown,
)
from compiler.expression.way import Resolved
from compiler.ir.access_check import MAX_CHOICES
from compiler.ir.frames import GONE
from compiler.ir.program import AtAddress, AtCfa, Located, Missing, Piece, Place, Site
from compiler.ir.types import WORD
from compiler.named import Named

if TYPE_CHECKING:
    from compiler.binary import Binary


DEAD = Missing("optimized out", GONE)
UNTOLD = Missing("unsupported", "which type arguments the call was passed is not kept here")
BEGINNING = Missing("not declared", "its function is only about to begin: it has no frame yet")


class Column(Protocol):
    """What a site needs of a collected expression."""

    package_variable: tuple[int, int] | None
    """(address, type) where the expression begins at a package variable."""

    def access(self, type_offset: int, *, escaped: bool) -> tuple[int, Resolved] | None: ...
    def access_chosen(self, variable: Variable) -> int | None: ...
    def fits_a_choice(self, variable: Variable) -> bool: ...
    def variables(self, instance: Instance) -> list[Variable]: ...
    def absent(self, instance: Instance) -> Missing: ...


def build(binary: "Binary", function: int, instance: Instance, columns: Sequence[Column]) -> Iterator[Site]:
    """The sites of one instance, for call sites and for exact PCs, neighbours with equal places joined."""
    code = Code(binary, instance)
    traced = list(_traced(binary, instance, columns, code))
    for exact in (False, True):
        alive = set[int]().union(*(each.left_dead for each in traced)) if exact else code.calls
        every = alive.union(*(each.edges for each in traced))
        for lo, hi in instance.ranges:
            cuts = sorted({lo, hi, *(edge for edge in every if lo < edge < hi)})
            for start, end, places in _joined(cuts, _places(traced, alive, cuts, exact=exact)):
                yield Site(start, end, exact, function, instance.level, places)


def _traced(binary: "Binary", instance: Instance, columns: Iterable[Column], code: Code) -> "Iterator[_Traced]":
    """The columns within the instance. What is asked of the variables of one name is asked once."""
    known: dict[tuple[int, ...], Named] = {}
    for column in columns:
        variables = column.variables(instance)
        key = tuple(map(id, variables))
        if key not in known:
            known[key] = Named(binary, variables, code)
        yield _Traced(binary, instance, column, code, known[key])


def _places(
    traced: "Sequence[_Traced]", alive: AbstractSet[int], cuts: Sequence[int], *, exact: bool
) -> Iterator[tuple[Place, ...]]:
    """The columns' places from each cut on. A column is asked again only where its own place may change. `alive`: where it may
    change what is alive."""
    held: list[Place] = [each.place(cuts[0], exact=exact) for each in traced]
    yield tuple(held)
    for cut in cuts[1:-1]:
        for number, each in enumerate(traced):
            if cut in each.edges or (cut in alive and not each.is_as_alive(cut, exact=exact)):
                held[number] = each.place(cut, exact=exact)
        yield tuple(held)


def _joined(cuts: Sequence[int], found: Iterable[tuple[Place, ...]]) -> Iterator[tuple[int, int, tuple[Place, ...]]]:
    """[lo, hi) with the places in it, neighbours with equal places as one."""
    lo, held = cuts[0], None
    for cut, places in zip(cuts, found, strict=False):
        if held is not None and held != places:
            yield lo, cut, held
            lo = cut
        held = places if held != places else held
    if held is not None:
        yield lo, cuts[-1], held


class _Traced:
    """A column within one instance."""

    def __init__(self, binary: "Binary", instance: Instance, column: Column, code: Code, named: Named) -> None:
        self._column, self._code, self._named = column, code, named
        self._instance, self._sizes = instance, binary.types.size
        self._asked: list[tuple[int, tuple[Piece, ...], tuple[int, ...]]] = []
        """Of which pieces of which type the last place depends on what is alive, and what was dead."""
        self.edges = named.edges | code.homes.edges()
        """PCs at which the place may change, also if all that was alive stays so."""
        if column.package_variable is not None:
            address, type_offset = column.package_variable
            size = binary.types.size(type_offset)
            known = Known((AtAddress(0, size, address),))
            self._package = (type_offset, PlaceFinder(Locations((LocationRange(*EVERYWHERE, known),), constant=True)))

    @cached_property
    def left_dead(self) -> set[int]:
        """PCs between calls at which it may change what is alive of its own."""
        code = self._code
        slots = {slot for each in self._named.candidates for slot in code.pointers(each.variable, each.places)}
        return code.left_dead.edges(slots)

    def is_as_alive(self, pc: int, *, exact: bool) -> bool:
        """Whether all that the last place depends on is alive at `pc`, or behind the call there, as it was there."""
        if exact and pc not in self.left_dead:
            return True
        return all(self._code.dead(pc, of, pieces, exact=exact) == dead for of, pieces, dead in self._asked)

    def place(self, pc: int, *, exact: bool) -> Place:
        """The place at `pc`, or during the call there."""
        self._asked.clear()
        if self._column.package_variable is not None:
            type_offset, finder = self._package
            return self._at(type_offset, finder.exact(pc), pc, escaped=False, exact=exact)
        if self._code.homes.unframed(pc):
            return self._beginning(pc, exact=exact)
        meant = self._named.meant(pc)
        if not meant:
            return Missing("not declared") if self._named.candidates else self._column.absent(self._instance)
        if len(meant) == 1:
            return self._candidate(meant[0], pc, exact=exact)
        # The compiler also describes an escaped parameter by itself, at a place that nobody can know (createHeapDerefLocationList
        # in cmd/compile/internal/dwarfgen/dwarf.go): what it says of the pointer is what counts.
        found = [self._candidate(each, pc, exact=exact) for each in meant]
        return min(found, key=lambda place: 0 if isinstance(place, Located) else 1 + (place.reason == "unsupported"))

    def _beginning(self, pc: int, *, exact: bool) -> Place:
        """At the call by which a function asks for more stack, before it has a frame: its arguments are all at home."""
        if exact:
            return BEGINNING
        for candidate in self._named.candidates:
            pieces = self._code.homes.on_entry(candidate.variable, candidate.places)
            if pieces:
                return self._of(candidate.variable, Known(pieces), pc, exact=True)
        return BEGINNING if self._named.candidates else self._column.absent(self._instance)

    def _candidate(self, candidate: Candidate, pc: int, *, exact: bool) -> Place:
        variable, found = candidate.variable, candidate.found(pc, exact=exact)
        if isinstance(found, Missing):
            return found
        known = found.pieces if isinstance(found, Known) and not exact else ()
        kept = candidate.places.in_memory
        chosen = self._chosen(variable, known, pc, kept=kept) if known and variable.choices else None
        return chosen or self._of(variable, found, pc, exact=exact, kept=kept)

    def _of(self, variable: Variable, location: Location, pc: int, *, exact: bool, kept: bool = False) -> Place:
        """A variable as debug info has it; in generic code an expression may fit only what it really is. `kept`: its slot is its
        own to the end."""
        chosen = variable.choices and self._column.fits_a_choice(variable)
        if not chosen or self._column.access(variable.type, escaped=variable.escaped) is not None:
            return self._at(variable.type, location, pc, escaped=variable.escaped, exact=exact, kept=kept)
        return Missing(location.reason, location.detail) if isinstance(location, Unknown) else _untold(variable)

    def _chosen(self, variable: Variable, pieces: tuple[Piece, ...], pc: int, *, kept: bool) -> Place | None:
        """A variable of generic code whose type the dictionary tells that the call was passed; None where it is not kept."""
        home = self._code.homes.dictionary(pc, self._code.dictionary)
        access = None if home is None else self._column.access_chosen(variable)
        if home is None or access is None or not pieces:
            return None
        dead = self._dead(pc, variable.type, pieces, exact=False)
        if not kept and _is_reused(pieces, dead):
            return DEAD
        return Located(access, (*pieces, AtCfa(self._sizes(variable.type), WORD, home)), dead)

    def _at(
        self, type_offset: int, location: Location, pc: int, *, escaped: bool, exact: bool, kept: bool = False
    ) -> Place:
        access = self._column.access(type_offset, escaped=escaped)
        if access is None:
            return Missing("issue")
        match location:
            case Unknown(reason=reason, detail=detail):
                return Missing(reason, detail)
            case Known(pieces=()):
                return Located(access[0], ()) if access[1].root_size == 0 else Missing("optimized out")
            case Known(pieces=pieces):
                dead = self._dead(pc, type_offset, pieces, exact=exact)
                return DEAD if not kept and _is_reused(pieces, dead) else Located(access[0], pieces, dead)

    def _dead(self, pc: int, type_offset: int, pieces: tuple[Piece, ...], *, exact: bool) -> tuple[int, ...]:
        dead = self._code.dead(pc, type_offset, pieces, exact=exact)
        self._asked.append((type_offset, pieces, dead))
        return dead


def _untold(variable: Variable) -> Missing:
    """Why nobody can say which of its types a variable of generic code is of."""
    count = len(variable.choices)
    if count <= MAX_CHOICES:
        return UNTOLD
    why = f"the call may have been passed {count} different type arguments, and {MAX_CHOICES} are told apart"
    return Missing("unsupported", why)


def _is_reused(pieces: tuple[Piece, ...], dead: tuple[int, ...]) -> bool:
    """Whether a slot of the function's own frame may serve another variable by now, for nothing keeps its pointer alive."""
    return any(piece.at <= word < piece.at + piece.size for piece in pieces if own(piece) for word in dead)
