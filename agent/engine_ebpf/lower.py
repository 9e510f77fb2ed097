"""From a Program to the tables that the probe reads: flat rows, by which it finds its way without knowing any type.

Nothing here touches a process or the kernel. The Program was checked when it was read (compiler.ir.program_check).
"""

import ctypes
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.engine import Target
from agent.engine_ebpf.layout import Config, DynamicRow, IntervalRow, TypeRow
from agent.engine_ebpf.lower_roots import RootTable
from agent.engine_ebpf.lower_types import layouts, operations
from agent.engine_ebpf.numbers import CHUNK_SHIFT, NO_KEY, NO_TYPE, SEARCH_STEPS, Chunk
from agent.engine_ebpf.sizes import power_of_two
from compiler.ir.chase import follows, is_byte
from compiler.ir.errors import CannotNow
from compiler.ir.limits import Limits
from compiler.ir.plan import Interval, bytes_above, intervals
from compiler.ir.program import GoRuntime, Located, PcRange, Program
from compiler.ir.types import Array, Type


@dataclass(frozen=True, slots=True)
class Lowered:
    """The tables' bytes and rows by map name, and the part of the configuration that follows from the Program."""

    tables: dict[str, bytes]
    rows: dict[str, int]
    config: Config


def lower(program: Program, target: Target) -> Lowered:
    """All of it, with the target's load bias added to every PC and address."""
    limits, bias = program.widest_limits(), target.bias
    calls, exact = (intervals(program, exact=flag) for flag in (False, True))
    roots = RootTable(program, follows(program.types), bias)
    searched = _Searched()
    config = Config(types_base=target.types_base)
    interval_rows: list[bytes] = []
    for name, found in (("calls", calls), ("exact", exact)):
        searched.add(config, name, [interval.lo + bias for interval in found])
        interval_rows += _padded([_interval(interval, bias, roots) for interval in found], IntervalRow)
    frames = sorted(program.runtime.syscall_frames, key=lambda frame: frame.lo)
    searched.add(config, "syscalls", [frame.lo + bias for frame in frames])
    interval_rows += _padded([struct.pack("<QII", f.hi + bias, f.size, 0) for f in frames], IntervalRow)
    searched.add(config, "dynamic", [dynamic.offset for dynamic in program.dynamic_types])
    dynamic = [struct.pack("<II", each.type, each.direct) for each in program.dynamic_types]
    type_rows, op_rows = _types(program.types, limits)
    chunks = _chunks(program.runtime, calls, exact)
    _configure(config, program, limits, bias)
    config.chunk_base = (program.runtime.text.lo + bias) & ~15
    config.chunks = len(chunks)
    tables = {
        "CHUNKS": (chunks, 1),
        "KEYS": (struct.pack(f"<{len(searched.keys)}Q", *searched.keys), 8),
        "INTERVALS": (b"".join(interval_rows), ctypes.sizeof(IntervalRow)),
        "ROOTS": (roots.packed(), roots.row_size),
        "TYPES": (b"".join(type_rows), ctypes.sizeof(TypeRow)),
        "OPS": (b"".join(op_rows), 16),
        "LAYOUTS": layouts(program.types),
        "DYNAMIC": (b"".join(dynamic), ctypes.sizeof(DynamicRow)),
    }
    return Lowered(
        {name: content for name, (content, _) in tables.items()},
        {name: len(content) // size for name, (content, size) in tables.items()},
        config,
    )


class _Searched:
    """KEYS: sorted tables side by side, each filled up to a power of two with a key that is greater than all."""

    def __init__(self) -> None:
        self.keys: list[int] = []

    def add(self, config: Config, name: str, keys: Sequence[int]) -> None:
        size = power_of_two(max(len(keys), 1))
        if size > 1 << SEARCH_STEPS:
            raise CannotNow(f"the capture program has {len(keys)} {name}, too many", remedy="collect less in the spec")
        setattr(config, f"{name}_base", len(self.keys))
        setattr(config, f"{name}_half", size >> 1)
        self.keys += [*keys, *[NO_KEY] * (size - len(keys))]


def _padded(rows: list[bytes], row: type[ctypes.Structure]) -> list[bytes]:
    """As many rows as _Searched makes of their keys."""
    return rows + [bytes(ctypes.sizeof(row))] * (power_of_two(max(len(rows), 1)) - len(rows))


def _interval(interval: Interval, bias: int, roots: RootTable) -> bytes:
    first = len(roots)
    roots.add(interval.roots)
    return struct.pack("<QII", interval.hi + bias, first, len(roots))


def _types(types: tuple[Type, ...], limits: Limits) -> tuple[list[bytes], list[bytes]]:
    """TYPES and OPS. What a pointer to an array leads to are its items, as many as the limits show."""
    rows: list[bytes] = []
    ops: list[bytes] = []
    for type_id, (kind, own) in enumerate(zip(types, operations(types), strict=True)):
        item, stride, items = type_id, kind.size, 1
        if isinstance(kind, Array):
            limit = limits.string_bytes if is_byte(types[kind.elem]) else limits.slice_items
            item, stride, items = kind.elem, kind.elem_size, min(kind.count, limit)
        rows.append(struct.pack("<8I", kind.size, len(ops), len(ops) + len(own), item, stride, items, type_id, 0))
        ops += own
    return rows, ops


def _chunks(runtime: GoRuntime, calls: Iterable[Interval], exact: Iterable[Interval]) -> bytes:
    """One byte of Chunk bits for every 16 bytes of text."""
    base = runtime.text.lo >> CHUNK_SHIFT
    marks = bytearray(((runtime.text.hi - 1) >> CHUNK_SHIFT) - base + 1)

    def mark(ranges: Iterable[PcRange | Interval], bit: Chunk) -> None:
        for each in ranges:
            first, last = (each.lo >> CHUNK_SHIFT) - base, ((each.hi - 1) >> CHUNK_SHIFT) - base
            for index in range(max(first, 0), min(last + 1, len(marks))):
                marks[index] |= bit

    mark(calls, Chunk.CALL)
    mark(exact, Chunk.EXACT)
    mark(runtime.outermost, Chunk.OUTERMOST)
    mark(runtime.interrupts, Chunk.INTERRUPT)
    return bytes(marks)


def _configure(config: Config, program: Program, limits: Limits, bias: int) -> None:
    runtime = program.runtime
    for name, *_ in Config._fields_:
        if name.startswith(("g_", "m_")):
            setattr(config, name, getattr(runtime, name) or 0)
    config.has_syscallbp = runtime.g_syscallbp is not None
    config.has_parent_goid = runtime.g_parent_goid is not None
    config.text_lo, config.text_hi = runtime.text.lo + bias, runtime.text.hi + bias
    if runtime.callback is not None:
        pcs, caller = runtime.callback.pcs, runtime.callback.caller
        config.callback_lo, config.callback_hi = pcs.lo + bias, pcs.hi + bias
        config.cgocall_lo, config.cgocall_hi = caller.lo + bias, caller.hi + bias
        config.callback_between = runtime.callback.between
        config.callback_size, config.cgocall_size = runtime.callback.size, runtime.callback.caller_size
    config.allglen, config.allgptr = runtime.allglen + bias, runtime.allgptr + bias
    for name in ("frames", "string_bytes", "slice_items", "map_entries", "depth"):
        setattr(config, name, getattr(limits, name))
    config.has_values = any(isinstance(place, Located) for site in program.sites for place in site.places)
    config.above = bytes_above(program)
    _configure_details(config, program)


def _configure_details(config: Config, program: Program) -> None:
    details = program.details
    config.has_details = details is not None
    if details is not None:
        config.waiter, config.selecting = details.waiter, details.selecting
        config.labels = NO_TYPE if details.labels is None else details.labels
        config.selects = sum(1 << reason for reason in set(details.selects))
