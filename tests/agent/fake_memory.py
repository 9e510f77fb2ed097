"""An address space made of bytes that a test puts there. Stands in for a process's memory (agent.reader.Memory)."""

import struct
from collections.abc import Sequence


class FakeMemory:
    """Whatever was not put there cannot be read."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, bytes]] = []

    def put(self, address: int, content: bytes) -> int:
        """Lay down bytes; the address again."""
        self._runs.append((address, content))
        return address

    def words(self, address: int, *words: int) -> int:
        """Lay down 64-bit words."""
        return self.put(address, struct.pack(f"<{len(words)}Q", *words))

    def read_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        return [self._read(address, size) for address, size in spans]

    def _read(self, address: int, size: int) -> bytes | None:
        if not size:
            return b""
        for start, content in reversed(self._runs):
            if start <= address and address + size <= start + len(content):
                return content[address - start : address - start + size]
        return None
