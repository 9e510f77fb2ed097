"""From a walked stack to the values that its frames' columns begin with.

Where a frame's CFA is not certain, every guess is followed: the decoder knows the right one and finds its bytes.
"""

from collections.abc import Iterator, Mapping
from typing import assert_never

from agent.chase import Chaser
from agent.containers import word
from agent.engine import Registers, Target
from agent.reader import Reader
from agent.walk import RIP, Walked
from compiler.ir.chase import follows
from compiler.ir.plan import Interval, IntervalIndex, bytes_above, intervals, ways
from compiler.ir.program import (
    Access,
    AtAddress,
    AtCfa,
    ByDictionary,
    Deref,
    Element,
    InRegister,
    Located,
    Piece,
    Program,
    Range,
    Select,
    Step,
)
from compiler.ir.raw import SOURCE_THREAD
from compiler.ir.types import WORD


class Roots:
    """Copies the roots of one process and hands them to the chaser."""

    def __init__(self, program: Program, target: Target, reader: Reader, chaser: Chaser) -> None:
        self._program = program
        self._bias = target.bias
        self._reader = reader
        self._chaser = chaser
        self._follows = follows(program.types)
        self._known: dict[Located, dict[int | None, list[Access]]] = {}
        self._calls = _Lookup(IntervalIndex(intervals(program, exact=False)))
        self._above = bytes_above(program)
        self._exact = _Lookup(IntervalIndex(intervals(program, exact=True)))

    def reach(self, walked: Walked) -> int | None:
        """Where the stack ends as far as frames of interest go, with what lies above the outermost of them; None: there is none."""
        stack = range(walked.goroutine.sp, walked.goroutine.stack_hi)
        ends = [cfa if cfa - 16 in stack else stack.start for _, _, cfa in self._frames(walked)]
        return max(ends) + self._above if ends else None

    def copy(self, walked: Walked, threads: Mapping[int, Registers]) -> None:
        """Copy what the frames' columns begin with."""
        at_thread = walked.goroutine.source == SOURCE_THREAD
        own = threads.get(walked.goroutine.tid) if at_thread else None
        for position, interval, cfa in self._frames(walked):
            for root in interval.roots:
                self._root(root, cfa, walked, own if position == 0 else None)

    def _frames(self, walked: Walked) -> Iterator[tuple[int, Interval, int]]:
        """(position, what to copy, CFA) of every frame that may be of interest, guesses included."""
        for position, (pc, bp) in enumerate(walked.chain):
            uncertain = (position == 0 and walked.special) or position in walked.interrupted
            if not uncertain:
                found = self._calls.at(pc - self._bias - 1)
                if found is not None:
                    yield position, found, bp + 16
                continue
            sp = walked.goroutine.sp if position == 0 else walked.chain[position - 1][1] + 16
            for found in (self._exact.at(pc - self._bias), self._calls.at(pc - self._bias - 1)):
                if found is not None:
                    yield from ((position, found, cfa) for cfa in (bp + 16, sp + 8, sp + 16))
            for ghost in (walked.word(sp), walked.word(sp + 8)):  # a caller that the chain leaves out
                found = self._calls.at(ghost - self._bias - 1)
                if found is not None:
                    yield position, found, bp + 16

    def _root(self, root: Located, cfa: int, walked: Walked, registers: Registers | None) -> None:
        found = self._ways(root)
        if not found:
            return  # its own bytes are in the stack's image
        access = self._program.accesses[root.access]
        parts = bytearray(access.root_size)
        for piece in root.pieces:
            parts[piece.at : piece.at + piece.size] = self._piece(piece, cfa, walked, registers)
        for at in root.dead:  # it leads to what is somebody else's by now
            parts[at : at + WORD] = bytes(WORD)
        hand = bytes(parts)
        told = word(hand, access.at) - self._bias if isinstance(access, ByDictionary) else None
        for each in found.get(told, ()):
            self._along(hand, each)

    def _along(self, hand: bytes, access: Access) -> None:
        """From a root in hand to the value."""
        base: int | None = None  # the root itself, until a pointer is followed
        offset = 0
        for step in access.steps:
            header = b"" if isinstance(step, Select) else self._header(hand, base, offset, step)
            match step:
                case Select(offset=more):
                    offset += more
                case Deref():
                    base, offset = word(header, 0), 0
                case Element(index=index, stride=stride):
                    base, offset = word(header, 0), index * stride
                case Range():
                    self._chaser.range(header, step, access.limits)
                    return
                case _:
                    assert_never(step)
            if not base and not isinstance(step, Select):
                return
        if base is None:
            self._chaser.value(hand[offset:], access.type, access.extra_depth)
        else:
            self._chaser.object(base + offset, access.type, access.extra_depth)

    def _header(self, hand: bytes, base: int | None, offset: int, step: Step) -> bytes:
        """The pointer, or pointer and length, that a step follows."""
        size = 8 if isinstance(step, Deref) else 16
        return hand[offset : offset + size] if base is None else self._reader.copy(base + offset, size) or b""

    def _ways(self, root: Located) -> dict[int | None, list[Access]]:
        """The accesses to go on by, for each dictionary."""
        found = self._known.get(root)
        if found is None:
            found = self._known[root] = {}
            for way in ways(root, self._program, self._follows):
                found.setdefault(way.dictionary, []).append(way.access)
        return found

    def _piece(self, piece: Piece, cfa: int, walked: Walked, registers: Registers | None) -> bytes:
        """The bytes of one piece; zeros for what is not there."""
        match piece:
            case AtCfa(offset=offset):
                found = self._on_stack(walked, cfa + offset, piece.size)
            case InRegister(number=number):
                known = registers is not None and number < RIP
                found = registers[number].to_bytes(8, "little")[: piece.size] if registers and known else b""
            case AtAddress(address=address):
                found = self._reader.copy(address + self._bias, piece.size) or b""
            case _:
                assert_never(piece)
        return found + bytes(piece.size - len(found))

    def _on_stack(self, walked: Walked, address: int, size: int) -> bytes:
        at = address - walked.goroutine.sp
        if at >= 0 and at + size <= len(walked.image):
            return walked.image[at : at + size]
        inside = walked.goroutine.stack_lo <= address <= walked.goroutine.stack_hi - size
        return (self._reader.copy(address, size) if inside else None) or b""


class _Lookup:
    """An index that remembers its answers: the same few PCs come again and again."""

    def __init__(self, index: IntervalIndex) -> None:
        self._index = index
        self._known: dict[int, Interval | None] = {}

    def at(self, pc: int) -> Interval | None:
        if pc not in self._known:
            self._known[pc] = self._index.at(pc)
        return self._known[pc]
