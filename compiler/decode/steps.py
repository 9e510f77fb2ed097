"""From a root variable through an access's steps to the place of its value; or why there is none."""

import struct
from typing import assert_never

from compiler.decode import maps
from compiler.decode.contexts import context_in, is_value_context, member
from compiler.decode.image import LOWEST, Gap, Image, Window
from compiler.decode.keys import equals
from compiler.decode.reading import MAX_LENGTH, Missed, Pick
from compiler.decode.texts import signed
from compiler.decode.values import ValueReader
from compiler.ir.frames import GONE
from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits
from compiler.ir.program import (
    ContextValue,
    Deref,
    DynamicType,
    Element,
    Lookup,
    Program,
    Range,
    Select,
    Step,
    Tail,
    Unbox,
)
from compiler.ir.types import INDIRECT, HashMap, Interface, Pointer, Sought, Struct, SwissMap, TypeId

HEADER = struct.Struct("<QQQ")
MAX_CONTEXTS = 10_000
"""Contexts within each other that are looked through; a chain of more is damage."""


@frozen
class Here:
    """A place: `at` in a window's bytes; without one, at an address."""

    window: Window | None
    at: int


@frozen
class Found:
    """Where a value of `type` is, and the limits by which it is shown."""

    here: Here
    type: TypeId
    limits: Limits


class Steps:
    """Takes steps in one capture's memory."""

    def __init__(self, program: Program, image: Image, values: ValueReader, bias: int) -> None:
        self._types, self._accesses = program.types, program.accesses
        self._image, self._values, self._bias = image, values, bias

    def along(self, here: Here, steps: tuple[Step, ...], limits: Limits) -> tuple[Here, Limits]:
        """Where an engine's steps lead; Missed where they do not."""
        for step in steps:
            if isinstance(step, Range):
                return self._range(here, step), _shown(limits, step)
            if isinstance(step, Deref) and step.or_zero and not self._word(here, 0):
                return Here(Window(bytes(8)), 0), limits
            here = self._step(here, step)
        return here, limits

    def finish(self, here: Here, tail: Tail, limits: Limits) -> Found:
        """Where the decoder's own steps lead."""
        while True:
            following: Tail | None = None
            for step in tail.steps:
                match step:
                    case Range():
                        return Found(self._range(here, step), tail.type, _shown(limits, step))
                    case Deref(or_zero=True) if not self._word(here, 0):
                        return Found(Here(Window(bytes(8)), 0), tail.type, limits)
                    case Unbox():
                        here, following = self._unbox(here, step)
                    case Lookup() | ContextValue():
                        here = self._look_up(here, step) if isinstance(step, Lookup) else self._context(here, step)
                    case _:
                        here = self._step(here, step)
            if following is None:
                return Found(here, tail.type, limits)
            tail = following

    def pick(self, access: int, window: Window, at: int) -> Pick:
        """An access's value, from an object in hand."""
        wanted = self._accesses[access]
        here, limits = self.along(Here(window, at), wanted.steps, wanted.limits)
        found = Found(here, wanted.type, limits)
        if wanted.tail is not None:
            found = self.finish(here, wanted.tail, limits)
        cost = wanted.extra_depth + sum(isinstance(step, Deref) for step in wanted.steps)
        return Pick(self.read(found.here, self._types[found.type].size), found.type, found.limits, cost)

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

    # ------------------------------------------------------------ steps of engines

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

    # ------------------------------------------------------------ maps

    def _look_up(self, here: Here, step: Lookup) -> Here:
        sought = self._types[step.sought]
        kind = self._types[sought.map] if isinstance(sought, Sought) else None
        if not isinstance(sought, Sought) or not isinstance(kind, SwissMap | HashMap):
            raise Missed("unsupported", "no map")
        address = self._kept_alive(here, 0, self._word(here, 0))
        if not address:
            raise Missed("no such key", "the map is nil")
        found = maps.entries(kind, address, self._image, sought.scan)
        unknown = 0
        for slot in found.slots:
            same = equals(self._values, self._image, kind.key, (slot.window, slot.key_at), step.key)
            if same:
                return self._kept(Here(slot.window, slot.value_at), kind.value)
            unknown += same is None
        if found.problem or unknown:
            raise Missed(found.problem or "budget", found.detail or "not all keys could be looked at")
        if len(found.slots) < found.total:
            raise Missed("cut", f"{len(found.slots)} of {found.total} entries looked through (limits.map_scan)")
        raise Missed("no such key", f"{found.total} entries")

    def _kept(self, here: Here, type_id: TypeId) -> Here:
        """Through the pointer by which a map keeps a large value."""
        kind = self._types[type_id]
        indirect = isinstance(kind, Pointer) and kind.name == INDIRECT
        return self._step(here, Deref()) if indirect else here

    # ------------------------------------------------------------ interfaces

    def _unbox(self, here: Here, step: Unbox) -> tuple[Here, Tail]:
        offset = self._runtime_type(here, step.interface)
        branch = next((each for each in step.branches if each.offset == offset), None)
        if branch is not None:
            return (Here(here.window, here.at + 8) if branch.direct else Here(None, self._data(here))), branch.tail
        raise Missed("other type", f"it holds {self._types[self._known(offset).type].name}, not {step.wanted}")

    def _runtime_type(self, here: Here, interface: TypeId) -> int:
        """The offset from moduledata.types of what an interface holds."""
        kind, tab = self._types[interface], self._word(here, 0)
        if not tab:
            raise Missed("nil")
        if not isinstance(kind, Interface) or tab < LOWEST:
            raise Missed("torn", f"type at {tab:#x}")
        runtime_type = tab if kind.empty else self._word(Here(None, tab), kind.itab_type)
        return self._values.offset_of(runtime_type)

    def _known(self, offset: int) -> DynamicType:
        dynamic = self._values.dynamic(offset)
        if dynamic is None:
            raise Missed("type unknown", f"runtime type at {offset:#x}")
        return dynamic

    def _data(self, here: Here) -> int:
        address = self._word(here, 8)
        if address < LOWEST:
            raise Missed("torn", f"a value at {address:#x}")
        return self._kept_alive(here, 8, address)

    # ------------------------------------------------------------ contexts

    def _context(self, here: Here, step: ContextValue) -> Here:
        """The value of the nearest context in the chain that has the key. See Value in go/src/context/context.go."""
        interface, at_end = step.interface, ""
        for _ in range(MAX_CONTEXTS):
            if not self._word(here, 0):
                raise Missed("no such key", "a context is nil")
            dynamic = self._known(self._runtime_type(here, interface))
            kind = self._types[dynamic.type]
            inner = Here(here.window, here.at + 8) if dynamic.direct else Here(None, self._data(here))
            if isinstance(kind, Pointer) and kind.elem is not None:
                inner, kind = self._step(inner, Deref()), self._types[kind.elem]
            at_end = kind.name
            if isinstance(kind, Struct) and is_value_context(kind):
                if self._has_key(inner, kind, step):
                    return Here(inner.window, inner.at + member(kind, "val").offset)
                outer = member(kind, "Context")
                interface, at = outer.type, outer.offset
            else:
                found = context_in(self._types, kind)
                if found is None:
                    break
                at, interface = found
            here = Here(inner.window, inner.at + at)
        else:
            raise Missed("torn", f"more than {MAX_CONTEXTS} contexts within each other")
        raise Missed("no such key", f"the chain of contexts ends with a {at_end}")

    def _has_key(self, here: Here, kind: Struct, step: ContextValue) -> bool:
        key, value = member(kind, "key"), member(kind, "val")
        at_key, at_value = Here(here.window, here.at + key.offset), Here(here.window, here.at + value.offset)
        if step.by_value and self._holds(at_value, value.type, step.offset):
            return True
        if not self._holds(at_key, key.type, step.offset):
            return False
        if step.address is not None:
            return self._word(at_key, 8) == step.address + self._bias
        if step.key is None:
            return True
        dynamic = self._known(step.offset)
        place = Here(at_key.window, at_key.at + 8) if dynamic.direct else Here(None, self._data(at_key))
        window = self.read(place, self._types[dynamic.type].size)
        same = equals(self._values, self._image, dynamic.type, (window, 0), step.key)
        if same is None:
            raise Missed("budget", "a context's key could not be looked at")
        return same

    def _holds(self, here: Here, interface: TypeId, offset: int) -> bool:
        return bool(self._word(here, 0)) and self._runtime_type(here, interface) == offset


def _shown(limits: Limits, step: Range) -> Limits:
    """Elements that were asked for by number are all shown."""
    if step.hi is None:
        return limits
    wanted = max(step.hi - step.lo, 1)
    return limits.override(
        {"slice_items": max(limits.slice_items, wanted), "string_bytes": max(limits.string_bytes, wanted)}
    )


def _within(gaps: tuple[Gap, ...], at: int, size: int) -> tuple[Gap, ...]:
    return tuple(
        Gap(max(gap.lo - at, 0), min(gap.hi - at, size), gap.reason, gap.detail)
        for gap in gaps
        if gap.lo < at + size and gap.hi > at
    )
