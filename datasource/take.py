"""From a spec and a process to its decoded capture: compile, fire, decode; once more where an interface held a new type.

Knows nothing of how a Program is fired: an agent over HTTP, or this machine's own engine.
"""

from collections.abc import Callable
from dataclasses import dataclass

from compiler.binary import Binary
from compiler.compiled import Compiled
from compiler.decode import decode
from compiler.ir.frames import Capture
from compiler.ir.program import Program
from compiler.ir.raw import RawCapture

MAX_ROUNDS = 3
"""Captures of one process for one snapshot: each after the first knows the types that interfaces held in the last."""

Compile = Callable[[frozenset[int]], Compiled]
Fire = Callable[[Program], RawCapture]


@dataclass(frozen=True, slots=True)
class Taken:
    """One process's capture and what it was made with."""

    compiled: Compiled
    raw: RawCapture
    capture: Capture
    types: frozenset[int]
    """Runtime types that this binary's interfaces are now known to hold."""


def take(binary: Binary, compile_with: Compile, fire: Fire, remembered: frozenset[int]) -> Taken:
    """Capture one process. `remembered`: runtime types that interfaces of this binary are known to hold."""
    known = remembered
    for round_ in range(1, MAX_ROUNDS + 1):
        compiled = compile_with(known)
        raw = fire(compiled.program)
        capture = decode(compiled.program, raw, binary.pclntab, binary.executable)
        new = frozenset(capture.unknown_types) - known
        if not new or round_ == MAX_ROUNDS:
            return Taken(compiled, raw, capture, known | new)
        known = known | new
    raise AssertionError("the last round returns")
