"""From a spec and a process to its decoded capture: compile, fire, decode; once more where an interface held a new type.

Knows nothing of how a Program is fired: an agent over HTTP, or this machine's own engine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from compiler.binary import Binary
from compiler.compiled import Compiled
from compiler.decode import decode
from compiler.dwarf.rtypes import RuntimeTypes
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
        new = _of_the_binary(capture.unknown_types, binary, compiled.program) - known
        if not new or round_ == MAX_ROUNDS:
            return Taken(compiled, raw, capture, known | new)
        known = known | new
    raise AssertionError("the last round returns")


def _of_the_binary(offsets: Iterable[int], binary: Binary, program: Program) -> frozenset[int]:
    """Those runtime types that the executable has. Of one that a program made as it ran (reflect.StructOf), or that a plugin
    brought along, no other capture learns more, and in the next process it is somewhere else."""
    types = RuntimeTypes(binary.executable, binary.executable.pointer(program.runtime.types_base) or 0)
    return frozenset(offset for offset in offsets if types.at(offset) is not None)
