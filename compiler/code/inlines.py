"""Where functions were inlined, as Go's own function table knows it: for a binary whose debug info does not tell.

Every function has a tree of the calls inlined into it (runtime/symtabinl.go), and a table of which of them runs at a PC.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from compiler.code.pclntab import FUNCDATA_INLINE_TREE, INLINED_CALL, MAX_INLINE_DEPTH, PCDATA_INLINE_INDEX, Pclntab
from compiler.dwarf.executable import Executable

NAME_AT = 4
"""Of the name's offset in an inlined call."""


class Inlines:
    """Answers for one executable."""

    def __init__(self, executable: Executable, pclntab: Pclntab) -> None:
        self._executable, self._pclntab = executable, pclntab

    def instances(self, name: str) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
        """(nesting depth, PC ranges) of every inlined copy of the function with this linked name."""
        for tree, number in self._mentions(name):
            for entry in self._trees[1][tree]:
                found = self._instance(entry, tree, number)
                if found is not None:
                    yield found

    @cached_property
    def _trees(self) -> tuple[list[int], dict[int, list[int]]]:
        """Addresses of all trees, ascending; and the entries of the functions of each, for equal trees are one."""
        found: dict[int, list[int]] = {}
        for entry, tree in self._pclntab.funcdata_of_all(FUNCDATA_INLINE_TREE):
            found.setdefault(tree, []).append(entry)
        return sorted(found), found

    @cached_property
    def _records(self) -> bytes:
        """The bytes from the first tree on, far enough for the last."""
        starts = self._trees[0]
        if not starts:
            return b""
        return self._executable.read_up_to(starts[0], starts[-1] - starts[0] + (1 << 16))

    def _mentions(self, name: str) -> Iterator[tuple[int, int]]:
        """(tree, number of the call in it) wherever the function's name may be meant; also some where it is not."""
        offset = self._pclntab.name_offset(name)
        if offset is None:
            return
        starts = self._trees[0]
        for match in re.finditer(re.escape(offset.to_bytes(4, "little")), self._records):
            address = starts[0] + match.start() - NAME_AT
            tree = starts[max(bisect_right(starts, address) - 1, 0)]
            number, odd = divmod(address - tree, INLINED_CALL.size)
            if number >= 0 and not odd:
                yield tree, number

    def _instance(self, entry: int, tree: int, wanted: int) -> tuple[int, tuple[tuple[int, int], ...]] | None:
        """The copy that is call `wanted` of the function at `entry`; None where nothing of its code is left."""
        table = self._pclntab.pcdata(entry, PCDATA_INLINE_INDEX)
        chains = {number: self._chain(entry, tree, number, table) for number in {number for _, _, number in table}}
        ranges: list[tuple[int, int]] = []
        for lo, hi, number in table:
            if wanted not in chains[number]:
                continue
            if ranges and ranges[-1][1] == lo:
                ranges[-1] = (ranges[-1][0], hi)
            else:
                ranges.append((lo, hi))
        if not ranges:
            return None
        return len(self._chain(entry, tree, wanted, table)), tuple(ranges)

    def _chain(self, entry: int, tree: int, number: int, table: list[tuple[int, int, int]]) -> tuple[int, ...]:
        """The call and those around it, outwards."""
        found: list[int] = []
        while number >= 0 and len(found) < MAX_INLINE_DEPTH:
            found.append(number)
            record = self._executable.read(tree + number * INLINED_CALL.size, INLINED_CALL.size)
            if record is None:
                break
            pc = entry + INLINED_CALL.unpack(record)[2]
            number = next((n for lo, hi, n in table if lo <= pc < hi), -1)
        return tuple(found)
