"""RawCapture: the bytes that a probe writes, and nothing but bytes: a JSON header, then records.

    magic "FFRAW\\x02\\n" | u32 header length | header (JSON, UTF-8) | records
    record: u32 kind | u32 length of the payload | payload, padded with zeros to 8 bytes

All integers are little endian. Addresses and PCs are the process's own (load bias included).
The process stands still while memory is copied, so overlapping MEMORY records agree.
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

from compiler.ir.errors import BadInput
from compiler.ir.frozen import frozen

MAGIC = b"FFRAW\x02\n"
RECORD = struct.Struct("<II")

KIND_GOROUTINE = 1
KIND_STACK = 2
KIND_MEMORY = 3
KIND_FAULT = 4
KIND_THREAD = 5

GOROUTINE = struct.Struct("<17QIIIIII")
"""g, goid, parent_goid, gopc, startpc, waitsince, m, tid, stack_lo, stack_hi, pc, sp, bp, waiting, labels, m_id, locked_tid,
then u32: status (runtime.g.atomicstatus as read), waitreason, source, flags, stack_id, 0.

`m`, `m_id` and `tid` (its address, its number, its thread) are of the M that runs the goroutine, 0 without one; `locked_tid` is
the thread that it has locked itself to (runtime.LockOSThread), 0 without. `waiting` and `labels` are pointers, as in runtime.g."""
STACK = struct.Struct("<II")
"""id, number of entries; then entries. A stack is written once, however many goroutines stand in it."""
STACK_ENTRY = struct.Struct("<QQ")
"""pc, (frame pointer - the goroutine's sp) mod 2**64. Entry 0 is (start pc, start bp); the next is ([bp + 8], [bp]), and so on."""
MEMORY = struct.Struct("<Q")
"""address; then the bytes."""
FAULT = struct.Struct("<QII")
"""address, size that could not be read, 0."""
THREAD = struct.Struct("<Q17Q")
"""tid, then the registers in DWARF order 0-15 (rax rdx rcx rbx rsi rdi rbp rsp r8-r15), then rip."""

NO_FRAME = (1 << 64) - 1
"""Stands for a frame pointer of 0 in an entry: relative to each goroutine's own sp, no two stacks would be the same."""

SOURCE_SCHED = 0
"""pc, sp and bp come from g.sched."""
SOURCE_SYSCALL = 1
"""They come from g.syscallpc, g.syscallsp and the frame pointer saved with them."""
SOURCE_THREAD = 2
"""They are the registers of the thread that runs the goroutine: the PC is exact."""

FLAG_IMAGE = 1
"""The stack from sp on is among the MEMORY records, as far as the frames go that are asked about; or all of them, where the
chain may have to be mended."""
FLAG_FRAMES_CUT = 2
"""There were more frames than limits.frames."""
FLAG_STACK_FAULT = 4
"""The stack could not be read to its end."""
FLAG_NO_STACK = 8
"""The goroutine's stack was not walked: it is being moved, or its thread's state is not known."""


class BadRaw(BadInput):
    """A raw capture that is damaged or of another format."""


@frozen
class Loss:
    """What a capture left out: `kind` ("budget", "pause", "frames", "unreadable", ...), how many, and in words."""

    kind: str
    count: int
    detail: str


@frozen
class Pause:
    """How long the process stood still, nanoseconds, in parts that add up to `total` (give or take the clock)."""

    total: int
    stop: int
    stacks: int
    values: int
    """What was copied after all stacks had been walked; 0 if the time was over before that."""
    resume: int


@frozen
class SeenThread:
    """A thread as it was seen just before the pause: the CPU that it ran on or had run on last, and the kernel's letter for its
    state (proc(5): R running or runnable, S sleeping, D in an uninterruptible wait)."""

    tid: int
    cpu: int
    state: str


@frozen
class RawHeader:
    """What is known of one process's capture as a whole. `captured_at_ns` is Unix time, `monotonic_ns` the same instant."""

    build_id: str
    pid: int
    engine: str
    captured_at_ns: int
    monotonic_ns: int
    bias: int
    types_base: int
    """moduledata.types as the process has it."""
    pause: Pause
    threads: int
    losses: tuple[Loss, ...] = ()
    container_pid: int | None = None
    """The process's own number in its pid namespace, where that is not the agent's. Then goroutines and THREAD records
    name threads as the process does, too."""
    host_tids: tuple[tuple[int, int], ...] = ()
    """For such a process: (a thread's number there, the agent's number for it)."""
    seen_threads: tuple[SeenThread, ...] = ()
    """By the same numbers as THREAD records. Some may have begun or ended since."""

    def to_json(self) -> bytes:
        from dataclasses import asdict

        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True).encode()

    @staticmethod
    def from_json(data: bytes) -> "RawHeader":
        try:
            fields: dict[str, Any] = json.loads(data)
            fields["pause"] = Pause(**fields["pause"])
            fields["losses"] = tuple(Loss(**loss) for loss in fields["losses"])
            fields["host_tids"] = tuple((inside, ours) for inside, ours in fields["host_tids"])
            fields["seen_threads"] = tuple(SeenThread(**thread) for thread in fields["seen_threads"])
            return RawHeader(**fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadRaw(f"the header of the raw capture cannot be read: {error}", remedy="capture again") from None


@frozen
class RawGoroutine:
    """One GOROUTINE record, field by field as `GOROUTINE` lists them."""

    g: int
    goid: int
    parent_goid: int
    gopc: int
    startpc: int
    waitsince: int
    m: int
    tid: int
    stack_lo: int
    stack_hi: int
    pc: int
    sp: int
    bp: int
    waiting: int
    labels: int
    m_id: int
    locked_tid: int
    status: int
    waitreason: int
    source: int
    flags: int
    stack_id: int


@frozen
class RawCapture:
    """A header and its records' bytes."""

    header: RawHeader
    records: bytes

    def head(self) -> bytes:
        """What comes before the records."""
        header = self.header.to_json()
        return b"".join((MAGIC, struct.pack("<I", len(header)), header))

    def to_bytes(self) -> bytes:
        return self.head() + self.records

    @staticmethod
    def from_bytes(data: bytes) -> "RawCapture":
        if data[: len(MAGIC)] != MAGIC:
            raise BadRaw("this is not a raw capture of format 2", remedy="capture again with an agent of this version")
        start = len(MAGIC) + 4
        size = int.from_bytes(data[len(MAGIC) : start], "little")
        if len(data) < start + size:
            raise BadRaw("the raw capture ends within its header", remedy="capture again")
        return RawCapture(RawHeader.from_json(data[start : start + size]), data[start + size :])

    def walk(self) -> Iterator[tuple[int, memoryview]]:
        """(kind, payload) of every record, in order; BadRaw where the bytes end within one."""
        view, at, end = memoryview(self.records), 0, len(self.records)
        while at < end:
            if at + RECORD.size > end:
                raise BadRaw(f"the raw capture ends within a record's head at byte {at}", remedy="capture again")
            kind, size = RECORD.unpack_from(view, at)
            at += RECORD.size
            if at + size > end:
                raise BadRaw(f"the raw capture ends within a record at byte {at}", remedy="capture again")
            yield kind, view[at : at + size]
            at += size + (-size & 7)


def record(kind: int, payload: bytes) -> bytes:
    """One record: head, payload, padding."""
    return RECORD.pack(kind, len(payload)) + payload + bytes(-len(payload) & 7)
