"""The numbers that the probe in C and the engine in Python share: kinds, sizes, bounds. C gets them from here."""

from enum import IntEnum

from compiler.ir import raw
from compiler.ir.limits import MAX_WAITS
from compiler.ir.raw import NO_FRAME


class Phase(IntEnum):
    """Where a capture is."""

    START = 0
    STACKS = 1
    VALUES = 2
    DONE = 3


class Walk(IntEnum):
    """Of the goroutine at hand: none, following frame pointers, completing the image, ready to be recorded."""

    NONE = 0
    FRAMES = 1
    IMAGE = 2
    READY = 3


class Chunk(IntEnum):
    """What a piece of 16 bytes of text has in it. Go functions begin on such borders, so nothing else shares the bytes."""

    CALL = 1
    EXACT = 2
    OUTERMOST = 4
    INTERRUPT = 8


class OpKind(IntEnum):
    """A compiler.ir.chase.Follow; BYTES is a slice of bytes, CONTAINER a map, trie or channel, ANY an empty interface."""

    POINTER = 1
    STRING = 2
    SLICE = 3
    BYTES = 4
    ARRAY = 5
    ANY = 6
    INTERFACE = 7
    CONTAINER = 8
    FUNC = 9
    BOX = 10


class WorkKind(IntEnum):
    """ELEMENTS: `left` elements of `type` at `place` in OUT. COPY: `batch` bytes of them are still to be copied from
    `address`. CONTENT: `left` elements at `address`. CONTAINER: the map or channel at `address`. SWISS, HASH: its entries.
    WAITERS: up to `left` goroutines that wait at a channel, the first one's sudog at `address`. TRIE: `left` children of a
    node of a trie, the first one's pointer at `place` in OUT, and an entry at `address`."""

    ELEMENTS = 1
    COPY = 2
    CONTENT = 3
    CONTAINER = 4
    SWISS = 5
    HASH = 6
    WAITERS = 7
    TRIE = 8


class LayoutKind(IntEnum):
    """Of maps, channels and tries."""

    SWISS = 1
    HASH = 2
    CHAN = 3
    TRIE = 4


class RootKind(IntEnum):
    """BEGIN a root that is put together in HAND; STACK, REGISTER, ADDRESS bring a piece of it, NOTHING eight zeros; WHOLE_STACK,
    WHOLE_ADDRESS use one where it is. DEREF goes one level down, by the pointer at `at`; SPAN copies what is needed of the object
    there. VALUE follows the value of `type` at `at`, `value` levels deeper than usual; QUEUE copies it first, in its turn.
    RANGE copies elements of the slice at `at`, of `size` bytes each: from number `value` (its low half) on, so many (its
    high half). CHOICE goes on only if the word at `at` is `value`, the address of a dictionary."""

    BEGIN = 1
    STACK = 2
    REGISTER = 3
    ADDRESS = 4
    WHOLE_STACK = 5
    WHOLE_ADDRESS = 6
    DEREF = 7
    SPAN = 8
    VALUE = 9
    QUEUE = 10
    RANGE = 11
    CHOICE = 12
    NOTHING = 13


CHUNK_SHIFT = 4
PIECE = 32 << 10
"""Bytes that one step copies at most; larger objects take several steps."""
LARGEST_COPY = 64 << 10
"""A power of two above PIECE: by this the verifier knows the size of a copy."""
WINDOW = 4 << 10
"""Bytes of a stack that are copied at first; most need no more."""
BROKEN = 32 << 10
"""As agent.walk.BROKEN."""
TAIL = 256 << 10
"""Bytes at the end of OUT that are no records: HAND (a root put together), then SPARE (a stack that OUT has no room for)."""
HAND_SIZE = 96 << 10
SPARE_SIZE = 96 << 10
BLOCK_SHIFT = 13
BLOCK = 1 << BLOCK_SHIFT
"""Bytes of a span in which Go keeps runtime.g's."""
BLOCKS = 16
"""Such blocks that are remembered; goroutines that began after each other lie in a few, one for each P."""
G_SIZE = 16 << 10
"""A power of two above the size of a runtime.g."""
SCRATCH_SIZE = 256 << 10
"""Bytes for BLOCKS, then one runtime.g by itself, then BATCH pointers to such."""
PAGE_SHIFT = 12
PAGE = 1 << PAGE_SHIFT
BATCH = 128
"""Goroutine pointers that are read in one copy."""
WORK_DEPTH = 256
"""Contents within contents (a slice of maps of slices ...) that are followed."""
SEARCH_STEPS = 22
"""Tables that are searched have fewer than 2**SEARCH_STEPS rows."""
PROBES = 8
LEVELS = 32
"""A root, and what Derefs lead to from it; a power of two, more than program_check.MAX_STEPS."""
BYTES_TYPE = 0xFFFFFFFF
"""In place of a type id: bytes without pointers."""
NO_TYPE = 0xFFFFFFFF
"""In place of a type id: there is none."""
MAX_LENGTH = 1 << 40
"""Lengths beyond this are garbage."""
MAX_DIRECTORY = 1 << 16
MAX_GROUPS = 1 << 18
"""Groups or buckets of one table that are looked at."""
MAX_CHAIN = 1 << 10
"""Overflow buckets of one bucket."""
MAX_LEVELS = 16
"""Of a trie."""
NO_KEY = (1 << 63) - 1
"""Greater than every key of a table that is searched."""

ENUMS: tuple[type[IntEnum], ...] = (Phase, Walk, Chunk, OpKind, WorkKind, LayoutKind, RootKind)
CONSTANTS = {
    "CHUNK_SHIFT": CHUNK_SHIFT,
    "PIECE": PIECE,
    "LARGEST_COPY": LARGEST_COPY,
    "WINDOW": WINDOW,
    "BROKEN": BROKEN,
    "HAND_SIZE": HAND_SIZE,
    "SPARE_SIZE": SPARE_SIZE,
    "BLOCK_SHIFT": BLOCK_SHIFT,
    "BLOCK": BLOCK,
    "BLOCKS": BLOCKS,
    "G_SIZE": G_SIZE,
    "PAGE_SHIFT": PAGE_SHIFT,
    "PAGE": PAGE,
    "BATCH": BATCH,
    "WORK_DEPTH": WORK_DEPTH,
    "SEARCH_STEPS": SEARCH_STEPS,
    "PROBES": PROBES,
    "LEVELS": LEVELS,
    "BYTES_TYPE": BYTES_TYPE,
    "NO_TYPE": NO_TYPE,
    "MAX_WAITS": MAX_WAITS,
    "MAX_LENGTH": MAX_LENGTH,
    "MAX_DIRECTORY": MAX_DIRECTORY,
    "MAX_GROUPS": MAX_GROUPS,
    "MAX_CHAIN": MAX_CHAIN,
    "MAX_LEVELS": MAX_LEVELS,
    "NO_FRAME": NO_FRAME,
    "KIND_GOROUTINE": raw.KIND_GOROUTINE,
    "KIND_STACK": raw.KIND_STACK,
    "KIND_MEMORY": raw.KIND_MEMORY,
    "KIND_FAULT": raw.KIND_FAULT,
    "SOURCE_SCHED": raw.SOURCE_SCHED,
    "SOURCE_SYSCALL": raw.SOURCE_SYSCALL,
    "SOURCE_THREAD": raw.SOURCE_THREAD,
    "FLAG_IMAGE": raw.FLAG_IMAGE,
    "FLAG_FRAMES_CUT": raw.FLAG_FRAMES_CUT,
    "FLAG_STACK_FAULT": raw.FLAG_STACK_FAULT,
    "FLAG_NO_STACK": raw.FLAG_NO_STACK,
}


def c_numbers() -> str:
    """All of them as C text: LARGEST_COPY, OPKIND_POINTER, ..."""
    lines = [f"#define {name} {value:#x}ULL" for name, value in CONSTANTS.items()]
    lines += [f"#define {kind.__name__.upper()}_{item.name} {item.value}" for kind in ENUMS for item in kind]
    return "\n".join(lines) + "\n"
