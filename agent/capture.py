"""One capture of one process: arm (all slow work), then fire (pause, run, resume). The target is never left stopped."""

import gc
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent.engine import ArmedProbe, Engine, Target
from agent.memory import ProcessMemory
from agent.pause import AGAIN, paused
from agent.processes import Processes
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.raw import Pause, RawCapture, RawHeader

AT_ENTRY = 9
"""Of the auxiliary vector (getauxval(3)): where the program's entry point is in the process."""
ARCHITECTURE = "amd64"


class Quiet:
    """Keeps this program out of its own way in a pause: one pause at a time, no garbage collection meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            collecting = gc.isenabled()
            gc.disable()
            try:
                yield
            finally:
                if collecting:
                    gc.enable()


@dataclass(frozen=True, slots=True)
class _Incarnation:
    """What execve(2) changes: there is a new auxiliary vector (with new random addresses) and a new exe link."""

    vector: bytes
    file: tuple[int, int]

    @staticmethod
    def of(pid: int) -> "_Incarnation":
        folder = Path(f"/proc/{pid}")
        try:
            exe = (folder / "exe").stat()
            return _Incarnation((folder / "auxv").read_bytes(), (exe.st_dev, exe.st_ino))
        except OSError:
            raise CannotNow(f"process {pid} has ended", remedy=AGAIN) from None

    def entry(self, pid: int) -> int:
        """Where the program was entered."""
        pairs = struct.iter_unpack("<QQ", self.vector[: len(self.vector) // 16 * 16])
        entry: int | None = next((value for key, value in pairs if key == AT_ENTRY), None)
        if entry is None:
            raise CannotNow(f"the kernel does not tell where process {pid} was loaded", remedy=AGAIN)
        return entry


def arm(
    pid: int, program: Program, engine: Engine, *, processes: Processes | None = None, quiet: Quiet | None = None
) -> "Armed":
    """Prepare a capture of `pid`; nothing is stopped yet. Captures that may run at the same time share one `quiet`.

    BadInput where it is no Go process, or does not run the binary that `program` was compiled for.
    """
    (processes or Processes()).identify(pid)  # says what is wrong with a pid that cannot be captured
    incarnation = _Incarnation.of(pid)
    process, identity = (processes or Processes()).identify(pid)
    if process.build_id != program.build_id:
        raise BadInput(
            f"process {pid} ({process.program}) has build id {process.build_id}, the program is for {program.build_id}",
            remedy="compile the spec for this process's own binary",
        )
    if identity.machine != ARCHITECTURE:
        raise BadInput(
            f"process {pid} is {identity.machine}; only {ARCHITECTURE} can be captured", remedy="choose another"
        )
    if program.arch != ARCHITECTURE:
        raise BadInput(
            f"the capture program is for {program.arch}; this agent captures {ARCHITECTURE}",
            remedy="compile the spec for this process's own binary",
        )
    if program.runtime.load_address != identity.load_address:
        raise BadInput("the capture program has another load address than its binary", remedy="compile it again")
    bias = incarnation.entry(pid) - identity.entry
    types_base = ProcessMemory(pid).read(program.runtime.types_base + bias, 8)
    if types_base is None:
        raise BadInput("the capture program has wrong addresses: its types cannot be read", remedy="compile it again")
    target = Target(pid, bias, int.from_bytes(types_base, "little"))
    return Armed(target, program, engine.name, engine.arm(target, program), incarnation, quiet or Quiet())


class Armed:
    """A capture that is ready to fire, once. Close it, or use it as a context manager."""

    def __init__(
        self, target: Target, program: Program, engine: str, probe: ArmedProbe, incarnation: _Incarnation, quiet: Quiet
    ) -> None:
        self.target = target
        self.program = program
        self._engine = engine
        self._probe = probe
        self._incarnation = incarnation
        self._quiet = quiet

    def __enter__(self) -> "Armed":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release what was prepared; may be called twice."""
        self._probe.close()

    def fire(self) -> RawCapture:
        """Pause, run, resume, collect.

        The tracing is done on a thread of its own: when that ends, the kernel detaches whatever is left; and a Ctrl-C,
        which Python gives to the main thread, cannot fall into the pause.
        """
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pause") as pool:
            header = pool.submit(self._pause).result()
        records, losses = self._probe.collect()
        return RawCapture(replace(header, losses=losses), records)

    def _pause(self) -> RawHeader:
        pid, budget_ns = self.target.pid, self.program.limits.pause_ms * 1_000_000
        with self._quiet(), paused(pid, budget_ns) as held:
            captured_at_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
            if _Incarnation.of(pid) != self._incarnation:
                raise CannotNow(f"process {pid} has started another program meanwhile", remedy=AGAIN)
            self._probe.run(held.threads, held.began_ns + budget_ns)
        pause = Pause(
            total=held.resumed_ns - held.began_ns,
            stop=held.stopped_ns - held.began_ns,
            run=held.release_ns - held.stopped_ns,
            resume=held.resumed_ns - held.release_ns,
        )
        return RawHeader(
            build_id=self.program.build_id,
            pid=pid,
            engine=self._engine,
            captured_at_ns=captured_at_ns,
            monotonic_ns=monotonic_ns,
            bias=self.target.bias,
            types_base=self.target.types_base,
            pause=pause,
            threads=len(held.threads),
        )
