"""Holds a process still by ptrace, for as long as a `with` block, and lets go whatever happens.

PTRACE_SEIZE and PTRACE_INTERRUPT (ptrace(2)) send no signal and write nothing; if this program dies, the kernel
detaches and the target runs on. A SIGSTOP would leave it stopped for ever; it is never sent. A signal that reaches a
thread while we stop it is handed on when we let go.

A stop breaks off what a thread waits in. The kernel takes that up again, a wait with a time limit by a system call of its own,
restart_syscall(2). Where a seccomp filter does not know it, the thread would be killed by that, or fail; so in a process under any
filter such a wait answers EINTR, as it does when a signal has been handled.
"""

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.capabilities import remedy
from agent.engine import Registers
from agent.ptrace import PTRACE_DETACH, PTRACE_INTERRUPT, Ptrace, WaitStatus
from agent.rescue import Rescue, rescue
from agent.threads import AGAIN, container_pid, is_filtered, own_tid, reluctance, status, thread_ids, tracer
from compiler.ir.errors import CannotNow

MAX_ROUNDS = 100
"""How often the thread list is read again; threads that appear faster than they can be seized are an error."""
LOOKS = 3
"""At a thread that has not stopped yet, before we sleep between them: it may wait for the very processor that we, urgent as
we are, look from. Sleeping late (after 100 looks) made the stop of four sleeping threads 1.5 ms long instead of 0.4."""
NAP_S = 0.00005
"""Shorter ones keep waking us in front of the thread that is to run."""
LOOKS_AROUND = 100
"""After so many we look at all the others, too."""
SEIZE_TRIES = 5
"""While execve(2) puts one thread in the place of another, the kernel refuses to trace it."""
TRACE_ENDS_NS = 100_000_000
"""How long we wait for another trace to end. It may be one of our own: a thread that execve(2) gave another number while we held
it is out of our sight, and the kernel lets go of it when the tracing thread ends, which may be after the next capture has
begun. And as a trace ends, /proc still names a tracer: a thread that is gone, or for an instant the process's parent."""
TO_BE_RESTARTED = (1 << 64) - 516
"""In RAX: ERESTART_RESTARTBLOCK of linux/errno.h. What has it is taken up by restart_syscall(2)."""
LINGER_S = 1.0
"""How long a release waits for threads that have not stopped yet. After it the kernel lets go, when our thread ends."""


@dataclass(slots=True)
class PausedTarget:
    """A process held still: registers by thread. Times are time.monotonic_ns, the last two set on leaving.

    Threads are named as the process itself names them, for so its memory does. In a pid namespace of its own (a
    container) these are other numbers than ours: `host_tids` has ours by its, and is empty elsewhere.
    """

    pid: int
    began_ns: int
    threads: dict[int, Registers] = field(default_factory=dict)
    host_tids: dict[int, int] = field(default_factory=dict)
    stopped_ns: int = 0
    release_ns: int = 0
    resumed_ns: int = 0


@dataclass(slots=True)
class _Tracee:
    """One thread of ours. `name` is its tid as itself sees it; `signal` what it was about to receive when it stopped, 0
    for nothing; `settled`: what it waits in is seen to."""

    tid: int
    name: int
    stopped: bool = False
    signal: int = 0
    settled: bool = False


@contextmanager
def paused(pid: int, patience_ns: int) -> Iterator[PausedTarget]:
    """Stop every thread of `pid`, yield their registers, and release them. CannotNow names the case where it cannot be.

    A thread in an uninterruptible wait (disk, NFS, vfork) does not stop: after `patience_ns` all are released again. So
    every call ends: within the patience, LINGER_S, and what the block itself takes.
    Call this on a thread of its own that ends soon after: the kernel detaches whatever a tracing thread leaves behind.
    """
    with rescue(pid) as rescuer:
        yield from _held(pid, patience_ns, rescuer)


def _held(pid: int, patience_ns: int, rescuer: Rescue) -> Iterator[PausedTarget]:
    ptrace = Ptrace()
    tracees: dict[int, _Tracee] = {}
    target = PausedTarget(pid, time.monotonic_ns())
    try:
        _stop_all(ptrace, target, tracees, patience_ns, rescuer)
        target.stopped_ns = time.monotonic_ns()
        for tracee in tracees.values():
            registers = _settle(ptrace, pid, tracee)
            if registers is not None:  # killed while it stood
                target.threads[tracee.name] = registers
        if not target.threads:
            raise CannotNow(f"process {pid} ended or became another while it was being stopped", remedy=AGAIN)
        yield target
    finally:
        target.release_ns = time.monotonic_ns()
        _release(ptrace, pid, tracees)
        target.resumed_ns = time.monotonic_ns()


def _stop_all(
    ptrace: Ptrace, target: PausedTarget, tracees: dict[int, _Tracee], patience_ns: int, rescuer: Rescue
) -> None:
    """Seize and stop threads until no new one appears: one that still runs may start another meanwhile."""
    contained = container_pid(target.pid) is not None
    for number in range(MAX_ROUNDS):
        fresh = []
        for tid in thread_ids(target.pid):
            if tid not in tracees and _seize(ptrace, target.pid, tid, rescuer):
                # Nobody else can get this number until we have seen the thread end, so what it is called stays true.
                tracees[tid] = _Tracee(tid, own_tid(target.pid, tid) if contained else tid)
                fresh.append(tracees[tid])
        if number == 0:
            target.began_ns = time.monotonic_ns()  # until here everything ran
        elif not fresh:
            target.host_tids = {tracee.name: tid for tid, tracee in tracees.items()} if contained else {}
            return
        for tracee in fresh:
            ptrace.quietly(PTRACE_INTERRUPT, tracee.tid)
        _await_stops(ptrace, target, tracees, fresh, target.began_ns + patience_ns)
    raise CannotNow(f"process {target.pid} starts threads faster than they can be stopped", remedy=AGAIN)


def _seize(ptrace: Ptrace, pid: int, tid: int, rescuer: Rescue) -> bool:
    """Begin to trace a thread; False where it has ended."""
    code, refused = 0, 0
    deadline_ns = time.monotonic_ns() + TRACE_ENDS_NS
    while refused < SEIZE_TRIES:
        code = rescuer.seize(ptrace, tid)
        if code in (0, errno.ESRCH):
            return code == 0
        if not _await_tracer(ptrace, pid, tid, deadline_ns):
            state = status(f"/proc/{pid}/task/{tid}/status").get("State", "X")[:1]
            if state in "ZX":  # a main thread that has ended stays in the list until the last one does
                return False
            refused += 1
    raise CannotNow(
        f"no permission to stop process {pid}: {os.strerror(code)}",
        remedy=remedy("CAP_SYS_PTRACE"),
    )


def _await_tracer(ptrace: Ptrace, pid: int, tid: int, deadline_ns: int) -> bool:
    """Wait until nobody traces the thread; False where nobody did. CannotNow names the tracer that stays."""
    waited = False
    while (other := tracer(pid, tid)) is not None:
        late = time.monotonic_ns() > deadline_ns
        if other.thread == threading.get_native_id() and (late or ptrace.quietly(PTRACE_INTERRUPT, tid) == 0):
            # It is ours, not just our child: it had another number when we seized it, before execve.
            raise CannotNow(f"process {pid} ended or became another while it was being stopped", remedy=AGAIN)
        if late:
            raise CannotNow(
                f"process {pid} is being traced by {other}",
                remedy="end that debugger or capture, then take the snapshot again",
            )
        waited = True
        time.sleep(NAP_S)
    return waited


def _await_stops(
    ptrace: Ptrace, target: PausedTarget, tracees: dict[int, _Tracee], fresh: list[_Tracee], deadline_ns: int
) -> None:
    """Wait until all of `fresh` stand or have ended; those that have ended leave `tracees`."""
    pending = fresh
    looks = 0
    while True:
        pending = [tracee for tracee in pending if not (tracee.stopped or _look(ptrace, tracee, tracees))]
        if not pending:
            return
        if time.monotonic_ns() > deadline_ns:
            why = reluctance(target.pid, pending[0].tid)
            raise CannotNow(
                f"thread {pending[0].tid} of process {target.pid} did not stop in time: {why}",
                remedy=f"{AGAIN}, or raise limits.pause_ms",
            )
        looks += 1
        if looks % LOOKS_AROUND == 0:
            # Those that stood may have been killed since: execve(2) does that, and goes on only when we have seen
            # all of them end.
            for tracee in list(tracees.values()):
                _look(ptrace, tracee, tracees)
        if looks >= LOOKS:
            time.sleep(NAP_S)


def _look(ptrace: Ptrace, tracee: _Tracee, tracees: dict[int, _Tracee]) -> bool:
    """Whether there is nothing more to wait for."""
    match ptrace.wait(tracee.tid):
        case None:
            return False
        case WaitStatus(stopped=True, signal=signal):
            tracee.stopped, tracee.signal = True, signal
        case _:
            tracees.pop(tracee.tid, None)
    return True


def _settle(ptrace: Ptrace, pid: int, tracee: _Tracee) -> Registers | None:
    """The registers of a thread that stands; what it waits in is not restarted where a filter may forbid that. None where it has
    been killed."""
    registers = ptrace.registers(tracee.tid)
    tracee.settled = True
    if registers is not None and registers[0] == TO_BE_RESTARTED and is_filtered(pid, tracee.tid):
        ptrace.answer(tracee.tid, errno.EINTR)
    return registers


def _release(ptrace: Ptrace, pid: int, tracees: dict[int, _Tracee]) -> None:
    """Detach all. One that has not stopped yet cannot be detached: it is, as soon as it stops. One that was killed while
    it stood is waited for: its process cannot end before."""
    for tracee in list(tracees.values()):
        _detach(ptrace, pid, tracee, tracees)
    deadline = time.monotonic() + LINGER_S
    while tracees and time.monotonic() < deadline:
        for tracee in list(tracees.values()):
            if _look(ptrace, tracee, tracees):
                _detach(ptrace, pid, tracee, tracees)
        if tracees:
            time.sleep(0.001)


def _detach(ptrace: Ptrace, pid: int, tracee: _Tracee, tracees: dict[int, _Tracee]) -> None:
    if tracee.stopped and not tracee.settled:
        _settle(ptrace, pid, tracee)
    if tracee.stopped and ptrace.quietly(PTRACE_DETACH, tracee.tid, tracee.signal) == 0:
        tracees.pop(tracee.tid, None)
    tracee.stopped = False
