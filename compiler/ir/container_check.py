"""The bounds of maps, tries and channels in a Program: whatever an engine reads of a header, group or bucket lies in it."""

from collections.abc import Iterator

from compiler.ir.frozen import values_of
from compiler.ir.types import WORD, Chan, HashMap, SwissMap, Trie, Type

SLOTS = 8
"""Of a group, and of a bucket."""
MAX_PART = 1 << 20
"""Bytes of a header, a group or a bucket."""
MAX_NODE = 1 << 15
"""Bytes of a trie's node: one copy."""
MAX_FANOUT = 64


def container_problems(kind: SwissMap | HashMap | Trie | Chan, types: tuple[Type, ...]) -> Iterator[str]:
    """One sentence for everything that is wrong."""
    ids = (kind.elem,) if isinstance(kind, Chan) else (kind.key, kind.value)
    if (kind.size != WORD and not isinstance(kind, Trie)) or any(type_id not in range(len(types)) for type_id in ids):
        yield "it is no pointer, or its key or element has no type"
        return
    numbers = {name: value for name, value in values_of(kind).items() if isinstance(value, int)}
    outside = [f"{name} is {value}" for name, value in numbers.items() if not 0 <= value < MAX_PART]
    yield from outside
    if isinstance(kind, Trie) and (max(kind.node_size, kind.entry_size) > MAX_NODE or kind.fanout > MAX_FANOUT):
        yield "its nodes are too large"
    if not outside:
        yield from (
            f"{name} lies outside of its {whole}" for name, end, whole in _ends(kind, types) if end > numbers[whole]
        )


def _ends(kind: SwissMap | HashMap | Trie | Chan, types: tuple[Type, ...]) -> Iterator[tuple[str, int, str]]:
    """(what, where it ends, the size within which that must be)."""
    match kind:
        case SwissMap():
            for name in ("used", "dir_ptr", "dir_len"):
                yield name, getattr(kind, name) + WORD, "header_size"
            yield "writing", kind.writing + 1, "header_size"
            for name in ("groups_data", "groups_mask"):
                yield name, getattr(kind, name) + WORD, "table_size"
            yield "the control word", SLOTS, "group_size"
            yield "key", kind.key_at + (SLOTS - 1) * kind.key_stride + types[kind.key].size, "group_size"
            yield "value", kind.value_at + (SLOTS - 1) * kind.value_stride + types[kind.value].size, "group_size"
        case HashMap():
            for name in ("count", "buckets", "oldbuckets", "nevacuate"):
                yield name, getattr(kind, name) + WORD, "header_size"
            for name in ("b", "flags"):
                yield name, getattr(kind, name) + 1, "header_size"
            yield "the hashes", SLOTS, "bucket_size"
            yield "key", kind.keys_at + (SLOTS - 1) * kind.key_stride + types[kind.key].size, "bucket_size"
            yield "value", kind.values_at + (SLOTS - 1) * kind.value_stride + types[kind.value].size, "bucket_size"
            yield "overflow", kind.overflow + WORD, "bucket_size"
        case Trie():
            yield "root", kind.root + WORD, "size"
            for part in ("node_size", "entry_size"):
                yield "the kind of a node", kind.is_entry + 1, part
            yield "children", kind.children + kind.fanout * WORD, "node_size"
            yield "overflow", kind.overflow + WORD, "entry_size"
            yield "key", kind.key_at + types[kind.key].size, "entry_size"
            yield "value", kind.value_at + types[kind.value].size, "entry_size"
        case Chan():
            for name in ("qcount", "dataqsiz", "buf", "recvx", "elem_type"):
                yield name, getattr(kind, name) + WORD, "header_size"
            yield "closed", kind.closed + 4, "header_size"
            yield "element", types[kind.elem].size, "elem_size"
            if kind.waiter_size:
                yield "receivers", kind.receivers + WORD, "header_size"
                yield "senders", kind.senders + WORD, "header_size"
                yield "the waiter's goroutine", kind.waiter_g + WORD, "waiter_size"
                yield "the next waiter", kind.waiter_next + WORD, "waiter_size"
