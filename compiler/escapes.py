"""Parameters that escape to the heap: debug info has the argument as it came, and a pointer to where the variable is from then on.

Go's compiler copies such an argument first thing and describes both under one name. What stays in the argument's slot is what the
caller passed, whatever is assigned afterwards. A result begins on the heap: until the function returns its slot has what the
caller left there, also where debug info has no name for the pointer yet.
"""

from bisect import bisect_right
from collections.abc import Sequence

from compiler.candidates import Candidate, one_variable
from compiler.code.lines import Lines, joined


class Escapes:
    """Which of the candidates for a name tell what a parameter was, or is not yet."""

    def __init__(self, candidates: Sequence[Candidate], lines: Lines) -> None:
        self._pointer_to, self._pointers = {}, set()
        for argument in candidates:
            for pointer in candidates:
                if pointer.variable.escaped and one_variable(argument.variable, pointer.variable):
                    self._pointer_to[argument] = pointer
                    self._pointers.add(pointer)
        self._entering = joined(lines.entering()) if self._pointers else []
        self._begins = [lo for lo, _ in self._entering]
        self._one_line = lines.one

    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        firsts = {pointer.places.first for pointer in self._pointers}
        return firsts | {edge for span in self._entering for edge in span}

    def untrue(self, candidate: Candidate, pc: int) -> bool:
        """Whether the candidate is an argument that has been copied to the heap, or the pointer to a copy that may not be whole."""
        if candidate in self._pointer_to:
            places = self._pointer_to[candidate].places
            return candidate.variable.result or places.constant or pc >= places.first
        if candidate not in self._pointers or (self._one_line and not candidate.places.constant):
            return False
        last = bisect_right(self._begins, pc)
        return last > 0 and pc < self._entering[last - 1][1]
