"""Which pointers on the stack are alive, as the garbage collector itself is told: FUNCDATA stack maps by PC.

A location says where a variable was kept, not that it still counts. Once nothing will use a pointer any more, the
collector frees what it points to and a stack that moves leaves it behind: what is read there is somebody else's.
See getStackMap in go/src/runtime/stkframe.go and cmd/compile/internal/liveness.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from compiler.code.pclntab import Pclntab
from compiler.dwarf.executable import Executable
from compiler.dwarf.gotypes import (
    KIND_ARRAY,
    KIND_CHAN,
    KIND_FUNC,
    KIND_INTERFACE,
    KIND_MAP,
    KIND_POINTER,
    KIND_SLICE,
    KIND_STRING,
    KIND_STRUCT,
    KIND_UNSAFE_POINTER,
    GoTypes,
)
from compiler.ir.program import AtCfa, Piece
from compiler.ir.types import WORD

FIRST_WORD = (
    KIND_POINTER, KIND_MAP, KIND_CHAN, KIND_FUNC, KIND_UNSAFE_POINTER, KIND_STRING, KIND_SLICE,
)  # fmt: skip
MAX_WORDS = 1 << 12
MAX_BYTES = 1 << 16


class StackMaps:
    """Answers for the calls of one executable."""

    def __init__(self, executable: Executable, pclntab: Pclntab, types: GoTypes) -> None:
        self._executable, self._pclntab, self._types = executable, pclntab, types
        self._bits = lru_cache(maxsize=4096)(self._read_bits)
        self._map = lru_cache(maxsize=4096)(self._map_at)
        self.pointers = lru_cache(maxsize=4096)(self._pointers)

    def edges(self, lo: int, hi: int) -> set[int]:
        """PCs in [lo, hi) at which another map holds."""
        return {start for start, _, _ in self._pclntab.stack_map_indexes(lo) if lo <= start < hi}

    def dead(self, pc: int, type_offset: int, pieces: tuple[Piece, ...]) -> tuple[int, ...]:
        """Offsets of the variable's pointers that the call at `pc` leaves dead. Unknown is alive."""
        return tuple(word for word, slot in self.held(type_offset, pieces) if not self.alive(pc, slot))

    def held(self, type_offset: int, pieces: Iterable[Piece]) -> Iterator[tuple[int, int]]:
        """Offsets of the variable's pointers, and the slots (from the CFA) that they are in."""
        slots = [piece for piece in pieces if isinstance(piece, AtCfa)]
        words = self.pointers(type_offset) if slots else ()
        return (
            (word, piece.offset + word - piece.at)
            for piece in slots
            for word in words
            if piece.at <= word < piece.at + piece.size
        )

    def alive(self, pc: int, slot: int) -> bool:
        """Whether the word at `slot` (from the CFA) holds a live pointer."""
        arguments = slot >= 0
        found = self._map(pc, arguments)
        if found is None:
            return True
        count, bits = found
        machine = self._executable.machine
        index = (slot - machine.arguments_start) // WORD if arguments else (slot - machine.locals_end) // WORD + count
        return bool(0 <= index < count and bits[index // 8] >> index % 8 & 1)

    def _map_at(self, pc: int, arguments: bool) -> tuple[int, bytes] | None:
        """(words, bitmap) of the map for the call at `pc`; None where none is known."""
        found = self._pclntab.stack_map(pc, arguments=arguments)
        return None if found is None else self._bits(*found)

    def _read_bits(self, address: int, number: int) -> tuple[int, bytes]:
        """(words, bitmap) of one map of a runtime.stackmap; no words where there is none."""
        header = self._executable.read(address, 8)
        if header is None:
            return 0, b""
        maps, words = int.from_bytes(header[:4], "little"), int.from_bytes(header[4:], "little")
        size = (words + 7) // 8
        if not 0 <= number < maps or size > MAX_BYTES:
            return 0, b""
        bits = self._executable.read(address + 8 + number * size, size)
        return (words, bits) if bits is not None else (0, b"")

    def _pointers(self, type_offset: int) -> tuple[int, ...]:
        """Offsets of the words of a type that the collector follows; of large types the first ones."""
        found: list[int] = []
        self._collect(type_offset, 0, found)
        return tuple(found)

    def _collect(self, type_offset: int, at: int, into: list[int]) -> None:
        types, kind = self._types, self._types.kind(type_offset)
        if kind in FIRST_WORD:
            into.append(at)
        elif kind == KIND_INTERFACE:
            into.append(at + WORD)  # types and itabs are never freed
        elif kind == KIND_STRUCT:
            for member in types.members(type_offset):
                self._collect(member.type, at + member.offset, into)
        elif kind == KIND_ARRAY:
            elem, count = types.array(type_offset)
            stride = 0 if elem is None else types.size(elem)
            for index in range(count if stride else 0):
                before = len(into)
                if elem is not None:
                    self._collect(elem, at + index * stride, into)
                if len(into) == before or len(into) > MAX_WORDS:
                    return
