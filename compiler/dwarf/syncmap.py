"""A sync.Map, shown as the map that it is: a trie of hashes since Go 1.24, two maps before.

Layouts are read by field name from the binary's own debug info; where something is not there, the struct stays a struct.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from compiler.dwarf import containers
from compiler.dwarf.gotypes import KIND_ARRAY, KIND_MAP, GoTypes, Member
from compiler.ir.frozen import replace
from compiler.ir.types import (
    WORD,
    Basic,
    Box,
    Field,
    HashMap,
    Opaque,
    Sought,
    Struct,
    SwissMap,
    Trie,
    TwoMaps,
    Type,
    TypeId,
    Wrapper,
)

SYNC_MAP: Final = "sync.Map"
TRIES: Final = ("internal/sync.HashTrieMap[", "internal/concurrent.HashTrieMap[")
NO_ENTRIES: Final = "the entries of this trie of package sync are not in the debug info"
SHAPED: Final = "[go.shape.interface {},go.shape.interface {}]"
"""What generic code calls any; the linker keeps entries by the name of the code that has variables of them."""
ANY_SIZE: Final = 16


class Table(containers.Table, Protocol):
    """What is needed of the type table that is being built."""

    named: Mapping[str, Sequence[int]]
    """Types by their full linked names."""

    def made(self, kind: Type) -> TypeId:
        """The id of a type that no DIE describes."""


def describe(table: Table, offset: int, full: str, name: str) -> Type | None:
    """A sync.Map, or the trie in it."""
    if full != SYNC_MAP:
        return _trie(table, offset, full, name) or Opaque(name, table.go.size(offset), NO_ENTRIES)
    inner = table.go.member(offset, "m")
    if inner is not None and table.go.name(inner.type).startswith(TRIES):
        return Wrapper(name, table.go.size(offset), inner.offset, table.same(inner.type))
    return _two_maps(table, offset, name)


def sought(table: Table, offset: int, scan: int, *, counted: bool) -> tuple[int, TypeId] | None:
    """(where in a sync.Map, the type there) to look through `scan` of its entries; to count them, nothing else is followed."""
    go, name = table.go, table.go.printed(offset)
    inner = go.member(offset, "m")
    if inner is None or not go.name(inner.type).startswith(TRIES):
        two = _two_maps(table, offset, name, scan, counted=counted)
        return None if two is None else (0, table.made(two))
    trie = _trie(table, inner.type, go.name(inner.type), name)
    if trie is None:
        return None
    if counted:
        trie = replace(trie, key=_bytes(table, ANY_SIZE), value=_bytes(table, ANY_SIZE))
    return inner.offset + trie.root, table.made(Sought(name, WORD, table.made(trie), scan, 0, 0, 0))


def _bytes(table: Table, size: int) -> TypeId:
    """Bytes that are copied and lead nowhere."""
    return table.made(Struct("", size, ()))


def _trie(table: Table, offset: int, full: str, name: str) -> Trie | None:
    """HashTrieMap.root -> indirect.children -> indirect or entry: see go/src/internal/sync/hashtriemap.go."""
    go = table.go
    entry, root = _entry(table, full), go.member(offset, "root")
    node = None if root is None else _pointee(go, root.type)
    if entry is None or root is None or node is None:
        return None
    is_entry = _tag(go, node)
    children, overflow, key, value = (
        go.member(node, "children"),
        *(go.member(entry, each) for each in ("overflow", "key", "value")),
    )
    if children is None or overflow is None or key is None or value is None or is_entry is None:
        return None
    if go.kind(children.type) != KIND_ARRAY or _tag(go, entry) != is_entry:
        return None
    return Trie(
        name,
        go.size(offset),
        table.same(key.type),
        table.same(value.type),
        root.offset,
        is_entry,
        go.size(node),
        children.offset,
        go.array(children.type)[1],
        go.size(entry),
        overflow.offset,
        key.offset,
        value.offset,
    )


def _entry(table: Table, full: str) -> int | None:
    package, arguments = full.partition(".HashTrieMap")[0], full[full.index("[") :]
    names = [arguments, SHAPED] if arguments == SHAPED.replace("go.shape.", "") else [arguments]
    found = [die for each in names for die in table.named.get(f"{package}.entry{each}", ())]
    return found[0] if found else None


def _tag(go: GoTypes, offset: int) -> int | None:
    """Where an inner node or an entry says which it is: in the node that it embeds."""
    node = next((member for member in go.members(offset) if member.embedded), None)
    tag = None if node is None else go.member(node.type, "isEntry")
    return None if node is None or tag is None else node.offset + tag.offset


def _pointee(go: GoTypes, offset: int) -> int | None:
    """What a pointer, or an atomic.Pointer, points to."""
    elem = next((go.array(m.type)[0] for m in go.members(offset) if go.kind(m.type) == KIND_ARRAY), None)
    return go.pointee(offset if elem is None else elem)


def _two_maps(table: Table, offset: int, name: str, scan: int = 0, *, counted: bool = False) -> TwoMaps | None:
    """{read *readOnly{m, amended}, dirty}, both of them map[any]*entry{p *any}: see go/src/sync/map.go of Go 1.23."""
    go = table.go
    read, dirty = go.member(offset, "read"), go.member(offset, "dirty")
    both = None if read is None else _pointee(go, read.type)
    m, amended = (None, None) if both is None else (go.member(both, "m"), go.member(both, "amended"))
    if read is None or dirty is None or both is None or m is None or amended is None:
        return None
    map_ = _map(table, dirty, counted=counted)
    if map_ is None or go.kind(m.type) != KIND_MAP:
        return None
    if scan:
        map_ = table.made(Sought(name, WORD, map_, scan, 0, 0, 0))
    flag = table.made(Basic("bool", 1, "bool"))
    members = (Field("m", m.offset, map_), Field("amended", amended.offset, flag))
    read_only = table.made(Struct(go.printed(both), go.size(both), members))
    return TwoMaps(name, go.size(offset), map_, read.offset, read_only, m.offset, amended.offset, dirty.offset)


def _map(table: Table, dirty: Member, *, counted: bool) -> TypeId | None:
    """The map whose values are Boxes: an entry, and in it what it holds."""
    go = table.go
    elem = go.elem(dirty.type)
    entry = None if elem is None else go.pointee(elem)
    p = None if entry is None else go.member(entry, "p")
    held = None if p is None else _pointee(go, p.type)
    map_ = containers.map_(table, dirty.type, go.printed(dirty.type))
    if entry is None or p is None or held is None or not isinstance(map_, HashMap | SwissMap):
        return None
    inner = table.made(Box(go.printed(p.type), 8, _bytes(table, ANY_SIZE) if counted else table.same(held)))
    wrapped = table.made(Wrapper(go.printed(entry), go.size(entry), p.offset, inner))
    key = _bytes(table, ANY_SIZE) if counted else map_.key
    return table.made(replace(map_, key=key, value=table.made(Box(go.printed(entry), 8, wrapped))))
