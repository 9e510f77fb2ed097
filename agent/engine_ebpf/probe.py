"""One armed eBPF probe: it runs in the pause, bit by bit until it is done or the time is over, and is read out after it."""

import ctypes
import os
import struct
import time
from collections.abc import Mapping

from agent.engine import Registers
from agent.engine_ebpf.layout import GoroutineRow, State, ThreadRow
from agent.engine_ebpf.numbers import PROBES, Phase
from agent.engine_ebpf.shared import SharedMaps
from agent.engine_ebpf.sizes import Sizes
from compiler.ir.errors import CannotNow
from compiler.ir.raw import KIND_STACK, KIND_THREAD, STACK, THREAD, Loss, record

THREAD_ROW = struct.Struct("<18Q")
EMPTY_STACK = record(KIND_STACK, STACK.pack(0, 0))
"""Written at the beginning: stack 0 is that of goroutines whose stack was not walked."""


class EbpfProbe:
    """Owns its maps, its program and its iterator."""

    def __init__(self, maps: SharedMaps, sizes: Sizes, fds: tuple[int, ...]) -> None:
        self._maps = maps
        self._sizes = sizes
        self._fds = list(fds)
        self._iterator = fds[-1]
        self.program_fd = fds[1]
        self._threads: list[tuple[int, Registers]] = []
        self._lost_threads = 0
        self._over = False
        self.state = maps.state()
        """What the probe said when it ended."""

    def run(self, threads: Mapping[int, Registers], deadline_ns: int) -> None:
        """Take steps until all is copied or the time is over; each read(2) of the iterator is one run of some."""
        self._threads = sorted(threads.items())
        self._place_threads()
        while self._maps.phase() != Phase.DONE:
            if time.monotonic_ns() >= deadline_ns:
                self._over = True
                break
            try:
                os.read(self._iterator, 1)
            except BlockingIOError:
                continue
            raise CannotNow("the process ended while it was captured", remedy="take the snapshot again")
        self.state = self._maps.state()

    def collect(self) -> tuple[bytes, tuple[Loss, ...]]:
        """The records, and what was left out."""
        state = self.state
        threads = [record(KIND_THREAD, THREAD.pack(tid, *registers)) for tid, registers in self._threads]
        goroutines = self._maps.read("GOROUTINES", state.goroutines * ctypes.sizeof(GoroutineRow))
        unused = 0 if state.stacks_missing else len(EMPTY_STACK)
        stacks = self._maps.read("STACKS", state.stacks)[unused:]
        return b"".join([*threads, stacks, goroutines, self._maps.read("OUT", state.cursor)]), self._losses(state)

    def close(self) -> None:
        """Give everything back; may be called twice."""
        while self._fds:
            os.close(self._fds.pop())
        self._maps.close()

    def _place_threads(self) -> None:
        """Each thread's registers where the probe will look for them: in one of PROBES rows from its tid on."""
        rows = self._sizes.rows("THREADS")
        taken: set[int] = set()
        for tid, registers in self._threads:
            row = next((r for r in ((tid + i) % rows for i in range(PROBES)) if r not in taken), None)
            if row is None:
                self._lost_threads += 1
                continue
            taken.add(row)
            self._maps.write("THREADS", row * ctypes.sizeof(ThreadRow), THREAD_ROW.pack(tid, *registers))

    def _losses(self, state: State) -> tuple[Loss, ...]:
        room = f"{self._sizes.out_limit} bytes"
        losses = [
            Loss("unreadable", state.lost_list, "goroutines, or the list of them, could not be read"),
            Loss(
                "budget",
                state.lost_goroutines,
                "goroutines were more than there is room for: so many began since arming",
            ),
            Loss(
                "budget",
                state.lost_budget,
                f"objects were not copied: the buffer of {room} (limits.process_bytes) is full",
            ),
            Loss("queue", state.lost_queue, "objects were not followed: too many were waiting, or within each other"),
            Loss("frames", state.frames_cut, "stacks were cut at limits.frames"),
            Loss("stacks", state.stacks_faulted, "stacks could not be read to their end"),
            Loss(
                "stacks",
                state.stacks_missing - state.lost_stacks,
                "stacks could not be walked: they were being moved, or their place is not known",
            ),
            Loss(
                "stacks",
                state.lost_stacks,
                "stacks were not kept: there were more different ones than there is room for",
            ),
            Loss("threads", self._lost_threads, "threads' registers were not used: there were too many threads"),
        ]
        return (*self._time_lost(state), *(loss for loss in losses if loss.count))

    def _time_lost(self, state: State) -> tuple[Loss, ...]:
        """What there was no time for."""
        if not self._over:
            return ()
        losses = [
            Loss("pause", max(state.length - state.next, 1), "goroutines were not reached: limits.pause_ms was over")
            if state.phase <= Phase.STACKS
            else Loss("pause", 0, ""),
            Loss(
                "pause",
                state.goroutines - state.turn if state.phase == Phase.VALUES else 0,
                "goroutines' values were not reached: limits.pause_ms was over",
            ),
            Loss("pause", state.tail - state.head + state.top, "values were not copied: limits.pause_ms was over"),
        ]
        return tuple(loss for loss in losses if loss.count)
