"""What an inlined call has made, and what is only going to be assigned where that call ends.

Of `total = add(total, x)`, where add is inlined and waits before it returns, and of `found := collect(items)`, the value that is
going to be returned has the name of what it will be assigned to as soon as it is made: Go's compiler knows all names that a value
ever gets. So total was shown with x in it, and found, not declared yet, with what had been collected so far. The table
of inlined calls tells: what a call makes is nobody's in the function around it before the call ends, unless it is a closure that
was written in there.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from compiler.code.stays import Stays
from compiler.code.x86 import LASTING, NUMBERED, Step
from compiler.dwarf.functions import enclosing
from compiler.dwarf.locations import Known, PlaceFinder
from compiler.ir.program import AtCfa, InRegister, Piece

Calls = Callable[[int], tuple[tuple[int, str], ...]]
"""The calls that are inlined at a PC below the variable's function, outermost first: which, and what by linked name."""


def pending(
    stays: Stays, finder: PlaceFinder, homes: Collection[int], function: str, calls: Calls, *, is_argument: bool
) -> frozenset[int]:
    """The instructions of inlined calls at which a variable of `function` has a value that one of these has made. `homes`: slots
    that it is in besides those that debug info knows. `is_argument`: it has had a value all the time, wherever that was."""
    made: dict[int, list[tuple[int, int]]] = {}
    for begin, maker in _news(stays, finder, homes, is_argument=is_argument):
        for number, _ in calls(maker)[:1]:
            made.setdefault(number, []).append((begin, maker))
    come: dict[int, list[int]] = {}
    for begin in () if is_argument else finder.begins():
        for number, _ in calls(begin)[:1]:
            come.setdefault(number, []).append(begin)
    found: set[int] = set()
    for number in made.keys() | come.keys():
        news, begins = made.get(number, []), come.get(number, [])
        if any(_is_within(name, function) for _, maker in news for _, name in calls(maker)):
            continue  # a closure may assign to what is around it

        def within(pc: int, number: int = number) -> bool:
            return [each for each, _ in calls(pc)[:1]] == [number]

        starts = [begin for begin, _ in news]
        if begins and not _came_in(stays, finder, begins[0], within):
            starts += begins
        found |= _while_it_has_a_place(stays, finder, starts, within)
    return frozenset(found)


def _came_in(stays: Stays, finder: PlaceFinder, pc: int, within: Callable[[int], bool]) -> bool:
    """Whether the variable has a place where the code comes into the inlined call around `pc`."""
    seen, open_ = {pc}, [pc]
    while open_:
        at = open_.pop()
        for before in stays.leading(at):
            if not within(before):
                if isinstance(finder.exact(before), Known) or isinstance(finder.exact(at), Known):
                    return True
            elif before not in seen:
                seen.add(before)
                open_.append(before)
    return False


def _while_it_has_a_place(
    stays: Stays, finder: PlaceFinder, starts: Iterable[int], within: Callable[[int], bool]
) -> set[int]:
    """The instructions from there on, as far as they are of the inlined call and the variable has a place."""
    found, open_ = set[int](), [*starts]
    while open_:
        pc = open_.pop()
        if pc in found or pc not in stays.steps or not within(pc):
            continue
        step = stays.steps[pc]
        place = finder.at_call(step.after - 1) if step.does.flow == "call" else finder.exact(pc)
        if isinstance(place, Known):
            found.add(pc)
            open_ += step.following
    return found


def _is_within(name: str, function: str) -> bool:
    """Whether a function is written in another one. (Until Go 1.26 closures are named after where that is inlined: f.g.func1.)"""
    around = enclosing(name)
    while around is not None:
        if around == function or around.rpartition(".")[2] == function.rpartition(".")[2]:
            return True
        around = enclosing(around)
    return False


def _news(stays: Stays, finder: PlaceFinder, homes: Collection[int], *, is_argument: bool) -> Iterator[tuple[int, int]]:
    """Where the variable comes to a value that it did not have: the PC, and that of what has made it."""
    own = {piece.offset for piece in finder.places() if isinstance(piece, AtCfa)}.union(homes)
    for begin in finder.begins():
        leading = stays.leading(begin)
        had = is_argument or any(isinstance(finder.exact(pc), Known) for pc in leading)
        step = stays.steps[leading[0]] if len(leading) == 1 else None
        if step is not None and step.does.flow == "call" and not had:
            yield begin, step.pc
            slots = [piece.offset for piece in finder.pieces(begin) if isinstance(piece, AtCfa)]
            yield from ((step.pc, writer) for slot in slots for writer in stays.writers(slot))
        elif step is not None:
            loads = set(stays.loads(step)) if step.does.moves else set[int]()
            if _makes(step, finder.pieces(begin), loads - own) if had else not loads or loads - own:
                yield begin, step.pc
        elif leading and not had:
            yield begin, begin


def _makes(step: Step, pieces: tuple[Piece, ...], loaded: Collection[int]) -> bool:
    """Whether an instruction makes what a variable has in a register behind it, and does not only bring it there. `loaded`: the
    slots of others that it reads."""
    does = step.does
    registers = {NUMBERED[piece.number] for piece in pieces if isinstance(piece, InRegister)}
    if does.flow == "call":
        return bool(registers)
    if registers.isdisjoint(does.writes):
        return False
    return bool(does.through or loaded) if does.moves else bool(does.slots or does.reads - LASTING)
