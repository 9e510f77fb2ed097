"""Home slots of arguments that came in registers, and whether the code has stored anything there yet.

Nobody writes a home slot but the function itself, and it does so only where it needs to. Go's tables of live arguments and
its debug info take it for granted of an argument whose address is taken, or that is too large to be taken apart
(alwaysLive in cmd/compile/internal/liveness/arg.go); but where nothing reads such an argument, its store is dead and left out
(cmd/compile/internal/ssa/deadstore.go): then the slot has what the caller left there.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from compiler.code.homes import came_on_stack
from compiler.code.stays import Stays
from compiler.dwarf.functions import Range
from compiler.dwarf.locations import Known, Location, PlaceFinder, Unknown
from compiler.ir.program import AtCfa, Piece
from compiler.ir.types import WORD

UNFILLED = Unknown("optimized out", "the code stores nothing in its place before this")


class Filled:
    """Where one copy of a function's code is through with storing its arguments."""

    def __init__(self, stays: Stays, entry: int, unframed: Range | None) -> None:
        """`entry`: where the function begins; `unframed`: where it asks for more stack, and saves all such arguments."""
        self._stays, self._entry = stays, entry
        self._asks = unframed if unframed and stays.calls(*unframed) else None
        saves = [step for step in stays.between(*self._asks) if step.does.moves] if self._asks else []
        self.homes = sorted({slot for step in saves for slot in stays.stores(step)})
        """The slots in which they are saved then."""
        self._empty: dict[int, frozenset[int]] = {}

    def edges(self, finder: PlaceFinder, homes: Iterable[Piece]) -> set[int]:
        """PCs at which an answer about a variable may change. `homes`: where it is on entry."""
        lo, hi = self._asks or (0, 0)
        slots = {slot for piece in (*finder.places(), *homes) for slot in self._of(finder, piece)}
        written = [slot for slot in slots if not all(lo <= pc < hi for pc in self._stays.writers(slot))]
        return {edge for slot in written for edge in self._stays.edges_of(self.before(slot))}

    def narrowed(self, finder: PlaceFinder, location: Location, pc: int) -> Location:
        """The location at `pc`, or during the call there, without home slots in which there may be nothing yet."""
        pieces = location.pieces if isinstance(location, Known) else ()
        slots = [slot for piece in pieces for slot in self._of(finder, piece)]
        at = self._stays.instruction(pc) if slots else None
        if not any(at in self.before(slot) for slot in slots):
            return location
        kept = tuple(part for piece in pieces for part in self._parts(finder, piece, at))
        return Known(kept) if kept else UNFILLED

    def _parts(self, finder: PlaceFinder, piece: Piece, at: int | None) -> Iterator[Piece]:
        """What of a piece has been stored at an instruction."""
        slots = self._of(finder, piece)
        empty = {slot for slot in slots if at in self.before(slot)}
        if not empty or not isinstance(piece, AtCfa):
            yield piece
            return
        for lo, hi in pairwise((*slots, piece.offset + piece.size)):
            if lo not in empty:
                yield AtCfa(piece.at + lo - piece.offset, hi - lo, lo)

    def _of(self, finder: PlaceFinder, piece: Piece) -> Sequence[int]:
        """The home slots that a piece is made of; none of what came on the stack."""
        if not isinstance(piece, AtCfa) or piece.offset < 0 or not self._stays.steps:
            return ()
        lo, hi = piece.offset, piece.offset + piece.size
        if self._asks is None:  # nobody knows which came in registers
            return () if came_on_stack(finder, self._entry) else range(lo, hi, WORD)
        return self.homes[bisect_left(self.homes, lo) : bisect_left(self.homes, hi)]

    def before(self, slot: int) -> frozenset[int]:
        """The instructions that the code may come to without having written the slot."""
        found = self._empty.get(slot)
        if found is None:
            steps, writers = self._stays.steps, self._stays.writers(slot)
            seen, open_ = set[int](), [self._entry]
            while open_:
                step = steps.get(open_.pop())
                if step is not None and step.pc not in seen:
                    seen.add(step.pc)
                    open_ += step.following if step.pc not in writers else ()
            found = self._empty[slot] = frozenset(seen)
        return found
