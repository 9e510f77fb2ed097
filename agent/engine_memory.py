"""The reference engine: runs a Program in plain Python over process_vm_readv. The eBPF probe is held against it."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from agent.chase import Chaser
from agent.engine import NOT_WALKED, Registers, Target
from agent.memory import ProcessMemory
from agent.reader import Memory, Reader
from agent.roots import Roots
from agent.walk import BATCH, GSCAN, WAITING, Walked, Walker
from compiler.ir.program import Program
from compiler.ir.raw import (
    FLAG_FRAMES_CUT,
    FLAG_IMAGE,
    FLAG_NO_STACK,
    FLAG_STACK_FAULT,
    GOROUTINE,
    KIND_GOROUTINE,
    KIND_STACK,
    KIND_THREAD,
    NO_FRAME,
    STACK,
    STACK_ENTRY,
    THREAD,
    Loss,
    RawGoroutine,
    record,
)

MASK = (1 << 64) - 1
"""In a stack entry for the frame pointer 0, which the outermost frame has: relative to sp it would differ in every stack."""


class MemoryEngine:
    """Makes probes that read memory from outside."""

    name = "memory"

    def arm(self, target: Target, program: Program) -> "MemoryProbe":
        return MemoryProbe(target, program, ProcessMemory(target.pid))

    def close(self) -> None:
        """Nothing is kept."""


class MemoryProbe:
    """One capture of one process, over any memory."""

    def __init__(self, target: Target, program: Program, memory: Memory) -> None:
        self._target = target
        self._program = program
        self._reader = Reader(memory, program.limits.process_bytes)
        self._chaser = Chaser(program, target, self._reader)
        self._roots = Roots(program, target, self._reader, self._chaser)
        self._stacks: dict[tuple[tuple[int, int], ...], int] = {}
        self._threads: dict[int, Registers] = {}
        self._walked: list[Walked] = []
        self._losses: list[Loss] = []
        self._count = dict.fromkeys((FLAG_FRAMES_CUT, FLAG_STACK_FAULT, FLAG_NO_STACK), 0)

    def run(self, threads: Mapping[int, Registers], deadline_ns: int) -> int:
        """Stacks first, then the roots in them, then what these lead to; each only while there is time."""
        self._threads.update(threads)
        wanted = [walked for walked in self._walk(threads, deadline_ns) if walked.image and self._roots.reach(walked)]
        stacks_done_ns = 0 if self._losses else time.monotonic_ns()
        for number, walked in enumerate(wanted):
            if time.monotonic_ns() >= deadline_ns:
                left = len(wanted) - number
                self._losses.append(
                    Loss("pause", left, "goroutines' values were not reached: limits.pause_ms was over")
                )
                break
            self._roots.copy(walked, threads)
        for walked in self._walked:
            self._details(walked.goroutine)
        self._chaser.run(deadline_ns)
        if self._chaser.waiting:
            self._losses.append(Loss("pause", self._chaser.waiting, "values were not copied: limits.pause_ms was over"))
        return stacks_done_ns

    def collect(self) -> tuple[bytes, tuple[Loss, ...]]:
        """The records, and what was left out."""
        losses = [
            *self._losses,
            Loss("budget", self._reader.refused, "objects were not copied: limits.process_bytes was spent"),
            Loss("frames", self._count[FLAG_FRAMES_CUT], "stacks were cut at limits.frames"),
            Loss("stacks", self._count[FLAG_STACK_FAULT], "stacks could not be read to their end"),
            Loss(
                "stacks",
                self._count[FLAG_NO_STACK],
                NOT_WALKED,
            ),
        ]
        written = [record(KIND_THREAD, THREAD.pack(tid, *self._threads[tid])) for tid in sorted(self._threads)]
        for walked in self._walked:
            written += self._goroutine(walked)
        return b"".join([*written, self._reader.records()]), tuple(loss for loss in losses if loss.count)

    def close(self) -> None:
        """Give the memory back."""
        self._walked.clear()
        self._stacks.clear()

    # ------------------------------------------------------------ stacks

    def _walk(self, threads: Mapping[int, Registers], deadline_ns: int) -> Iterator[Walked]:
        walker = Walker(self._program, self._target, self._reader, threads)
        addresses = walker.goroutines()
        if addresses is None:
            self._losses.append(Loss("unreadable", 1, "the list of goroutines could not be read"))
            return
        for start in range(0, len(addresses), BATCH):
            if time.monotonic_ns() >= deadline_ns:
                left = len(addresses) - start
                self._losses.append(Loss("pause", left, "goroutines were not reached: limits.pause_ms was over"))
                return
            for walked in walker.walk(addresses[start : start + BATCH]):
                self._note(walked)
                yield walked

    def _note(self, walked: Walked) -> None:
        for flag in self._count:
            self._count[flag] += bool(walked.flags & flag)
        reach = self._roots.reach(walked)
        if reach is not None and not walked.special:
            walked.image = walked.image[: reach - walked.goroutine.sp]
        wanted = walked.image and (walked.special or reach is not None)
        if wanted and self._reader.keep(walked.goroutine.sp, walked.image):
            walked.flags |= FLAG_IMAGE
        self._walked.append(walked)

    def _details(self, goroutine: RawGoroutine) -> None:
        """Have what hangs on the goroutine itself copied."""
        details = self._program.details
        if details is None:
            return
        if goroutine.labels and details.labels is not None:
            self._chaser.detail(goroutine.labels, details.labels)
        if goroutine.waiting and goroutine.status & ~GSCAN in WAITING:
            selects = goroutine.waitreason in details.selects
            self._chaser.detail(goroutine.waiting, details.selecting if selects else details.waiter)

    # ------------------------------------------------------------ records, once the process runs again

    def _goroutine(self, walked: Walked) -> Iterator[bytes]:
        """Its stack, where that is met first, and itself."""
        sp = walked.goroutine.sp
        entries = tuple((pc, (bp - sp) & MASK if bp else NO_FRAME) for pc, bp in walked.chain)
        number = self._stacks.get(entries)
        if number is None:
            number = self._stacks[entries] = len(self._stacks)
            packed = b"".join(STACK_ENTRY.pack(*entry) for entry in entries)
            yield record(KIND_STACK, STACK.pack(number, len(entries)) + packed)
        yield record(KIND_GOROUTINE, _pack(replace(walked.goroutine, flags=walked.flags, stack_id=number)))


def _pack(g: RawGoroutine) -> bytes:
    return GOROUTINE.pack(
        g.g, g.goid, g.parent_goid, g.gopc, g.startpc, g.waitsince, g.m, g.tid, g.stack_lo, g.stack_hi,
        g.pc, g.sp, g.bp, g.waiting, g.labels, g.m_id, g.locked_tid, g.status, g.waitreason, g.source, g.flags, g.stack_id, 0,
    )  # fmt: skip
