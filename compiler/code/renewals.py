"""Slots of a variable that hold something else by now, though debug info goes on saying that the variable is there.

Of a struct that a call returns, Go's compiler forgets whose value it is: it takes structs apart by name only where they are put
together of parts (decomposeUserStructInto in cmd/compile/internal/ssa/decompose.go). So of

    d = grown(d)
    wait()
    use(d)

the debug info says during the wait that d is where it was before. Its old slots may be left as they were, also because another
variable needs them, or serve the new value's parts or anything else. And where an inner block has a d of its own (`d := grown(d)`),
nothing in debug info tells of that one at all, while the outer one is where it was, and needed there.

Nor does it know any more whose value it is where a call's result goes by a nameless slot: of `n, err = f()` all results do,
and where another statement needs a slot of that type whose address it takes (`case err = <-failed:` of a select), it is this
one (newTemp in cmd/compile/internal/walk/order.go). What is read from there again is the result itself, without a name.

And an argument has no slot of its own but its home, in the caller's frame. Where it is kept in another, whatever has its size may
come there next, and for the debug info the argument stays: it ends with the next that is written there.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from compiler.code.stays import Stays
from compiler.code.x86 import LASTING, Step
from compiler.dwarf.locations import PlaceFinder
from compiler.ir.program import AtCfa, Piece
from compiler.ir.types import WORD

MAX_BEHIND = 64
"""Instructions behind a call among which the first use of its results is looked for."""


class Renewals:
    """What becomes of one variable's slots behind the debug info's back."""

    def __init__(
        self,
        stays: Stays,
        finder: PlaceFinder,
        homes: Iterable[Piece],
        renewing: Collection[int],
        writers: Mapping[int, Collection[int]],
    ) -> None:
        """`renewing`: PCs of calls that may return the variable's next value. `writers`: by slot in the function's own frame, the
        PCs of what may write other values there."""
        self._finder, self._stays = finder, stays
        self._begins = finder.begins()
        self._homes = set(words(homes))
        slots = self._homes | set(words(finder.places()))
        self._doubtful = {slot: self._after(slot, renewing, writers.get(slot, ())) for slot in slots}

    def __bool__(self) -> bool:
        return any(self._doubtful.values())

    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        return {edge for pcs in self._doubtful.values() for edge in self._stays.edges_of(pcs)}

    def doubtful(self, pieces: tuple[Piece, ...], pc: int) -> bool:
        """Whether these pieces may be something else at `pc`, or during the call there."""
        at = self._stays.instruction(pc)
        return any(at in self._doubtful.get(slot, ()) for slot in words(pieces))

    def _after(self, slot: int, calls: Collection[int], writers: Collection[int]) -> frozenset[int]:
        """The instructions that come behind one of these with the variable said to be in the slot as before."""
        steps = self._stays.steps
        found: set[int] = set()
        behind = {steps[pc].after for pc in calls}  # what is in a slot right behind a call was there before
        open_ = [*behind, *(steps[pc].after for pc in writers if self._is_in(slot, pc))]
        while open_:
            pc = open_.pop()
            step = steps.get(pc)
            known = pc not in behind and self._comes(slot, pc)
            if step is None or pc in found or not self._is_in(slot, pc) or known:
                continue
            found.add(pc)
            open_ += step.following
        return frozenset(found)

    def _is_in(self, slot: int, pc: int) -> bool:
        """Whether the variable is said to be in the slot at an instruction; at home it may be at any."""
        return slot in self._homes or (False, slot) in self._finder.words(pc).values()

    def _comes(self, slot: int, pc: int) -> bool:
        """Whether the debug info says that the variable comes to the slot there, and was not in it right before."""
        if pc not in self._begins:
            return False
        new = self._finder.words(pc).items() - self._finder.words(pc - 1).items()
        return any(where == (False, slot) for _, where in new)


def words(pieces: Iterable[Piece]) -> Iterator[int]:
    """The slots (from the CFA) of every word of the pieces that are on the stack."""
    return (
        slot
        for piece in pieces
        if isinstance(piece, AtCfa)
        for slot in range(piece.offset, piece.offset + piece.size, WORD)
    )


MayReturn = Callable[[int, AbstractSet[int]], bool]
"""Whether the function at an address may return one of some types."""


def returning(steps: Mapping[int, Step], wanted: AbstractSet[int], may: MayReturn) -> set[int]:
    """The calls that may return one of the wanted types."""
    calls = {step.pc for step in steps.values() if step.does.flow == "call" and _returns(steps, step)}
    return of_types(steps, calls, wanted, may)


def of_types(steps: Mapping[int, Step], calls: Iterable[int], wanted: AbstractSet[int], may: MayReturn) -> set[int]:
    """Those of the calls that may return one of the wanted types; of what is called by a pointer nobody knows."""
    return {pc for pc in calls if not steps[pc].callee or may(steps[pc].callee, wanted)}


def from_calls(stays: Stays, puts: Iterable[Step]) -> Iterator[tuple[Step, Step, int]]:
    """Of instructions that put a register away: those that put away a result, with the call and the register."""
    for put in puts:
        registers, seen, open_ = put.does.reads - LASTING, {put.pc}, [put.pc]
        while open_ and registers and len(seen) < MAX_BEHIND:
            for step in (stays.steps[pc] for pc in stays.leading(open_.pop()) if pc not in seen):
                seen.add(step.pc)
                if step.does.flow == "call":
                    yield from ((put, step, register) for register in registers)
                elif registers.isdisjoint(step.does.writes):
                    open_.append(step.pc)


def is_used_besides(stays: Stays, call: Step, register: int, puts: Collection[int]) -> bool:
    """Whether a call's result in a register goes elsewhere than to these instructions."""
    return any(step.pc not in puts for step in stays.uses(register, call.after, MAX_BEHIND))


def _returns(steps: Mapping[int, Step], call: Step) -> bool:
    """Whether the code reads a register right behind the call: no register outlives one, so that it is a result."""
    written = set(LASTING)
    step = steps.get(call.after)
    for _ in range(MAX_BEHIND):
        if step is None or not step.does.reads <= written:
            return step is not None
        if step.does.flow:
            return step.does.flow != "call"
        written |= step.does.writes
        step = steps.get(step.after)
    return True
