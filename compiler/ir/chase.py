"""How to go on from a copied object: for every type, what its bytes point to. Both engines follow these, and only these.

An object is `count` elements of one type at an address. Following costs one level of depth for a pointer and for an
interface's value, nothing for the contents of strings, slices, maps and channels, nor for a chain of errors or contexts:
a free interface's value is followed at the interface's own depth, and so is what the pointer points to that it holds.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import assert_never

from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits
from compiler.ir.program import Range
from compiler.ir.types import (
    INDIRECT,
    Address,
    Array,
    Basic,
    Big,
    Box,
    Chan,
    Duration,
    Func,
    HashMap,
    Interface,
    NetAddr,
    Opaque,
    Picked,
    Pointer,
    Slice,
    Sought,
    String,
    Struct,
    SwissMap,
    Sync,
    Time,
    Trie,
    TwoMaps,
    Type,
    TypeId,
    Wrapper,
)

INLINE_ARRAY = 4
"""Arrays of up to this many elements are spelt out; longer ones are followed as objects of their own."""
MAX_OPS = 512
"""Of one type; what lies beyond is not followed and reads as absent ("budget")."""


@frozen
class FollowPointer:
    """At `at` is a pointer to one `type`. Costs depth."""

    at: int
    type: TypeId


@frozen
class FollowString:
    """At `at` is {ptr, len}: copy min(len, limits.string_bytes) bytes."""

    at: int


@frozen
class FollowSlice:
    """At `at` is {ptr, len, cap}: min(len, limits.slice_items) elements of `type`; `bytes`: limited as strings are."""

    at: int
    type: TypeId
    elem_size: int
    bytes: bool


@frozen
class FollowArray:
    """At `at` itself lie `count` elements of `type` (already copied): go on from each."""

    at: int
    type: TypeId
    count: int


@frozen
class FollowInterface:
    """At `at` is {type or itab, data}. Costs depth unless it is `free`. `itab_type` is None for `any`."""

    at: int
    itab_type: int | None
    free: bool = False


@frozen
class FollowSwissMap:
    """At `at` is a pointer to a maps.Map laid out as the SwissMap `type` says."""

    at: int
    type: TypeId


@frozen
class FollowHashMap:
    """At `at` is a pointer to a runtime.hmap laid out as the HashMap `type` says."""

    at: int
    type: TypeId


@frozen
class FollowTrie:
    """At `at` is a pointer to the root node of the Trie `type`."""

    at: int
    type: TypeId


@frozen
class FollowBox:
    """At `at` is a pointer to one `type` of `elem_size` bytes, which costs no depth."""

    at: int
    type: TypeId
    elem_size: int


@frozen
class FollowSought:
    """At `at` is a pointer to a map in which a key is looked for, as the Sought `type` says."""

    at: int
    type: TypeId


@frozen
class FollowChan:
    """At `at` is a pointer to a runtime.hchan laid out as the Chan `type` says."""

    at: int
    type: TypeId


@frozen
class FollowFunc:
    """At `at` is a pointer to a closure: copy its first word, the code address."""

    at: int


Follow = (
    FollowPointer
    | FollowString
    | FollowSlice
    | FollowArray
    | FollowInterface
    | FollowSwissMap
    | FollowHashMap
    | FollowTrie
    | FollowBox
    | FollowSought
    | FollowChan
    | FollowFunc
)


def follows(types: tuple[Type, ...]) -> tuple[tuple[Follow, ...], ...]:
    """For every type id, what to follow from one element of it, by ascending offset."""
    return tuple(follow(types, type_id) for type_id in range(len(types)))


def _flatten(types: tuple[Type, ...], type_id: TypeId, at: int) -> list[Follow]:  # noqa: C901, PLR0912 - a case a kind
    kind = types[type_id]
    match kind:
        case Basic() | Duration() | Time() | Address() | Opaque():
            return []
        case String():
            return [FollowString(at)]
        case Pointer(elem=elem):
            return [] if elem is None else [FollowPointer(at, elem)]
        case Struct(fields=fields) | Sync(fields=fields):
            return [op for f in fields for op in _flatten(types, f.type, at + f.offset)]
        case Picked(inner=inner):
            return _flatten(types, inner, at)
        case Wrapper(offset=offset, type=inner):
            return _flatten(types, inner, at + offset)
        case Big(word=word, nats=nats):
            return [FollowSlice(at + nat, word, types[word].size, bytes=False) for nat in nats]
        case Array(elem=elem, elem_size=stride, count=count):
            inner_ops = _flatten(types, elem, at) if count else []
            if not inner_ops:
                return []
            if count > INLINE_ARRAY:
                return [FollowArray(at, elem, count)]
            return [op for i in range(count) for op in _flatten(types, elem, at + i * stride)]
        case Slice(elem=elem, elem_size=stride):
            return [FollowSlice(at, elem, stride, is_byte(types[elem]))]
        case Interface(empty=empty, itab_type=itab_type, free=free):
            return [FollowInterface(at, None if empty else itab_type, free)]
        case SwissMap():
            return [FollowSwissMap(at, type_id)]
        case HashMap():
            return [FollowHashMap(at, type_id)]
        case Trie(root=root):
            return [FollowTrie(at + root, type_id)]
        case Box(elem=elem):
            return [FollowBox(at, elem, types[elem].size)]
        case NetAddr(z=z, detail=detail):
            return [FollowBox(at + z, detail, types[detail].size)]
        case TwoMaps(read=read, read_only=read_only, dirty=dirty, map=map_):
            return [FollowBox(at + read, read_only, types[read_only].size), *_flatten(types, map_, at + dirty)]
        case Sought():
            return [FollowSought(at, type_id)]
        case Chan():
            return [FollowChan(at, type_id)]
        case Func():
            return [FollowFunc(at)]
        case _:
            assert_never(kind)


def held_depth(interface: FollowInterface | Interface, held: tuple[Follow, ...], depth: int, *, direct: bool) -> int:
    """The depth at which an interface's value is followed that leads to `held`; `depth` is the interface's own.

    A single pointer in the data word of a free interface gets the level that it costs back. Nothing else does, so that
    depth never grows on the way round a cycle.
    """
    if not interface.free:
        return depth - 1
    is_pointer = direct and len(held) == 1 and isinstance(held[0], FollowPointer)
    return depth + 1 if is_pointer else depth


def key_depths(types: tuple[Type, ...]) -> Callable[[TypeId], int]:
    """The depth that a map's keys are followed at least at, by their type: they tell entries apart, and are shown whatever
    the depth. What a type's is, is worked out once."""
    return cache(partial(_key_depth, types))


def _key_depth(types: tuple[Type, ...], key: TypeId) -> int:
    kind, indirect = types[key], 0
    if isinstance(kind, Pointer) and kind.name == INDIRECT and kind.elem is not None:
        key, indirect = kind.elem, 1
    return indirect + any(isinstance(each, FollowInterface | FollowArray) for each in follow(types, key))


def follow(types: tuple[Type, ...], type_id: TypeId) -> tuple[Follow, ...]:
    """What to follow from one element of one type."""
    return tuple(_flatten(types, type_id, 0)[:MAX_OPS])


def is_byte(kind: Type) -> bool:
    """Whether a slice of these is a []byte."""
    return isinstance(kind, Basic) and kind.kind == "uint" and kind.size == 1


def range_items(wanted: Range, limits: Limits) -> int:
    """How many elements of a range are copied at most: those that were named, else as many as the limits show."""
    if wanted.hi is not None:
        return wanted.hi - wanted.lo
    return limits.string_bytes if wanted.elem is None else limits.slice_items
