"""Go's tables of values by PC (pctab), as its compiler packs them: by how much the value changes, and after how much code.

Layout: funcpctab in cmd/internal/obj/pcln.go, step in runtime/symtab.go.
"""

from bisect import bisect_right
from contextlib import suppress
from functools import lru_cache

from compiler.dwarf.sections import Buffer


class PcValues:
    """All such tables of one executable; each is named by where it begins among them, 0 for none."""

    def __init__(self, data: Buffer, start: int, quantum: int) -> None:
        """`start`: where in `data` they are. `quantum`: what every instruction's size is a multiple of."""
        self._data, self._start, self._quantum = data, start, quantum
        self._decoded = lru_cache(maxsize=65536)(self._decode)

    def at(self, table: int, entry: int, pc: int) -> int:
        """The value at `pc`, by the table of the function that begins at `entry`; -1 where there is none."""
        if table == 0:
            return -1
        ends, values = self._decoded(table, entry)
        index = bisect_right(ends, pc)
        return values[index] if index < len(values) else -1

    def ranges(self, table: int, entry: int) -> list[tuple[int, int, int]]:
        """(lo, hi, value) PC ranges of the whole table."""
        if table == 0:
            return []
        ends, values = self._decoded(table, entry)
        return list(zip([entry, *ends[:-1]], ends, values, strict=True))

    def _decode(self, table: int, entry: int) -> tuple[list[int], list[int]]:
        """A pc-value table as (ends of its PC ranges, values), PCs link-time. A damaged one ends where the file does."""
        ends: list[int] = []
        values: list[int] = []
        with suppress(IndexError):
            self._read(self._start + table, entry, ends, values)
        return ends, values

    def _read(self, at: int, pc: int, ends: list[int], values: list[int]) -> None:
        data, quantum, value = self._data, self._quantum, -1
        while True:
            delta = data[at]
            if delta == 0 and ends:
                return
            delta, at = (delta, at + 1) if delta < 0x80 else _uvarint(data, at)  # most are of one byte
            value += -((delta + 1) >> 1) if delta & 1 else delta >> 1
            step = data[at]
            step, at = (step, at + 1) if step < 0x80 else _uvarint(data, at)
            pc += step * quantum
            ends.append(pc)
            values.append(value)


def _uvarint(data: Buffer, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
