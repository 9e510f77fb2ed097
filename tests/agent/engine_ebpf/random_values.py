"""Random Go types, and random values of them laid out in a made-up process: whole, shared, cyclic, nil or broken."""

import random
import struct
from collections.abc import Callable

from compiler.ir.types import (
    Array,
    Basic,
    Box,
    Chan,
    Field,
    Func,
    HashMap,
    Interface,
    Pointer,
    Slice,
    String,
    Struct,
    SwissMap,
    Trie,
    Type,
    TypeId,
    Wrapper,
)
from tests.agent.fake_memory import FakeMemory
from tests.agent.process import HEAP, TYPES_BASE

TYPES = 24
ROOT_SIZE = 24
ROOT = TYPES
"""The id of the type that the column has: a struct of three words."""
RUNTIME_TYPE = 0x20
"""Runtime types lie so far apart; number n is that of type n."""
NOWHERE = 0x7FFF12345678
MAX_HEAP = 1 << 18


def random_types(rng: random.Random) -> tuple[Type, ...]:  # noqa: C901 - a maker a kind
    """A type table: values contain only types that come before them, pointers lead anywhere."""
    found: list[Type] = [Basic("int", 8, "int"), Basic("uint8", 1, "uint"), String("string", 16)]

    def before(largest: int = 1 << 12) -> TypeId:
        return rng.choice([number for number, kind in enumerate(found) if kind.size <= largest])

    def size(number: TypeId) -> int:
        return found[number].size

    def array() -> Type:
        elem, count = before(), rng.choice([0, 1, 3, 7])
        return Array("[n]", size(elem) * count, elem, size(elem), count)

    def struct_() -> Type:
        fields, end = [], 0
        for number in range(rng.randrange(5)):
            member = before()
            fields.append(Field(f"f{number}", end, member))
            end += (size(member) + 7) & ~7
        return Struct("struct", end, tuple(fields))

    def swiss() -> Type:
        key, value = before(128), before(128)
        value_at = 8 + ((size(key) + 7) & ~7)
        slot = value_at - 8 + ((size(value) + 7) & ~7)
        return SwissMap("map", 8, key, value, 40, 0, 16, 24, 34, 32, 16, 24, 8 + 8 * slot, 8, slot, value_at, slot)

    def hash_() -> Type:
        key, value = before(128), before(128)
        values_at = 8 + ((8 * size(key) + 7) & ~7)
        over = values_at + ((8 * size(value) + 7) & ~7)
        return HashMap(
            "map", 8, key, value, 48, 0, 9, 16, 24, 32, 8, over + 8, 8, size(key), values_at, size(value), over
        )

    def trie() -> Type:
        key, value = before(128), before(128)
        value_at = 16 + ((size(key) + 7) & ~7)
        entry_size = value_at + ((size(value) + 7) & ~7)
        return Trie("trie", 16, key, value, 8, 1, 40, 8, 4, entry_size, 8, 16, value_at)

    def slice_() -> Type:
        elem = before()
        return Slice("[]", 24, elem, size(elem))

    def chan() -> Type:
        elem = before()
        return Chan("chan", 8, elem, size(elem), 64, 0, 8, 16, 32, 40, 48, 56, 16, 0, 8)

    def wrapper() -> Type:
        inner = before()
        return Wrapper("wrapper", size(inner) + 8, 8, inner)

    makers: list[Callable[[], Type]] = [
        array, struct_, swiss, hash_, trie, slice_, chan, wrapper, lambda: Box("", 8, before()),
        lambda: Pointer("*", 8, rng.randrange(TYPES)), lambda: Pointer("*", 8, rng.randrange(TYPES)),
        lambda: Interface("any", 16, rng.random() < 0.5, 8, rng.random() < 0.4), lambda: Func("func()", 8),
    ]  # fmt: skip
    while len(found) < TYPES:
        found.append(rng.choice(makers)())
    words = [number for number, kind in enumerate(found) if kind.size == 8]
    found.append(Struct("root", ROOT_SIZE, tuple(Field(str(at), at, rng.choice(words)) for at in (0, 8, 16))))
    return tuple(found)


class RandomValues:
    """Lays out values. What lies behind a pointer is often one that is there already."""

    def __init__(self, rng: random.Random, types: tuple[Type, ...], memory: FakeMemory) -> None:
        self._rng, self._types, self._memory = rng, types, memory
        self._end = HEAP
        self._known: dict[TypeId, list[int]] = {}

    def value(self, type_id: TypeId, depth: int = 5) -> bytes:
        """The bytes of a value."""
        kind, rng = self._types[type_id], self._rng
        words = struct.Struct("<Q").pack
        match kind:
            case String():
                count = rng.choice([0, 1, 7, 60])
                return struct.pack("<QQ", self.place(rng.randbytes(count)), count)
            case Pointer(elem=elem):
                assert elem is not None
                return words(self._object(elem, depth))
            case Slice(elem=elem):
                count = rng.choice([0, 1, 3, 9]) if depth > 0 else 0
                at = self.place(b"".join(self.value(elem, depth - 1) for _ in range(count)))
                return struct.pack("<QQQ", at, count, count)
            case Struct(fields=fields):
                return self._filled(kind.size, [(f.offset, self.value(f.type, depth)) for f in fields])
            case Wrapper(offset=offset, type=inner):
                return self._filled(kind.size, [(offset, self.value(inner, depth))])
            case Array(elem=elem, count=count):
                return b"".join(self.value(elem, depth) for _ in range(count))
            case Box(elem=elem):
                return words(self.place(self.value(elem, depth - 1)) if depth > 0 and rng.random() < 0.8 else 0)
            case Trie():
                return struct.pack("<QQ", 0, self._node(kind, depth))
            case Interface(empty=empty):
                return self._interface(empty, depth)
            case SwissMap() | HashMap() | Chan():
                return words(self._container(kind, depth) if depth > 0 and rng.random() < 0.8 else 0)
            case Func():
                return words(self.place(words(0x401000)))
            case _:
                return rng.randbytes(kind.size)

    def place(self, content: bytes) -> int:
        """Lay bytes down somewhere; 0 where there is no room, or nothing to lay down."""
        if not content or self._end > HEAP + MAX_HEAP:
            return 0
        at = self._end
        self._end += (len(content) + 7) & ~7
        return self._memory.put(at, content)

    def _filled(self, size: int, parts: list[tuple[int, bytes]]) -> bytes:
        content = bytearray(size)
        for at, part in parts:
            content[at : at + len(part)] = part
        return bytes(content)

    def _object(self, type_id: TypeId, depth: int) -> int:
        known, luck = self._known.setdefault(type_id, []), self._rng.random()
        if luck < 0.02:
            return NOWHERE
        if known and luck < 0.4:
            return self._rng.choice(known)
        if depth <= 0 or luck < 0.5:
            return 0
        at = self.place(bytes(self._types[type_id].size))
        if at:
            known.append(at)
            self._memory.put(at, self.value(type_id, depth - 1))
        return at

    def _interface(self, empty: bool, depth: int) -> bytes:
        type_id = self._rng.randrange(TYPES)
        runtime_type = TYPES_BASE + RUNTIME_TYPE * type_id
        table = runtime_type if empty else self.place(struct.pack("<QQ", 0, runtime_type))
        if is_direct(self._types[type_id]):
            return struct.pack("<Q", table) + self.value(type_id, depth - 1)
        return struct.pack("<QQ", table, self._object(type_id, depth))

    # ------------------------------------------------------------ maps and channels

    def _container(self, kind: SwissMap | HashMap | Chan, depth: int) -> int:
        match kind:
            case SwissMap():
                return self._swiss(kind, depth)
            case HashMap():
                return self._hash(kind, depth)
            case _:
                return self._chan(kind, depth)

    def _group(self, kind: SwissMap | HashMap, size: int, full: int, depth: int) -> bytes:
        """A group or bucket, some of its slots full; what is in the others is not to be followed."""
        values_at = kind.value_at if isinstance(kind, SwissMap) else kind.values_at
        keys_at = kind.key_at if isinstance(kind, SwissMap) else kind.keys_at
        marks, parts = bytearray([0x80 if isinstance(kind, SwissMap) else 0] * 8), []
        for slot in self._rng.sample(range(8), full):
            marks[slot] = self._rng.randrange(5, 0x80)
            parts.append((keys_at + slot * kind.key_stride, self.value(kind.key, depth - 1)))
            parts.append((values_at + slot * kind.value_stride, self.value(kind.value, depth - 1)))
        return self._filled(size, [(0, bytes(marks)), *parts])

    def _groups(self, kind: SwissMap | HashMap, size: int, count: int, depth: int) -> tuple[int, int]:
        numbers = [self._rng.randrange(4) for _ in range(count)]
        return self.place(b"".join(self._group(kind, size, full, depth) for full in numbers)), sum(numbers)

    def _swiss(self, kind: SwissMap, depth: int) -> int:
        if self._rng.random() < 0.5:
            groups, used = self._groups(kind, kind.group_size, 1, depth)
            return self.place(struct.pack("<5Q", used, 0, groups, 0, 0))
        directory, used = [], 0
        for repeated in (1, 1, 2):
            groups, more = self._groups(kind, kind.group_size, 2, depth)
            directory += [self.place(struct.pack("<QQQQ", 0, 0, groups, 1))] * repeated
            used += more
        tables = self.place(struct.pack("<4Q", *directory))
        return self.place(struct.pack("<5Q", used, 0, tables, len(directory), 0))

    def _hash(self, kind: HashMap, depth: int) -> int:
        size, overflow = kind.bucket_size, self.place(self._group(kind, kind.bucket_size, 3, depth))
        buckets = [bytearray(self._group(kind, size, 2, depth)) for _ in range(4)]
        buckets[1][kind.overflow : kind.overflow + 8] = struct.pack("<Q", overflow)
        old = [bytearray(self._group(kind, size, 2, depth)) for _ in range(2)]
        old[0][0] = 3  # evacuated
        growing = self.place(b"".join(old)) if self._rng.random() < 0.5 else 0
        header = struct.pack("<QBBHIQQQQ", 11, 0, 2, 0, 0, self.place(b"".join(buckets)), growing, 0, 0)
        return self.place(header)

    def _node(self, kind: Trie, depth: int) -> int:
        """A node with children: more such, entries (one or two of a hash), and what is none."""
        children = [0] * kind.fanout
        for number in self._rng.sample(range(kind.fanout), self._rng.randrange(4) if depth > 0 else 0):
            luck = self._rng.random()
            children[number] = (
                NOWHERE if luck < 0.05 else self._node(kind, depth - 1) if luck < 0.3 else self._entry(kind, depth)
            )
        return self.place(struct.pack("<Q4Q", 0, *children))

    def _entry(self, kind: Trie, depth: int) -> int:
        overflow = self._entry(kind, depth - 1) if depth > 0 and self._rng.random() < 0.2 else 0
        key, value = self.value(kind.key, depth - 1), self.value(kind.value, depth - 1)
        parts = [(0, struct.pack("<QQ", 1 << 8, overflow)), (kind.key_at, key), (kind.value_at, value)]
        return self.place(self._filled(kind.entry_size, parts))

    def _chan(self, kind: Chan, depth: int) -> int:
        items = b"".join(self.value(kind.elem, depth - 1) for _ in range(5))
        waiters = [0, 0]
        for end in (0, 1):
            for _ in range(self._rng.choice([0, 0, 1, 3, 8])):
                waiters[end] = self.place(struct.pack("<QQ", 0, waiters[end]))
        return self.place(struct.pack("<8Q", 3, 5, self.place(items), 0, 0, self._rng.randrange(5), *waiters))


def is_direct(kind: Type) -> bool:
    """Whether an interface holds such a value itself."""
    return isinstance(kind, Pointer | Chan | Func | SwissMap | HashMap)
