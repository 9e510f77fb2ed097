"""A Go program that says how long it stood still, and what else is known of it: its objects, its own dumps of its stacks."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.child import Child, child


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time between two readings of the clock, when it began (CLOCK_MONOTONIC), and the sum of all such; ns."""

    longest: int
    began: int
    total: int


@dataclass(frozen=True, slots=True)
class Standing:
    """benchmarks/targets/pause, running with so many goroutines that wait."""

    child: Child
    goroutines: int

    @property
    def pid(self) -> int:
        return self.child.pid

    def gap(self) -> Gap:
        """The longest gap since the last call."""
        found = self.child.ask("gap")
        return Gap(found["longest_ns"], found["began_ns"], found["total_ns"])

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it for a while by a signal, so that its clock thread competes with nobody."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
                time.sleep(0.0001)
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextmanager
def standing(binary: Path, goroutines: int) -> Iterator[Standing]:
    """Start it, wait until all of its goroutines wait, end it at the end."""
    with child([binary, "-n", goroutines]) as found:
        yield Standing(found, goroutines)
