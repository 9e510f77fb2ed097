#!/usr/bin/env python3
"""How long a program stands still while it is captured, as it sees it itself, beside other ways to get its stacks.

The program has a thread that reads the clock without end and keeps the longest gap. Beside it: what the agent reports; a
plain copy of the same bytes by process_vm_readv, whose addresses are known (the floor); the program's own runtime.Stack
and pprof dump of all goroutines; and Delve. Each line is the smallest and the median of several runs; `noise` is the
longest gap in a time in which nothing was done, as long as the pause before.

It runs itself at a high priority (--nice), so that other work on the machine spoils less. 1M goroutines need 10 GB.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agent.engine import Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from agent.urgent import MAX_PAUSE_MS
from benchmarks import pausing
from benchmarks.machine import preferred
from benchmarks.pausetable import (
    DELVE,
    OWN_PPROF,
    OWN_STACK,
    STACKS,
    STACKS_FLOOR,
    VALUES,
    VALUES_FLOOR,
    Line,
    for_the_documentation,
    goals,
    shown,
)
from benchmarks.pausing import Sample
from benchmarks.plot import lines
from benchmarks.programs import FOLDER, HERE, built, program, project_go
from benchmarks.standing import Standing, standing
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import Program
from compiler.ir.raw import RawCapture
from compiler.spec import read_spec

FEW = 3
"""Runs, at most, of what takes seconds."""
SHORT = 200_000
"""Goroutines up to which a pause stays below MAX_PAUSE_MS, so that its threads are realtime threads, as with the default limits."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What is run: the program and the readers, the Programs to capture it with, the engine."""

    pause: Path
    readv: Path
    dlv: Path | None
    programs: dict[str, Program]
    engine: Engine
    scratch: Path


def compiled(binary: Path) -> dict[str, Program]:
    """Stacks alone, and with values."""
    spec = (HERE / "specs/pause.yaml").read_text()
    alone = "functions: []\nlimits:" + spec.partition("\nlimits:")[2]
    found = {}
    with Binary(binary) as opened:
        for name, text in ((STACKS, alone), (VALUES, spec)):
            result = compile_spec(read_spec(text.encode(), "pause.yaml"), opened)
            if result.issues:
                raise RuntimeError(f"{name}: {[issue.message for issue in result.issues]}")
            found[name] = result.program
    return found


def one_size(goroutines: int, tools: Tools, runs: int, delve: bool) -> Iterator[Line]:
    """Every way, at one number of goroutines."""
    if goroutines <= SHORT:
        short = {"pause_ms": MAX_PAUSE_MS}
        programs = {name: replace(each, limits=each.limits.override(short)) for name, each in tools.programs.items()}
        tools = replace(tools, programs=programs)
    with standing(tools.pause, goroutines) as target:
        yield from captures(target, tools, runs)
        for name, command in ((OWN_STACK, "stack"), (OWN_PPROF, "pprof")):
            yield measured(name, pausing.own_dump(target, command, runs if goroutines <= 10_000 else FEW))
        if delve and tools.dlv:
            yield measured(DELVE, pausing.delve(target, tools.dlv, tools.scratch / "delve", min(runs, FEW)))


def captures(target: Standing, tools: Tools, runs: int) -> Iterator[Line]:
    """Captures, and the floors under them."""
    listed = tools.scratch / "objects"
    target.child.ask(f"objects {listed}")
    objects, facts, pieces = listed.read_bytes(), {}, b""

    def keep(raw: RawCapture) -> None:
        nonlocal pieces
        pieces = pausing.stack_pieces(raw, tools.programs[VALUES].runtime.g_size)
        facts["objects"] = pausing.covered(raw, objects)

    for name in (STACKS, VALUES):
        line = measured(name, pausing.measure(target, tools.programs[name], tools.engine, runs, keep))
        yield Line(line.name, line.pauses, line.samples, {**line.facts, **(facts if name == VALUES else {})})
    for name, wanted in ((STACKS_FLOOR, pieces), (VALUES_FLOOR, pieces + objects)):
        times, size = pausing.floor(target, tools.readv, wanted, tools.scratch / "pieces", max(runs, 5))
        yield Line(name, times, facts={"bytes": size})


def measured(name: str, samples: list[Sample]) -> Line:
    return Line(name, [each.pause for each in samples], samples, samples[-1].facts)


def number(text: str) -> int:
    """10k and 1M, as people write them."""
    scale = {"k": 1000, "M": 1_000_000}.get(text[-1:], 1)
    return int(text[:-1] if scale > 1 else text) * scale


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1k,10k,100k", help="numbers of goroutines (default: 1k,10k,100k)")
    parser.add_argument("--runs", type=int, default=9, help="runs of each, of which the median counts (default: 9)")
    parser.add_argument("--engine", choices=("ebpf", "memory"), default="ebpf", help="(default: ebpf)")
    parser.add_argument(
        "--delve-up-to", default="10k", help="Delve is not run beyond, where it takes minutes; 0: never (default: 10k)"
    )
    parser.add_argument("--nice", type=int, default=-19, help="priority of all that is run (default: -19)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"programs and results (default: {FOLDER})")
    parser.add_argument("--go", type=Path, help="the go command to build them with (default: the project's)")
    return parser.parse_args()


def prepared(given: argparse.Namespace, scratch: Path) -> Tools:
    go = given.go or project_go()
    pause, readv = (built(name, given.folder, go) for name in ("pause", "readv"))
    dlv = program("dlv", given.folder, go) if number(given.delve_up_to) else None
    engine: Engine = EbpfEngine() if given.engine == "ebpf" else MemoryEngine()
    return Tools(pause, readv, dlv, compiled(pause), engine, scratch)


def main() -> None:
    given = arguments()
    results: dict[int, list[Line]] = {}
    with tempfile.TemporaryDirectory() as scratch, preferred(given.nice):
        tools = prepared(given, Path(scratch))
        for size in map(number, given.sizes.split(",")):
            print(f"\n{size:,} goroutines: ms that the program stood still", flush=True)
            print(f"{'':34} {'smallest':>9} {'median':>9} {'noise':>8} {'us each':>8}", flush=True)
            results[size] = []
            for line in one_size(size, tools, given.runs, size <= number(given.delve_up_to)):
                results[size].append(line)
                print(shown(size, line), flush=True)
    print(goals(results))
    print(f"\n{for_the_documentation(results)}")
    (given.folder / "pause.json").write_text(
        json.dumps({size: [asdict(line) for line in found] for size, found in results.items()}, indent=1)
    )
    names = {line.name: None for found in results.values() for line in found}
    series = [
        (name, [(size, line.median) for size, found in results.items() for line in found if line.name == name])
        for name in names
    ]
    (given.folder / "pause.svg").write_text(
        lines("How long a program stands still", "goroutines", "ms", series, ours="Freezeframe")
    )
    print(f"\nmedians of {given.runs} runs; all figures and a picture: {given.folder}/pause.json, pause.svg")


if __name__ == "__main__":
    main()
