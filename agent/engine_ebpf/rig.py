"""What a capture runs on: the tables, and for each worker its own maps and its loaded program. Made once, used again.

Making the maps (the kernel zeroes them) and verifying the program is most of what arming costs; both depend on sizes alone.
So a rig is kept for the next capture that needs the same sizes, for a while, and then given back.
"""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from agent.engine_ebpf.bytecode import btf, link
from agent.engine_ebpf.kernel import Kernel
from agent.engine_ebpf.layout import MAPS, Config, State
from agent.engine_ebpf.shared import SharedMaps
from agent.engine_ebpf.sizes import Sizes
from compiler.ir.errors import CannotNow
from compiler.ir.raw import KIND_STACK, STACK, record

EMPTY_STACK = record(KIND_STACK, STACK.pack(0, 0))
"""Written at the beginning: stack 0 is that of goroutines whose stack was not walked."""
STACK_IDS = 1 << 28
"""Ids of stacks that each worker has to give."""
REMEMBERED = ("STACK_SLOTS", "SEEN", "WORDS", "PAGES")
"""Maps in which a worker remembers what it met: they must not remember another capture. All else is written before it is read."""
MOST_IDLE = 512 << 20
"""Bytes of rigs that are kept for later."""
MIB = 1 << 20


def bytes_of(sizes: Sizes) -> int:
    """What the maps of a rig of these sizes take, all workers together."""
    return sum(sizes.rows[spec.name] * spec.row * (sizes.workers if spec.own else 1) for spec in MAPS)


class Worker:
    """One of the workers that share a capture's goroutines: its maps and its program."""

    def __init__(self, kernel: Kernel, compiled: Mapping[str, bytes], sizes: Sizes, tables: SharedMaps) -> None:
        with ExitStack() as undo:
            self.maps = SharedMaps(kernel, (spec for spec in MAPS if spec.own), sizes.rows)
            undo.callback(self.maps.close)
            self._btf = kernel.load_btf(btf())
            undo.callback(os.close, self._btf)
            references = {**tables.references, **self.maps.references}
            self.program = kernel.load(link(compiled, tuple(references[spec.name] for spec in MAPS)), self._btf)
            undo.pop_all()

    def begin(self, number: int, workers: int) -> None:
        """The state to start from: nothing but one stack record."""
        self.maps.write("STACKS", 0, EMPTY_STACK)
        state = State(worker=number, workers=workers, first_stack=number * STACK_IDS, stacks=len(EMPTY_STACK))
        self.maps.write("STATE", 0, bytes(state))

    def forget(self) -> None:
        """Make it as new."""
        for name in REMEMBERED:
            self.maps.zero(name)

    def close(self) -> None:
        for fd in (self.program, self._btf):
            os.close(fd)
        self.maps.close()


class Rig:
    """Tables and workers. `used` rigs are wiped before they are used again."""

    def __init__(self, kernel: Kernel, compiled: Mapping[str, bytes], sizes: Sizes) -> None:
        self.sizes = sizes
        with ExitStack() as undo:
            self.tables = SharedMaps(kernel, (spec for spec in MAPS if not spec.own), sizes.rows)
            undo.callback(self.tables.close)
            self.workers: list[Worker] = []
            for _ in range(sizes.workers):
                worker = Worker(kernel, compiled, sizes, self.tables)
                undo.callback(worker.close)
                self.workers.append(worker)
            undo.pop_all()

    def prepare(self, config: Config, tables: Mapping[str, bytes], *, used: bool) -> None:
        """Tell the probe what to do."""
        for name, content in tables.items():
            self.tables.write(name, 0, content)
        self.tables.write("CONFIG", 0, bytes(config))
        if used:
            self.tables.zero("THREADS")
        for number, worker in enumerate(self.workers):
            if used:
                worker.forget()
            worker.begin(number, len(self.workers))

    def close(self) -> None:
        """Give everything back."""
        for worker in self.workers:
            worker.close()
        self.workers.clear()
        self.tables.close()


class Rigs:
    """All rigs: those in use, which together may take `most` bytes, and those that wait for their next use, `idle_s` seconds
    at most. Safe to use from several threads."""

    def __init__(self, idle_s: float, clock: Callable[[], float], most: int) -> None:
        self._idle_s = idle_s
        self._clock = clock
        self._most = most
        self._in_use = 0
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Rig]] = []
        """(when it came back, rig), oldest first."""
        self._timer = threading.Timer(idle_s, self.trim)

    def take(self, sizes: Sizes, make: Callable[[], Rig]) -> tuple[Rig, bool]:
        """One of these sizes, and whether it was used before; a new one where none waits. CannotNow where that would be more
        memory than there may be."""
        size = bytes_of(sizes)
        with self._lock:
            for number in range(len(self._idle) - 1, -1, -1):
                if self._idle[number][1].sizes == sizes:
                    self._in_use += size
                    return self._idle.pop(number)[1], True
            if self._in_use + size > self._most:
                raise CannotNow(
                    f"this capture needs {size // MIB} MiB, and captures in hand take {self._in_use // MIB} of the "
                    f"{self._most // MIB} MiB that the agent may use",
                    remedy="fire or release some of them, lower limits.process_bytes in the spec, or give the agent more "
                    "(limits.memory_mib in its configuration)",
                )
            self._in_use += size
            over = self._drop_idle(self._most - self._in_use)
        for rig in over:
            rig.close()
        try:
            return make(), False
        except BaseException:
            with self._lock:
                self._in_use -= size
            raise

    def give_back(self, rig: Rig) -> None:
        """Keep it for later, or close it."""
        with self._lock:
            self._in_use -= bytes_of(rig.sizes)
            self._idle.append((self._clock(), rig))
        self.trim()

    def drop(self, rig: Rig) -> None:
        """Close one that cannot be used again."""
        with self._lock:
            self._in_use -= bytes_of(rig.sizes)
        rig.close()

    def _drop_idle(self, room: int) -> list[Rig]:
        """The oldest that wait, as many as there is no room for."""
        over: list[Rig] = []
        while sum(bytes_of(rig.sizes) for _, rig in self._idle) > room:
            over.append(self._idle.pop(0)[1])
        return over

    def trim(self) -> None:
        """Close those whose time is over, and the oldest beyond MOST_IDLE; come back for the others."""
        over: list[Rig] = []
        with self._lock:
            now = self._clock()
            while self._idle and now - self._idle[0][0] >= self._idle_s:
                over.append(self._idle.pop(0)[1])
            over += self._drop_idle(MOST_IDLE)
            if self._idle and (not self._timer.is_alive() or self._timer is threading.current_thread()):
                self._timer = threading.Timer(self._idle_s - (now - self._idle[0][0]), self.trim)
                self._timer.daemon = True
                self._timer.start()
        for rig in over:
            rig.close()

    def close(self) -> None:
        """Close all."""
        with self._lock:
            rigs, self._idle = self._idle, []
        for _, rig in rigs:
            rig.close()
