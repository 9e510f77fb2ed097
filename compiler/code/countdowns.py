"""Variables of loops that the compiler has count the other way round.

Of `for i := 0; i < n; i++ { wait() }`, where nothing but the loop itself uses i, Go's compiler makes a loop from n down to 0
(maybeRewriteLoopToDownwardCountingLoop in cmd/compile/internal/ssa, since Go 1.22), and goes on to call it i. The machine code
is that of `for i := n; i > 0; i--`, and so nobody can tell what i is: a variable that nothing uses but for counting to a
constant, and that counts down, or up from no constant, is not believed. One that is counted, but never again, is in no loop: the
depth of a recursion (`walk(n-1)`) is what it is said to be.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet

from compiler.code.stays import Stays
from compiler.code.sunk import Making
from compiler.code.x86 import LASTING, NUMBERED, Step
from compiler.dwarf.locations import PlaceFinder
from compiler.ir.program import AtCfa, InRegister

MAX_FOLLOWED = 16
"""Instructions that are looked at from where a constant is made to where the variable begins."""


def only_counts(stays: Stays, finder: PlaceFinder, makings: Callable[[], Iterable[Making]]) -> bool:
    """Whether a variable may be one whose loop counts the other way round. `makings`: what is made of its slots."""
    registers = {NUMBERED[piece.number] for _, _, piece in finder.in_registers() if piece.number < len(NUMBERED)}
    slots = {piece.offset for piece in finder.places() if isinstance(piece, AtCfa)}
    reads = [step for step, register in _in_registers(stays, finder) if register in step.does.reads]
    if not any(_compares_with_constant(step) for step in (*reads, *stays.reading(slots))) or any(map(_uses, reads)):
        return False
    makes = [(each, step) for each in makings() if (step := stays.steps.get(stays.instruction(each.at) or 0))]
    stores = {pc for slot in slots for pc in stays.writers(slot)}
    counts = [
        step
        for each, step in makes
        if step.pc in stores
        or not slots.isdisjoint(each.kept)
        or any(_comes_in(stays, finder, load, registers) for load in stays.reading(each.kept) if load.does.moves)
    ]
    counts += [step for step in (*reads, *(step for _, step in makes)) if registers & step.does.writes]
    adds = {step.does.adds for step in counts}
    if adds <= {0} or any(_uses(step) for _, step in makes):
        return False
    if not any(step.does.adds and stays.comes_again(step) for step in counts):
        return False
    return min(adds) < 0 or not (
        any(_is_constant(stays.steps[pc]) for pc in stores)
        or any(_comes_in(stays, finder, step, registers) for step in stays.steps.values() if _is_constant(step))
    )


def _comes_in(stays: Stays, finder: PlaceFinder, step: Step, registers: AbstractSet[int]) -> bool:
    """Whether the register that an instruction writes is soon the variable's, and has the same value then."""
    written = registers & step.does.writes
    for _ in range(MAX_FOLLOWED if written else 0):
        after = step.target if step.does.flow == "leave" else step.after
        if any(isinstance(each, InRegister) and NUMBERED[each.number] in written for each in finder.pieces(after)):
            return True
        following = stays.steps.get(after)
        if following is None or following.does.flow == "call" or written & following.does.writes:
            return False
        step = following
    return False


def _uses(step: Step) -> bool:
    """Whether an instruction does more with a number than to copy it, to compare it, or to go on counting."""
    does = step.does
    copies = does.moves and not does.through and not (does.effect and not does.flow)
    compares = not does.writes and not does.stores
    return not (copies or compares or does.adds)


def _in_registers(stays: Stays, finder: PlaceFinder) -> Iterator[tuple[Step, int]]:
    """The instructions at which it is in a register, and this."""
    for lo, hi, piece in finder.in_registers():
        if piece.number < len(NUMBERED):
            yield from ((step, NUMBERED[piece.number]) for step in stays.between(lo, hi))


def _compares_with_constant(step: Step) -> bool:
    does = step.does
    compares = not (does.writes or does.stores or does.flow or does.through)
    return compares and len(does.reads - LASTING) + len(does.slots) == 1


def _is_constant(step: Step) -> bool:
    """Whether an instruction makes a value of nothing."""
    return step.does.reads <= LASTING and not step.does.slots and not step.does.flow
