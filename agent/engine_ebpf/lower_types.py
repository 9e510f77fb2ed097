"""From Go types to OPS and LAYOUTS: what to do with each word of an object, as numbers."""

import struct
from typing import assert_never

from agent.engine_ebpf.layout import Layout
from agent.engine_ebpf.numbers import BYTES_TYPE, PIECE, LayoutKind, OpKind
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
    key_depths,
)
from compiler.ir.types import Chan, HashMap, Sought, SwissMap, Trie, Type

STRIDE = 64
"""Groups of a map that are copied in one go at most."""
LAYOUT_ORDER = tuple(name for name, *_ in Layout._fields_)
LAYOUT_ROW = struct.Struct(f"<{len(LAYOUT_ORDER)}I")


def operations(types: tuple[Type, ...]) -> list[list[bytes]]:
    """For every type, its rows of OPS: contents first, then pointees, so that a header is never without its data."""
    return [[_row(follow) for follow in sorted(own, key=_is_pointee)] for own in follows(types)]


def _is_pointee(follow: Follow) -> bool:
    return isinstance(follow, FollowPointer | FollowInterface)


def _row(follow: Follow) -> bytes:
    kind, at, type_id, number = _op(follow)
    return struct.pack("<IIII", kind, at, type_id, number)


def _op(follow: Follow) -> tuple[OpKind, int, int, int]:
    match follow:
        case FollowPointer(at=at, type=type_id):
            return OpKind.POINTER, at, type_id, 0
        case FollowString(at=at):
            return OpKind.STRING, at, BYTES_TYPE, 1
        case FollowSlice(at=at, bytes=True):
            return OpKind.BYTES, at, BYTES_TYPE, 1
        case FollowSlice(at=at, type=type_id, elem_size=size):
            return OpKind.SLICE, at, type_id, size
        case FollowArray(at=at, type=type_id, count=count):
            return OpKind.ARRAY, at, type_id, min(count, (1 << 32) - 1)
        case FollowInterface(at=at, itab_type=None, free=free):
            return OpKind.ANY, at, int(free), 0
        case FollowInterface(at=at, itab_type=itab_type, free=free):
            return OpKind.INTERFACE, at, int(free), itab_type or 0
        case (
            FollowSwissMap(at=at, type=type_id)
            | FollowHashMap(at=at, type=type_id)
            | FollowTrie(at=at, type=type_id)
            | FollowSought(at=at, type=type_id)
            | FollowChan(at=at, type=type_id)
        ):
            return OpKind.CONTAINER, at, type_id, 0
        case FollowBox(at=at, type=type_id, elem_size=size):
            return OpKind.BOX, at, type_id, size
        case FollowFunc(at=at):
            return OpKind.FUNC, at, BYTES_TYPE, 0
        case _:
            assert_never(follow)


def layouts(types: tuple[Type, ...]) -> tuple[bytes, int]:
    """LAYOUTS by type id, and the bytes of a row. Only maps, tries and channels have one that means anything."""
    own, key_depth = follows(types), key_depths(types)
    rows = []
    for kind in types:
        values = _layout(types[kind.map] if isinstance(kind, Sought) else kind)
        if not values:
            rows.append(bytes(LAYOUT_ROW.size))
            continue
        key, value = values["key"], values["value"]
        values |= {"key_follows": bool(own[key]), "value_follows": bool(own[value]), "key_depth": key_depth(key)}
        if isinstance(kind, Sought):
            values |= _filter(kind)
        rows.append(LAYOUT_ROW.pack(*(values.get(name, 0) for name in LAYOUT_ORDER)))
    return b"".join(rows), LAYOUT_ROW.size


def _layout(kind: Type) -> dict[str, int]:
    match kind:
        case SwissMap():
            return _swiss(kind)
        case HashMap():
            return _hash(kind)
        case Trie():
            return _trie(kind)
        case Chan():
            return _chan(kind)
        case _:
            return {}


def _filter(kind: Sought) -> dict[str, int]:
    return {
        "scan": kind.scan, "filter_at": kind.filter_at, "filter_size": kind.filter_size,
        "filter_low": kind.filter_value & 0xFFFFFFFF, "filter_high": kind.filter_value >> 32,
    }  # fmt: skip


def _swiss(kind: SwissMap) -> dict[str, int]:
    return {
        "kind": LayoutKind.SWISS, "header_size": kind.header_size, "count": kind.used, "pointer": kind.dir_ptr,
        "length": kind.dir_len, "table_size": kind.table_size, "groups_data": kind.groups_data,
        "groups_mask": kind.groups_mask, "group_size": kind.group_size, "together": _together(kind.group_size),
        "key": kind.key, "value": kind.value, "key_at": kind.key_at, "key_stride": kind.key_stride,
        "value_at": kind.value_at, "value_stride": kind.value_stride,
    }  # fmt: skip


def _hash(kind: HashMap) -> dict[str, int]:
    return {
        "kind": LayoutKind.HASH, "header_size": kind.header_size, "count": kind.count, "pointer": kind.buckets,
        "length": kind.b, "old": kind.oldbuckets, "flags": kind.flags, "group_size": kind.bucket_size,
        "together": _together(kind.bucket_size), "overflow": kind.overflow, "key": kind.key, "value": kind.value,
        "key_at": kind.keys_at, "key_stride": kind.key_stride, "value_at": kind.values_at,
        "value_stride": kind.value_stride,
    }  # fmt: skip


def _trie(kind: Trie) -> dict[str, int]:
    return {
        "kind": LayoutKind.TRIE, "header_size": kind.node_size, "pointer": kind.children, "length": kind.fanout,
        "flags": kind.is_entry, "group_size": kind.entry_size, "overflow": kind.overflow, "key": kind.key,
        "value": kind.value, "key_at": kind.key_at, "value_at": kind.value_at,
    }  # fmt: skip


def _chan(kind: Chan) -> dict[str, int]:
    return {
        "kind": LayoutKind.CHAN, "header_size": kind.header_size, "count": kind.qcount, "pointer": kind.buf,
        "length": kind.dataqsiz, "first": kind.recvx, "key": kind.elem, "value": kind.elem,
        "elem_size": kind.elem_size, "receivers": kind.receivers, "senders": kind.senders,
        "waiter_size": kind.waiter_size, "waiter_next": kind.waiter_next,
    }  # fmt: skip


def _together(size: int) -> int:
    """How many groups make one copy; 0 for groups that no Go map has (its keys and values stay below 129 bytes)."""
    return min(STRIDE, PIECE // size) if size else 0
