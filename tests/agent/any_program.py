"""What an agent and the decoder do with a Program that they accept, in a bounded child."""

import random
import struct
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from agent.engine import Target
from agent.engine_ebpf.lower import lower
from agent.engine_ebpf.sizes import plan_sizes
from agent.engine_memory import MemoryProbe
from compiler.decode import decode
from compiler.ir.frames import REASONS
from compiler.ir.program import Program
from compiler.ir.program_codec import program_from_bytes
from compiler.ir.raw import Pause, RawCapture, RawHeader
from compiler.ir.symbols import SymbolFrame

BIAS, TYPES_BASE = 0x1000, 0x600000
BYTES, SECONDS = 1 << 20, 2
"""The capture's own limits here; the test's are wider."""


GOROUTINES, FRAMES, FRAME = 4, 12, 0x200
ALLGS, GS, STACKS = 0x10000000, 0x20000000, 0x30000000
STACK = FRAME * (FRAMES + 2)


class Noise:
    """Memory that answers whatever is asked, the same each time: numbers, PCs, addresses. Where the Program says that
    goroutines are, there are some, with frames at its sites."""

    def __init__(self, program: Program, seed: int) -> None:
        self._seed = seed
        text = program.runtime.text.lo + BIAS
        self._pcs = [site.lo + BIAS + (not site.exact) for site in program.sites] or [text]
        dynamic = [each.offset + TYPES_BASE for each in program.dynamic_types[:20]]
        pointers = [0x10000 + 24 * number for number in range(16)]
        self._words = [*range(1, 9), *self._pcs[:20], *dynamic, *pointers, 0, (1 << 64) - 1]
        self._laid: dict[int, int] = {}
        self._lay(program, random.Random(seed))

    def _lay(self, program: Program, dice: random.Random) -> None:
        """Goroutines, word by word."""
        runtime = program.runtime
        self._laid |= {runtime.allglen + BIAS: GOROUTINES, runtime.allgptr + BIAS: ALLGS}
        for number in range(GOROUTINES):
            g, lo = GS + (number << 16), STACKS + (number << 16)
            self._laid[ALLGS + 8 * number] = g
            frames = [lo + FRAME * (1 + each) for each in range(FRAMES)]
            self._laid |= {
                g + runtime.g_atomicstatus: 4, g + runtime.g_stack_lo: lo, g + runtime.g_stack_hi: lo + STACK,
                g + runtime.g_sched_sp: lo + 8, g + runtime.g_sched_pc: dice.choice(self._pcs),
                g + runtime.g_sched_bp: frames[0], g + runtime.g_goid: number + 1,
            }  # fmt: skip
            for frame, caller in pairwise((*frames, 0)):
                self._laid |= {frame: caller, frame + 8: dice.choice(self._pcs)}

    def read_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        return [self._read(address, size) for address, size in spans]

    def _read(self, address: int, size: int) -> bytes | None:
        if not 0 <= address < 1 << 47 or size > BYTES:
            return None
        dice = random.Random(f"{self._seed} {address}")
        words = dice.choices(self._words, k=min(size // 8 + 1, 64))
        content = struct.pack(f"<{len(words)}Q", *words)
        answer = bytearray((content * (size // len(content) + 1))[:size])
        for at, word in self._laid.items():
            if 0 <= at - address <= size - 8:
                struct.pack_into("<Q", answer, at - address, word)
        return bytes(answer)


class Nameless:
    """Symbols of a program with one function everywhere."""

    def frames(self, pc: int) -> tuple[SymbolFrame, ...]:
        return (self.function(pc),)

    def function(self, pc: int) -> SymbolFrame:  # noqa: ARG002
        return SymbolFrame("main.f", "main.f", "f.go", 1, inlined=False, level=0)

    def entry(self, pc: int) -> int | None:
        return pc

    def frame_size(self, pc: int) -> int | None:  # noqa: ARG002
        return 16


def use(file: str, seed: int) -> dict[str, int]:
    """Read it as an agent does, lower it for the probe, run the reference engine on noise, decode."""
    program = program_from_bytes(Path(file).read_bytes())
    lowered = lower(program, Target(1, BIAS, TYPES_BASE))
    plan_sizes(program.limits, lowered.rows, 100, 4, values=True)
    small = replace(program, limits=replace(program.limits, process_bytes=min(program.limits.process_bytes, BYTES)))
    probe = MemoryProbe(Target(1, BIAS, TYPES_BASE), small, Noise(program, seed))
    probe.run({}, time.monotonic_ns() + SECONDS * 10**9)
    records, losses = probe.collect()
    header = RawHeader(program.build_id, 1, "memory", 1, 1, BIAS, TYPES_BASE, Pause(4, 1, 1, 1, 1), 1, losses)
    capture = decode(program, RawCapture(header, records), Nameless())
    cells = [cell for g in capture.goroutines for f in g.frames for row in f.rows for cell in row.cells]
    assert all(absence.reason in REASONS for cell in cells for absence in cell.absences)
    return {"goroutines": len(capture.goroutines), "cells": len(cells)}
