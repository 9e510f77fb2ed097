"""The maps between the probe in C and the engine in Python: one source for both. C gets its structs from here.

Every map is an array of a single value that both sides have mapped into memory, so nothing here costs a system call in
the pause. The probe masks each index with the map's own size, a power of two: no table can make it read outside.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

from agent.engine_ebpf.numbers import BLOCKS, LEVELS, c_numbers

u8, u32, u64, s64 = ctypes.c_uint8, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64

NAMES: dict[Any, str] = {u8: "u8", u32: "u32", u64: "u64", s64: "s64"}

Members = list[tuple[str, Any]]


def _all(kind: Any, names: str) -> Members:
    return [(name, kind) for name in names.split()]


class Config(ctypes.Structure):
    """Read by the probe, written when it is armed. Addresses and PCs are the process's own; limits as in Limits. `selects` has a
    bit for each of Details.selects; `waiter`, `selecting`, `labels` are its types (NO_TYPE: none)."""

    _fields_ = [
        *_all(u64, "text_lo text_hi chunk_base chunks types_base allglen allgptr"),
        *_all(u64, "out_limit stacks_limit goroutines_limit page_bytes pressure run_bytes steps"),
        *_all(u64, "callback_lo callback_hi callback_size callback_between cgocall_lo cgocall_hi cgocall_size"),
        *_all(u64, "frames string_bytes slice_items map_entries depth above"),
        *_all(u64, "calls_base calls_half exact_base exact_half dynamic_base dynamic_half syscalls_base syscalls_half"),
        *_all(
            u32, "g_size g_stack_lo g_stack_hi g_m g_sched_sp g_sched_pc g_sched_bp g_syscallsp g_syscallpc g_syscallbp"
        ),
        *_all(u32, "g_atomicstatus g_goid g_waitsince g_waitreason g_parent_goid g_gopc g_startpc g_waiting"),
        *_all(u32, "g_labels g_lockedm m_id m_procid m_gsignal m_vdso_sp m_vdso_pc"),
        *_all(u32, "has_syscallbp has_parent_goid has_values has_details"),
        *_all(u64, "selects"),
        *_all(u32, "waiter selecting labels unused"),
    ]


class Block(ctypes.Structure):
    """A block of runtime.g's that was met (its address by BLOCK), and whether all of it is in SCRATCH."""

    _fields_ = _all(u64, "block whole")


class State(ctypes.Structure):
    """Where a worker is between two runs, and what it could not do. The engine writes how it begins: which `worker` of how
    many it is, and the id that its first stack has; then it only reads."""

    _fields_ = [
        *_all(u64, "phase worker workers first_stack stacks_done_ns"),
        *_all(u64, "copied runs length list next goroutines stacks cursor page_bytes g_place"),
        ("blocks", Block * BLOCKS),
        # the goroutine that is being walked
        *_all(u64, "walk g pc bp sp low high outer reach entries hash flags special first last source thread"),
        # what has been copied of its stack: bytes from address `window` on lie at `window_place` in OUT
        *_all(u64, "window window_size window_place"),
        # the goroutine whose roots are being copied, the frame (`at_entry`) and the root
        *_all(u64, "turn image image_size image_thread image_special image_last image_low image_high chain chain_sp"),
        *_all(u64, "entry guess at_entry cfa root root_end"),
        ("places", u64 * LEVELS),
        ("addresses", u64 * LEVELS),
        # what is still to be followed: WORK's top, and the ends of the queue
        *_all(u64, "top head tail"),
        # what could not be done
        *_all(u64, "lost_budget lost_queue lost_goroutines lost_stacks lost_list"),
        *_all(u64, "faults frames_cut stacks_faulted stacks_missing"),
    ]


class Work(ctypes.Structure):
    """One thing that is being followed; the last pushed is at work. See WorkKind for who uses which fields."""

    _fields_ = [
        *_all(u32, "kind type depth slot op op_end"),
        *_all(u64, "place address left stride batch wanted directory directory_left last chain old"),
    ]


class Queued(ctypes.Structure):
    """A pointee to be copied in its turn."""

    _fields_ = [*_all(u64, "address"), *_all(u32, "type depth")]


class TypeRow(ctypes.Structure):
    """A type: its operations are OPS[first_op:op_end]. Behind a pointer, `items` of type `item` are copied, `stride`
    bytes each; its own size is `size`."""

    _fields_ = _all(u32, "size first_op op_end item stride items layout unused")


class Op(ctypes.Structure):
    """One compiler.ir.chase.Follow. `number` is an element's size, a count, or where an itab has its type; `type` of an
    interface is 1 where it is free."""

    _fields_ = _all(u32, "kind at type number")


class Layout(ctypes.Structure):
    """A map's or channel's inside, offsets in bytes. `group...` are a swiss map's groups or a hash map's buckets. `scan` and
    `filter...` are those of a Sought map: only entries whose key has that value in so many bytes are followed. `key_depth` is
    compiler.ir.chase's."""

    _fields_ = _all(
        u32,
        "kind header_size count pointer length first old flags table_size groups_data groups_mask group_size together "
        "overflow key value key_at key_stride value_at value_stride key_follows key_depth value_follows elem_size "
        "scan filter_at filter_size filter_low filter_high "
        "receivers senders waiter_size waiter_next",
    )


class IntervalRow(ctypes.Structure):
    """PCs below `hi` at which ROOTS[first:end] are copied; where they begin is in KEYS."""

    _fields_ = [*_all(u64, "hi"), *_all(u32, "first end")]


class RootRow(ctypes.Structure):
    """One instruction on the way from a frame to its values; see RootKind. `next` is the row to go on with if there is
    nothing; `level` how many Derefs deep it is; `type` of a SPAN is the number under which it is remembered as seen."""

    _fields_ = [*_all(u32, "kind at size type"), ("value", s64), *_all(u32, "next level")]


class DynamicRow(ctypes.Structure):
    """What an interface's runtime type means; its offset from moduledata.types is in KEYS."""

    _fields_ = _all(u32, "type direct")


class SeenRow(ctypes.Structure):
    """`count` elements of `type` at `address` were followed with `depth` levels left. Four of these make a bucket."""

    _fields_ = [*_all(u64, "address"), *_all(u32, "type count depth unused")]


class StackSlot(ctypes.Structure):
    """The stack with this hash, of so many frames, has this id."""

    _fields_ = [*_all(u64, "hash"), *_all(u32, "id count")]


class ThreadRow(ctypes.Structure):
    """A stopped thread's registers, as raw.THREAD orders them; tid 0 is an empty row."""

    _fields_ = [("tid", u64), ("registers", u64 * 17)]


class WordRow(ctypes.Structure):
    """A word of the target that was copied."""

    _fields_ = _all(u64, "address value")


class PageRow(ctypes.Structure):
    """A page of the target that was met (its number); `place` is where it lies in OUT, 0 as long as it does not."""

    _fields_ = _all(u64, "page place")


class Image(ctypes.Structure):
    """Per goroutine record: its stack's bytes lie at `place` in OUT (0: not kept); frames first..last may be of interest;
    `thread` is the row of its thread's registers (all ones: none)."""

    _fields_ = [*_all(u64, "place size"), *_all(u32, "first last thread special")]


class GoroutineRow(ctypes.Structure):
    """A whole GOROUTINE record (raw.RECORD, then raw.GOROUTINE)."""

    _fields_ = [
        *_all(u32, "kind length"),
        *_all(u64, "g goid parent_goid gopc startpc waitsince m tid stack_lo stack_hi pc sp bp waiting labels m_id"),
        *_all(u64, "locked_tid"),
        *_all(u32, "status waitreason source flags stack_id zero"),
    ]


STRUCTS: tuple[type[ctypes.Structure], ...] = (
    Config, Block, State, Work, Queued, TypeRow, Op, Layout, IntervalRow, RootRow, DynamicRow, SeenRow, StackSlot, ThreadRow,
    WordRow, PageRow, Image, GoroutineRow,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MapSpec:
    """One map of the probe: `name` in C, the bytes of one row (1 where it has no rows), and whether each worker has one of its
    own; the others are written before the pause and read by all."""

    name: str
    row: int
    own: bool = False


MAPS = (
    MapSpec("CONFIG", ctypes.sizeof(Config)),
    MapSpec("STATE", ctypes.sizeof(State), own=True),
    MapSpec("SCRATCH", 1, own=True),
    MapSpec("OUT", 1, own=True),
    MapSpec("GOROUTINES", ctypes.sizeof(GoroutineRow), own=True),
    MapSpec("STACKS", 1, own=True),
    MapSpec("STACK_SLOTS", ctypes.sizeof(StackSlot), own=True),
    MapSpec("IMAGES", ctypes.sizeof(Image), own=True),
    MapSpec("CHUNKS", 1),
    MapSpec("KEYS", 8),
    MapSpec("INTERVALS", ctypes.sizeof(IntervalRow)),
    MapSpec("ROOTS", ctypes.sizeof(RootRow)),
    MapSpec("TYPES", ctypes.sizeof(TypeRow)),
    MapSpec("OPS", ctypes.sizeof(Op)),
    MapSpec("LAYOUTS", ctypes.sizeof(Layout)),
    MapSpec("DYNAMIC", ctypes.sizeof(DynamicRow)),
    MapSpec("SEEN", ctypes.sizeof(SeenRow), own=True),
    MapSpec("QUEUE", ctypes.sizeof(Queued), own=True),
    MapSpec("WORK", ctypes.sizeof(Work), own=True),
    MapSpec("THREADS", ctypes.sizeof(ThreadRow)),
    MapSpec("WORDS", ctypes.sizeof(WordRow), own=True),
    MapSpec("PAGES", ctypes.sizeof(PageRow), own=True),
)

MARK_MAP = 0x5EED0001
"""Upper half of a 64-bit constant in the code that stands for the first byte of MAPS[lower half]."""
MARK_MASK = 0x5EED0002
"""... for the number of its rows less one."""
MARK_CALLBACK = 0x5EED0003
"""... for the address of CALLBACKS[lower half]."""
CALLBACKS = ("walk_frame", "take_step")
MAIN = "bpf_iter__task"


def c_declarations() -> str:
    """The numbers, the structs and the maps' names as C text."""
    lines = []
    for struct in STRUCTS:
        members = "".join(f" {_c_member(name, kind)};" for name, kind, *_ in struct._fields_)
        lines.append(f"struct {struct.__name__} {{{members} }};")
    for number, spec in enumerate(MAPS):
        lines.append(f"#define {spec.name} SYMBOL({(MARK_MAP << 32) + number:#x})")
        lines.append(f"#define {spec.name}_MASK SYMBOL({(MARK_MASK << 32) + number:#x})")
    lines += [f"#define ADDRESS_OF_{name} SYMBOL({(MARK_CALLBACK << 32) + i:#x})" for i, name in enumerate(CALLBACKS)]
    return c_numbers() + "\n".join(lines) + "\n"


def _c_member(name: str, kind: Any) -> str:
    if issubclass(kind, ctypes.Array):
        return f"{_c_type(kind._type_)} {name}[{kind._length_}]"
    return f"{_c_type(kind)} {name}"


def _c_type(kind: Any) -> str:
    return NAMES.get(kind) or f"struct {kind.__name__}"
