"""Layouts of Go's maps and channels, read by field name: swiss maps, the hash maps before Go 1.24, hchan."""

from typing import Protocol

from compiler.dwarf.gotypes import SHAPE, GoTypes
from compiler.ir.types import Chan, HashMap, SwissMap, Type, TypeId


class Table(Protocol):
    """What is needed of the type table that is being built."""

    go: GoTypes

    def same(self, offset: int) -> TypeId:
        """The id of a type that is part of this one."""

    def kept(self, slot: int, declared: int | None) -> TypeId:
        """The id of what a map's slot has room for."""


def chan(table: Table, offset: int, name: str, elem: int) -> Type | None:
    """A channel: a pointer to hchan<T>. None where the debug info lacks its layout."""
    header = table.go.pointee(offset)
    fields = {} if header is None else {m.name: m.offset for m in table.go.members(header)}
    if header is None or not {"qcount", "dataqsiz", "buf", "closed", "recvx"} <= fields.keys():
        return None
    return Chan(
        name,
        8,
        table.same(elem),
        table.go.size(elem),
        table.go.size(header),
        fields["qcount"],
        fields["dataqsiz"],
        fields["buf"],
        fields["closed"],
        fields["recvx"],
        *_waiters(table.go, header),
        fields.get("elemtype", 0) if SHAPE in table.go.name(elem) else 0,
    )


def _waiters(go: GoTypes, header: int) -> tuple[int, int, int, int, int]:
    """(first receiver, first sender, bytes of a waiter, its goroutine, the next waiter): hchan has two waitqs, chains of
    sudogs (go/src/runtime/{chan,runtime2}.go). Zeros where the debug info lacks one of them."""
    receivers, senders = go.member(header, "recvq"), go.member(header, "sendq")
    first = None if receivers is None else go.member(receivers.type, "first")
    waiter = None if first is None else go.pointee(first.type)
    goroutine, following = (None, None) if waiter is None else (go.member(waiter, "g"), go.member(waiter, "next"))
    if receivers is None or senders is None or first is None or goroutine is None or following is None:
        return 0, 0, 0, 0, 0
    size = max(goroutine.offset, following.offset) + 8
    return receivers.offset + first.offset, senders.offset + first.offset, size, goroutine.offset, following.offset


def map_(table: Table, offset: int, name: str) -> Type | None:
    """A map of either kind. None where the debug info lacks its layout."""
    header = table.go.pointee(offset)
    if header is None:
        return None
    if table.go.member(header, "dirPtr") is not None:
        return _swiss_map(table, offset, header, name)
    return _hash_map(table, offset, header, name)


def _swiss_map(table: Table, offset: int, header: int, name: str) -> Type | None:
    """map<K,V> -> **table<K,V> -> groupReference<K,V> -> group: see go/src/internal/runtime/maps."""
    go = table.go
    used, directory, length, writing = (go.member(header, each) for each in ("used", "dirPtr", "dirLen", "writing"))
    if used is None or directory is None or length is None or writing is None:
        return None
    inner = _through(table, directory.type, 2)
    groups = None if inner is None else go.member(inner, "groups")
    data, mask = (
        (None, None) if groups is None else (go.member(groups.type, "data"), go.member(groups.type, "lengthMask"))
    )
    group = None if data is None else go.pointee(data.type)
    if inner is None or groups is None or data is None or mask is None or group is None:
        return None
    slots = _slots(table, group)
    if slots is None:
        return None
    key, value, key_at, key_stride, value_at, value_stride = slots
    return SwissMap(
        name,
        8,
        table.kept(key, go.key(offset)),
        table.kept(value, go.elem(offset)),
        go.size(header),
        used.offset,
        directory.offset,
        length.offset,
        writing.offset,
        go.size(inner),
        groups.offset + data.offset,
        groups.offset + mask.offset,
        go.size(group),
        key_at,
        key_stride,
        value_at,
        value_stride,
    )


def _slots(table: Table, group: int) -> tuple[int, int, int, int, int, int] | None:
    """(key type, value type, first key, key stride, first value, value stride) of a group, interleaved or split."""
    go = table.go
    slots = go.member(group, "slots")
    if slots is not None:
        slot, _ = go.array(slots.type)
        key, value = (None, None) if slot is None else (go.member(slot, "key"), go.member(slot, "elem"))
        if slot is None or key is None or value is None:
            return None
        stride = go.size(slot)
        return key.type, value.type, slots.offset + key.offset, stride, slots.offset + value.offset, stride
    keys, values = go.member(group, "keys"), go.member(group, "elems")
    if keys is None or values is None:
        return None
    key_type, value_type = go.array(keys.type)[0], go.array(values.type)[0]
    if key_type is None or value_type is None:
        return None
    return key_type, value_type, keys.offset, go.size(key_type), values.offset, go.size(value_type)


def _hash_map(table: Table, offset: int, header: int, name: str) -> Type | None:
    """hash<K,V> with bucket<K,V>: see go/src/runtime/map.go up to Go 1.23."""
    go = table.go
    wanted = ("count", "B", "buckets", "oldbuckets", "nevacuate", "flags")
    fields = {member.name: member for member in go.members(header)}
    if not set(wanted) <= fields.keys():
        return None
    bucket = go.pointee(fields["buckets"].type)
    if bucket is None:
        return None
    keys, values, overflow = (go.member(bucket, each) for each in ("keys", "values", "overflow"))
    if keys is None or values is None or overflow is None:
        return None
    key, value = go.array(keys.type)[0], go.array(values.type)[0]
    if key is None or value is None:
        return None
    return HashMap(
        name,
        8,
        table.kept(key, go.key(offset)),
        table.kept(value, go.elem(offset)),
        go.size(header),
        fields["count"].offset,
        fields["B"].offset,
        fields["buckets"].offset,
        fields["oldbuckets"].offset,
        fields["nevacuate"].offset,
        fields["flags"].offset,
        go.size(bucket),
        keys.offset,
        go.size(key),
        values.offset,
        go.size(value),
        overflow.offset,
    )


def _through(table: Table, offset: int, pointers: int) -> int | None:
    found: int | None = offset
    for _ in range(pointers):
        found = None if found is None else table.go.pointee(found)
    return found
