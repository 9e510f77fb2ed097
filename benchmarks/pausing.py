"""How long a program stands still: for a capture, for a plain copy of the same bytes, for its own dumps, and for Delve."""

import json
import struct
import subprocess
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from agent.capture import arm
from agent.engine import Engine
from benchmarks.standing import Standing
from compiler.ir.program import Program
from compiler.ir.raw import GOROUTINE, KIND_GOROUTINE, KIND_MEMORY, RawCapture

PIECE = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Sample:
    """One time that the program stood still, milliseconds. `noise` is its longest gap in an equally long time before,
    in which nobody stopped it; `parts` is what the one who stopped it says of it; `facts` what else is worth knowing."""

    pause: float
    noise: float
    parts: dict[str, float]
    facts: dict[str, Any]


def watched(target: Standing, seconds: float, what: Callable[[], tuple[dict[str, float], dict[str, Any]]]) -> Sample:
    """Do it while the program looks at its clock, after a time of `seconds` in which nothing is done."""
    target.gap()
    time.sleep(seconds)
    noise = target.gap()
    began = time.monotonic_ns()
    parts, facts = what()
    took = time.monotonic_ns() - began
    gap = target.gap()
    facts = {**facts, "wall": took / 1e6, "gaps": gap.total / 1e6}
    return Sample(gap.longest / 1e6, noise.longest / 1e6, parts, facts)


def measure(
    target: Standing, program: Program, engine: Engine, runs: int, keep: Callable[[RawCapture], object] = lambda _: None
) -> list[Sample]:
    """Capture it `runs` times; each capture is armed anew. `keep` gets the last one."""
    samples: list[Sample] = []
    raw: RawCapture | None = None
    for _ in range(runs):
        raw = None  # a million goroutines are a gigabyte
        with arm(target.pid, program, engine) as armed:

            def fire() -> tuple[dict[str, float], dict[str, Any]]:
                nonlocal raw
                raw = armed.fire()
                return {name: ns / 1e6 for name, ns in asdict(raw.header.pause).items()}, facts_of(raw)

            samples.append(watched(target, max(0.02, 2 * samples[-1].pause / 1e3 if samples else 0), fire))
    if raw is not None:
        keep(raw)
    return samples


def facts_of(raw: RawCapture) -> dict[str, Any]:
    """What a capture has, and what it lacks."""
    goroutines = sum(kind == KIND_GOROUTINE for kind, _ in raw.walk())
    losses = {loss.kind: loss.count for loss in raw.header.losses}
    return {"goroutines": goroutines, "bytes": len(raw.records), "threads": raw.header.threads, "losses": losses}


def stack_pieces(raw: RawCapture, size_of_g: int) -> bytes:
    """What a walk of all stacks must read: each goroutine's runtime.g, and its live stack."""
    found = bytearray()
    for kind, payload in raw.walk():
        if kind == KIND_GOROUTINE:
            fields = GOROUTINE.unpack_from(payload)
            g, stack_hi, sp = fields[0], fields[9], fields[11]
            found += PIECE.pack(g, size_of_g)
            if sp and stack_hi > sp:
                found += PIECE.pack(sp, stack_hi - sp)
    return bytes(found)


def covered(raw: RawCapture, objects: bytes, most: int = 20_000) -> float:
    """Which part of the objects the capture has all bytes of; of `most` objects, taken at random."""
    spans = merged(
        sorted(
            (int.from_bytes(payload[:8], "little"), len(payload) - 8)
            for kind, payload in raw.walk()
            if kind == KIND_MEMORY
        )
    )
    starts = [start for start, _ in spans]
    wanted = list(PIECE.iter_unpack(objects))
    wanted = Random(0).sample(wanted, min(most, len(wanted)))
    found = 0
    for address, size in wanted:
        at = bisect_right(starts, address) - 1
        found += at >= 0 and address + size <= spans[at][1]
    return found / max(1, len(wanted))


def merged(pieces: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(first address, address behind the last) of what sorted pieces of (address, size) cover."""
    found: list[tuple[int, int]] = []
    for address, size in pieces:
        if found and address <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], address + size))
        else:
            found.append((address, address + size))
    return found


def floor(target: Standing, readv: Path, pieces: bytes, scratch: Path, runs: int) -> tuple[list[float], int]:
    """Milliseconds of plain copies of these pieces, while the program is stopped; and their bytes."""
    scratch.write_bytes(pieces)
    with target.stopped():
        done = subprocess.run([readv, str(target.pid), scratch, str(runs)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return [ns / 1e6 for ns in found["ns"]], found["bytes"]


def own_dump(target: Standing, command: str, runs: int) -> list[Sample]:
    """The program's own dump of all its goroutines: "stack" or "pprof"."""

    def dump() -> tuple[dict[str, float], dict[str, Any]]:
        answer = target.child.ask(command)
        return {"wall": answer.pop("wall_ns") / 1e6}, answer

    if command == "stack":
        dump()  # makes the buffer
    return [watched(target, 0.2, dump) for _ in range(runs)]


def delve(target: Standing, dlv: Path, script: Path, runs: int) -> list[Sample]:
    """Delve: attach, list all goroutines with their stacks, and let go."""
    script.write_text("goroutines -t\nexit\n")
    command: Sequence[str | Path] = [
        dlv, "attach", str(target.pid), "--check-go-version=false", "--allow-non-terminal-interactive=true", "--init", script,
    ]  # fmt: skip

    def attach() -> tuple[dict[str, float], dict[str, Any]]:
        done = subprocess.run(command, input="n\n", capture_output=True, text=True, check=False)
        listed = done.stdout.count("Goroutine ")
        if listed < target.goroutines:
            raise RuntimeError(f"Delve listed {listed} goroutines: {done.stdout[-500:]} {done.stderr[-500:]}")
        return {}, {"goroutines": listed}

    return [watched(target, 0.5, attach) for _ in range(runs)]
