"""The entries of a Go map out of memory: Swiss tables (Go 1.24 and later) and the buckets before them.

See go/src/internal/runtime/maps/{map,table,group}.go, go/src/runtime/map.go of Go 1.23, and for what a sync.Map keeps
go/src/internal/sync/hashtriemap.go. Whatever the bytes are, the walk ends: it only goes on where memory was captured, and
never over more than MAX_STEPS groups or nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from compiler.decode.image import LOWEST, Image, Window
from compiler.ir.frozen import frozen
from compiler.ir.types import HashMap, SwissMap, Trie

SLOTS = 8
EMPTY = 0x80
"""A control byte below says that the slot is full."""
MIN_TOPHASH = 5
EVACUATED = range(2, 5)
SAME_SIZE_GROW = 8
HASH_WRITING = 4
WRITTEN_TO = "a goroutine is writing to it"
MAX_DIRECTORY = 1 << 30
MAX_COUNT = 1 << 40
MAX_STEPS = 1 << 18
MAX_CHAIN = 1 << 10
MAX_LEVELS = 16
UNKNOWN = -1
NO_MAP = -2


@frozen
class Slot:
    """A key and a value within a group or bucket; the key elsewhere if there is a `key_window`."""

    window: Window
    key_at: int
    value_at: int
    key_window: Window | None = None


@dataclass(slots=True)
class Entries:
    """`total` as the map itself says, the slots found (up to the limit), and the reason where some are missing."""

    total: int = 0
    slots: list[Slot] = field(default_factory=list)
    problem: str = ""
    detail: str = ""
    steps: int = 0


def entries(kind: SwissMap | HashMap, address: int, image: Image, limit: int) -> Entries:
    """The entries of the map at an address. `total` is NO_MAP, and `problem` says why, without even a header, and while somebody
    writes: then an entry may be half there, and the header may lead to what is no table at all."""
    header = image.read(address, kind.header_size)
    if header is None:
        return Entries(NO_MAP, problem=image.why(address, kind.header_size))
    walk = _Swiss(kind, image) if isinstance(kind, SwissMap) else _Buckets(kind, image)
    total = _int(header, kind.used if isinstance(kind, SwissMap) else kind.count)
    found = Entries(total)
    if total >= MAX_COUNT:
        return Entries(NO_MAP, problem="torn")
    if _is_written_to(kind, header):
        return Entries(NO_MAP, problem="torn", detail=WRITTEN_TO)
    wanted = min(total, limit)
    if wanted:
        for slot in walk.slots(header):
            found.slots.append(slot)
            if len(found.slots) >= wanted:
                break
    if len(found.slots) < wanted:
        found.problem = walk.problem or "torn"
    found.steps = walk.steps
    return found


def _is_written_to(kind: SwissMap | HashMap, header: bytes) -> bool:
    return bool(header[kind.writing] if isinstance(kind, SwissMap) else header[kind.flags] & HASH_WRITING)


def trie_entries(kind: Trie, root: int, image: Image, limit: int) -> Entries:
    """The entries below a trie's root. It does not count them: `total` is UNKNOWN where there are more."""
    walk = _Nodes(kind, image)
    found = Entries()
    for slot in walk.slots(root) if root else ():
        if len(found.slots) >= limit:
            found.total = UNKNOWN
            break
        found.slots.append(slot)
    else:
        found.total = UNKNOWN if walk.problem else len(found.slots)
        found.problem = walk.problem
    found.steps = walk.steps
    return found


class _Walk:
    """What both layouts share: counting steps, and the first reason for which something was missing."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.problem = ""
        self.steps = 0

    def _read(self, address: int, size: int) -> bytes | None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            self.problem = self.problem or "budget"
            return None
        if address < LOWEST:
            self.problem = self.problem or "torn"
            return None
        found = self._image.read(address, size)
        if found is None:
            self.problem = self.problem or self._image.why(address, size)
        return found


class _Swiss(_Walk):
    def __init__(self, kind: SwissMap, image: Image) -> None:
        super().__init__(image)
        self._kind = kind

    def slots(self, header: bytes) -> Iterator[Slot]:
        kind = self._kind
        directory, length = _int(header, kind.dir_ptr), _int(header, kind.dir_len)
        if length == 0:
            yield from self._groups(directory, 1)
        elif length > MAX_DIRECTORY or length & (length - 1):
            self.problem = "torn"
        else:
            for table in self._tables(directory, length):
                record = self._read(table, kind.table_size)
                if record is not None:
                    yield from self._groups(_int(record, kind.groups_data), _int(record, kind.groups_mask) + 1)

    def _tables(self, directory: int, length: int) -> Iterator[int]:
        """Distinct tables: a table that was split less often than others fills several places of the directory."""
        pointers = self._image.prefix(directory, 8 * length)
        seen: set[int] = set()
        for at in range(0, len(pointers) - 7, 8):
            table = _int(pointers, at)
            if table not in seen:
                seen.add(table)
                yield table
        if len(pointers) < 8 * length:
            self.problem = self.problem or self._image.why(directory + len(pointers))

    def _groups(self, address: int, count: int) -> Iterator[Slot]:
        kind = self._kind
        if count > MAX_COUNT or count & (count - 1):
            self.problem = "torn"
            return
        for number in range(count):
            group = self._read(address + number * kind.group_size, kind.group_size)
            if group is None:
                return
            window = Window(group)
            for slot, control in enumerate(group[:SLOTS]):
                if control < EMPTY:
                    yield Slot(window, kind.key_at + slot * kind.key_stride, kind.value_at + slot * kind.value_stride)


class _Buckets(_Walk):
    def __init__(self, kind: HashMap, image: Image) -> None:
        super().__init__(image)
        self._kind = kind

    def slots(self, header: bytes) -> Iterator[Slot]:
        """New buckets, then what was not moved out of the old ones yet (the new ones it will go to are still empty)."""
        kind = self._kind
        shift, flags = header[kind.b : kind.b + 1], header[kind.flags : kind.flags + 1]
        if not shift or not flags or shift[0] > 40:
            self.problem = "torn"
            return
        count = 1 << shift[0]
        yield from self._array(_int(header, kind.buckets), count, old=False)
        old = _int(header, kind.oldbuckets)
        if old:
            yield from self._array(old, count if flags[0] & SAME_SIZE_GROW else max(count >> 1, 1), old=True)

    def _array(self, address: int, count: int, *, old: bool) -> Iterator[Slot]:
        kind = self._kind
        if not address:
            self.problem = self.problem or "torn"
            return
        for number in range(count):
            at, chained = address + number * kind.bucket_size, 0
            while at and chained < MAX_CHAIN:
                bucket = self._read(at, kind.bucket_size)
                if bucket is None:
                    if chained == 0:
                        return
                    break
                if old and bucket[:1] and bucket[0] in EVACUATED:
                    break
                window = Window(bucket)
                for slot, top in enumerate(bucket[:SLOTS]):
                    if top >= MIN_TOPHASH:
                        yield Slot(
                            window, kind.keys_at + slot * kind.key_stride, kind.values_at + slot * kind.value_stride
                        )
                at, chained = _int(bucket, kind.overflow), chained + 1


class _Nodes(_Walk):
    def __init__(self, kind: Trie, image: Image) -> None:
        super().__init__(image)
        self._kind = kind

    def slots(self, root: int) -> Iterator[Slot]:
        """Child by child, as deep as they go; entries of one hash are a chain."""
        kind = self._kind
        waiting = [(root, 0)]
        while waiting:
            address, level = waiting.pop()
            head = self._read(address, min(kind.node_size, kind.entry_size))
            if head is None:
                continue
            is_entry = level > 0 and bool(head[kind.is_entry])
            size = kind.entry_size if is_entry else kind.node_size
            node = head if len(head) >= size else self._read(address, size)
            if node is None:
                continue
            if is_entry:
                yield Slot(Window(node), kind.key_at, kind.value_at)
                following = [_int(node, kind.overflow)]
            elif level >= MAX_LEVELS:
                self.problem = self.problem or "torn"
                continue
            else:
                following = [_int(node, kind.children + 8 * number) for number in reversed(range(kind.fanout))]
                level += 1
            waiting += [(each, level) for each in following if each]


def _int(found: bytes, at: int) -> int:
    return int.from_bytes(found[at : at + 8], "little")
