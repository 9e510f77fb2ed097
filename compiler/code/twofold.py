"""Places that debug info has for a variable while two values of it are there.

Of `for ... { if odd(r) { a, r = r, a } }` both values have the name a for Go's compiler, on whatever path, and both are there where
the loop begins. Debug info names one of their registers, and then, as soon as a call ends registers, the slot of the one that was
put away last (cmd/compile/internal/ssa/debug.go). Nobody can tell which one the variable is. The machine code tells that there
are two: what is put into the slot that goes on to be its place is no newer than what is in its register; or what was loaded
from its slot goes on to be used without a name, while the variable is said to be elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator

from compiler.code.stays import Stays
from compiler.code.x86 import LASTING, NUMBERED, Step
from compiler.dwarf.locations import PlaceFinder, Where
from compiler.ir.program import AtCfa

MAX_BEFORE = 32
"""Instructions before a place among which loads from the one before it are looked for."""

Named = Callable[[int, Step], bool]
"""Whether what an instruction reads in a register is another variable's."""


def twofold(stays: Stays, finder: PlaceFinder, named: Named) -> frozenset[int]:
    """The instructions at which the variable is said to be in one place and may be in another."""
    if finder.constant:
        return frozenset()
    found: set[int] = set()
    for at, slot in {(each.at, each.offset) for each in finder.places() if isinstance(each, AtCfa) and each.offset < 0}:
        for put, held in _puts(stays, finder, at, slot):
            since = _since(stays, finder, at, put, held)
            until, behind = _while_in(stays, finder, at, held, [put.after])
            kept = _while_in(stays, finder, at, (False, slot), behind)[0] if since else set[int]()
            found |= since | until | kept if kept else set()
    for at, before, pc in _moves(stays, finder):
        if _leaves_a_copy(stays, finder, at, before, pc, named):
            here, behind = _while_in(stays, finder, at, finder.words(pc)[at], [pc])
            slots = {each for after in behind if (each := finder.words(after).get(at)) and not each[0]}
            found |= here.union(*(_while_in(stays, finder, at, slot, behind)[0] for slot in slots))
    return frozenset(found)


def _puts(stays: Stays, finder: PlaceFinder, at: int, slot: int) -> Iterator[tuple[Step, Where]]:
    """The instructions that put a register into the slot while a part of the variable is said to be in another one, with that."""
    for pc in stays.writers(slot):
        put, held = stays.steps[pc], finder.words(pc).get(at)
        registers = put.does.reads - LASTING
        if put.does.moves and held is not None and held[0] and registers and NUMBERED[held[1]] not in registers:
            yield put, held


def _since(stays: Stays, finder: PlaceFinder, at: int, put: Step, held: Where) -> set[int]:
    """The instructions up to one that puts a register away, with the part said to be in another one; none where what is put away
    was written only then."""
    registers = put.does.reads - LASTING
    older, seen, open_ = False, {put.pc}, [put.pc]
    while open_:
        leading = stays.leading(open_.pop())
        before = [pc for pc in leading if finder.words(pc).get(at) == held]
        older = older or len(before) < len(leading) or not leading
        for pc in before:
            if pc not in seen and registers.isdisjoint(stays.steps[pc].does.writes):
                seen.add(pc)
                open_.append(pc)
    return seen if older else set()


def _while_in(
    stays: Stays, finder: PlaceFinder, at: int, place: Where, begins: Iterable[int]
) -> tuple[set[int], set[int]]:
    """The instructions from there on with the part said to be in the place, if that is a slot until something else is put there;
    and where it is said to be elsewhere behind that."""
    writers = set[int]() if place[0] else stays.writers(place[1])
    seen, open_, behind = set[int](), [*begins], set[int]()
    while open_:
        pc = open_.pop()
        if finder.words(pc).get(at) != place:
            behind.add(pc)
        elif pc not in seen and pc in stays.steps:
            seen.add(pc)
            open_ += () if pc in writers else stays.steps[pc].following
    return seen, behind


def _moves(stays: Stays, finder: PlaceFinder) -> Iterator[tuple[int, int, int]]:
    """Where a part of the variable leaves a slot for another place: the part, the instruction before, and the one behind that."""
    for pc in finder.begins():
        here = finder.words(pc)
        for before in stays.leading(pc) if here else ():
            there = finder.words(before)
            if there is not here:
                yield from (
                    (at, before, pc)
                    for at, place in there.items()
                    if not place[0] and here.get(at) not in (None, place)
                )


def _leaves_a_copy(stays: Stays, finder: PlaceFinder, at: int, before: int, pc: int, named: Named) -> bool:
    """Whether a register has what was in the slot that the part leaves, and is used for no other variable."""
    here, copies = finder.words(pc)[at], _loaded(stays, finder, at, before)
    if here[0] and NUMBERED[here[1]] in copies:
        return False
    return any(not named(register, step) for register in copies for step in stays.uses(register, pc))


def _loaded(stays: Stays, finder: PlaceFinder, at: int, pc: int) -> set[int]:
    """The registers that have what is in the part's slot, behind the instruction at `pc`."""
    place = finder.words(pc)[at]
    found, written = set[int](), set[int]()
    for _ in range(MAX_BEFORE):
        step = stays.steps[pc]
        if step.does.flow == "call" or finder.words(pc).get(at) != place:
            break
        if step.does.moves and place[1] in stays.loads(step):
            found |= step.does.writes - written
        written |= step.does.writes
        leading = stays.leading(pc)
        if len(leading) != 1:
            break
        pc = leading[0]
    return found
