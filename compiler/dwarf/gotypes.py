"""Go's type DIEs to the type table of a Program, breadth first from the wanted types, as deep as pointers will be followed.

Layouts are read by field name from the binary's own DWARF, never from a table of Go versions.
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from compiler.dwarf.locations import Shape
from compiler.dwarf.rtypes import RuntimeType, RuntimeTypes
from compiler.dwarf.units import DebugInfo, name_of, number
from compiler.ir.types import (
    INDIRECT,
    Array,
    Basic,
    BasicKind,
    Chan,
    Duration,
    Field,
    Func,
    HashMap,
    Interface,
    Opaque,
    Pointer,
    Slice,
    String,
    Struct,
    SwissMap,
    Time,
    Type,
    TypeId,
    Wrapper,
)

GO_KIND, GO_KEY, GO_ELEM, GO_EMBEDDED = 0x2900, 0x2901, 0x2902, 0x2903
KIND_ARRAY, KIND_CHAN, KIND_FUNC, KIND_INTERFACE, KIND_MAP, KIND_POINTER = 17, 18, 19, 20, 21, 22
KIND_SLICE, KIND_STRING, KIND_STRUCT, KIND_UNSAFE_POINTER = 23, 24, 25, 26
KIND_COMPLEX64, KIND_COMPLEX128 = 15, 16
MAX_WORDS = 4
"""Larger structs are not taken apart (ssa.MaxStruct)."""
BASIC_KINDS: dict[int, BasicKind] = {
    1: "bool", **dict.fromkeys(range(2, 7), "int"), **dict.fromkeys(range(7, 13), "uint"),
    13: "float", 14: "float", 15: "complex", 16: "complex",
}  # fmt: skip
ATOMIC = re.compile(r"^(?:sync/atomic|internal/runtime/atomic|runtime/internal/atomic)\.(\w+)")
TYPE_PARAMETER = ".param"
SHAPE = "go.shape."
"""How a generic function's code names its type arguments: by their underlying types."""
ANY_POINTER = "go.shape.*"
"""Pointers of whatever to: it says *uint8 for all."""
PACKAGE_PATH = re.compile(r"[\w.~%\-]+/(?=[\w.~%\-/]*\.)")
MAX_TYPES = 1 << 17
SLOTS = 8


def printed_type(name: str) -> str:
    """A type's name as Go prints it: packages by their last path element, link-time escapes undone."""
    short = PACKAGE_PATH.sub("", name)
    if short.startswith(SHAPE) and not short.startswith(ANY_POINTER):
        short = short.removeprefix(SHAPE)
    return short.replace("%2e", ".") if "%" in short else short


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a structure DIE."""

    name: str
    offset: int
    type: int
    embedded: bool


class GoTypes:
    """Looks at type DIEs by their offset in .debug_info."""

    def __init__(self, info: DebugInfo) -> None:
        self._info = info
        self.die = lru_cache(maxsize=None)(info.die)
        self.members = lru_cache(maxsize=None)(self._members)
        self.structure = lru_cache(maxsize=None)(self._structure)

    def name(self, offset: int) -> str:
        """The full linked name; of a type parameter (".param0") that of what its code takes for it."""
        name, target = name_of(self.die(offset)) or "", self.target(offset)
        return self.name(target) if name.startswith(TYPE_PARAMETER) and target is not None else name

    def target(self, offset: int) -> int | None:
        """DW_AT_type: what a typedef, pointer or array is of."""
        return number(self.die(offset), "DW_AT_type")

    def kind(self, offset: int) -> int:
        """reflect.Kind, looked up through typedefs; 0 where the debug info does not tell."""
        for _ in range(64):
            die = self.die(offset)
            kind = number(die, GO_KIND)
            if kind:
                return kind
            following = number(die, "DW_AT_type")
            if die.tag == "DW_TAG_pointer_type":
                return KIND_POINTER if following is not None else KIND_UNSAFE_POINTER
            if die.tag == "DW_TAG_structure_type":
                return KIND_STRUCT
            if die.tag != "DW_TAG_typedef" or following is None:
                return 0
            offset = following
        return 0

    def _structure(self, offset: int) -> int:
        """The DIE behind all typedefs."""
        for _ in range(64):
            die = self.die(offset)
            following = number(die, "DW_AT_type")
            if die.tag != "DW_TAG_typedef" or following is None:
                break
            offset = following
        return offset

    def _members(self, offset: int) -> tuple[Member, ...]:
        found = []
        for depth, die in self._info.subtree(self.structure(offset)):
            type_offset = number(die, "DW_AT_type")
            if depth == 1 and die.tag == "DW_TAG_member" and type_offset is not None:
                at = number(die, "DW_AT_data_member_location") or 0
                found.append(Member(name_of(die) or "_", at, type_offset, bool(number(die, GO_EMBEDDED))))
        return tuple(found)

    def member(self, offset: int, name: str) -> Member | None:
        """The member of that name of a structure."""
        return next((member for member in self.members(offset) if member.name == name), None)

    def size(self, offset: int) -> int:
        """Bytes of one value."""
        kind = self.kind(offset)
        if kind in (KIND_POINTER, KIND_MAP, KIND_CHAN, KIND_FUNC, KIND_UNSAFE_POINTER):
            return 8
        if kind == KIND_ARRAY:
            elem, count = self.array(offset)
            return 0 if elem is None else count * self.size(elem)
        return number(self.die(self.structure(offset)), "DW_AT_byte_size") or 0

    def shape(self, offset: int) -> Shape:
        """What a variable of the type is made of, as far as Go's compiler may take it apart."""
        return Shape(self.size(offset), self._words(offset))

    def _words(self, offset: int) -> tuple[tuple[int, int], ...] | None:
        """(offset, size) of every word; None for a type that is always kept whole (ssa.CanSSA)."""
        kind, size = self.kind(offset), self.size(offset)
        if size > MAX_WORDS * 8:
            return None
        if kind in (KIND_STRING, KIND_INTERFACE, KIND_SLICE):
            return tuple((at, 8) for at in range(0, size, 8))
        if kind in (KIND_COMPLEX64, KIND_COMPLEX128):
            return ((0, size // 2), (size // 2, size // 2))
        if kind == KIND_ARRAY:
            elem, count = self.array(offset)
            return None if count > 1 or elem is None else self._words(elem) if count else ()
        if kind == KIND_STRUCT:
            return self._struct_words(offset)
        return ((0, size),)

    def _struct_words(self, offset: int) -> tuple[tuple[int, int], ...] | None:
        members = self.members(offset)
        found: list[tuple[int, int]] = []
        for member in members:
            inner = self._words(member.type)
            if inner is None or len(members) > MAX_WORDS:
                return None
            found += ((member.offset + at, size) for at, size in inner if size)
        return tuple(found)

    def array(self, offset: int) -> tuple[int | None, int]:
        """(element type, count) of an array type."""
        die = self.die(self.structure(offset))
        for depth, child in self._info.subtree(die.offset):
            if depth == 1 and child.tag == "DW_TAG_subrange_type":
                count = number(child, "DW_AT_count")
                if count is None:
                    count = (number(child, "DW_AT_upper_bound") or -1) + 1
                return number(die, "DW_AT_type"), count
        return number(die, "DW_AT_type"), 0

    def elem(self, offset: int) -> int | None:
        """Element type of a slice, channel or map."""
        return self._attribute(offset, GO_ELEM)

    def key(self, offset: int) -> int | None:
        """Key type of a map."""
        return self._attribute(offset, GO_KEY)

    def _attribute(self, offset: int, attribute: int) -> int | None:
        for _ in range(64):
            die = self.die(offset)
            value = number(die, attribute)
            following = number(die, "DW_AT_type")
            if value is not None or die.tag != "DW_TAG_typedef" or following is None:
                return value
            offset = following
        return None

    def pointee(self, offset: int) -> int | None:
        """What a pointer type points to; None where the debug info does not tell."""
        pointer = self.structure(offset)
        return None if self.name(pointer).startswith(ANY_POINTER) else number(self.die(pointer), "DW_AT_type")


class TypeTable:
    """Builds a Program's type table. `want` the roots, then `build` once."""

    def __init__(self, types: GoTypes, depth: int, runtime: RuntimeTypes, dies: Mapping[int, int]) -> None:
        """`dies`: the types that DWARF describes, by the offset of their runtime type from moduledata.types."""
        self._go = types
        self._runtime = runtime
        self._dies = dies
        self._depth = depth
        self._ids: dict[object, TypeId] = {}
        self._table: list[Type | None] = []
        self._queue: deque[tuple[TypeId, int | RuntimeType, int]] = deque()
        self._left = depth

    def want(self, offset: int) -> TypeId:
        """The id of a type, which will be described as deep as pointers are followed from it."""
        return self._id(offset, self._depth)

    def want_runtime(self, runtime_type: RuntimeType) -> TypeId:
        """The same for a type that only its runtime descriptor tells of."""
        return self._runtime_id(runtime_type, self._depth)

    def build(self) -> tuple[Type, ...]:
        """The finished table; call it when all roots are wanted."""
        while self._queue:
            type_id, offset, self._left = self._queue.popleft()
            if isinstance(offset, RuntimeType):
                self._table[type_id] = self._describe_runtime(offset)
            elif len(self._table) > MAX_TYPES:
                self._table[type_id] = Opaque(self._name(offset), self._go.size(offset), "too many types")
            else:
                self._table[type_id] = self._describe(offset)
        return tuple(kind for kind in self._table if kind is not None)

    def _id(self, offset: int, left: int) -> TypeId:
        if self._go.kind(offset) == KIND_STRUCT:
            offset = self._go.structure(offset)  # a named struct is a typedef of a structure of the same name
        return self._enqueued(offset, left)

    def _enqueued(self, key: int | RuntimeType, left: int) -> TypeId:
        if key not in self._ids:
            self._ids[key] = len(self._table)
            self._table.append(None)
            # By value belongs to the same level: it must be described before what is a pointer further on.
            (self._queue.appendleft if left == self._left else self._queue.append)((self._ids[key], key, left))
        return self._ids[key]

    def _runtime_id(self, runtime_type: RuntimeType, left: int) -> TypeId:
        """By its DIE where DWARF knows it after all."""
        die = self._dies.get(runtime_type.address - self._runtime.base)
        return self._enqueued(runtime_type, left) if die is None else self._id(die, left)

    def _same(self, offset: int) -> TypeId:
        return self._id(offset, self._left)

    def _further(self, offset: int | None) -> TypeId | None:
        """The id of a pointee, None where no pointer will be followed that far."""
        if offset is None:
            return None
        if self._left > 0:
            return self._id(offset, self._left - 1)
        return self._ids.get(self._go.structure(offset), self._ids.get(offset))

    def _made(self, kind: Type) -> TypeId:
        """The id of a type that no DIE describes."""
        if kind not in self._ids:
            self._ids[kind] = len(self._table)
            self._table.append(kind)
        return self._ids[kind]

    def _name(self, offset: int) -> str:
        return printed_type(self._go.name(offset))

    def _describe(self, offset: int) -> Type:
        go, name = self._go, self._name(offset)
        kind, size = go.kind(offset), go.size(offset)
        if go.name(offset) == "time.Duration":
            return Duration(name, size)
        if kind in BASIC_KINDS:
            return Basic(name, size, BASIC_KINDS[kind])
        if kind == KIND_UNSAFE_POINTER:
            return Basic(name or "unsafe.Pointer", 8, "uint")
        if kind == KIND_STRING:
            return String(name, 16)
        if kind == KIND_FUNC:
            return Func(name, 8)
        if kind == KIND_POINTER:
            return Pointer(name, 8, self._further(go.pointee(offset)))
        if kind == KIND_INTERFACE:
            return self._interface(offset, name)
        if kind == KIND_STRUCT:
            return self._struct(offset, name, size)
        described = self._container(offset, name, kind, size)
        return Opaque(name, size, "unsupported") if described is None else described

    def _describe_runtime(self, runtime_type: RuntimeType) -> Type:
        """A type out of its runtime descriptor; maps and channels need DWARF for their layout."""
        runtime, name = self._runtime, self._runtime.name(runtime_type)
        kind, size = runtime.kind(runtime_type), runtime.size(runtime_type)
        elem = runtime.elem(runtime_type) if kind in (KIND_POINTER, KIND_SLICE, KIND_ARRAY) else None
        if kind in BASIC_KINDS:
            return Basic(name, size, BASIC_KINDS[kind])
        if kind == KIND_STRING:
            return String(name, 16)
        if kind == KIND_FUNC:
            return Func(name, 8)
        if kind == KIND_INTERFACE:
            return Interface(name, 16, runtime.is_empty_interface(runtime_type), 8)
        if kind == KIND_STRUCT:
            fields = runtime.fields(runtime_type)
            return Struct(
                name,
                size,
                tuple(Field(f.name, f.offset, self._runtime_id(f.type, self._left), f.embedded) for f in fields),
            )
        if kind == KIND_POINTER:
            return Pointer(name, 8, self._runtime_id(elem, self._left - 1) if elem and self._left > 0 else None)
        if kind == KIND_SLICE and elem is not None:
            return Slice(name, 24, self._runtime_id(elem, self._left), runtime.size(elem))
        if kind == KIND_ARRAY and elem is not None:
            count = runtime.array_length(runtime_type)
            return Array(name, size, self._runtime_id(elem, self._left), runtime.size(elem), count)
        return Opaque(name, size, "its layout is not in the debug info")

    def _container(self, offset: int, name: str, kind: int, size: int) -> Type | None:
        go = self._go
        if kind == KIND_ARRAY:
            elem, count = go.array(offset)
            return None if elem is None else Array(name, size, self._same(elem), go.size(elem), count)
        elem = go.elem(offset)
        if elem is None:
            return None
        if kind == KIND_SLICE:
            return Slice(name, 24, self._same(elem), go.size(elem))
        if kind == KIND_CHAN:
            return self._chan(offset, name, elem)
        return self._map(offset, name) if kind == KIND_MAP else None

    def _interface(self, offset: int, name: str) -> Type:
        members = self._go.members(offset)
        empty = any(member.name == "_type" for member in members)
        tab = self._go.member(offset, "tab")
        itab = None if tab is None else self._go.pointee(tab.type)
        at = 8
        for label in ("Type", "_type"):
            found = None if itab is None else self._go.member(itab, label)
            at = found.offset if found is not None else at
        return Interface(name, 16, empty, at)

    def _struct(self, offset: int, name: str, size: int) -> Type:
        go, full = self._go, self._go.name(offset)
        members = go.members(offset)
        if full == "time.Time" or (full.startswith(SHAPE) and [m.name for m in members] == ["wall", "ext", "loc"]):
            wall, ext = go.member(offset, "wall"), go.member(offset, "ext")
            if wall is not None and ext is not None:
                return Time(name, size, wall.offset, ext.offset)
        atomic = ATOMIC.match(full)
        if atomic is not None:
            wrapped = self._atomic(atomic[1], members, name, size)
            if wrapped is not None:
                return wrapped
        return Struct(name, size, tuple(Field(m.name, m.offset, self._same(m.type), m.embedded) for m in members))

    def _atomic(self, which: str, members: tuple[Member, ...], name: str, size: int) -> Type | None:
        """sync/atomic's types, shown as what is in them; atomic.Pointer names its pointee in a field of no size."""
        value = next((m for m in members if m.name in ("v", "value", "u")), None)
        if value is None:
            return None
        if which == "Bool":
            inner = self._made(Basic("bool", self._go.size(value.type), "bool"))
        elif which == "Pointer" and self._go.kind(value.type) == KIND_UNSAFE_POINTER:
            elem = next((self._go.array(m.type)[0] for m in members if self._go.kind(m.type) == KIND_ARRAY), None)
            target = None if elem is None else self._go.pointee(elem)
            if target is None or elem is None:
                return None
            inner = self._made(Pointer(self._name(elem), 8, self._further(target)))
        else:
            inner = self._same(value.type)
        return Wrapper(name, size, value.offset, inner)

    # ------------------------------------------------------------ channels and maps

    def _chan(self, offset: int, name: str, elem: int) -> Type | None:
        header = self._go.pointee(offset)
        fields = {} if header is None else {m.name: m.offset for m in self._go.members(header)}
        if header is None or not {"qcount", "dataqsiz", "buf", "closed", "recvx"} <= fields.keys():
            return None
        return Chan(
            name,
            8,
            self._same(elem),
            self._go.size(elem),
            self._go.size(header),
            fields["qcount"],
            fields["dataqsiz"],
            fields["buf"],
            fields["closed"],
            fields["recvx"],
        )

    def _map(self, offset: int, name: str) -> Type | None:
        header = self._go.pointee(offset)
        if header is None:
            return None
        if self._go.member(header, "dirPtr") is not None:
            return self._swiss_map(offset, header, name)
        return self._hash_map(offset, header, name)

    def _swiss_map(self, offset: int, header: int, name: str) -> Type | None:
        """map<K,V> -> **table<K,V> -> groupReference<K,V> -> group: see go/src/internal/runtime/maps."""
        go = self._go
        used, directory, length = (go.member(header, each) for each in ("used", "dirPtr", "dirLen"))
        if used is None or directory is None or length is None:
            return None
        table = self._through(directory.type, 2)
        groups = None if table is None else go.member(table, "groups")
        data, mask = (
            (None, None) if groups is None else (go.member(groups.type, "data"), go.member(groups.type, "lengthMask"))
        )
        group = None if data is None else go.pointee(data.type)
        if table is None or groups is None or data is None or mask is None or group is None:
            return None
        slots = self._slots(group)
        if slots is None:
            return None
        key, value, key_at, key_stride, value_at, value_stride = slots
        return SwissMap(
            name,
            8,
            self._kept(key, go.key(offset)),
            self._kept(value, go.elem(offset)),
            go.size(header),
            used.offset,
            directory.offset,
            length.offset,
            go.size(table),
            groups.offset + data.offset,
            groups.offset + mask.offset,
            go.size(group),
            key_at,
            key_stride,
            value_at,
            value_stride,
        )

    def _kept(self, slot: int, declared: int | None) -> TypeId:
        """The type of what a slot has room for: of the key or value itself, or of a pointer to one over 128 bytes."""
        if declared is None or self._go.kind(slot) != KIND_POINTER or self._go.kind(declared) == KIND_POINTER:
            return self._same(slot)
        return self._made(Pointer(INDIRECT, 8, self._further(declared)))

    def _slots(self, group: int) -> tuple[int, int, int, int, int, int] | None:
        """(key type, value type, first key, key stride, first value, value stride) of a group, interleaved or split."""
        go = self._go
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

    def _hash_map(self, offset: int, header: int, name: str) -> Type | None:
        """hash<K,V> with bucket<K,V>: see go/src/runtime/map.go up to Go 1.23."""
        go = self._go
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
            self._kept(key, go.key(offset)),
            self._kept(value, go.elem(offset)),
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

    def _through(self, offset: int, pointers: int) -> int | None:
        found: int | None = offset
        for _ in range(pointers):
            found = None if found is None else self._go.pointee(found)
        return found
