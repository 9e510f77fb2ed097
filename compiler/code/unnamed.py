"""New values that are in a register and have no name until they are put on the stack.

What a call returns besides others (`n, err = f()`), and what comes out of a select, has no name for debug info while it is in a
register. Of

    n, err = f()
    for !stopped.Load() {
    }
    use(n)

it says in the loop that n is where it was before, for only behind that is the register put into a slot of n's. No register
outlives a call: this is about what a thread is at between two calls. So is what is in memory of which one word is stored and
the next is not yet.
"""

from collections.abc import Callable, Iterator

from compiler.code.stays import Stays
from compiler.code.x86 import LASTING, NUMBERED, Step
from compiler.dwarf.locations import PlaceFinder
from compiler.ir.program import AtCfa, InRegister
from compiler.ir.types import WORD

MAX_BEFORE = 256
"""Instructions before one that puts a register away among which what is in the register is looked for."""


def unnamed(stays: Stays, finder: PlaceFinder, unframed: Callable[[int], bool]) -> frozenset[int]:
    """The instructions at which a new value of the variable may be in a register without debug info saying so. `unframed`: where
    the function asks for more stack, and saves its arguments."""
    found: set[int] = set()
    for put, register in _puts(stays, finder):
        if not unframed(put.pc):
            found |= _since(stays, finder, put, register)
    return frozenset(found)


def half_stored(stays: Stays, finder: PlaceFinder) -> frozenset[int]:
    """The instructions at which some words of a variable in memory are already new, and others only going to be."""
    pieces = [piece for piece in finder.places() if isinstance(piece, AtCfa)] if finder.in_memory else []
    slots = {piece.offset + at for piece in pieces for at in range(0, piece.size, WORD)}
    found: set[int] = set()
    for pc in {pc for slot in slots for pc in stays.writers(slot)} if len(slots) > 1 else ():
        first = slots.intersection(stays.stores(stays.steps[pc]))
        found |= _until_stored(stays, pc, slots - first)
    return frozenset(found)


def _until_stored(stays: Stays, pc: int, others: set[int]) -> set[int]:
    """The instructions behind one up to the next that stores one of the slots, if they come without a branch or a call."""
    between: set[int] = set()
    step = stays.steps.get(stays.steps[pc].after)
    while step is not None and len(between) < MAX_BEFORE and not step.does.flow:
        between.add(step.pc)
        if not others.isdisjoint(stays.stores(step)):
            return between
        step = stays.steps.get(step.after)
    return set()


def _puts(stays: Stays, finder: PlaceFinder) -> Iterator[tuple[Step, int]]:
    """The instructions that put a register, which the variable is not said to be in, into a slot that it is in then, with that."""
    slots = {piece.offset for piece in finder.places() if isinstance(piece, AtCfa)}
    for pc in () if finder.constant else {pc for slot in slots for pc in stays.writers(slot)}:
        put = stays.steps[pc]
        before = finder.pieces(pc)
        if not before or not put.does.moves:
            continue
        named = {NUMBERED[piece.number] for piece in before if isinstance(piece, InRegister)}
        registers = put.does.reads - LASTING
        there = {piece.offset for piece in finder.pieces(put.after) if isinstance(piece, AtCfa)}
        if registers.isdisjoint(named) and not there.isdisjoint(stays.stores(put)):
            yield from ((put, register) for register in registers)


def _since(stays: Stays, finder: PlaceFinder, put: Step, register: int) -> set[int]:
    """The instructions between those that made what is in the register, and the one that puts it away; not where it was
    only loaded from the variable's own place."""
    between, makers, open_ = {put.pc}, set[int](), [put.pc]
    while open_ and len(between) < MAX_BEFORE:
        for pc in stays.leading(open_.pop()):
            step = stays.steps[pc]
            if step.does.flow == "call" or register in step.does.writes:
                if not _is_loaded(stays, finder, step):
                    makers.add(pc)
            elif pc not in between:
                between.add(pc)
                open_.append(pc)
    found: set[int] = set()
    behind = [after for pc in makers for after in stays.steps[pc].following if after in between]
    while behind:
        pc = behind.pop()
        if pc not in found:
            found.add(pc)
            behind += [after for after in stays.steps[pc].following if after in between and pc != put.pc]
    return found


def _is_loaded(stays: Stays, finder: PlaceFinder, step: Step) -> bool:
    """Whether an instruction loads what is in one of the variable's places."""
    slots = {piece.offset for piece in finder.pieces(step.pc) if isinstance(piece, AtCfa)}
    return step.does.moves and any(slot in slots for slot in stays.loads(step))
