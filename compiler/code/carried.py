"""Places that location lists carry on from a block to the next one in the text, from which the code never comes there.

Go's compiler writes location lists block by block and notes what differs from the last block that has anything of variables
(prevBlock of buildLocationLists in cmd/compile/internal/ssa/debug.go). What begins at a block without, such as the one that only
returns, is not ended behind it. Of

    for l := 0; l < 2; l++ {
        use(b)
        for !stopped.Load() {
        }
        b = next(b)
    }

debug info says in the inner loop, which is laid out behind the return, that b is in the register in which it is where the function
returns; there is anything in it. So behind an instruction that does not go on to the next one, a register that only goes on is
not believed if something else may have been put into it where the code comes from.
"""

from compiler.code.stays import Stays
from compiler.code.x86 import NUMBERED
from compiler.dwarf.locations import PlaceFinder

MAX_BEFORE = 64
"""Instructions before a branch among which what was put into a register is looked for."""


def carried(stays: Stays, finder: PlaceFinder) -> frozenset[int]:
    """The instructions at which the variable is said to be in a register that it has where the code does not come from."""
    begins, found = finder.begins(), set[int]()
    for lo, hi, piece in () if finder.constant else finder.in_registers():
        for target in stays.behind_leaves(lo + 1, hi):
            lost = piece.number < len(NUMBERED) and target not in begins and target not in found
            if lost and any(_may_be_lost(stays, finder, piece.number, pc) for pc in stays.leading(target)):
                found |= _while_there(stays, finder, target)
    return frozenset(found)


def _while_there(stays: Stays, finder: PlaceFinder, target: int) -> set[int]:
    """The instructions from there on until debug info has the variable elsewhere."""
    here, begins = finder.words(target), finder.begins()
    found, open_ = set[int](), [target]
    while open_:
        pc = open_.pop()
        if pc not in found and pc in stays.steps and pc not in begins and finder.words(pc) == here:
            found.add(pc)
            open_ += stays.steps[pc].following
    return found


def _may_be_lost(stays: Stays, finder: PlaceFinder, number: int, pc: int) -> bool:
    """Whether behind a branch, at which the variable is not said to be in the register, that may have something else."""
    seen, open_ = set[int](), [pc]
    while open_:
        step = stays.steps[open_.pop()]
        if step.pc in seen or (True, number) in finder.words(step.pc).values():
            continue
        seen.add(step.pc)
        if step.does.flow == "call" or len(seen) > MAX_BEFORE:
            return True
        if NUMBERED[number] not in step.does.writes:
            open_ += stays.leading(step.pc)
        elif not _loads(stays, finder, step.pc):
            return True
    return False


def _loads(stays: Stays, finder: PlaceFinder, pc: int) -> bool:
    """Whether an instruction loads what is in one of the variable's places."""
    step, places = stays.steps[pc], {*finder.words(pc).values()}
    return step.does.moves and any((False, slot) in places for slot in stays.loads(step))
