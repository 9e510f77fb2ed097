"""From a frame's columns to ROOTS: the few instructions by which the probe gets from there to the values.

Columns often begin with the same variable and go the same way for a while. So the roots of an interval are laid out as
trees: each variable, each Deref and each copy is there once, and its `next` leads past all that hangs on it.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from agent.engine_ebpf.numbers import BYTES_TYPE, PIECE, RootKind
from compiler.ir.chase import Follow, range_items
from compiler.ir.plan import ways
from compiler.ir.program import (
    Access,
    AtAddress,
    AtCfa,
    Deref,
    Element,
    InRegister,
    Located,
    Piece,
    Program,
    Range,
    Select,
)
from compiler.ir.types import WORD, TypeId

ROW = struct.Struct("<IIIIqII")
LARGEST_OFFSET = (1 << 32) - 1
GENERAL_REGISTERS = 16
SPAN_BYTES = 512
"""Values of one object that lie within so many bytes are copied together; larger ones take their turn in the queue."""
FIRST_SPAN = 1 << 31
"""Spans are remembered as seen under numbers that are no type ids."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of `type`, followed `extra_depth` levels deeper than usual."""

    at: int
    type: TypeId
    extra_depth: int


@dataclass(frozen=True, slots=True)
class _Span:
    """`count` elements, from `lo` on, of the slice or string at `at`."""

    at: int
    lo: int
    count: int
    stride: int
    type: int


@dataclass(slots=True)
class _Object:
    """What is wanted of one object: the values in it, and of the objects that its pointers lead to; by offset."""

    values: "dict[_Value, None]" = field(default_factory=dict)
    derefs: "dict[int, _Object]" = field(default_factory=dict)
    lengths: dict[int, None] = field(default_factory=dict)
    """Pointers behind which a length stands that the decoder will look at."""
    ranges: "dict[_Span, None]" = field(default_factory=dict)
    choices: "dict[tuple[int, int], _Object]" = field(default_factory=dict)
    """What is wanted besides where the word at this offset is the address of that dictionary; of a variable only."""


@dataclass(frozen=True, slots=True)
class _Code:
    """One instruction and those that hang on it, to be skipped with it."""

    kind: RootKind
    at: int = 0
    size: int = 0
    type: int = 0
    value: int = 0
    level: int = 0
    inner: "tuple[_Code, ...]" = ()

    def length(self) -> int:
        return 1 + sum(code.length() for code in self.inner)

    def rows(self, position: int) -> Iterator[bytes]:
        """Rows for a table in which this one stands at `position`."""
        following = position + self.length()
        yield ROW.pack(self.kind, self.at, self.size, self.type, self.value, following, self.level)
        for code in self.inner:
            position += 1
            yield from code.rows(position)
            position += code.length() - 1


class RootTable:
    """ROOTS, as it grows."""

    row_size = ROW.size

    def __init__(self, program: Program, follows: tuple[tuple[Follow, ...], ...], bias: int) -> None:
        self._program = program
        self._follows = follows
        self._bias = bias
        self._rows: list[bytes] = []
        self._spans: dict[tuple[_Code, ...], int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, roots: Iterable[Located]) -> None:
        """Append the instructions of one interval's roots."""
        variables: dict[tuple[tuple[Piece, ...], int, tuple[int, ...]], _Object] = {}
        for root in roots:
            size = self._program.accesses[root.access].root_size
            variable = variables.setdefault((root.pieces, size, root.dead), _Object())
            for way in ways(root, self._program, self._follows):
                wanted = variable
                if way.dictionary is not None:
                    wanted = variable.choices.setdefault((way.at, way.dictionary + self._bias), _Object())
                _want(wanted, way.access)
        for (pieces, size, dead), wanted in variables.items():
            for code in self._variable(pieces, size, dead, wanted):
                self._rows += code.rows(len(self._rows))

    def packed(self) -> bytes:
        """The whole table."""
        return b"".join(self._rows)

    # ------------------------------------------------------------ the variable itself

    def _variable(
        self, pieces: tuple[Piece, ...], size: int, dead: tuple[int, ...], wanted: _Object
    ) -> Iterator[_Code]:
        inner = (*self._inside(wanted), *self._choices(wanted))
        if len(pieces) == 1 and pieces[0].size == size <= PIECE and not dead:
            match pieces[0]:
                case AtCfa(offset=offset):
                    yield _Code(RootKind.WHOLE_STACK, size=size, value=offset, inner=inner)
                    return
                case AtAddress(address=address):
                    yield _Code(RootKind.WHOLE_ADDRESS, size=size, value=address + self._bias, inner=inner)
                    return
        yield _Code(RootKind.BEGIN)
        yield from (_Code(RootKind.NOTHING, at, WORD) for at in _unknown_words(pieces, size))
        # by ascending `at`: each is written as whole words, and the next one mends what is behind it
        for piece in sorted(pieces, key=lambda each: each.at):
            yield from (self._piece(part) for part in _split(piece))
        yield from (_Code(RootKind.NOTHING, at, WORD) for at in dead)  # it leads to what is somebody else's by now
        yield from inner

    def _inside(self, variable: _Object) -> Iterator[_Code]:
        yield from self._values(variable, 0)
        yield from _ranges(variable, 0)
        yield from self._derefs(variable, 0)

    def _choices(self, variable: _Object) -> Iterator[_Code]:
        for (at, dictionary), chosen in variable.choices.items():
            inner = tuple(self._inside(chosen))
            if inner:
                yield _Code(RootKind.CHOICE, at, WORD, value=dictionary, inner=inner)

    def _piece(self, piece: Piece) -> _Code:
        match piece:
            case AtCfa(at=at, size=size, offset=offset):
                return _Code(RootKind.STACK, at, size, value=offset)
            case InRegister(at=at, size=size, number=number):
                return _Code(RootKind.REGISTER, at, size, min(number, GENERAL_REGISTERS))
            case AtAddress(at=at, size=size, address=address):
                return _Code(RootKind.ADDRESS, at, size, value=address + self._bias)
            case _:
                assert_never(piece)

    # ------------------------------------------------------------ what it leads to

    def _values(self, wanted: _Object, level: int) -> Iterator[_Code]:
        """Values that are there already."""
        for each in wanted.values:
            if each.at <= LARGEST_OFFSET and self._follows[each.type]:
                yield _Code(RootKind.VALUE, each.at, type=each.type, value=each.extra_depth, level=level)

    def _derefs(self, wanted: _Object, level: int) -> Iterator[_Code]:
        for at, there in wanted.derefs.items():
            if at <= LARGEST_OFFSET:
                yield _Code(RootKind.DEREF, at, 8, level=level + 1, inner=tuple(self._object(there, level + 1)))

    def _object(self, wanted: _Object, level: int) -> Iterator[_Code]:
        """An object at an address: its parts by spans, large values through the queue."""
        small = [(at, 16 if at in wanted.lengths else 8) for at in (*wanted.derefs, *wanted.lengths)]
        for each in wanted.values:
            size = self._program.types[each.type].size
            if size <= SPAN_BYTES:
                small.append((each.at, size))
            elif each.at <= LARGEST_OFFSET:
                yield _Code(RootKind.QUEUE, each.at, size, each.type, value=each.extra_depth, level=level)
        for lo, hi in _clusters(small):
            yield self._span(lo, hi, wanted, level)

    def _span(self, lo: int, hi: int, wanted: _Object, level: int) -> _Code:
        part = _Object(
            {
                each: None
                for each in wanted.values
                if lo <= each.at < hi and self._program.types[each.type].size <= SPAN_BYTES
            },
            {at: there for at, there in wanted.derefs.items() if lo <= at < hi},
            {at: None for at in wanted.lengths if lo <= at < hi},
            {each: None for each in wanted.ranges if lo <= each.at < hi},
        )
        inner = (*self._values(part, level), *_ranges(part, level), *self._derefs(part, level))
        span = _Code(RootKind.SPAN, lo, hi - lo, level=level, inner=inner)
        number = self._spans.setdefault((span,), FIRST_SPAN + len(self._spans))
        return _Code(RootKind.SPAN, lo, hi - lo, number, level=level, inner=inner)


def _want(variable: _Object, access: Access) -> None:
    """Enter an access into what is wanted of its variable."""
    wanted, at = variable, 0
    for step in access.steps:
        match step:
            case Select(offset=offset):
                at += offset
            case Deref():
                wanted, at = wanted.derefs.setdefault(at, _Object()), 0
            case Element(index=index, stride=stride):
                wanted.lengths[at] = None
                wanted, at = wanted.derefs.setdefault(at, _Object()), index * stride
            case Range(lo=lo, stride=stride, elem=elem):
                wanted.lengths[at] = None
                type_ = BYTES_TYPE if elem is None else elem
                wanted.ranges[_Span(at, lo, range_items(step, access.limits), stride, type_)] = None
                return
            case _:
                assert_never(step)
    wanted.values[_Value(at, access.type, access.extra_depth)] = None


def _ranges(wanted: _Object, level: int) -> Iterator[_Code]:
    """Elements of slices and strings whose headers are there."""
    for each in wanted.ranges:
        if each.at <= LARGEST_OFFSET:
            value = each.lo | each.count << 32
            yield _Code(RootKind.RANGE, each.at, each.stride, each.type, value, level)


def _clusters(parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(from, to) of runs of parts that are copied in one go, by ascending offset."""
    found: list[tuple[int, int]] = []
    for at, size in sorted(part for part in parts if part[1] and part[0] + part[1] <= LARGEST_OFFSET):
        if found and at + size - found[-1][0] <= SPAN_BYTES:
            found[-1] = found[-1][0], max(found[-1][1], at + size)
        else:
            found.append((at, at + size))
    return found


def _unknown_words(pieces: Sequence[Piece], size: int) -> Iterator[int]:
    """Offsets of the words of a variable of which no piece brings the whole."""
    if sum(piece.size for piece in pieces) == size:
        return
    known = bytearray(size)
    for piece in pieces:
        known[piece.at : piece.at + piece.size] = b"\1" * piece.size
    yield from (at for at in range(0, size, WORD) if not all(known[at : at + WORD]))


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
                yield piece
            case _:
                assert_never(piece)
