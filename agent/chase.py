"""Follows pointers from the captured roots, breadth first: the reference for what the eBPF probe does in the kernel.

It copies a superset of what the decoder reads. Where a pointer is garbage, the copy fails or is of no use.
"""

import time
from collections import deque
from dataclasses import dataclass
from typing import assert_never

from agent.containers import chan_spans, copy_waiters, hash_entries, length, swiss_entries, trie_entries, word
from agent.engine import Target
from agent.reader import Reader
from compiler.ir.chase import (
    Follow,
    FollowArray,
    FollowBox,
    FollowChan,
    FollowFunc,
    FollowHashMap,
    FollowInterface,
    FollowPointer,
    FollowSlice,
    FollowSought,
    FollowString,
    FollowSwissMap,
    FollowTrie,
    follows,
    held_depth,
    is_byte,
    key_depths,
    range_items,
)
from compiler.ir.limits import MAX_WAITS, Limits
from compiler.ir.program import Program, Range
from compiler.ir.types import Array, Chan, HashMap, Sought, SwissMap, Trie, TypeId

BATCH = 512
BYTES = -1
"""In place of a type: bytes without pointers."""
LOOK_EVERY = 256
"""Elements of one array between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Pending:
    """`count` elements of `type` at `address`, `stride` bytes each. A map or channel is one element of no size."""

    address: int
    type: TypeId
    count: int
    stride: int
    depth: int


class Chaser:
    """Copies what the roots lead to. Feed it roots, then `run`."""

    def __init__(self, program: Program, target: Target, reader: Reader) -> None:
        self._types = program.types
        self._follows = follows(program.types)
        self._key_depth = key_depths(program.types)
        self._limits = program.widest_limits()
        self._dynamic = {each.offset: each for each in program.dynamic_types}
        self._types_base = target.types_base
        self._reader = reader
        self._queue: deque[Pending] = deque()
        self._seen: dict[tuple[int, TypeId], tuple[tuple[int, int], ...]] = {}
        self._itabs: dict[int, int | None] = {}
        self._deadline_ns = 0

    @property
    def waiting(self) -> int:
        """Objects not copied yet."""
        return len(self._queue)

    def object(self, address: int, type_id: TypeId, extra_depth: int = 0) -> None:
        """Copy one value at an address, and what it leads to."""
        self._value_at(address, type_id, self._limits.depth + extra_depth)

    def detail(self, address: int, type_id: TypeId) -> None:
        """The same for what hangs on a goroutine itself: as deep as a select has cases."""
        self._value_at(address, type_id, MAX_WAITS)

    def value(self, found: bytes, type_id: TypeId, extra_depth: int = 0) -> None:
        """What a value in hand leads to."""
        self._element(found, 0, self._follows[type_id], self._limits.depth + extra_depth)

    def range(self, header: bytes, wanted: Range, limits: Limits) -> None:
        """Some elements of the slice or string whose {ptr, len} is in hand, and what they lead to."""
        count = min(length(word(header, 8)) - wanted.lo, range_items(wanted, limits))
        if count > 0 and wanted.stride and word(header, 0):
            elem = BYTES if wanted.elem is None else wanted.elem
            address = word(header, 0) + wanted.lo * wanted.stride
            self._push(Pending(address, elem, count, wanted.stride, self._limits.depth), contents=True)

    def run(self, deadline_ns: int) -> None:
        """Copy until nothing is left (`waiting` is 0) or the time is over."""
        self._deadline_ns = deadline_ns
        while self._queue and not self._over():
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            objects = [each for each in batch if each.stride]
            copies = self._reader.copy_many([(each.address, each.count * each.stride) for each in objects])
            for each, found in zip(objects, copies, strict=True):
                if found is not None and each.type != BYTES:
                    self._elements(each, found)
            for each in batch:
                if not each.stride:
                    self._container(each)

    def _over(self) -> bool:
        return time.monotonic_ns() >= self._deadline_ns

    # ------------------------------------------------------------ the queue

    def _value_at(self, address: int, type_id: TypeId, depth: int) -> None:
        """One value behind a pointer or an interface; of an array as many items as the limits show."""
        kind = self._types[type_id]
        if isinstance(kind, Array):
            limit = self._limits.string_bytes if is_byte(self._types[kind.elem]) else self._limits.slice_items
            count = min(kind.count, limit) if kind.elem_size else 0
            self._push(Pending(address, kind.elem, count, kind.elem_size, depth), contents=False)
        elif kind.size:
            self._push(Pending(address, type_id, 1, kind.size, depth), contents=False)

    def _push(self, pending: Pending, *, contents: bool) -> None:
        """Contents go first, so that a header is never without them; pointees last."""
        if not pending.address or not pending.count:
            return
        key, depth, count = (pending.address, pending.type), pending.depth, pending.count
        known = self._seen.get(key, ())
        if any(deep >= depth and many >= count for deep, many in known):
            return
        # More elements less deep and fewer elements deeper are kept apart: neither makes up for the other.
        self._seen[key] = (*(each for each in known if each[0] > depth or each[1] > count), (depth, count))
        if contents:
            self._queue.appendleft(pending)
        else:
            self._queue.append(pending)

    # ------------------------------------------------------------ from one object on

    def _elements(self, pending: Pending, found: bytes) -> None:
        operations = self._follows[pending.type]
        for number in range(pending.count if operations else 0):
            if number % LOOK_EVERY == LOOK_EVERY - 1 and self._over():
                return
            self._element(found, number * pending.stride, operations, pending.depth)

    def _element(self, found: bytes, base: int, operations: tuple[Follow, ...], depth: int) -> None:
        limits = self._limits
        for operation in operations:
            at = base + operation.at
            address = word(found, at)
            match operation:
                case FollowPointer(type=pointee):
                    if address and depth > 0:
                        self._value_at(address, pointee, depth - 1)
                case FollowString():
                    size = min(length(word(found, at + 8)), limits.string_bytes)
                    self._push(Pending(address, BYTES, size, 1, 0), contents=True)
                case FollowSlice(bytes=True):
                    size = min(length(word(found, at + 8)), limits.string_bytes)
                    self._push(Pending(address, BYTES, size, 1, 0), contents=True)
                case FollowSlice(type=elem, elem_size=stride):
                    count = min(length(word(found, at + 8)), limits.slice_items) if stride else 0
                    self._push(Pending(address, elem, count, stride, depth), contents=True)
                case FollowArray(type=elem, count=count):
                    self._array(found, at, elem, count, depth)
                case FollowInterface():
                    self._interface(found, at, operation, depth)
                case FollowBox(type=boxed, elem_size=size):
                    self._push(Pending(address, boxed, 1 if size else 0, size, depth), contents=True)
                case (
                    FollowSwissMap(type=own)
                    | FollowHashMap(type=own)
                    | FollowTrie(type=own)
                    | FollowSought(type=own)
                    | FollowChan(type=own)
                ):
                    self._push(Pending(address, own, 1, 0, depth), contents=True)
                case FollowFunc():
                    self._push(Pending(address, BYTES, 8, 1, 0), contents=True)
                case _:
                    assert_never(operation)

    def _array(self, found: bytes, at: int, elem: TypeId, count: int, depth: int) -> None:
        """An array within an object: its items are as far apart as they are large."""
        stride = self._types[elem].size
        fitting = min(count, (len(found) - at) // stride) if stride else 0
        self._elements(Pending(0, elem, fitting, stride, depth), found[at : at + fitting * stride])

    def _interface(self, found: bytes, at: int, operation: FollowInterface, depth: int) -> None:
        table, itab_type = word(found, at), operation.itab_type
        runtime_type = table if itab_type is None or not table else self._type_of_itab(table, itab_type)
        if not runtime_type or (depth <= 0 and not operation.free):
            return
        dynamic = self._dynamic.get(runtime_type - self._types_base)
        if dynamic is None:
            return
        held = self._follows[dynamic.type]
        inner = held_depth(operation, held, depth, direct=dynamic.direct)
        if dynamic.direct:
            self._element(found[at + 8 : at + 16], 0, held, inner)
        elif word(found, at + 8):
            self._value_at(word(found, at + 8), dynamic.type, inner)

    def _type_of_itab(self, itab: int, itab_type: int) -> int | None:
        if itab not in self._itabs:
            found = self._reader.copy(itab, itab_type + 8)
            self._itabs[itab] = None if found is None else word(found, itab_type)
        return self._itabs[itab]

    def _container(self, pending: Pending) -> None:
        """A map's or a channel's contents, at no cost in depth."""
        address, depth, limit = pending.address, pending.depth, self._limits.map_entries
        sought = self._types[pending.type]
        kind = sought
        if isinstance(sought, Sought):
            kind, limit = self._types[sought.map], sought.scan
        match kind:
            case Chan():
                for at, count in chan_spans(self._reader, kind, address, self._limits.slice_items):
                    self._push(Pending(at, kind.elem, count, kind.elem_size, depth), contents=True)
                copy_waiters(self._reader, kind, address, self._limits.slice_items)
                return
            case SwissMap():
                entries = swiss_entries(self._reader, kind, address, limit, self._over)
            case Trie():
                entries = trie_entries(self._reader, kind, address, limit, self._over)
            case HashMap():
                entries = hash_entries(self._reader, kind, address, limit, self._over)
            case _:
                raise AssertionError(kind)
        least = self._key_depth(kind.key)
        for found, key_at, value_at in entries:
            if not isinstance(sought, Sought) or _may_be(sought, found, key_at):
                self._element(found, key_at, self._follows[kind.key], max(depth, least))
                self._element(found, value_at, self._follows[kind.value], depth)


def _may_be(sought: Sought, found: bytes, key_at: int) -> bool:
    """Whether a key passes the filter."""
    at = key_at + sought.filter_at
    return int.from_bytes(found[at : at + sought.filter_size], "little") == sought.filter_value
