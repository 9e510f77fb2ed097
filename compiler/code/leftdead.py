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

from collections.abc import Callable, Iterable

from compiler.code.stays import Stays
from compiler.code.x86 import Step

NO_MAP = ("runtime.gcWriteBarrier", "runtime.wbZero", "runtime.wbMove", "runtime.typedmem", "runtime.duff")
"""What is called without a map of its own, because no goroutine ever stops there (hasStackMap in cmd/compile/internal/liveness)."""


class LeftDead:
    """Which slots hold such a pointer, in one copy of a function's code."""

    def __init__(self, stays: Stays, calls: Iterable[Step], alive: Callable[[int, int], bool]) -> None:
        """`calls`: those that have a map; `alive`: whether by the map at a PC a slot (from the CFA) holds a live pointer."""
        self._stays, self._calls, self._alive = stays, list(calls), alive
        self._found: dict[int, frozenset[int]] = {}

    def at(self, slot: int) -> frozenset[int]:
        """The instructions at which the slot holds a pointer that a call has left dead."""
        found = self._found.get(slot)
        if found is None:
            found = self._found[slot] = self._behind(slot)
        return found

    def _behind(self, slot: int) -> frozenset[int]:
        """The instructions behind a call that left it dead, up to those that write it, or take its address to have it written."""
        steps, found = self._stays.steps, set[int]()
        writers = self._stays.writers(slot) | self._stays.pointers(slot)
        open_ = [call.after for call in self._calls if not self._alive(call.after - 1, slot)]
        while open_:
            step = steps.get(open_.pop())
            while step is not None and step.pc not in found:
                found.add(step.pc)
                if step.pc in writers:
                    break
                if step.does.flow:
                    open_ += step.following
                    break
                step = steps.get(step.after)
        return frozenset(found)
