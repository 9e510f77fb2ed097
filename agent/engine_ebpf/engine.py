"""The engine that is the product: a fixed eBPF program walks the stopped target's goroutines inside the kernel.

The program is compiled once; a capture's Program only fills its tables. Everything slow is done while arming.
"""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from agent.engine import Target
from agent.engine_ebpf.kept import cache_folder, compiled_probe
from agent.engine_ebpf.kernel import Kernel
from agent.engine_ebpf.lower import Lowered, lower
from agent.engine_ebpf.probe import EbpfProbe
from agent.engine_ebpf.rig import Rig, Rigs
from agent.engine_ebpf.sizes import Sizes, plan_sizes
from agent.memory import ProcessMemory
from compiler.ir.errors import CannotNow
from compiler.ir.program import Program

STEPS = 2048
"""Steps a run; between two runs the engine looks at the clock. Faster runs are no gain, longer ones overstay."""
RUN_BYTES = 4 << 20
"""A run that has copied so much ends early: some 2 ms."""
MOST_GOROUTINES = 1 << 22
MEMORY = 2 << 30
"""Bytes of the maps of all captures in hand: enough for one of a million goroutines, or for twenty-five of a few hundred."""
SECOND_WORKER = 4000
"""Goroutines from which on a second worker is a gain: to wake it up takes as long as some hundred of them."""


class EbpfEngine:
    """Makes eBPF probes; keeps the compiled program, and for `idle_s` seconds what a capture ran on, for the next one."""

    name = "ebpf"

    def __init__(
        self, idle_s: float = 0, workers: int | None = None, *, pages: bool = True, memory: int = MEMORY
    ) -> None:
        """Captures in hand may take `memory` bytes together. `workers` and `pages` (whether whole pages may be copied) are for
        tests and measurements."""
        self._kernel: Kernel | None = None
        self._compiled: Mapping[str, bytes] = {}
        self._rigs = Rigs(idle_s, time.monotonic, memory)
        self._workers = workers
        self._pages = pages
        self._arming = threading.Lock()
        """libbpf is not made for two threads at once; captures of several processes are armed in turn."""

    def arm(self, target: Target, program: Program) -> EbpfProbe:
        """Compile (the first time), make and fill the maps, have the verifier check the program, attach it."""
        with self._arming:
            return self._load(target, program, _goroutines(target, program))

    def rehearse(self, target: Target, program: Program) -> int:
        """Do all of that and give it back: how many instructions the verifier looked at."""
        with self._arming:
            probe = self._load(target, program, 0)
        try:
            return self._door().verified_instructions(probe.program_fd)
        finally:
            probe.close()

    def close(self) -> None:
        """Give back what is kept for later."""
        self._rigs.close()

    def _door(self) -> Kernel:
        if self._kernel is None:
            self._kernel = Kernel()
        return self._kernel

    def _load(self, target: Target, program: Program, goroutines: int) -> EbpfProbe:
        kernel = self._door()
        lowered = lower(program, target)
        values = bool(lowered.config.has_values)
        workers = self._workers or _workers(goroutines)
        sizes = plan_sizes(
            program.limits, lowered.rows, goroutines, _threads(target.pid), values=values, workers=workers
        )
        with ExitStack() as undo:
            rig = self._rig(kernel, lowered, sizes)
            undo.callback(self._rigs.drop, rig)
            iterators = []
            for worker in rig.workers:
                fds = kernel.attach(worker.program, target.pid)
                iterators.append(fds)
                for fd in fds:
                    undo.callback(os.close, fd)
            undo.pop_all()
        return EbpfProbe(rig, iterators, program.limits.pause_ms, self._rigs.give_back)

    def _rig(self, kernel: Kernel, lowered: Lowered, sizes: Sizes) -> Rig:
        """One that was used before, or a new one."""
        if not self._compiled:
            self._compiled = compiled_probe(cache_folder())
        config = lowered.config
        config.out_limit, config.stacks_limit = sizes.out_limit, sizes.stacks_limit
        config.goroutines_limit, config.pressure = sizes.goroutines_limit, sizes.rows["QUEUE"] // 2
        config.page_bytes, config.run_bytes, config.steps = sizes.page_bytes * self._pages, RUN_BYTES, STEPS
        rig, used = self._rigs.take(sizes, lambda: Rig(kernel, self._compiled, sizes))
        try:
            rig.prepare(config, lowered.tables, used=used)
        except BaseException:
            self._rigs.drop(rig)
            raise
        return rig


def _workers(goroutines: int) -> int:
    """How many share the work: two, if there is enough of it and they can run at the same time."""
    return 2 if goroutines >= SECOND_WORKER and len(os.sched_getaffinity(0)) > 1 else 1


def _goroutines(target: Target, program: Program) -> int:
    """How many there are now (runtime.allglen; it never falls)."""
    found = ProcessMemory(target.pid).read(program.runtime.allglen + target.bias, 8)
    if found is None:
        raise CannotNow(f"process {target.pid} has no list of goroutines", remedy="compile the spec for its own binary")
    return min(int.from_bytes(found, "little"), MOST_GOROUTINES)


def _threads(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        raise CannotNow(f"process {pid} has ended", remedy="choose another") from None
