"""Builds a Program's type table, breadth first from the wanted types, as deep as pointers will be followed."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from compiler.dwarf import containers, known
from compiler.dwarf.gotypes import (
    ATOMIC,
    BASIC_KINDS,
    KIND_ARRAY,
    KIND_CHAN,
    KIND_FUNC,
    KIND_INTERFACE,
    KIND_MAP,
    KIND_POINTER,
    KIND_SLICE,
    KIND_STRING,
    KIND_STRUCT,
    KIND_UNSAFE_POINTER,
    GoTypes,
    Member,
)
from compiler.dwarf.rtypes import RuntimeType, RuntimeTypes
from compiler.ir.access_check import MAX_OBJECT
from compiler.ir.frozen import replace
from compiler.ir.types import (
    INDIRECT,
    TOO_LARGE,
    Array,
    Basic,
    Duration,
    Field,
    Func,
    Interface,
    Opaque,
    Picked,
    PickedMember,
    Pointer,
    Slice,
    String,
    Struct,
    Time,
    Type,
    TypeId,
    Wrapper,
)

MAX_TYPES = 1 << 17
CHAINS = frozenset({"error", "context.Context"})
"""Interfaces that link what an engineer reads as one thing: a wrapped error, a context with those it was made from."""


class TypeTable:
    """Builds a Program's type table. `want` the roots, then `build` once."""

    def __init__(
        self,
        types: GoTypes,
        depth: int,
        runtime: RuntimeTypes,
        dies: Mapping[int, int],
        named: Mapping[str, Sequence[int]],
        global_at: Callable[[str], tuple[int, int] | None],
    ) -> None:
        """The types that DWARF describes: `dies` by the offset of their runtime type from moduledata.types, `named` by their
        full linked names. `global_at`: (link-time address, type) of a package variable."""
        self.go, self.named, self.global_at = types, named, global_at
        self._runtime = runtime
        self._dies = dies
        self._depth = depth
        self._ids: dict[object, TypeId] = {}
        self._table: list[Type | None] = []
        self._keys: list[object] = []
        """Whose id each is."""
        self._picks: dict[str, Picked] = {}
        self._waiting: list[deque[int | RuntimeType]] = [deque() for _ in range(depth + 2)]
        """Types that are to be described, by the number of pointers that are still followed from them."""
        self._left = depth
        self._met: set[int] = set()
        """Interfaces with methods that were described."""

    def want(self, offset: int) -> TypeId:
        """The id of a type, which will be described as deep as pointers are followed from it."""
        return self._id(offset, self._depth)

    def want_held(self, held: int | RuntimeType) -> TypeId:
        """The same for what an interface may hold, by its DIE or its runtime descriptor. The pointer that a free
        interface holds costs no depth."""
        left = self._depth + 1
        return self._runtime_id(held, left) if isinstance(held, RuntimeType) else self._id(held, left)

    def pick(self, name: str, shown_as: str, inner: TypeId, members: tuple[PickedMember, ...]) -> None:
        """From now on the struct type of this linked name is described by these of its members alone."""
        self._picks[name] = Picked(shown_as, 0, inner, members)

    def size_of(self, type_id: TypeId) -> int:
        """Bytes of a value of a type, described yet or not."""
        kind, key = self._table[type_id], self._keys[type_id]
        if kind is not None:
            return kind.size
        if isinstance(key, RuntimeType):
            return self._runtime.size(key)
        return self.go.size(key) if isinstance(key, int) else 0

    def interfaces(self) -> frozenset[int]:
        """The interfaces with methods that the wanted types lead to, each by its DIE. They are found in a table of its own:
        what is wanted later may be wanted deeper."""
        trial = TypeTable(self.go, self._depth, self._runtime, self._dies, self.named, self.global_at)
        trial._picks = self._picks
        for left, waiting in enumerate(self._waiting):
            for key in waiting:
                trial._enqueued(key, left)
        trial.build()
        return frozenset(trial._met)

    def build(self) -> tuple[Type, ...]:
        """The finished table; call it when all roots are wanted."""
        for left in range(len(self._waiting) - 1, -1, -1):
            self._left = left
            while self._waiting[left]:
                key = self._waiting[left].popleft()
                type_id = self._ids[key]
                if self._table[type_id] is None:
                    self._table[type_id] = self._described(key)
        return tuple(kind for kind in self._table if kind is not None)

    def _described(self, key: int | RuntimeType) -> Type:
        if isinstance(key, RuntimeType):
            return self._describe_runtime(key)
        if len(self._table) > MAX_TYPES:
            return Opaque(self._name(key), self.go.size(key), "too many types")
        return self._describe(key)

    def _id(self, offset: int, left: int) -> TypeId:
        if self.go.kind(offset) == KIND_STRUCT:
            offset = self.go.structure(offset)  # a named struct is a typedef of a structure of the same name
        return self._enqueued(offset, left)

    def _enqueued(self, key: int | RuntimeType, left: int) -> TypeId:
        if key not in self._ids:
            self._ids[key] = len(self._table)
            self._table.append(None)
            self._keys.append(key)
        if self._table[self._ids[key]] is None:
            self._waiting[left].append(key)  # where it waits with most left, it is described
        return self._ids[key]

    def _runtime_id(self, runtime_type: RuntimeType, left: int) -> TypeId:
        """By its DIE where DWARF knows it after all."""
        die = self._dies.get(runtime_type.address - self._runtime.base)
        return self._enqueued(runtime_type, left) if die is None else self._id(die, left)

    def same(self, offset: int) -> TypeId:
        return self._id(offset, self._left)

    def _further(self, offset: int | None) -> TypeId | None:
        """The id of a pointee, None where no pointer will be followed that far, or none could be."""
        if offset is None:
            return None
        if self.go.size(offset) > MAX_OBJECT:
            return self.made(Opaque(self._name(offset), 0, TOO_LARGE))
        if self._left > 0:
            return self._id(offset, self._left - 1)
        return self._ids.get(self.go.structure(offset), self._ids.get(offset))

    def made(self, kind: Type) -> TypeId:
        """The id of a type that no DIE describes."""
        if kind not in self._ids:
            self._ids[kind] = len(self._table)
            self._table.append(kind)
            self._keys.append(kind)
        return self._ids[kind]

    def linked(self, name: str, make: Callable[[TypeId], Struct]) -> TypeId:
        """The id of a struct that no DIE describes and that points to others of its kind; `make` is given that pointer's id."""
        pointer = self.made(Pointer(f"*{name}", 8, len(self._table) + 1))
        return self.made(make(pointer))

    def _name(self, offset: int) -> str:
        return self.go.printed(offset)

    def _describe(self, offset: int) -> Type:
        go, name = self.go, self._name(offset)
        kind, size = go.kind(offset), go.size(offset)
        if size > MAX_OBJECT:
            return Opaque(name, 0, TOO_LARGE)
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
        if size > MAX_OBJECT or (elem is not None and kind == KIND_SLICE and runtime.size(elem) > MAX_OBJECT):
            return Opaque(name, min(size, 24), TOO_LARGE)
        if kind in BASIC_KINDS:
            return Basic(name, size, BASIC_KINDS[kind])
        if kind == KIND_STRING:
            return String(name, 16)
        if kind == KIND_FUNC:
            return Func(name, 8)
        if kind == KIND_INTERFACE:
            return Interface(name, 16, runtime.is_empty_interface(runtime_type), 8, free=name in CHAINS)
        if kind == KIND_STRUCT:
            fields = runtime.fields(runtime_type)
            return Struct(
                name,
                size,
                tuple(Field(f.name, f.offset, self._runtime_id(f.type, self._left), f.embedded) for f in fields),
            )
        if kind == KIND_POINTER:
            if elem is not None and runtime.size(elem) > MAX_OBJECT:
                return Pointer(name, 8, self.made(Opaque(runtime.name(elem), 0, TOO_LARGE)))
            follows = elem is not None and self._left > 0
            return Pointer(name, 8, self._runtime_id(elem, self._left - 1) if elem and follows else None)
        if kind == KIND_SLICE and elem is not None:
            return Slice(name, 24, self._runtime_id(elem, self._left), runtime.size(elem))
        if kind == KIND_ARRAY and elem is not None:
            count = runtime.array_length(runtime_type)
            return Array(name, size, self._runtime_id(elem, self._left), runtime.size(elem), count)
        return Opaque(name, size, "its layout is not in the debug info")

    def _container(self, offset: int, name: str, kind: int, size: int) -> Type | None:
        go = self.go
        if kind == KIND_ARRAY:
            elem, count = go.array(offset)
            return None if elem is None else Array(name, size, self.same(elem), go.size(elem), count)
        elem = go.elem(offset)
        if elem is None:
            return None
        if kind == KIND_SLICE:
            too_large = go.size(elem) > MAX_OBJECT
            return Opaque(name, 24, TOO_LARGE) if too_large else Slice(name, 24, self.same(elem), go.size(elem))
        if kind == KIND_CHAN:
            return containers.chan(self, offset, name, elem)
        return containers.map_(self, offset, name) if kind == KIND_MAP else None

    def _interface(self, offset: int, name: str) -> Type:
        members = self.go.members(offset)
        empty = any(member.name == "_type" for member in members)
        if not empty:
            self._met.add(offset)
        tab = self.go.member(offset, "tab")
        itab = None if tab is None else self.go.pointee(tab.type)
        at = 8
        for label in ("Type", "_type"):
            found = None if itab is None else self.go.member(itab, label)
            at = found.offset if found is not None else at
        return Interface(name, 16, empty, at, free=self.go.name(offset) in CHAINS)

    def _struct(self, offset: int, name: str, size: int) -> Type:
        go, full = self.go, self.go.name(offset)
        if full in self._picks:
            return replace(self._picks[full], size=size)
        members = go.members(offset)
        found = self._time(offset, name)
        if found is not None:
            return found
        atomic = ATOMIC.match(full)
        if atomic is not None:
            wrapped = self._atomic(atomic[1], members, name, size)
            if wrapped is not None:
                return wrapped
        meant = known.describe(self, offset, full, name)
        if meant is not None:
            return meant
        return Struct(name, size, tuple(Field(m.name, m.offset, self.same(m.type), m.embedded) for m in members))

    def _time(self, offset: int, name: str) -> Time | None:
        """time.Time, what is declared as one, and what generic code takes for it."""
        go = self.go
        wall, ext, location = (go.member(offset, each) for each in ("wall", "ext", "loc"))
        if wall is None or ext is None or location is None or go.name(location.type) != "*time.Location":
            return None
        return Time(name, go.size(offset), wall.offset, ext.offset) if len(go.members(offset)) == 3 else None

    def _atomic(self, which: str, members: tuple[Member, ...], name: str, size: int) -> Type | None:
        """sync/atomic's types, shown as what is in them; atomic.Pointer names its pointee in a field of no size."""
        value = next((m for m in members if m.name in ("v", "value", "u")), None)
        if value is None:
            return None
        if which == "Bool":
            inner = self.made(Basic("bool", self.go.size(value.type), "bool"))
        elif which == "Float64":  # the runtime's own, which keeps the number's bits
            inner = self.made(Basic("float64", self.go.size(value.type), "float"))
        elif which == "Pointer" and self.go.kind(value.type) == KIND_UNSAFE_POINTER:
            elem = next((self.go.array(m.type)[0] for m in members if self.go.kind(m.type) == KIND_ARRAY), None)
            target = None if elem is None else self.go.pointee(elem)
            if target is None or elem is None:
                return None
            inner = self.made(Pointer(self._name(elem), 8, self._further(target)))
        else:
            inner = self.same(value.type)
        return Wrapper(name, size, value.offset, inner)

    def kept(self, slot: int, declared: int | None) -> TypeId:
        """The type of what a slot has room for: of the key or value itself, or of a pointer to one over 128 bytes."""
        if declared is None or self.go.kind(slot) != KIND_POINTER or self.go.kind(declared) == KIND_POINTER:
            return self.same(slot)
        return self.made(Pointer(INDIRECT, 8, self._further(declared)))
