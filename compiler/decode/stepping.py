"""A place in one capture's memory, and the steps from there that engines take, too."""

import struct
from typing import assert_never

from compiler.decode.image import LOWEST, Gap, Image, Window
from compiler.decode.reading import MAX_LENGTH, Missed
from compiler.decode.texts import signed
from compiler.decode.values import ValueReader
from compiler.ir.frames import GONE
from compiler.ir.frozen import frozen
from compiler.ir.program import Deref, Element, Program, Range, Select

HEADER = struct.Struct("<QQQ")


@frozen
class Here:
    """A place: `at` in a window's bytes; without one, at an address."""

    window: Window | None
    at: int


class Stepping:
    """Takes them; Missed where they do not lead on."""

    def __init__(self, program: Program, image: Image, values: ValueReader, bias: int) -> None:
        self._types, self._accesses, self._tails = program.types, program.accesses, program.tails
        self._by_dictionary: dict[int, dict[int, int]] = {}
        """Of accesses of generic code, by number: which other one each dictionary means."""
        self._image, self._values, self._bias = image, values, bias

    def read(self, here: Here, size: int) -> Window:
        """The bytes at a place."""
        if here.window is not None:
            if here.at + size > len(here.window.data):
                raise Missed("unsupported", "the value lies beyond its variable")
            window, at = here.window, here.at
            dead = tuple(word - at for word in window.dead if at <= word < at + size)
            gaps = _within(window.gaps, at, size) if window.gaps else ()
            return Window(window.data[at : at + size], gaps, dead)
        found = self._image.window(here.at, size)
        if found is None:
            raise Missed(self._image.why(here.at, size), f"at {here.at:#x}")
        return found

    def _step(self, here: Here, step: Select | Deref | Element) -> Here:
        match step:
            case Select(offset=offset):
                return Here(here.window, here.at + offset)
            case Deref():
                return Here(None, self._pointer(here))
            case Element(index=index, stride=stride):
                address, length = self._header(here)
                if index >= length:
                    raise Missed("out of range", f"length {length}")
                return Here(None, address + index * stride)
            case _:
                assert_never(step)

    def _word(self, here: Here, offset: int) -> int:
        window = self.read(Here(here.window, here.at + offset), 8)
        gap = window.missing(0, 8)
        if gap is not None:
            raise Missed(gap.reason, gap.detail)
        return window.word(0)

    def _pointer(self, here: Here) -> int:
        address = self._word(here, 0)
        if address < LOWEST:
            raise Missed("torn", f"a pointer to {address:#x}") if address else Missed("nil")
        return self._kept_alive(here, 0, address)

    def _kept_alive(self, here: Here, offset: int, address: int) -> int:
        """The address, unless nothing keeps alive what is there."""
        if here.window is not None and address and here.at + offset in here.window.dead:
            raise Missed("optimized out", f"{GONE} (it was at {address:#x})")
        return address

    def _header(self, here: Here) -> tuple[int, int]:
        """(pointer, length) of a slice or string."""
        address, length = self._word(here, 0), self._word(here, 8)
        if length >= MAX_LENGTH or (length and address < LOWEST):
            raise Missed("torn", f"length {signed(length)} at {address:#x}")
        return self._kept_alive(here, 0, address) if length else address, length

    def _range(self, here: Here, step: Range) -> Here:
        """A header of the elements that are wanted: what Go's own x[lo:hi] makes, as far as there are so many."""
        address, length = self._header(here)
        end = length if step.hi is None else min(step.hi, length)
        count = max(end - step.lo, 0)
        start = address + step.lo * step.stride if count else address
        return Here(Window(HEADER.pack(start & (1 << 64) - 1, count, count)), 0)


def _within(gaps: tuple[Gap, ...], at: int, size: int) -> tuple[Gap, ...]:
    return tuple(
        Gap(max(gap.lo - at, 0), min(gap.hi - at, size), gap.reason, gap.detail)
        for gap in gaps
        if gap.lo < at + size and gap.hi > at
    )
