"""The part of a process's memory that a capture holds: disjoint runs of bytes, and why the rest is missing."""

from bisect import bisect_right
from collections.abc import Callable, Iterable

from compiler.ir.frozen import frozen

LOWEST = 4096
"""Nothing of Go's lies below: what points there is no pointer."""
END = 1 << 48
"""User space ends below, on every architecture of ours."""
MAX_PATCHED = 1 << 20
"""Bytes of an object of which only a part was copied; a larger one is missing as a whole."""


@frozen
class Gap:
    """Bytes [lo, hi) of a window that are missing, and why."""

    lo: int
    hi: int
    reason: str
    detail: str = ""


@frozen
class Window:
    """An object's bytes in hand; `gaps` (sorted, disjoint) are zeros that stand for missing bytes, `dead` offsets of
    pointers that must not be followed."""

    data: bytes
    gaps: tuple[Gap, ...] = ()
    dead: tuple[int, ...] = ()

    def word(self, at: int) -> int:
        """The uint64 at `at`."""
        return int.from_bytes(self.data[at : at + 8], "little")

    def number(self, at: int, size: int) -> int:
        """The unsigned integer of `size` bytes at `at`."""
        return int.from_bytes(self.data[at : at + size], "little")

    def missing(self, at: int, size: int) -> Gap | None:
        """Why [at, at + size) is not there, or None: the gap that covers it all, else one of reason "partial"."""
        if not self.gaps or not size:
            return None
        index = bisect_right(self.gaps, at, key=lambda gap: gap.hi)
        reached, first = at, None
        for gap in self.gaps[index:]:
            if gap.lo >= at + size:
                break
            first = first or gap
            if gap.lo > reached:
                return Gap(at, at + size, "partial", first.reason)
            reached = gap.hi
        if first is None:
            return None
        return first if reached >= at + size else Gap(at, at + size, "partial", first.reason)


Constant = Callable[[int, int], bytes | None]


class Image:
    """Reads by address. Pieces may overlap; where they do they agree, for the process stood still."""

    def __init__(
        self,
        pieces: Iterable[tuple[int, memoryview]],
        faults: Iterable[tuple[int, int]],
        constant: Constant = lambda _address, _size: None,
    ) -> None:
        """`constant`: bytes by (address, size) of which no capture need have a copy, for nothing ever changes them."""
        self.constant = constant
        self._starts, self._runs = _merged(pieces)
        self._faults = sorted((address, address + size) for address, size in faults)

    def read(self, address: int, size: int) -> bytes | None:
        """Exactly `size` bytes, or None where one of them is missing."""
        if size == 0:
            return b""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            run, at = self._runs[index], address - self._starts[index]
            if at + size <= len(run):
                return run[at : at + size]
        return self.constant(address, size)

    def word(self, address: int) -> int | None:
        """The uint64 at an address."""
        found = self.read(address, 8)
        return None if found is None else int.from_bytes(found, "little")

    def prefix(self, address: int, size: int) -> bytes:
        """As many of the `size` bytes from an address on as there are without a gap."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return b""
        at = address - self._starts[index]
        return self._runs[index][at : at + size]

    def window(self, address: int, size: int) -> Window | None:
        """An object, with gaps where a part of it is missing; None where there is nothing of it."""
        whole = self.read(address, size)
        if whole is not None:
            return Window(whole)
        return self._patched(address, size) if size <= MAX_PATCHED else None

    def why(self, address: int, size: int = 1) -> str:
        """Why bytes are missing: "unreadable" where reading failed or nothing can be, else "budget"."""
        if address < LOWEST or address >= END:
            return "unreadable"
        index = bisect_right(self._faults, (address + max(size, 1) - 1, END * 2)) - 1
        return "unreadable" if index >= 0 and self._faults[index][1] > address else "budget"

    def _patched(self, address: int, size: int) -> Window | None:
        end, parts, gaps, reached = address + size, [], [], address
        index = max(bisect_right(self._starts, address) - 1, 0)
        while index < len(self._starts) and self._starts[index] < end:
            start, run = self._starts[index], self._runs[index]
            index += 1
            lo, hi = max(start, address), min(start + len(run), end)
            if lo >= hi:
                continue
            if lo > reached:
                gaps.append(Gap(reached - address, lo - address, self.why(reached, lo - reached)))
                parts.append(bytes(lo - reached))
            parts.append(run[lo - start : hi - start])
            reached = hi
        if not parts:
            return None
        if reached < end:
            gaps.append(Gap(reached - address, size, self.why(reached, end - reached)))
            parts.append(bytes(end - reached))
        return Window(b"".join(parts), tuple(gaps))


def _merged(pieces: Iterable[tuple[int, memoryview]]) -> tuple[list[int], list[bytes]]:
    """Sorted starts of disjoint runs that do not touch, and their bytes."""
    starts: list[int] = []
    runs: list[list[memoryview]] = []
    end = -1
    for address, piece in sorted(pieces, key=lambda each: (each[0], -len(each[1]))):
        if not len(piece):
            continue
        if address > end:
            starts.append(address)
            runs.append([piece])
            end = address + len(piece)
        elif address + len(piece) > end:
            runs[-1].append(piece[end - address :])
            end = address + len(piece)
    return starts, [b"".join(run) for run in runs]
