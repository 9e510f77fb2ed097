"""Places that a variable is said to have left, though the code still needs what is there: it may be there still.

Go's compiler knows all the variables that a value is ever assigned to, and says of each of them that it has the value as soon
as that is made, on whatever path (cmd/compile/internal/ssa/debug.go). Of

    v, err = f()
    if err != nil { c = v; return c }
    wait()
    use(c)

the debug info says during the wait that c is v, and v itself may have no place at all. The machine code tells: what c was
before is in its old place, and is read from there after the call.
"""

import sys
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from operator import attrgetter

from compiler.code.frame import Frame
from compiler.code.x86 import NUMBERED, Step
from compiler.dwarf.functions import Range
from compiler.dwarf.locations import PlaceFinder
from compiler.ir.program import AtCfa, Piece

MAX_JUMPS = 4
"""Jumps to jumps that are followed."""
LONGEST = 15
"""Bytes of the longest instruction."""
ALWAYS = -1
"""Before every PC: an argument is at home first."""


class Stays:
    """What one copy of a function still reads of its frame."""

    def __init__(self, steps: Mapping[int, Step], frame: Frame) -> None:
        self.steps, self._frame = steps, frame
        self._read: dict[int, frozenset[int]] = {}
        self._instructions: dict[int, int | None] = {}

    def saved(self, finder: PlaceFinder) -> Iterator[tuple[int, AtCfa]]:
        """Where the code puts registers that the variable is said to be in, and the PC behind that."""
        for lo, hi, piece in finder.in_registers():
            for step, slot in self.puts(piece.number, lo, hi):
                yield step.after, AtCfa(piece.at, piece.size, slot)

    def puts(self, number: int, lo: int, hi: int) -> Iterator[tuple[Step, int]]:
        """The instructions in [lo, hi) that put a register (by its DWARF number) into a slot (from the CFA) as it is."""
        found = self._puts.get(NUMBERED[number], ()) if number < len(NUMBERED) else ()
        return ((step, slot) for step, slot in found if lo <= step.pc < hi)

    def edges(self, slots: Collection[int]) -> set[int]:
        """PCs at which it may change whether one of the slots (from the CFA) is still read, there or behind the call there."""
        return {edge for slot in slots for edge in self.edges_of(self._reading(slot))}

    def edges_of(self, instructions: Collection[int]) -> set[int]:
        """Where such instructions begin and end, and the instructions before: calls are asked what comes behind them."""
        begins = {pc for pc in instructions if self._before.get(pc) not in instructions}
        ends = {self.steps[pc].after for pc in instructions} - set(instructions)
        return begins | ends | {self._before.get(pc, pc) for pc in begins | ends}

    def writers(self, slot: int) -> set[int]:
        """The instructions that write the slot (from the CFA)."""
        return self._writers.get(slot, set())

    def reading(self, slots: Iterable[int]) -> Iterator[Step]:
        """The instructions that read one of the slots (from the CFA)."""
        return (self.steps[pc] for slot in slots for pc in self._readers.get(slot, ()))

    def between(self, lo: int, hi: int) -> Iterator[Step]:
        """The instructions in [lo, hi)."""
        begin, end = bisect_left(self._pcs, lo), bisect_left(self._pcs, hi)
        return (self.steps[pc] for pc in self._pcs[begin:end])

    def last_of_straight(self, pc: int) -> Step | None:
        """The first instruction from the one at `pc` on behind which another may come next than the one that follows it there."""
        if pc not in self.steps:
            return None
        return self.steps[self._turns[bisect_left(self._turns, pc)]]

    @cached_property
    def _turns(self) -> list[int]:
        """The instructions that branch, call or return, and those that nothing follows."""
        return [pc for pc in self._pcs if (step := self.steps[pc]).does.flow or step.after not in self.steps]

    @cached_property
    def _pcs(self) -> list[int]:
        return sorted(self.steps)

    def stores(self, step: Step) -> Iterator[int]:
        """The slots (from the CFA) that an instruction writes."""
        return (word - self._frame.below_cfa(step.pc) for word in step.does.stores)

    def loads(self, step: Step) -> Iterator[int]:
        """The slots (from the CFA) that an instruction reads."""
        return (word - self._frame.below_cfa(step.pc) for word in step.does.slots)

    def calls(self, lo: int, hi: int) -> bool:
        """Whether an instruction in [lo, hi) calls something."""
        return any(step.does.flow == "call" for step in self.between(lo, hi))

    def before(self, pc: int) -> Step | None:
        """The instruction that ends at `pc`."""
        return self.steps.get(self._before.get(pc, 0))

    def leading(self, pc: int) -> Sequence[int]:
        """The instructions behind which the one at `pc` comes next."""
        jumps, before = self._jumps.get(pc, ()), self._before.get(pc)
        if before is None or self.steps[before].does.flow == "leave":
            return jumps
        return sorted((*jumps, before)) if jumps else (before,)

    @property
    def targets(self) -> AbstractSet[int]:
        """Where branches go."""
        return self._jumps.keys()

    def behind_leaves(self, lo: int, hi: int) -> Sequence[int]:
        """Where branches go in [lo, hi) behind an instruction that does not go on to the next one."""
        found = self._behind_leaves
        return found[bisect_left(found, lo) : bisect_left(found, hi)]

    @cached_property
    def _behind_leaves(self) -> list[int]:
        leaves = (self.before(target) for target in self._jumps)
        return sorted(step.after for step in leaves if step is not None and step.does.flow == "leave")

    def comes_again(self, step: Step) -> bool:
        """Whether the code may come to an instruction more than once in one call."""
        seen, open_ = set[int](), step.following
        while open_:
            behind = self.steps.get(open_.pop())
            if behind is not None and behind.pc not in seen:
                seen.add(behind.pc)
                open_ += behind.following
        return step.pc in seen

    def loop(self, entry: int, behind: int) -> Range | None:
        """The code of the loop that is entered at `entry`, and that begins behind another PC: all that lies between where
        branches go back to and these, which may have been put far away. None where there is no loop."""
        around = [(lo, hi) for lo, hi in self._loops if behind < lo <= entry < hi]
        if not around:
            return None
        begin, end = min(around, key=lambda loop: loop[1] - loop[0])
        for lo, hi in self._loops:
            end = max(end, hi) if begin <= lo < end else end
        return begin, end

    @cached_property
    def _loops(self) -> list[Range]:
        """Where branches go back to, and the PC behind the last that goes there."""
        last = ((target, max(pcs)) for target, pcs in self._jumps.items())
        return sorted((target, self.steps[pc].after) for target, pc in last if pc >= target)

    def reads(self, pc: int, slots: Collection[int], *, exact: bool) -> bool:
        """Whether one of the slots is read before it is written again; from `pc` on, or behind the call there."""
        begin = pc if exact else self._behind(pc)
        return any(begin in self._reading(slot) for slot in slots)

    def uses(self, register: int, pc: int, most: int = sys.maxsize) -> Iterator[Step]:
        """The instructions that read a register from `pc` on before it is written; of so many that are looked at."""
        seen, open_ = set[int](), [pc]
        while open_ and len(seen) < most:
            step = self.steps.get(open_.pop())
            if step is None or step.pc in seen:
                continue
            seen.add(step.pc)
            if register in step.does.reads:
                yield step
            if step.does.flow != "call" and register not in step.does.writes:
                open_ += step.following

    def goes_on(self, pc: int) -> int:
        """Where the code goes on from `pc` if that only jumps."""
        for _ in range(MAX_JUMPS):
            step = self.steps.get(pc)
            if step is None or step.does.flow != "leave" or not step.target:
                break
            pc = step.target
        return pc

    def instruction(self, pc: int) -> int | None:
        """The instruction that `pc` is in."""
        if pc not in self._instructions:
            self._instructions[pc] = next((pc - back for back in range(LONGEST) if pc - back in self.steps), None)
        return self._instructions[pc]

    def _behind(self, pc: int) -> int:
        """The PC behind the instruction that `pc` is in."""
        at = self.instruction(pc)
        return pc if at is None else max(self.steps[at].after, pc)

    def _reading(self, slot: int) -> frozenset[int]:
        """The instructions from which on the slot is read before it is written."""
        found = self._read.get(slot)
        if found is None:
            readers, writers = self._readers.get(slot, set()), self._writers.get(slot, set())
            reading, open_ = set(readers), list(readers)
            while open_:
                for earlier in self.leading(open_.pop()):
                    if earlier not in reading and earlier not in writers:
                        reading.add(earlier)
                        open_.append(earlier)
            found = self._read[slot] = frozenset(reading)
        return found

    @cached_property
    def _jumps(self) -> dict[int, list[int]]:
        """By PC, the branches that go there."""
        found: dict[int, list[int]] = {}
        for pc, _, target, _, _ in self.steps.values():
            if target:
                found.setdefault(target, []).append(pc)
        return found

    @cached_property
    def _before(self) -> dict[int, int]:
        return dict(zip(map(attrgetter("after"), self.steps.values()), self.steps, strict=True))

    @cached_property
    def _puts(self) -> dict[int, list[tuple[Step, int]]]:
        """By register, the instructions that put it into a slot (from the CFA) as it is."""
        found: dict[int, list[tuple[Step, int]]] = {}
        for pc in sorted(set().union(*self._writers.values())):
            step = self.steps[pc]
            if step.does.moves and len(step.does.stores) == 1:
                for register in step.does.reads:
                    found.setdefault(register, []).append((step, step.does.stores[0] - self._frame.below_cfa(pc)))
        return found

    def pointers(self, slot: int) -> set[int]:
        """The instructions that take the slot's address (from the CFA)."""
        return self._touching[2].get(slot, set())

    @property
    def pointed(self) -> AbstractSet[int]:
        """The slots (from the CFA) whose address the code takes."""
        return self._touching[2].keys()

    @property
    def _readers(self) -> dict[int, set[int]]:
        return self._touching[0]

    @property
    def _writers(self) -> dict[int, set[int]]:
        return self._touching[1]

    @cached_property
    def _touching(self) -> tuple[dict[int, set[int]], dict[int, set[int]], dict[int, set[int]]]:
        """By slot (from the CFA), the instructions that read it, that write it, and that take its address."""
        read: dict[int, set[int]] = {}
        written: dict[int, set[int]] = {}
        pointed: dict[int, set[int]] = {}
        for pc, _, _, does, _ in self.steps.values():
            if does.slots or does.stores or does.points:
                down = self._frame.below_cfa(pc)
                for found, words in ((read, does.slots), (written, does.stores), (pointed, does.points)):
                    for word in words:
                        found.setdefault(word - down, set()).add(pc)
        return read, written, pointed


class Moves:
    """Where the parts of one variable were before they came to where they are."""

    def __init__(self, finder: PlaceFinder, homes: Iterable[Piece], saved: Iterable[tuple[int, Piece]]) -> None:
        self._since: dict[int, dict[int, int]] = {}
        """By part, its places (from the CFA), and the first PC of each."""
        for lo, piece in ((ALWAYS, each) for each in homes):
            self._note(lo, piece)
        for lo, piece in (*finder.came(), *saved):
            self._note(lo, piece)
        # A loop's end may lie before its beginning, so that the first PC of a place tells nothing.
        self._moved = {
            (one.at, one.offset, other.offset) for one, other in finder.moved() if one.offset != other.offset
        }

    def _note(self, lo: int, piece: Piece) -> None:
        if isinstance(piece, AtCfa):
            known = self._since.setdefault(piece.at, {})
            known[piece.offset] = min(lo, known.get(piece.offset, lo))

    def all_left(self) -> set[int]:
        """Every place that a part is said to have left for another one in the frame."""
        own = [(at, offset) for at, places in self._since.items() for offset in places if offset < 0]
        return {left for at, offset in own for left in self._left_for(at, offset)}

    def left(self, pieces: tuple[Piece, ...]) -> set[int]:
        """The places that these pieces are said to have left."""
        own = [piece for piece in pieces if isinstance(piece, AtCfa) and piece.offset < 0]
        return {left for piece in own for left in self._left_for(piece.at, piece.offset)}

    def _left_for(self, at: int, offset: int) -> set[int]:
        """The places that the part at `at` has left, where it is said to be at `offset`."""
        places = self._since.get(at, {})
        since = places.get(offset, ALWAYS)
        earlier = {other for other, lo in places.items() if lo < since}
        return earlier | {one for part, one, other in self._moved if (part, other) == (at, offset)}
