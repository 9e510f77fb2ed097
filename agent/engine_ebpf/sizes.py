"""How large the probe's maps are: from the limits, the Program, and how much is going on in the process.

The kernel allocates and zeroes maps as they are made, so they are made as large as a capture may need, not as its
limits would allow: memory and about 0.3 ms a MiB while arming.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.engine_ebpf.numbers import PROBES, SCRATCH_SIZE, TAIL, WORK_DEPTH
from compiler.ir.limits import Limits

MIB = 1 << 20
OUT_CEILING = 512 * MIB
"""Bytes of one map that the verifier lets a program reach into (BPF_MAX_VAR_OFF)."""
OUT_BASE = 48 * MIB
OUT_OF_GOROUTINE = 8 << 10
"""Bytes of stack and values that a goroutine is given room for, beyond OUT_BASE for all."""
STACKS_BASE = 4 * MIB
STACKS_OF_GOROUTINE = 512
"""Bytes of frames (16 each); equal stacks are kept once."""
MANY_GOROUTINES = 1 << 14
STACKS_OF_MANY = 64
"""The same for each goroutine beyond MANY_GOROUTINES: so many never stand in as many different places."""
SEEN_OF_GOROUTINE = 16
"""Rows for pointees."""
SEEN_OF_DETAILS = 4
"""The same without values: labels, and what the goroutine waits for."""
SEEN_CEILING = 1 << 21
PAGES_OF_GOROUTINE = 2
"""Rows for pages on which objects lie."""
PAGES_CEILING = 1 << 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows of each map (powers of two; bytes of one that has no rows), and how much of OUT and STACKS may hold records. What
    belongs to a worker is told for one of them."""

    rows: Mapping[str, int]
    out_limit: int
    stacks_limit: int
    goroutines_limit: int
    page_bytes: int
    """Bytes of OUT for whole pages."""
    workers: int


def power_of_two(number: int) -> int:
    """The smallest power of two that is not below `number`."""
    return 1 << max(number - 1, 0).bit_length()


def plan_sizes(
    limits: Limits, tables: Mapping[str, int], goroutines: int, threads: int, *, values: bool, workers: int = 1
) -> Sizes:
    """`tables`: rows that the Program itself fills. `goroutines`, `threads`: as many as there are now."""
    each = -(-goroutines // workers)
    expected = each + each // 8 + 1024
    room = limits.process_bytes // workers
    out = _out_bytes(room, each, values=values)
    stacks = power_of_two(_stacks_bytes(each) + 16 * (limits.frames + 2))
    seen = min(power_of_two(max(1 << 14, (SEEN_OF_GOROUTINE if values else SEEN_OF_DETAILS) * each)), SEEN_CEILING)
    rows = {
        "CONFIG": 1,
        "STATE": 1,
        "SCRATCH": SCRATCH_SIZE,
        "OUT": out,
        "GOROUTINES": power_of_two(expected),
        "STACKS": stacks,
        "STACK_SLOTS": power_of_two(max(1 << 12, 2 * expected)),
        "IMAGES": power_of_two(expected),
        "SEEN": seen,
        "QUEUE": 1 << 18 if values else 1 << 14,
        "WORK": WORK_DEPTH,
        "THREADS": power_of_two(max(1 << 10, 4 * threads, PROBES)),
        "WORDS": 1 << 14 if values else 1,
        "PAGES": min(power_of_two(max(1 << 12, PAGES_OF_GOROUTINE * each)), PAGES_CEILING),
        **{name: power_of_two(max(count, 1)) for name, count in tables.items()},
    }
    out_limit = min(out - TAIL, room)
    return Sizes(
        rows,
        out_limit=out_limit,
        stacks_limit=stacks - 16 * (limits.frames + 2),
        goroutines_limit=rows["GOROUTINES"],
        page_bytes=out_limit // 2,
        workers=workers,
    )


def _stacks_bytes(goroutines: int) -> int:
    few = min(goroutines, MANY_GOROUTINES)
    return STACKS_BASE + STACKS_OF_GOROUTINE * few + STACKS_OF_MANY * (goroutines - few)


def _out_bytes(room: int, goroutines: int, *, values: bool) -> int:
    wanted = OUT_BASE + OUT_OF_GOROUTINE * goroutines if values else 2 * MIB + goroutines * (1 << 10)
    return min(power_of_two(min(wanted, room) + TAIL), OUT_CEILING)
