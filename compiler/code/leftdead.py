"""Pointers that a call has left dead, as they are between that call and the next.

At a call the collector's own maps say which slots hold pointers that count. What counts no longer stays in its slot, but what it
points to may have been freed during the call, and a stack that moved has left it behind: of

    p := made()
    use(p)
    work()
    for !stopped.Load() {
    }

p has its slot in the loop, too, where it was compiled with -N, and something else may be where it points to. It is dead until the
slot is written again. Where nobody calls, nothing is freed and no stack moves: of a goroutine that is preempted between two
calls the collector follows whatever in the frame looks like a pointer (scanframeworker in runtime/mgcmark.go).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable

from compiler.code.lines import joined
from compiler.code.stays import Stays
from compiler.code.x86 import Step
from compiler.dwarf.functions import Range

NO_MAP = ("runtime.gcWriteBarrier", "runtime.wbZero", "runtime.wbMove", "runtime.typedmem", "runtime.duff")
"""What is called without a map of its own, because no goroutine ever stops there (hasStackMap in cmd/compile/internal/liveness)."""


class LeftDead:
    """Which slots hold such a pointer, in one copy of a function's code."""

    def __init__(self, stays: Stays, calls: Iterable[Step], alive: Callable[[int, int], bool]) -> None:
        """`calls`: those that have a map; `alive`: whether by the map at a PC a slot (from the CFA) holds a live pointer."""
        self._stays, self._calls, self._alive = stays, list(calls), alive
        self._found: dict[int, list[Range]] = {}

    def holds(self, pc: int, slot: int) -> bool:
        """Whether at `pc` the slot (from the CFA) holds a pointer that a call has left dead."""
        stretches = self._at(slot)
        last = bisect_right(stretches, pc, key=lambda stretch: stretch[0])
        return last > 0 and pc < stretches[last - 1][1]

    def edges(self, slots: Iterable[int]) -> set[int]:
        """PCs at which it may change whether one of the slots does, and the instructions before."""
        edges = {edge for slot in slots for stretch in self._at(slot) for edge in stretch}
        return edges | {before.pc for edge in edges if (before := self._stays.before(edge))}

    def _at(self, slot: int) -> list[Range]:
        """The code, [lo, hi), in which it does."""
        found = self._found.get(slot)
        if found is None:
            found = self._found[slot] = list(joined(self._behind(slot)))
        return found

    def _behind(self, slot: int) -> Iterable[Range]:
        """The code behind a call that left it dead, up to what writes it, or takes its address to have it written."""
        stays, begun = self._stays, dict[int, int]()
        writers = sorted(stays.writers(slot) | stays.pointers(slot))
        open_ = [call.after for call in self._calls if not self._alive(call.after - 1, slot)]
        while open_:
            pc = open_.pop()
            last = stays.last_of_straight(pc)
            if last is None:
                continue
            first = bisect_left(writers, pc)
            written = first < len(writers) and writers[first] <= last.pc
            end = stays.steps[writers[first]] if written else last
            if end.pc not in begun and not written:
                open_ += last.following
            begun[end.pc] = min(pc, begun.get(end.pc, pc))
        return ((pc, stays.steps[end].after) for end, pc in begun.items())
