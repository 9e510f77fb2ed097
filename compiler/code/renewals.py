"""Slots of a variable that hold something else by now, though debug info goes on saying that the variable is there.

Of a struct that a call returns, Go's compiler forgets whose value it is: it takes structs apart by name only where they are put
together of parts (decomposeUserStructInto in cmd/compile/internal/ssa/decompose.go). So of

    d = grown(d)
    wait()
    use(d)

the debug info says during the wait that d is where it was before. Its old slots may be left as they were, or serve the new
value's parts or anything else.

And an argument has no slot of its own but its home, in the caller's frame. Where it is kept in another, whatever has its size may
come there next, and for the debug info the argument stays: it ends with the next that is written there.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from compiler.code.stays import Stays
from compiler.code.x86 import LASTING, Step
from compiler.dwarf.locations import Known, PlaceFinder
from compiler.ir.program import AtCfa, Piece

WORD = 8
MAX_BEHIND = 64
"""Instructions behind a call among which the first use of its results is looked for."""


class Renewals:
    """What becomes of one variable's slots behind the debug info's back."""

    def __init__(
        self, stays: Stays, finder: PlaceFinder, homes: Iterable[Piece], renewing: Collection[int], *, shared: bool
    ) -> None:
        """`renewing`: PCs of calls that may return the variable's next value. `shared`: whether its slots in the function's
        own frame serve other values, too."""
        self._stays, self._finder = stays, finder
        self._begins = finder.begins()
        self._homes = set(words(homes))
        slots = self._homes | set(words(finder.places()))
        self._renewed = {slot: self._after(slot, renewing) for slot in slots}
        self._overwritten = {
            slot: self._after(slot, stays.writers(slot) if shared and slot < 0 else stays.writers(slot) & pcs)
            for slot, pcs in self._renewed.items()
        }

    def __bool__(self) -> bool:
        return any((*self._renewed.values(), *self._overwritten.values()))

    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        sets = (*self._overwritten.values(), *self._renewed.values())
        return self._stays.edges([slot for slot, pcs in self._renewed.items() if pcs]) | {
            edge for pcs in sets for edge in self._stays.edges_of(pcs)
        }

    def doubtful(self, pieces: tuple[Piece, ...], pc: int, *, exact: bool) -> bool:
        """Whether these pieces may be something else at `pc`, or during the call there."""
        at = self._stays.instruction(pc)
        slots = [*words(pieces)]
        if any(at in self._overwritten.get(slot, ()) for slot in slots):
            return True
        renewed = [slot for slot in slots if at in self._renewed.get(slot, ())]
        return bool(renewed) and not self._stays.reads(pc, renewed, exact=exact)

    def _after(self, slot: int, makers: Collection[int]) -> frozenset[int]:
        """The instructions that come behind one of these with the variable said to be in the slot as before."""
        steps = self._stays.steps
        found: set[int] = set()
        open_ = [steps[pc].after for pc in makers if self._is_in(slot, pc)]
        while open_:
            pc = open_.pop()
            step = steps.get(pc)
            if step is None or pc in found or not self._is_in(slot, pc) or self._comes(slot, pc):
                continue
            found.add(pc)
            open_ += step.following
        return frozenset(found)

    def _is_in(self, slot: int, pc: int) -> bool:
        """Whether the variable is said to be in the slot at an instruction; at home it may be at any."""
        return slot in self._homes or any(there == slot for _, there in self._parts(pc))

    def _comes(self, slot: int, pc: int) -> bool:
        """Whether the debug info says that the variable comes to the slot there, and was not in it right before."""
        if pc not in self._begins:
            return False
        new = self._parts(pc) - self._parts(pc - 1)
        return any(there == slot for _, there in new)

    def _parts(self, pc: int) -> set[tuple[int, int]]:
        """The parts of the variable that are said to be in the frame at `pc`, and the slot of each."""
        there = self._finder.exact(pc)
        pieces = there.pieces if isinstance(there, Known) else ()
        return {
            (piece.at + at, piece.offset + at)
            for piece in pieces
            if isinstance(piece, AtCfa)
            for at in range(0, piece.size, WORD)
        }


def words(pieces: Iterable[Piece]) -> Iterator[int]:
    """The slots (from the CFA) of every word of the pieces that are on the stack."""
    return (
        slot
        for piece in pieces
        if isinstance(piece, AtCfa)
        for slot in range(piece.offset, piece.offset + piece.size, WORD)
    )


def returning(
    steps: Mapping[int, Step], wanted: AbstractSet[int], results: Callable[[int], Collection[int] | None]
) -> set[int]:
    """The calls that may return one of the wanted types. `results`: of the function at an address, None where that is not known."""
    found = set()
    for step in steps.values():
        if step.does.flow == "call" and _returns(steps, step):
            types = results(step.callee) if step.callee else None
            if types is None or not wanted.isdisjoint(types):
                found.add(step.pc)
    return found


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
