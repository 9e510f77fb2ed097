"""Ends the deadlock of a thread that calls execve(2) with a tracer that is about to seize another one.

execve kills the other threads of its process and waits until they are gone. One that is traced is gone when its tracer has
seen it end; but PTRACE_SEIZE waits for the mutex that execve holds meanwhile (cred_guard_mutex: ptrace_attach in
kernel/ptrace.c, de_thread in fs/exec.c). So where some threads are seized already and the next one is about to be, each waits for
the other: the target for good, and no signal breaks it off but one that kills the tracer. But any thread of the tracing program
may see a tracee end (wait4(2) without __WNOTHREAD), and execve goes on.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from agent.ptrace import WALL, Ptrace
from agent.threads import status, thread_ids
from compiler.ir.errors import CannotNow

PERIOD_S = 0.02
"""How long a thread may take to be seized before we look whether it waits for us; a thousand times what it takes."""


class Rescue:
    """Looks after one tracer."""

    def __init__(self, pid: int) -> None:
        self._pid, self._since_ns = pid, 0
        self._done = threading.Event()

    def seize(self, ptrace: Ptrace, tid: int) -> int:
        """Have a thread seized, which may have to wait; 0, or the errno."""
        self._since_ns = time.monotonic_ns()
        code = ptrace.seize(tid)
        self._since_ns = 0
        return code

    def stop(self) -> None:
        """There is nothing more to look after."""
        self._done.set()

    def watch(self) -> None:
        """See threads end for a tracer that cannot, until there is nothing more to look after."""
        while not self._done.wait(PERIOD_S):
            since_ns = self._since_ns
            if since_ns and time.monotonic_ns() - since_ns > PERIOD_S * 1e9:
                see_ended(self._pid)


@contextmanager
def rescue(pid: int) -> Iterator[Rescue]:
    """One for a tracer of `pid`, on a thread of its own, for as long as the block takes."""
    found = Rescue(pid)
    watcher = threading.Thread(target=found.watch, name=f"rescue-{pid}", daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        found.stop()
        watcher.join()


def see_ended(pid: int) -> None:
    """See the threads of `pid` end that have ended: one that has does not stop any more, so no stop is taken from the tracer.
    (Not the main thread: execve does not wait until that is gone, and gives its number to the thread that called it.)"""
    with suppress(CannotNow):  # it has ended
        for tid in thread_ids(pid):
            if tid != pid and status(f"/proc/{pid}/task/{tid}/status").get("State", "")[:1] == "Z":
                with suppress(ChildProcessError):
                    os.waitpid(tid, os.WNOHANG | WALL)
