"""What an engine is: it runs a Program on a process that stands still. There are two, and they must agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from compiler.ir.program import Program
from compiler.ir.raw import Loss

Registers = tuple[int, ...]
"""17 registers of a stopped thread, in the order of compiler.ir.raw.THREAD."""

NOT_WALKED = (
    "stacks could not be walked: they were being moved, or their threads handled a signal"
    " or ran C (also of the race detector)"
)


@dataclass(frozen=True, slots=True)
class Target:
    """One process: its pid, its load bias (bytes), and moduledata.types as it has it (address)."""

    pid: int
    bias: int
    types_base: int


class ArmedProbe(Protocol):
    """A probe with all slow work behind it."""

    def run(self, threads: Mapping[int, Registers], deadline_ns: int) -> int:
        """Capture, while the target stands still. Ends by `deadline_ns`. Tells when the last stack had been walked (both in
        time.monotonic_ns); 0 if the time was over before that."""

    def collect(self) -> tuple[bytes, tuple[Loss, ...]]:
        """The records (compiler.ir.raw) and what was left out, once the target runs again."""

    def close(self) -> None:
        """Give everything back; may be called twice."""


class Engine(Protocol):
    """Makes armed probes."""

    name: str

    def arm(self, target: Target, program: Program) -> ArmedProbe:
        """Do everything that can be done before the pause. CannotNow where this machine cannot."""

    def close(self) -> None:
        """Give back what was kept for later captures; may be called twice."""
