"""New values that an earlier expression has made already, and whose name is lost with the second making of them.

Of

    use(s[i+1])
    i++
    wait()
    use(i)

Go's compiler adds once, for the expression, whose value has no name (cmd/compile/internal/ssa/cse.go), and what is going to
be i is dead and gives up its name (deadcode.go): debug info says during the wait that i is where it was before. The assignment
leaves no instruction, only a line without code. So where such a sum goes on to be needed in a slot without a name, and the
variable itself does not, it is not believed below a line of which there is no code. (`use(s[i+1])` twice, with a comment in
between and no further use of i, is the same code; there i is lost needlessly.)
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from compiler.code.stays import Stays
from compiler.code.x86 import LASTING, NUMBERED, Step
from compiler.dwarf.locations import PlaceFinder, Where

MAX_USES = 64
"""Instructions behind a sum among which the one that puts it away is looked for."""


def sums(stays: Stays, named: Callable[[int, int], bool], owned: Collection[int]) -> list[tuple[Step, int]]:
    """The instructions that add a constant to something, and the slots in which the sum is put without a name. `named`: whether a
    register is a variable's at a PC; `owned`: the slots of all variables."""
    return [
        (maker, slot)
        for maker in stays.steps.values()
        if maker.does.adds and maker.does.writes and not (maker.does.stores or maker.does.points)
        for slot in _kept(stays, maker, owned)
        if not any(named(register, maker.after) for register in maker.does.writes)
    ]


def shared(
    stays: Stays, finder: PlaceFinder, made: Iterable[tuple[Step, int]], silent: Callable[[int, int], bool]
) -> frozenset[int]:
    """The instructions at which an integer may have been assigned one of these sums. `silent`: whether between the lines of two
    PCs, the first of which is the earlier one, there is a line without code."""
    found: set[int] = set()
    for maker, slot in made:
        places = {*finder.words(maker.pc).values()}
        if _adds_to(stays, maker, places):
            found |= {pc for pc in _while_kept(stays, finder, maker, slot, places) if silent(maker.pc, pc)}
    return frozenset(found)


def _adds_to(stays: Stays, maker: Step, places: Collection[Where]) -> bool:
    """Whether what an instruction adds to is in one of these places."""
    own = {NUMBERED[number] for in_register, number in places if in_register and number < len(NUMBERED)}
    return bool(own & maker.does.reads) or any((False, slot) in places for slot in stays.loads(maker))


def _kept(stays: Stays, maker: Step, owned: Collection[int]) -> Iterator[int]:
    """The slots in which the sum is put that are no variable's, and in which nothing but the code itself looks."""
    for register in maker.does.writes - LASTING:
        for put in stays.uses(register, maker.after, MAX_USES):
            if put.does.moves:
                yield from (slot for slot in stays.stores(put) if slot not in owned and slot not in stays.pointed)


def _while_kept(stays: Stays, finder: PlaceFinder, maker: Step, slot: int, places: Collection[Where]) -> Iterator[int]:
    """The instructions behind the sum at which the variable is where it was, or was put from there, and not needed any more, as
    the sum in the slot is."""
    known, seen, open_ = {*places, *_saved(stays, finder, maker.pc)}, {maker.pc}, [maker.after]
    while open_:
        step = stays.steps.get(open_.pop())
        if step is None or step.pc in seen:
            continue
        seen.add(step.pc)
        here = {*finder.words(step.pc).values()}
        slots = {each for in_register, each in here if not in_register}
        if not here or here.isdisjoint(known) or not stays.reads(step.after, (slot,), exact=True):
            continue
        if slots and not stays.reads(step.after, slots, exact=True):
            yield step.pc
        open_ += step.following


def _saved(stays: Stays, finder: PlaceFinder, pc: int) -> Iterator[Where]:
    """The slots in which the code puts the register that the variable is in at a PC, as long as it is there."""
    for lo, hi, piece in finder.in_registers():
        if lo <= pc < hi:
            yield from ((False, slot) for _, slot in stays.puts(piece.number, lo, hi))
