"""What is inside of maps and channels: copies their tables and yields the entries. go/src/internal/runtime/maps,
go/src/runtime/{map,chan}.go have the layouts; the offsets come from the Program."""

from collections.abc import Callable, Iterator

from agent.reader import Reader
from compiler.ir.types import Chan, HashMap, SwissMap, Trie

SLOTS = 8
"""Of a group, and of a bucket."""
STRIDE = 64
"""Groups or buckets that are copied in one go at most."""
MAX_DIRECTORY = 1 << 16
DIRECTORY_PIECE = 512
"""Pointers to tables that are copied in one go: the first few have what the limit asks for."""
MAX_LENGTH = 1 << 40
"""Lengths beyond this are garbage."""
MAX_GROUPS = 1 << 18
"""Groups or buckets of one table that are looked at; the decoder looks at no more of one map."""
MAX_CHAIN = 1 << 10
"""Overflow buckets of one bucket."""
MAX_LEVELS = 16
"""Of a trie: its nodes take four bits of a hash each."""
SAME_SIZE_GROW = 8
EVACUATED = range(2, 5)
MIN_TOPHASH = 5

Entry = tuple[bytes, int, int]
"""Bytes, and where in them a key and its value begin."""
Over = Callable[[], bool]
"""Whether the time is over."""


def word(found: bytes, at: int) -> int:
    """The pointer or integer at `at`; 0 where the bytes end before."""
    return int.from_bytes(found[at : at + 8], "little") if at + 8 <= len(found) else 0


def length(value: int) -> int:
    """A length as Go has it; 0 for garbage."""
    return value if value < MAX_LENGTH else 0


def swiss_entries(reader: Reader, kind: SwissMap, address: int, wanted: int, over: Over) -> Iterator[Entry]:
    """The entries of a map of Go 1.24 and later, `wanted` of them if there are so many."""
    header = reader.copy(address, kind.header_size)
    if header is None or not word(header, kind.used):
        return
    wanted = min(wanted, length(word(header, kind.used)))
    directory, tables = word(header, kind.dir_ptr), length(word(header, kind.dir_len))
    if tables == 0:
        yield from _groups(reader, kind, directory, 1, wanted, over)
        return
    for table in _tables(reader, directory, min(tables, MAX_DIRECTORY)):
        if wanted <= 0 or over():
            return
        found = reader.copy(table, kind.table_size)
        if found is not None:
            groups = length(word(found, kind.groups_mask) + 1)
            for entry in _groups(reader, kind, word(found, kind.groups_data), groups, wanted, over):
                wanted -= 1
                yield entry


def _tables(reader: Reader, directory: int, count: int) -> Iterator[int]:
    """Those in a directory, each once: a large one stands there several times."""
    seen: set[int] = set()
    for start in range(0, count, DIRECTORY_PIECE):
        pointers = reader.copy(directory + 8 * start, 8 * min(count - start, DIRECTORY_PIECE))
        if pointers is None:
            return
        for at in range(0, len(pointers), 8):
            table = word(pointers, at)
            if table not in seen:
                seen.add(table)
                yield table


def _groups(reader: Reader, kind: SwissMap, address: int, count: int, wanted: int, over: Over) -> Iterator[Entry]:
    start, size, count = 0, kind.group_size, min(count, MAX_GROUPS)
    while start < count and wanted > 0 and size > 0 and not over():
        together = min(count - start, STRIDE, wanted // SLOTS + 1)
        found = reader.copy(address + start * size, together * size)
        if found is None:
            return
        for group in range(0, together * size, size):
            for slot in range(SLOTS):
                if found[group + slot] < 0x80 and wanted > 0:  # a full slot's control byte
                    wanted -= 1
                    key, value = kind.key_at + slot * kind.key_stride, kind.value_at + slot * kind.value_stride
                    yield found, group + key, group + value
        start += together


def hash_entries(reader: Reader, kind: HashMap, address: int, wanted: int, over: Over) -> Iterator[Entry]:
    """The entries of a map up to Go 1.23, those in buckets that are not moved yet included."""
    header = reader.copy(address, kind.header_size)
    if header is None or not word(header, kind.count):
        return
    wanted = min(wanted, length(word(header, kind.count)))
    buckets = 1 << min(header[kind.b], 32)
    for entry in _buckets(reader, kind, word(header, kind.buckets), buckets, wanted, over):
        wanted -= 1
        yield entry
    old = word(header, kind.oldbuckets)
    if old and wanted > 0:
        before = buckets if header[kind.flags] & SAME_SIZE_GROW else max(buckets >> 1, 1)
        yield from _buckets(reader, kind, old, before, wanted, over, old=True)


def _buckets(
    reader: Reader, kind: HashMap, address: int, count: int, wanted: int, over: Over, *, old: bool = False
) -> Iterator[Entry]:
    for number in range(min(count, MAX_GROUPS)):
        at = address + number * kind.bucket_size
        for chained in range(MAX_CHAIN):
            bucket = None if wanted <= 0 or not at or over() else reader.copy(at, kind.bucket_size)
            if bucket is None and not chained:
                return  # all of them lie in one piece: this is no map
            if bucket is None:
                break
            if old and bucket[0] in EVACUATED:
                break
            for slot in range(SLOTS):
                if bucket[slot] >= MIN_TOPHASH and wanted > 0:
                    wanted -= 1
                    yield bucket, kind.keys_at + slot * kind.key_stride, kind.values_at + slot * kind.value_stride
            at = word(bucket, kind.overflow)
        if wanted <= 0 or over():
            return


def trie_entries(reader: Reader, kind: Trie, root: int, wanted: int, over: Over) -> Iterator[Entry]:
    """The entries of a sync.Map of Go 1.24 and later, those of one hash included; child by child, as deep as it goes."""
    waiting, looked_at = [(root, 0)], 0
    while waiting and wanted > 0 and looked_at < MAX_GROUPS and not over():
        address, level = waiting.pop()
        looked_at += 1
        found = reader.copy(address, min(kind.node_size, kind.entry_size))
        if found is None:
            continue
        is_entry = bool(found[kind.is_entry]) and level > 0
        size = kind.entry_size if is_entry else kind.node_size
        found = found if len(found) >= size else reader.copy(address, size)
        if found is None:
            continue
        if is_entry:
            wanted -= 1
            yield found, kind.key_at, kind.value_at
            following = [word(found, kind.overflow)]
        else:
            places = range(kind.children, kind.children + 8 * kind.fanout, 8) if level < MAX_LEVELS else ()
            following = [word(found, at) for at in reversed(places)]
            level += 1
        waiting += [(each, level) for each in following if each]


def copy_waiters(reader: Reader, kind: Chan, address: int, wanted: int) -> None:
    """Copy the sudogs of the goroutines that wait at a channel, as many as are wanted of those at either end."""
    header = reader.copy(address, kind.header_size) if kind.waiter_size else None
    for queue in (kind.receivers, kind.senders) if header is not None else ():
        waiter = word(header or b"", queue)
        for _ in range(wanted):
            found = reader.copy(waiter, kind.waiter_size) if waiter else None
            if found is None:
                break
            waiter = word(found, kind.waiter_next)


def chan_spans(reader: Reader, kind: Chan, address: int, wanted: int) -> Iterator[tuple[int, int]]:
    """(address, number of elements) of what is in a channel's buffer; it is a ring, so these are up to two spans."""
    header = reader.copy(address, kind.header_size)
    if header is None or not kind.elem_size:
        return
    capacity, buffer = length(word(header, kind.dataqsiz)), word(header, kind.buf)
    shown = min(capacity, length(word(header, kind.qcount)), wanted)
    if shown:
        first = word(header, kind.recvx) % capacity
        straight = min(shown, capacity - first)
        yield buffer + first * kind.elem_size, straight
        if shown > straight:
            yield buffer, shown - straight
