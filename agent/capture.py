"""One capture of one process: arm (all slow work), then fire (pause, run, resume). The target is never left stopped."""

import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from agent.config import AgentLimits
from agent.engine import ArmedProbe, Engine, Target
from agent.estimate import check, estimate
from agent.incarnation import Incarnation
from agent.memory import ProcessMemory
from agent.pause import paused
from agent.processes import Processes
from agent.seen import as_named, last_seen
from agent.urgent import urge
from compiler.ir import plan
from compiler.ir.build_id import BinaryIdentity
from compiler.ir.errors import BadInput
from compiler.ir.program import Program
from compiler.ir.raw import KIND_MEMORY, MEMORY, Pause, RawCapture, RawHeader, record
from compiler.ir.wire import Estimate, GoProcess

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


def arm(
    pid: int,
    program: Program,
    engine: Engine,
    *,
    processes: Processes | None = None,
    quiet: Quiet | None = None,
    limits: AgentLimits | None = None,
) -> "Armed":
    """Prepare a capture of `pid`; nothing is stopped yet. Captures that may run at the same time share one `quiet`.

    BadInput where it is no Go process, does not run the binary that `program` was compiled for, or is too large for `limits`.
    """
    limits = limits or AgentLimits()
    known = processes or Processes()
    known.identify(pid)  # says what is wrong with a pid that cannot be captured
    with ExitStack() as undo:
        incarnation = Incarnation(pid)
        undo.callback(incarnation.close)
        process, identity = known.identify(pid)
        _fitting(program, process, identity)
        with incarnation.blamed():
            bias = incarnation.entry() - identity.entry
            types_base = ProcessMemory(pid).read(program.runtime.types_base + bias, 8)
            if types_base is None:
                raise BadInput(
                    "the capture program has wrong addresses: its types cannot be read", remedy="compile it again"
                )
            target = Target(pid, bias, int.from_bytes(types_base, "little"))
            size = estimate(target, program)
            check(pid, size, limits)
            probe = engine.arm(target, program)
        undo.pop_all()
    return Armed(target, program, process, size, engine.name, probe, incarnation, quiet or Quiet(), limits)


def _fitting(program: Program, process: GoProcess, identity: BinaryIdentity) -> None:
    """BadInput where the Program was not compiled for what the process runs."""
    if process.build_id != program.build_id:
        raise BadInput(
            f"process {process.pid} ({process.program}) has build id {process.build_id}, "
            f"the program is for {program.build_id}",
            remedy="compile the spec for this process's own binary",
        )
    if identity.machine != ARCHITECTURE:
        raise BadInput(
            f"process {process.pid} is {identity.machine}; only {ARCHITECTURE} can be captured", remedy="choose another"
        )
    if program.arch != ARCHITECTURE:
        raise BadInput(
            f"the capture program is for {program.arch}; this agent captures {ARCHITECTURE}",
            remedy="compile the spec for this process's own binary",
        )
    if program.runtime.load_address != identity.load_address:
        raise BadInput("the capture program has another load address than its binary", remedy="compile it again")


@dataclass(frozen=True, slots=True)
class Armed:
    """A capture that is ready to fire, once. Close it, or use it as a context manager."""

    target: Target
    program: Program
    process: GoProcess
    estimate: Estimate
    engine: str
    probe: ArmedProbe
    incarnation: Incarnation
    quiet: Quiet
    limits: AgentLimits

    def __enter__(self) -> "Armed":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release what was prepared; may be called twice."""
        try:
            self.probe.close()
        finally:
            self.incarnation.close()

    def fire(self) -> RawCapture:
        """Pause, run, resume, collect.

        The tracing is done on a thread of its own: when that ends, the kernel detaches whatever is left; and a Ctrl-C,
        which Python gives to the main thread, cannot fall into the pause.
        """
        with self.incarnation.blamed():
            check(self.target.pid, estimate(self.target, self.program), self.limits)  # it may have grown since
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pause") as pool:
            header, words = pool.submit(self._pause).result()
        records, losses = self.probe.collect()
        return RawCapture(replace(header, losses=losses), records + words)

    def _pause(self) -> tuple[RawHeader, bytes]:
        """The header, and the records of what is copied once a capture."""
        urge(self.program.limits.pause_ms)
        pid, budget_ns = self.target.pid, self.program.limits.pause_ms * 1_000_000
        seen = last_seen(pid)
        with self.quiet(), paused(pid, budget_ns) as held:
            captured_at_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
            self.incarnation.check()
            words = self._words()
            walked_ns = self.probe.run(held.threads, held.began_ns + budget_ns)
        pause = Pause(
            total=held.resumed_ns - held.began_ns,
            stop=held.stopped_ns - held.began_ns,
            stacks=(walked_ns or held.release_ns) - held.stopped_ns,
            values=held.release_ns - (walked_ns or held.release_ns),
            resume=held.resumed_ns - held.release_ns,
        )
        header = RawHeader(
            build_id=self.program.build_id,
            pid=pid,
            engine=self.engine,
            captured_at_ns=captured_at_ns,
            monotonic_ns=monotonic_ns,
            bias=self.target.bias,
            types_base=self.target.types_base,
            pause=pause,
            threads=len(held.threads),
            container_pid=self.process.container_pid,
            host_tids=tuple(sorted(held.host_tids.items())),
            seen_threads=as_named(seen, held.host_tids),
        )
        return header, words

    def _words(self) -> bytes:
        spans = [(address + self.target.bias, 8) for address in plan.words(self.program)]
        found = zip(spans, ProcessMemory(self.target.pid).read_many(spans), strict=True) if spans else ()
        return b"".join(record(KIND_MEMORY, MEMORY.pack(at) + word) for (at, _), word in found if word is not None)
