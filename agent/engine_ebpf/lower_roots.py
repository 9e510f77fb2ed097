"""From a column's place in a frame to ROOTS: the few instructions by which the probe gets from there to the value."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from agent.engine_ebpf.numbers import PIECE, RootKind
from compiler.ir.program import Access, AtAddress, AtCfa, Deref, InRegister, Located, Piece, Program, Select

ROW = struct.Struct("<IIIIqQ")
LARGEST_OFFSET = (1 << 32) - 1
GENERAL_REGISTERS = 16

Instruction = tuple[RootKind, int, int, int, int]
"""Kind, at, size, type, value."""


class RootTable:
    """ROOTS, as it grows. Equal roots of different intervals are written again: they are few."""

    row_size = ROW.size

    def __init__(self, program: Program, bias: int) -> None:
        self._program = program
        self._bias = bias
        self._rows: list[bytes] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, roots: Iterable[Located]) -> None:
        """Append the instructions of these roots."""
        for root in roots:
            instructions = list(self._instructions(root))
            following = len(self._rows) + len(instructions)
            self._rows += [ROW.pack(*instruction, following) for instruction in instructions]

    def packed(self) -> bytes:
        """The whole table."""
        return b"".join(self._rows)

    def _instructions(self, root: Located) -> Iterator[Instruction]:
        access = self._program.accesses[root.access]
        yield RootKind.BEGIN, 0, access.root_size, 0, 0
        yield from self._pieces(root.pieces, access)
        at = 0
        for step in access.steps:
            match step:
                case Select(offset=offset):
                    at += offset
                case Deref():
                    yield RootKind.DEREF, at, 8, 0, 0
                    at = 0
        if at <= LARGEST_OFFSET:
            yield RootKind.VALUE, at, self._program.types[access.type].size, access.type, 0

    def _pieces(self, pieces: tuple[Piece, ...], access: Access) -> Iterator[Instruction]:
        if len(pieces) == 1 and pieces[0].size == access.root_size <= PIECE:
            match pieces[0]:
                case AtCfa(size=size, offset=offset):
                    yield RootKind.WHOLE_STACK, 0, size, 0, offset
                    return
                case AtAddress(size=size, address=address):
                    yield RootKind.WHOLE_ADDRESS, 0, size, 0, address + self._bias
                    return
        # by ascending `at`: each is written as whole words, and the next one mends what is behind it
        for piece in sorted(pieces, key=lambda each: each.at):
            for part in _split(piece):
                yield self._piece(part)

    def _piece(self, piece: Piece) -> Instruction:
        match piece:
            case AtCfa(at=at, size=size, offset=offset):
                return RootKind.STACK, at, size, 0, offset
            case InRegister(at=at, size=size, number=number):
                return RootKind.REGISTER, at, size, min(number, GENERAL_REGISTERS), 0
            case AtAddress(at=at, size=size, address=address):
                return RootKind.ADDRESS, at, size, 0, address + self._bias
            case _:
                assert_never(piece)


def _split(piece: Piece) -> Iterator[Piece]:
    """Parts that one copy can bring."""
    for start in range(0, piece.size, PIECE):
        size = min(PIECE, piece.size - start)
        match piece:
            case AtCfa(at=at, offset=offset):
                yield AtCfa(at + start, size, offset + start)
            case AtAddress(at=at, address=address):
                yield AtAddress(at + start, size, address + start)
            case InRegister():
                yield replace(piece, size=size)
            case _:
                assert_never(piece)
