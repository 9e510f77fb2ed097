"""The engine that is the product: a fixed eBPF program walks the stopped target's goroutines inside the kernel.

The program is compiled once; a capture's Program only fills its tables. Everything slow is done while arming.
"""

import os
import threading
from contextlib import ExitStack
from pathlib import Path

from agent.engine import Target
from agent.engine_ebpf.bytecode import btf, link
from agent.engine_ebpf.compiling import compile_probe
from agent.engine_ebpf.kernel import Kernel
from agent.engine_ebpf.lower import lower
from agent.engine_ebpf.probe import EMPTY_STACK, EbpfProbe
from agent.engine_ebpf.shared import SharedMaps
from agent.engine_ebpf.sizes import plan_sizes
from agent.memory import ProcessMemory
from compiler.ir.errors import CannotNow
from compiler.ir.program import Program

STEPS = 2048
"""Steps a run; between two runs the engine looks at the clock. Faster runs are no gain, longer ones overstay."""
RUN_BYTES = 4 << 20
"""A run that has copied so much ends early: some 2 ms."""
MOST_GOROUTINES = 1 << 22


class EbpfEngine:
    """Makes eBPF probes; keeps the compiled program."""

    name = "ebpf"

    def __init__(self) -> None:
        self._kernel: Kernel | None = None
        self._compiled: dict[str, bytes] = {}
        self._arming = threading.Lock()
        """libbcc and the compiler in it are not made for two threads at once; captures of several processes are armed in turn."""

    def arm(self, target: Target, program: Program) -> EbpfProbe:
        """Compile (the first time), make and fill the maps, have the verifier check the program, attach it."""
        with self._arming:
            return self._load(target, program, _goroutines(target, program))

    def rehearse(self, target: Target, program: Program) -> int:
        """Do all of that and give it back: how many instructions the verifier looked at."""
        with self._arming:
            probe = self._load(target, program, 0)
        try:
            return self._kernel.verified_instructions(probe.program_fd) if self._kernel is not None else 0
        finally:
            probe.close()

    def _load(self, target: Target, program: Program, goroutines: int) -> EbpfProbe:
        if self._kernel is None:
            self._kernel = Kernel()
        if not self._compiled:
            self._compiled = dict(compile_probe().functions)
        kernel = self._kernel
        lowered = lower(program, target)
        sizes = plan_sizes(
            program.limits,
            lowered.rows,
            goroutines,
            _threads(target.pid),
            values=bool(lowered.config.has_values),
        )
        config = lowered.config
        config.out_limit, config.stacks_limit = sizes.out_limit, sizes.stacks_limit
        config.goroutines_limit, config.pressure = sizes.goroutines_limit, sizes.rows("QUEUE") // 2
        config.run_bytes, config.steps = RUN_BYTES, STEPS
        with ExitStack() as undo:
            maps = SharedMaps(kernel, sizes, lowered.tables)
            undo.callback(maps.close)
            maps.configure(config)
            maps.begin(EMPTY_STACK)
            btf_fd = kernel.load_btf(btf())
            undo.callback(os.close, btf_fd)
            program_fd = kernel.load(link(self._compiled, maps.references), btf_fd)
            undo.callback(os.close, program_fd)
            fds = kernel.attach(program_fd, target.pid)
            undo.pop_all()
        return EbpfProbe(maps, sizes, (btf_fd, program_fd, *fds))


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
