"""Which source line runs where in one copy of a function, and what follows for variables that are declared on lines."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import count, takewhile

from compiler.code.pclntab import Pclntab
from compiler.dwarf.functions import Instance, Range

Spot = tuple[int, ...]
"""A line, and where a call is inlined there, the line within it, and so on."""


def is_before(one: Spot, other: Spot) -> bool:
    """Whether the first is written before the other; not where one is of a call inlined on the other."""
    return next((a < b for a, b in zip(one, other, strict=False) if a != b), False)


class Lines:
    """PC ranges of an instance with the source line of each in its own function; 0 where that is not known."""

    def __init__(self, pclntab: Pclntab, instance: Instance) -> None:
        self._pclntab, self._level = pclntab, instance.level
        self._ranges = sorted(each for lo, hi in instance.ranges for each in pclntab.lines(lo, hi, instance.level))
        self._starts = [lo for lo, _, _ in self._ranges]
        self._spots: dict[int, Spot] = {}
        returns = [] if instance.level else [pclntab.defer_return(lo) for lo, _ in instance.ranges]
        self._defer_return = next((pc for pc in returns if pc is not None), None)

    @property
    def defers(self) -> bool:
        """Whether the function has deferred calls."""
        return self._defer_return is not None

    @property
    def one(self) -> bool:
        """Whether all of its code is on one line."""
        return len({line for _, _, line in self._ranges if line}) == 1

    def silent(self, earlier: int, pc: int) -> bool:
        """Whether there is a line without code between the one that runs at a PC and a later one, which runs at `pc`."""
        first, last = self.at(earlier), self.at(pc)
        return first > 0 and any(line not in self._known for line in range(first + 1, last))

    @cached_property
    def _known(self) -> set[int]:
        """The lines that have code."""
        return {line for _, _, line in self._ranges}

    def edges(self) -> set[int]:
        """PCs at which the line changes."""
        return {lo for lo, _, _ in self._ranges}

    def at(self, pc: int) -> int:
        """The line that runs at `pc`."""
        index = bisect_right(self._starts, pc) - 1
        return self._ranges[index][2] if index >= 0 and pc < self._ranges[index][1] else 0

    def spot(self, pc: int) -> Spot:
        """The line that runs at `pc`, and those within the calls that are inlined there."""
        index = bisect_right(self._starts, pc) - 1
        found = self._spots.get(index)
        if found is None:
            start, level = self._starts[index] if index >= 0 else pc, self._level
            inlined = takewhile(bool, (self._pclntab.line(start, each) for each in count(level + 1)))
            found = self._spots[index] = (self.at(start), *inlined)
        return found

    def before(self, first: int) -> Iterator[Range]:
        """Where a line before `first` runs."""
        return ((lo, hi) for lo, hi, line in self._ranges if line < first)

    def entering(self) -> Iterator[Range]:
        """Where the frame is made ready: on the first line."""
        first = min((line for _, _, line in self._ranges if line), default=0)
        return self.before(first + 1)

    def recovered(self) -> Iterator[Range]:
        """Where deferred calls run after a recovered panic, wherever that was: whatever the locations say of it."""
        at = self._defer_return
        return ((at, hi) for lo, hi, _ in self._ranges if at is not None and lo <= at < hi)

    def leaving(self) -> Iterator[Range]:
        """Where deferred calls run otherwise: on the last line, also when the function returned long before it."""
        last = max((line for _, _, line in self._ranges), default=0)
        return ((lo, hi) for lo, hi, line in self._ranges if self._defer_return is not None and line == last)


def joined(ranges: Iterable[Range]) -> list[Range]:
    """The same PCs in ranges that are apart, ascending."""
    found: list[Range] = []
    for lo, hi in sorted(ranges):
        if found and lo <= found[-1][1]:
            found[-1] = found[-1][0], max(hi, found[-1][1])
        elif lo < hi:
            found.append((lo, hi))
    return found
