"""New values that are computed before the statement that assigns them: the variable has them too early.

Of `wait(); n++; use(n)`, where nothing else needs n, Go's compiler may add before the call, and what debug info then says of n
during it is where the sum is. The line tells: within one stretch of code without a branch, later lines come later. So does
the increment of a loop, which is written before its body, but comes behind it. What is the same in all turns of a loop is
computed before the loop (since Go 1.27: cmd/compile/internal/ssa/licm.go), and nobody can tell which turn it is where the
statement has yet to come.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from compiler.code.lines import Spot, is_before
from compiler.code.stays import Stays
from compiler.code.x86 import LASTING, NUMBERED, Step
from compiler.dwarf.functions import Variable
from compiler.dwarf.locations import Known, PlaceFinder
from compiler.ir.program import AtCfa, InRegister

MAX_BEFORE = 32
"""Instructions before a store among which what it stores is looked for."""


def computed_ahead(
    stays: Stays, finder: PlaceFinder, variable: Variable, spot: Callable[[int], Spot]
) -> frozenset[int]:
    """The instructions at which a variable has a value that a line behind them gives it."""
    found: set[int] = set()
    for maker, since in _makers(stays, finder):
        line = spot(maker.pc)
        again = 0 < line[0] == variable.line and _had(stays, finder, maker)
        last, step = maker, stays.steps.get(since)
        while step is not None and step.pc not in stays.targets:
            here = spot(step.pc)
            if here[0] and (is_before(here, line) or (again and here[0] != line[0])):
                found.add(step.pc)
            last, step = step, stays.steps.get(step.after) if step.does.flow in ("", "call") else None
        if line[0]:
            found.update(_out_of_loop(stays, maker, line, spot, step.pc if step else last.target))
    return frozenset(found)


def _out_of_loop(
    stays: Stays, maker: Step, line: Spot, spot: Callable[[int], Spot], entry: int | None
) -> Iterable[int]:
    """The instructions of a loop that come before a line of it, where what that line computes is computed before the loop.
    `entry`: where the code before the loop goes on."""
    loop = stays.loop(entry, maker.pc) if entry else None
    spots = [(step.pc, spot(step.pc)) for step in stays.between(*loop)] if loop else []
    within = any(here == line or is_before(line, here) for _, here in spots)
    return [pc for pc, here in spots if within and here[0] and is_before(here, line)]


def _had(stays: Stays, finder: PlaceFinder, maker: Step) -> bool:
    """Whether the variable had a value when the instruction came: there, or right before it. In between may be what counts how
    often the line is run (-cover), of which debug info says nothing; and, where it adds to a register, whatever leaves that
    as it is, such as other variables that are put on the stack."""
    seen: set[int] = set()
    added = maker.does.reads - LASTING if maker.does.adds else frozenset[int]()
    open_ = [maker.pc, *stays.leading(maker.pc)]
    while open_ and len(seen) < MAX_BEFORE:
        pc = open_.pop()
        if isinstance(finder.exact(pc), Known):
            return True
        step = stays.steps.get(pc)
        if pc not in seen and pc != maker.pc and step is not None and (_is_apart(step) or _leaves(step, added)):
            open_ += stays.leading(pc)
        seen.add(pc)
    return False


def _leaves(step: Step, registers: Collection[int]) -> bool:
    """Whether an instruction leaves the registers, if there are any, as they are, and goes on to the next one."""
    return bool(registers) and not step.does.flow and step.does.writes.isdisjoint(registers)


def _is_apart(step: Step) -> bool:
    """Whether an instruction writes memory outside of the frame, or makes a constant or address for that."""
    does = step.does
    return not does.flow and (does.effect or not (does.slots or does.stores or does.reads - LASTING))


def read_ahead(
    stays: Stays, finder: PlaceFinder, slots: Collection[int], spot: Callable[[int], Spot]
) -> dict[int, frozenset[int]]:
    """By slot, the instructions behind one that reads it for a line that is still to come, or runs: what is read there is the
    variable's value until then, wherever that is said to be."""
    found: dict[int, set[int]] = {}
    begins = finder.begins()
    for slot in slots:
        for reader in stays.reading((slot,)):
            line, step = spot(reader.pc), stays.steps.get(reader.after)
            while line[0] and step is not None and step.pc not in stays.targets and step.pc not in begins:
                here = spot(step.pc)
                if here[0] and not is_before(line, here):
                    found.setdefault(slot, set()).add(step.pc)
                step = stays.steps.get(step.after) if step.does.flow in ("", "call") else None
    return {slot: frozenset(pcs) for slot, pcs in found.items()}


def _makers(stays: Stays, finder: PlaceFinder) -> Iterator[tuple[Step, int]]:
    """The instructions that compute what the variable's places get, and the PC from which on they have it."""
    if finder.constant:
        return
    for begin in finder.begins():
        maker = stays.before(begin)
        registers = {NUMBERED[piece.number] for piece in finder.pieces(begin) if isinstance(piece, InRegister)}
        if maker is not None and _computes(maker) and registers & maker.does.writes:
            yield maker, begin
    for slot in {piece.offset for piece in finder.places() if isinstance(piece, AtCfa)}:
        for pc in stays.writers(slot):
            maker = _maker(stays, stays.steps[pc])
            if maker is not None:
                yield maker, stays.steps[pc].after


def _maker(stays: Stays, store: Step) -> Step | None:
    """What computes the value that an instruction stores, if that is right before it."""
    if not store.does.moves:
        return store
    step = stays.before(store.pc)
    for _ in range(MAX_BEFORE):
        if step is None or step.does.flow:
            return None
        if step.does.writes & store.does.reads:
            return step if _computes(step) else None
        step = stays.before(step.pc)
    return None


def _computes(step: Step) -> bool:
    """Whether an instruction makes a new value of registers or slots."""
    does = step.does
    return (
        not does.moves
        and not does.flow
        and bool(does.writes or does.stores)
        and bool(does.slots or does.reads - LASTING)
    )
