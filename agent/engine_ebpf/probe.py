"""One armed eBPF probe: it runs in the pause, bit by bit until it is done or the time is over, and is read out after it."""

import ctypes
import os
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from agent.engine import NOT_WALKED, Registers
from agent.engine_ebpf.layout import GoroutineRow, State, ThreadRow
from agent.engine_ebpf.numbers import BATCH, PROBES, Phase
from agent.engine_ebpf.rig import EMPTY_STACK, Rig
from agent.engine_ebpf.shared import SharedMaps
from agent.urgent import urge
from compiler.ir.errors import CannotNow
from compiler.ir.raw import KIND_THREAD, THREAD, Loss, record

STATE_SIZE = ctypes.sizeof(State)
THREAD_ROW = struct.Struct("<18Q")


class EbpfProbe:
    """Owns a rig, and for each of its workers (link, iterator) file descriptors, until it is closed."""

    def __init__(
        self, rig: Rig, attached: Sequence[tuple[int, int]], pause_ms: int, give_back: Callable[[Rig], None]
    ) -> None:
        self._rig: Rig | None = rig
        self._sizes = rig.sizes
        self._fds = [fd for pair in attached for fd in pair]
        self._iterators = [iterator for _, iterator in attached]
        self._give_back = give_back
        self.program_fd = rig.workers[0].program
        self._threads: list[tuple[int, Registers]] = []
        self._lost_threads = 0
        self._over = False
        self.states = [State.from_buffer_copy(worker.maps.read("STATE", 0, STATE_SIZE)) for worker in rig.workers]
        """What the workers said when they ended."""
        self._helpers = ThreadPoolExecutor(
            max(len(self._iterators) - 1, 1), "worker", initializer=urge, initargs=(pause_ms,)
        )
        for _ in self._iterators[1:]:
            self._helpers.submit(int).result()  # the thread is there before the pause

    def run(self, threads: Mapping[int, Registers], deadline_ns: int) -> int:
        """Take steps until all is copied or the time is over. The first worker is this thread."""
        rig = self._open()
        self._threads = sorted(threads.items())
        self._place_threads(rig)
        others = [
            self._helpers.submit(_drive, worker.maps, iterator, deadline_ns)
            for worker, iterator in zip(rig.workers[1:], self._iterators[1:], strict=True)
        ]
        try:
            done = [_drive(rig.workers[0].maps, self._iterators[0], deadline_ns)]
        finally:
            wait(others)  # nobody works on when the target runs again
        done += [each.result() for each in others]
        self._over = not all(done)
        self.states = [State.from_buffer_copy(worker.maps.read("STATE", 0, STATE_SIZE)) for worker in rig.workers]
        return max((state.stacks_done_ns for state in self.states), default=0)

    def collect(self) -> tuple[bytes, tuple[Loss, ...]]:
        """The records, and what was left out."""
        rig = self._open()
        missing = any(state.stacks_missing for state in self.states)
        parts: list[bytes | memoryview] = [record(KIND_THREAD, THREAD.pack(tid, *of)) for tid, of in self._threads]
        for number, (worker, state) in enumerate(zip(rig.workers, self.states, strict=True)):
            unused = 0 if missing and not number else len(EMPTY_STACK)
            parts += [
                worker.maps.read("STACKS", unused, state.stacks),
                worker.maps.read("GOROUTINES", 0, state.goroutines * ctypes.sizeof(GoroutineRow)),
                worker.maps.read("OUT", 0, state.cursor),
            ]
        records = b"".join(parts)
        for part in parts:
            if isinstance(part, memoryview):
                part.release()
        return records, self._losses()

    def close(self) -> None:
        """Give everything back; may be called twice."""
        self._helpers.shutdown()
        while self._fds:
            os.close(self._fds.pop())
        if self._rig is not None:
            rig, self._rig = self._rig, None
            self._give_back(rig)

    def _open(self) -> Rig:
        if self._rig is None:
            raise AssertionError("the probe is closed")
        return self._rig

    def _place_threads(self, rig: Rig) -> None:
        """Each thread's registers where the probe will look for them: in one of PROBES rows from its tid on."""
        rows = self._sizes.rows["THREADS"]
        taken: set[int] = set()
        for tid, registers in self._threads:
            row = next((r for r in ((tid + i) % rows for i in range(PROBES)) if r not in taken), None)
            if row is None:
                self._lost_threads += 1
                continue
            taken.add(row)
            rig.tables.write("THREADS", row * ctypes.sizeof(ThreadRow), THREAD_ROW.pack(tid, *registers))

    def _sum(self, name: str) -> int:
        return sum(getattr(state, name) for state in self.states)

    def _losses(self) -> tuple[Loss, ...]:
        room = f"{self._sizes.out_limit * self._sizes.workers} bytes"
        losses = [
            Loss("unreadable", self._sum("lost_list"), "goroutines, or the list of them, could not be read"),
            Loss(
                "budget",
                self._sum("lost_goroutines"),
                "goroutines were more than there is room for: so many began since arming",
            ),
            Loss(
                "budget",
                self._sum("lost_budget"),
                f"objects were not copied: the buffer of {room} (limits.process_bytes) is full",
            ),
            Loss(
                "queue",
                self._sum("lost_queue"),
                "objects were not followed: too many were waiting, or within each other",
            ),
            Loss("frames", self._sum("frames_cut"), "stacks were cut at limits.frames"),
            Loss("stacks", self._sum("stacks_faulted"), "stacks could not be read to their end"),
            Loss(
                "stacks",
                self._sum("stacks_missing") - self._sum("lost_stacks"),
                NOT_WALKED,
            ),
            Loss(
                "stacks",
                self._sum("lost_stacks"),
                "stacks were not kept: there were more different ones than there is room for",
            ),
            Loss("threads", self._lost_threads, "threads' registers were not used: there were too many threads"),
        ]
        return (*self._time_lost(), *(loss for loss in losses if loss.count))

    def _time_lost(self) -> tuple[Loss, ...]:
        """What there was no time for."""
        if not self._over:
            return ()
        losses = [
            Loss(
                "pause",
                sum(_not_reached(state) for state in self.states),
                "goroutines were not reached: limits.pause_ms was over",
            ),
            Loss(
                "pause",
                sum(state.goroutines - state.turn for state in self.states if state.phase == Phase.VALUES),
                "goroutines' values were not reached: limits.pause_ms was over",
            ),
            Loss(
                "pause",
                sum(state.tail - state.head + state.top for state in self.states),
                "values were not copied: limits.pause_ms was over",
            ),
        ]
        return tuple(loss for loss in losses if loss.count)


def _drive(maps: SharedMaps, iterator: int, deadline_ns: int) -> bool:
    """Have one worker take steps, each read(2) of its iterator some, until it is done; whether it is."""
    while maps.byte("STATE") != Phase.DONE:
        if time.monotonic_ns() >= deadline_ns:
            return False
        try:
            os.read(iterator, 1)
        except BlockingIOError:
            continue
        raise CannotNow("the process ended while it was captured", remedy="take the snapshot again")
    return True


def _not_reached(state: State) -> int:
    """Goroutines of this worker's share that it did not come to; one that has not even begun does not know how many."""
    if state.phase == Phase.START:
        return 1
    if state.phase != Phase.STACKS:
        return 0
    turn = BATCH * state.workers
    return sum(1 for index in range(state.next, state.length) if index % turn // BATCH == state.worker)
