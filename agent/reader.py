"""Reads a stopped process's memory and keeps what was read: every byte that a decoder may want to see again."""

from collections.abc import Sequence
from typing import Protocol

from compiler.ir.raw import FAULT, KIND_FAULT, KIND_MEMORY, MEMORY, record

CHUNK = 8 << 20
"""Bytes that are asked for in one go; one larger object is read alone."""
LARGEST_FAULT = (1 << 32) - 1
LAST_ADDRESS = (1 << 64) - 1


class Memory(Protocol):
    """Any address space: a live process, or a fake one in a test."""

    def read_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """One answer for each (address, size); None where any byte of it cannot be read."""


class Reader:
    """Reads and records, within a budget of bytes."""

    def __init__(self, memory: Memory, budget: int) -> None:
        self._memory = memory
        self._left = budget
        self._kept: dict[int, bytes] = {}
        self._faults: dict[int, int] = {}
        self.refused = 0
        """Objects that were not copied because the budget was spent."""

    def read(self, address: int, size: int) -> bytes | None:
        """Bytes that are not recorded."""
        return self._memory.read_many([(address, size)])[0]

    def read_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """The bytes of each (address, size), not recorded."""
        found: list[bytes | None] = []
        batch: list[tuple[int, int]] = []
        weight = 0
        for span in spans:
            if batch and weight + span[1] > CHUNK:
                found += self._memory.read_many(batch)
                batch, weight = [], 0
            batch.append(span)
            weight += span[1]
        return found + self._memory.read_many(batch) if batch else found

    def word(self, address: int) -> int | None:
        """A pointer or integer that is not recorded."""
        found = self.read(address, 8)
        return None if found is None else int.from_bytes(found, "little")

    def keep(self, address: int, found: bytes) -> bool:
        """Record bytes that were read otherwise; False when the budget is spent."""
        known = self._kept.get(address, b"")
        if len(known) >= len(found):
            return True
        if len(found) > self._left:
            self.refused += 1
            return False
        self._left -= len(found)
        self._kept[address] = found
        return True

    def copy_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """Read and record each (address, size), or that it cannot be read; None for what was not copied."""
        affordable = [span for span in spans if span[1] <= self._left]
        self.refused += len(spans) - len(affordable)
        answers = dict(zip(affordable, self.read_many(affordable), strict=True))
        for (address, size), found in answers.items():
            if found is None and address > LAST_ADDRESS:
                continue  # a garbage pointer and an offset; the decoder knows that nothing is there
            if found is None:
                self._faults[address] = max(size, self._faults.get(address, 0))
            elif not self.keep(address, found):
                answers[address, size] = None
        return [answers.get(span) for span in spans]

    def copy(self, address: int, size: int) -> bytes | None:
        """Read and record one."""
        return self.copy_many([(address, size)])[0]

    def records(self) -> bytes:
        """All MEMORY and FAULT records, by address."""
        memory = [record(KIND_MEMORY, MEMORY.pack(at) + self._kept[at]) for at in sorted(self._kept)]
        faults = [
            record(KIND_FAULT, FAULT.pack(at, min(self._faults[at], LARGEST_FAULT), 0)) for at in sorted(self._faults)
        ]
        return b"".join(memory + faults)
