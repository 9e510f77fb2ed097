"""What the columns of one copy of a function's code ask of it: where arguments live, what calls return, what serves whom."""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING

from compiler.code.arginfo import DICTIONARY
from compiler.code.countdowns import only_counts
from compiler.code.filled import Filled
from compiler.code.frame import Frame
from compiler.code.homes import Homes, asks_for_stack, own_slots
from compiler.code.leftdead import NO_MAP, LeftDead
from compiler.code.lines import Lines, joined
from compiler.code.mixtures import Mixtures, beside_several
from compiler.code.pending import pending
from compiler.code.renewals import Renewals, from_calls, is_used_besides, of_types, returning, words
from compiler.code.shared import shared, sums
from compiler.code.stays import Moves, Stays
from compiler.code.sunk import Assignments, Sunk
from compiler.code.twofold import twofold
from compiler.code.x86 import LASTING, NUMBERED, Step
from compiler.dwarf.functions import Instance, Range, Variable
from compiler.dwarf.gotypes import INTEGERS
from compiler.dwarf.locations import PlaceFinder
from compiler.ir.program import AtCfa, InRegister, Piece

if TYPE_CHECKING:
    from compiler.binary import Binary


ALLOCATES = ("runtime.newobject", "runtime.mallocgc")
SHARED = 16
"""Bytes below which what escapes may share its memory with others (maxAggregatedHeapAllocation in cmd/compile/internal/ssagen)."""


class Code:
    """What all columns of an instance ask of its code."""

    def __init__(self, binary: "Binary", instance: Instance) -> None:
        self._binary, self._instance = binary, instance
        self._others: dict[int, Code] = {}
        self.lines = Lines(binary.pclntab, instance)
        self.homes = Homes(binary.arguments, binary.pclntab, instance, lambda: self.filled.homes)

    @cached_property
    def calls(self) -> set[int]:
        """PCs at which it may change what is alive after a call."""
        return {edge for lo, hi in self._instance.ranges for edge in self._binary.stack_maps.edges(lo, hi)}

    @cached_property
    def dictionary(self) -> PlaceFinder | None:
        """Where debug info says that a generic function's dictionary is; None of another function."""
        passed = next((each for each in self._instance.variables if each.name == DICTIONARY), None)
        return None if passed is None else self._binary.places(passed)

    @cached_property
    def arguments(self) -> dict[int, PlaceFinder]:
        """Where its arguments are, by their DIEs; none of an inlined call, whose arguments have no homes."""
        variables = [] if self._instance.level else self._instance.variables
        return {each.die.offset: self._binary.places(each) for each in variables if each.parameter and not each.result}

    def of(self, variable: Variable) -> "Code":
        """The code of the function whose variable it is: an inlined closure means those of the function around it."""
        owner = self._binary.functions.owner(self._instance, variable)
        if owner is self._instance:
            return self
        if id(owner) not in self._others:
            self._others[id(owner)] = Code(self._binary, owner)
        return self._others[id(owner)]

    def scope(self, variable: Variable) -> tuple[Range, ...]:
        """Where the variable is visible, () for everywhere: what is inlined in its block is part of that, though debug info takes
        it for none of the function's blocks."""
        if not variable.scope:
            return ()
        scope = sorted(variable.scope)
        starts = [lo for lo, _ in scope]
        within = [
            each
            for pc, ranges in self._called_from.items()
            if (at := bisect_right(starts, pc)) and pc < scope[at - 1][1]
            for each in ranges
        ]
        return tuple(joined((*scope, *within))) if within else variable.scope

    @cached_property
    def _called_from(self) -> dict[int, list[Range]]:
        """What is inlined here, by the PCs that it was called from, in this function and in those around."""
        found: dict[int, list[Range]] = {}
        for begin, end in self._instance.ranges:
            for lo, hi, pcs in self._binary.pclntab.inlined(begin, end):
                for pc in pcs:
                    found.setdefault(pc, []).append((lo, hi))
        return found

    def assignments(self, variable: Variable, finder: PlaceFinder) -> Assignments | None:
        """What the code does to a variable that its locations do not tell; None where it can do nothing."""
        if finder.constant or not self._binary.types.is_computed(variable.type):
            return None
        places = (*finder.places(), *self.homes.on_entry(variable, finder))
        if not any(isinstance(place, AtCfa) for place in places):
            return None  # no word of the frame ever holds it

        def held(pc: int) -> set[int]:
            return own_slots(finder.pieces(pc))

        def named(at: int) -> bool:
            step = self.stays.steps.get(self.stays.instruction(at) or 0)
            return step is not None and self._has(finder, step.does.writes, self.stays.goes_on(step.after))

        def begins(at: int) -> Collection[int]:
            return self._begins.get(at, ())

        return self._sunk.assignments(variable, places, begins, held, named, self.stays) or None

    def may_have_moved(self, variable: Variable) -> bool:
        """Whether an argument may be on the heap without debug info saying so: of a small one without pointers that shares
        its memory with others, the address has no name (newHeapaddr in cmd/compile/internal/ssagen)."""
        types = self._binary.types
        small = types.size(variable.type) < SHARED and not self._binary.stack_maps.pointers(variable.type)
        named = variable.escaped or b"-N" in self._binary.info.flags(variable.die)
        return variable.parameter and small and not named and self.allocates_first

    def copies_first(self, finder: PlaceFinder) -> bool:
        """Whether the function reads a variable's places on its first line."""
        reads = {step.pc for step in self.stays.reading(words(finder.places()))}
        return any(lo <= pc < hi for lo, hi in self.lines.entering() for pc in reads)

    def only_counts(self, variable: Variable, finder: PlaceFinder) -> bool:
        """Whether a variable may be one whose loop counts the other way round."""
        if finder.constant or self._binary.types.kind(variable.type) not in INTEGERS:
            return False
        return only_counts(self.stays, finder, lambda: self._sunk.of(finder.places()))

    def rivals(self, finder: PlaceFinder) -> list[PlaceFinder]:
        """Variables that may have a place before the variable has it, which debug info says to be there already.

        Of `last = v`, both names are the value's as soon as v has it; so where a variable that had a place before shares
        one with a variable that got it by its declaration, nobody knows whether it has been assigned yet.
        """
        slots = set() if finder.constant else own_slots(tuple(finder.places()))
        found = self._from_declarations if slots else ()
        return list(
            {
                id(each): each
                for each, theirs, since in found
                if finder.first < since and each is not finder and slots & theirs
            }.values()
        )

    def swapped(self, variable: Variable, finder: PlaceFinder) -> list[PlaceFinder]:
        """Variables that debug info may say to be in one slot with this one, not as a copy. Of two that change places in a loop
        (`a, b = b, a`) it says that both are what the one is: each has the other's value at some time, so that each value has
        both names. Not of one of an inner block, from which an outer one is assigned (`best = value`); nor of one on the
        heap, whose address never changes."""
        slots = set() if finder.constant or variable.escaped else own_slots(tuple(finder.places()))
        beside = (each for each in self._instance.variables if slots and each.nesting >= variable.nesting)
        others = (self._binary.places(each) for each in beside if not each.escaped)
        return [
            each
            for each in others
            if not (each is finder or each.constant)
            and slots & own_slots(tuple(each.places()))
            and not self._begins_as_copy(finder, each)
        ]

    def returned(self, variable: Variable) -> list[PlaceFinder]:
        """The variables of an inlined call that its result may only be going to be a copy of: of `func f(n int) (r int)` with
        `wait(); return n` debug info says that r is where n is from the beginning. (The result of a function of its own is zeroed
        and returned in places of its own, and judged as any other variable.)"""
        if not variable.result or not self._instance.level:
            return []
        return [self._binary.places(each) for each in self._instance.variables if not each.result]

    def _begins_as_copy(self, one: PlaceFinder, other: PlaceFinder) -> bool:
        """Whether one of two variables was in a place of the other's when it got its first one; not if both came there where ways
        meet, as of what changes places in a loop."""
        later, earlier = (one, other) if one.first > other.first else (other, one)
        copy = one.first != other.first and _share(later, earlier, later.first)
        return copy and not any(
            not later.words(before) and earlier.words(before) != earlier.words(pc)
            for pc in later.begins() & earlier.begins()
            if len(leading := self.stays.leading(pc)) > 1 and _share(later, earlier, pc)
            for before in leading
        )

    def moves(self, variable: Variable, finder: PlaceFinder) -> Moves | None:
        """Where the variable was before; None where it never leaves a place on the stack for another."""
        if finder.constant or not own_slots(tuple(finder.places())):
            return None
        found = Moves(finder, self.homes.on_entry(variable, finder), self.stays.saved(finder))
        return found if found.all_left() else None

    def mixtures(self, variable: Variable, finder: PlaceFinder) -> Mixtures | None:
        """Where words of the variable are of different values; None where they never are."""
        together = self._binary.types.together(variable.type)
        several = any(beside_several(finder, one, other) for one, other in together)
        return Mixtures(self.stays, finder, together) if several else None

    def pending(self, variable: Variable, finder: PlaceFinder) -> frozenset[int]:
        """The instructions at which the variable has what an inlined call has made, and has not returned yet."""
        if finder.constant or variable.captured:
            return frozenset()
        owner = self._binary.functions.owner(self._instance, variable)
        calls = self._binary.pclntab.calls
        is_argument = variable.parameter and not variable.result
        homes = set(words(self.homes.on_entry(variable, finder)))
        return pending(
            self.stays, finder, homes, owner.name, lambda pc: calls(pc)[owner.level :], is_argument=is_argument
        )

    def shared(self, variable: Variable, finder: PlaceFinder) -> frozenset[int]:
        """The instructions at which an integer may have been assigned what an earlier expression made of it."""
        if finder.constant or self._binary.types.kind(variable.type) not in INTEGERS:
            return frozenset()
        return shared(self.stays, finder, self._sums, self.lines.silent)

    @cached_property
    def _sums(self) -> list[tuple[Step, int]]:
        """What adds a constant to something, and the nameless slots in which that is put."""

        def named(register: int, pc: int) -> bool:
            return any(self._has(each, (register,), pc) for each in self._finders)

        return sums(self.stays, named, self._owned)

    @cached_property
    def _owned(self) -> set[int]:
        """The slots of all variables."""
        return {slot for finder in self._finders for slot in words(finder.places())}

    def twofold(self, finder: PlaceFinder) -> frozenset[int]:
        """The instructions at which two values of the variable may be there."""

        def named(register: int, step: Step) -> bool:
            slots = set(self.stays.stores(step)) if step.does.moves else set[int]()
            return any(
                self._has(each, (register,), step.pc) or not slots.isdisjoint(words(each.places()))
                for each in self._finders
                if each is not finder
            )

        return twofold(self.stays, finder, named)

    def renewals(self, variable: Variable, finder: PlaceFinder) -> Renewals | None:
        """Where the variable's slots serve something else; None where they never do."""
        if b"-N" in self._binary.info.flags(variable.die) or (finder.constant and self._is_in_memory(variable)):
            return None
        slots = set() if finder.constant else own_slots(tuple(finder.places()))
        shared = variable.parameter and not variable.result
        writers = {
            slot: self.stays.writers(slot) if shared else self._stored_for_others(slot, finder) for slot in slots
        }
        parts, steps = self._binary.types.taken_apart(variable.type), self.stays.steps
        calls = returning(steps, parts, self._may_return) if parts else set()
        calls |= of_types(steps, self._by_nameless_slots, self._binary.types.parts(variable.type), self._may_return)
        if not (calls or any(writers.values())):
            return None
        return Renewals(self.stays, finder, self.homes.on_entry(variable, finder), calls, writers) or None

    def _stored_for_others(self, slot: int, finder: PlaceFinder) -> set[int]:
        """The instructions that put in the slot what is in a register of another variable, or a result; not if the variable is
        in the register, or is read from the slot into another one."""
        loads = [step for step in self.stays.reading((slot,)) if step.does.moves]
        again = any(self._has(finder, step.does.writes, step.after) for step in loads)
        found = set()
        for pc in self.stays.writers(slot):
            step = self.stays.steps[pc]
            registers = step.does.reads - LASTING if step.does.moves else frozenset[int]()
            if not registers or self._has(finder, registers, pc):
                continue
            if any(self._has(each, registers, pc) for each in self._finders) or (
                not again and any(from_calls(self.stays, [step]))
            ):
                found.add(pc)
        return found

    @staticmethod
    def _has(finder: PlaceFinder, registers: Collection[int], pc: int) -> bool:
        """Whether any of a variable is in one of these registers at `pc`."""
        pieces = () if finder.constant or not registers else finder.pieces(pc)
        return any(isinstance(piece, InRegister) and NUMBERED[piece.number] in registers for piece in pieces)

    @cached_property
    def _finders(self) -> list[PlaceFinder]:
        """Where all variables of the function are, and those of calls inlined there."""
        return [self._binary.places(each) for each in self._binary.functions.beside(self._instance)]

    def _is_in_memory(self, variable: Variable) -> bool:
        """Whether a variable of one place really is there all the time. (Since Go 1.27 debug info also says it of structs that
        come on the stack and are taken apart, and of others whose new values have no name.)"""
        apart = self._binary.types.shape(variable.type).words is not None
        return not apart or (variable.result and not variable.inlined and self.lines.defers)

    def _may_return(self, address: int, wanted: AbstractSet[int]) -> bool:
        """Whether the function at an address returns one of the types; a generic one, whether it may be by kind and size."""
        types, name = self._binary.types, self._named(address)
        results = self._binary.functions.results(name)
        if "[" not in name:
            return not wanted.isdisjoint(results)
        looks = {(types.kind(each), types.size(each)) for each in wanted} if results else set()
        return any((types.kind(each), types.size(each)) in looks for each in results)

    @cached_property
    def allocates_first(self) -> bool:
        """Whether the function asks for memory on its first line, where it moves arguments that escape to the heap."""
        calls = (step for lo, hi in self.lines.entering() for step in self.stays.between(lo, hi) if step.callee)
        return any(self._named(step.callee).startswith(ALLOCATES) for step in calls)

    def _named(self, address: int) -> str:
        """The linked name of the function around an address; "" where there is none."""
        index = self._binary.pclntab.index_of(address)
        return "" if index is None else self._binary.pclntab.name_at(index)

    @cached_property
    def stays(self) -> Stays:
        """What the code still reads of the frame: an inlined call's goes on in what is around it."""
        first = self._instance.ranges[0][0]
        steps = self._binary.steps(first) if self._instance.level else self._sunk.steps
        return Stays(steps, Frame(self._binary.pclntab, first))

    @cached_property
    def left_dead(self) -> LeftDead:
        """Which slots hold pointers that a call has left dead; where the function asks for more stack, it has none yet."""
        calls = (step for step in self.stays.steps.values() if step.does.flow == "call")
        mapped = (each for each in calls if not self.homes.unframed(each.pc) and not self._is_without_map(each))
        return LeftDead(self.stays, mapped, self._binary.stack_maps.alive)

    def pointers(self, variable: Variable, finder: PlaceFinder) -> set[int]:
        """The slots (from the CFA) that ever hold pointers of the variable."""
        pieces = (*finder.places(), *self.homes.on_entry(variable, finder))
        return {slot for _, slot in self._binary.stack_maps.held(variable.type, pieces)}

    def dead(self, pc: int, type_offset: int, pieces: tuple[Piece, ...], *, exact: bool) -> tuple[int, ...]:
        """Offsets of a variable's pointers that are dead: behind the call at `pc`, or there, since the last one."""
        maps = self._binary.stack_maps
        if not exact:
            return maps.dead(pc, type_offset, pieces)
        return tuple(word for word, slot in maps.held(type_offset, pieces) if self.left_dead.holds(pc, slot))

    def unwritten(self, variable: Variable, finder: PlaceFinder) -> Iterator[Range]:
        """Where a function that is all on one line may not have written all of a variable's slots yet, which it does first thing
        to captured ones and to results, without optimization; else, and of a result that escapes, everywhere."""
        first = variable.captured or (variable.result and not variable.escaped)
        if self._instance.level or not first or b"-N" not in self._binary.info.flags(variable.die):
            return self.lines.entering()
        pcs = set[int]().union(*map(self.filled.before, words(finder.places())))
        return ((pc, self.stays.steps[pc].after) for pc in pcs)

    def _is_without_map(self, call: Step) -> bool:
        return bool(call.callee) and self._named(call.callee).startswith(NO_MAP)

    @cached_property
    def filled(self) -> Filled:
        """Which arguments the code has stored in their home slots."""
        first = self._instance.ranges[0][0]
        entry = self._binary.pclntab.entry(first)
        return Filled(self.stays, first if entry is None else entry, asks_for_stack(self._binary.pclntab, first))

    @cached_property
    def _by_nameless_slots(self) -> set[int]:
        """The calls of which a result is put into a slot that is no variable's, whose address is taken elsewhere, and goes on
        to be used by itself, without a name."""
        stays = self.stays
        stores = {pc for slot in stays.pointed for pc in stays.writers(slot)}
        puts = [stays.steps[pc] for pc in stores if stays.steps[pc].does.moves]
        found = [each for each in from_calls(stays, puts) if is_used_besides(stays, *each[1:], {each[0].pc})]
        nameless = {put.pc for put, _, _ in found if self._owned.isdisjoint(stays.stores(put))}
        return {
            call.pc
            for put, call, register in found
            if put.pc in nameless
            and is_used_besides(stays, call, register, nameless)
            and not any(self._has(finder, {register}, call.after) for finder in self._finders)
        }

    @cached_property
    def _from_declarations(self) -> list[tuple[PlaceFinder, set[int], int]]:
        """Variables that got places where their declarations gave them values: these slots, and since when."""
        found = [(each, self._binary.places(each)) for each in self._instance.variables if not each.parameter]
        return [
            (finder, own_slots(pieces), begin)
            for each, finder in found
            for begin in finder.begins()
            if self.lines.at(begin - 1) == each.line
            for pieces in [self._got(finder, begin)]
            if pieces
        ]

    @staticmethod
    def _got(finder: PlaceFinder, begin: int) -> tuple[Piece, ...]:
        """Where a variable is that was given its value right before `begin`: all its places, if that was the first."""
        return tuple(finder.places()) if begin == finder.first else finder.pieces(begin)

    @cached_property
    def _sunk(self) -> Sunk:
        return Sunk(self._binary.executable, self._binary.pclntab, self._instance, self.lines)

    @cached_property
    def _begins(self) -> dict[int, list[int]]:
        """By PC, the variables (their DIEs) that come to another place there."""
        found: dict[int, list[int]] = {}
        for variable in self._binary.functions.beside(self._instance):
            for at in self._binary.places(variable).begins():
                found.setdefault(at, []).append(variable.die.offset)
        return found


def _share(one: PlaceFinder, other: PlaceFinder, pc: int) -> bool:
    """Whether two variables have a place in common at `pc`."""
    return not set(one.words(pc).values()).isdisjoint(other.words(pc).values())
