#!/usr/bin/env python3
"""What a snapshot every second does to a server under load: throughput, latency, failures; and to the agent: memory, processors.

A small HTTP server is asked by a closed loop of connections. Blocks with snapshots and blocks without take turns, so that
what changes on the machine falls on both. A snapshot is what a data source asks of an agent: arm and fire, over HTTP. All
run on the same machine, so that the processor time of the agent and of this program counts against the server, too.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.child import Child, child
from benchmarks.machine import preferred
from benchmarks.programs import FOLDER, HERE, built, project_go
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.errors import FreezeframeError
from compiler.ir.program import Program
from compiler.spec import read_spec
from datasource.agents import Agent

TOKEN = "0123456789abcdef0123456789abcdef"
AUDIT = "load-agent.log"
"""What the agent writes to stderr, in the folder."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Block:
    """One block: what the load saw, the snapshots' pauses, and the agent's memory (MB) and processor seconds."""

    snapshots: bool
    load: dict[str, Any] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    cpu: float = 0.0
    own_cpu: float = 0.0
    """Of this program, which stands for a data source."""

    @property
    def rate(self) -> float:
        """Requests answered in a second."""
        return float(self.load["requests"] / self.load["seconds"])


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs."""

    server: Child
    loadgen: Child
    agent: Child
    program: Program

    def snapshot(self, block: Block) -> None:
        """Arm and fire."""
        asked = Agent(f"http://{self.agent.ready['address']}", TOKEN)
        began = time.monotonic()
        try:
            with asked.armed(self.server.pid, self.program) as number:
                raw = asked.fire(number)
            block.pauses.append(raw.header.pause.total / 1e6)
            if raw.header.losses:
                block.errors += [f"lost: {loss.kind}" for loss in raw.header.losses]
        except FreezeframeError as error:
            block.errors.append(str(error))
        block.took.append(time.monotonic() - began)


def resident(pid: int) -> float:
    """MB of memory that a process and its children have in use."""
    total = 0
    for one in (pid, *children(pid)):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue  # ended meanwhile
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def processor(pid: int) -> float:
    """Seconds on the processors: its own and those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def one_block(scene: Scene, snapshots: bool, seconds: int) -> Block:
    """So many seconds of load, with a snapshot in each or with none."""
    block, pid = Block(snapshots), scene.agent.pid
    scene.loadgen.ask("mark")
    began, before, own = time.monotonic(), processor(pid), time.process_time()
    for second in range(seconds):
        if snapshots:
            scene.snapshot(block)
        block.memory.append(resident(pid))
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))
        if time.monotonic() > began + seconds:
            break
    block.load = scene.loadgen.ask("mark")
    block.cpu, block.own_cpu = processor(pid) - before, time.process_time() - own
    return block


def quantile(blocks: Sequence[Block], part: float) -> float:
    """Milliseconds within which this part of all requests was answered."""
    buckets: Counter[int] = Counter()
    for block in blocks:
        buckets.update({int(bucket): count for bucket, count in block.load["buckets"].items()})
    wanted, seen = part * buckets.total(), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return float(1.05**bucket / 1000)
    return 0.0


def report(blocks: Sequence[Block], seconds: int) -> str:
    """Both kinds of blocks beside each other, then the snapshots and the agent."""
    with_, without = [b for b in blocks if b.snapshots], [b for b in blocks if not b.snapshots]
    rows = [f"{'':26}{'without':>12}{'with':>12}"]

    def row(name: str, values: Sequence[float], unit: str) -> None:
        rows.append(f"{name:26}" + "".join(f"{value:12,.2f}" for value in values) + f" {unit}")

    both = (without, with_)
    row("requests a second", [median(b.rate for b in kind) for kind in both], "(median of blocks)")
    for part in (0.5, 0.99, 0.999):
        row(f"p{part * 100:g}", [quantile(kind, part) for kind in both], "ms")
    row("longest", [max(b.load["longest_us"] for b in kind) / 1000 for kind in both], "ms")
    row("failed requests", [sum(b.load["failures"] for b in kind) for kind in both], "")
    row("requests", [sum(b.load["requests"] for b in kind) for kind in both], "")
    row(
        "agent, processors",
        [100 * sum(b.cpu for b in kind) / sum(b.load["seconds"] for b in kind) for kind in both],
        "%",
    )
    row(
        "this program",
        [100 * sum(b.own_cpu for b in kind) / sum(b.load["seconds"] for b in kind) for kind in both],
        "%",
    )
    losses = [1 - w.rate / o.rate for w, o in zip(with_, without, strict=True)]
    # Blocks without snapshots, compared in the same way: what differs there is the machine's doing.
    noise = [abs(1 - b.rate / a.rate) for a, b in pairwise(without)]
    rows.append(f"\nthroughput lost: {median(losses):.1%}, median of {len(losses)} pairs of blocks of {seconds} s")
    took = sum(b.load["seconds"] for b in with_)
    paused = sum(sum(b.pauses) for b in with_) / 1000 / took
    work = sum(b.cpu + b.own_cpu for b in with_) / took / len(os.sched_getaffinity(0))
    rows.append(f"of it: pauses {paused:.1%}; processors of the agent and of this program {work:.1%} of the machine's")
    if noise:
        rows.append(f"two blocks without snapshots differ by {median(noise):.1%} (median), {max(noise):.1%} (most)")
    return "\n".join([*rows, *of_the_agent(with_)])


def of_the_agent(blocks: Sequence[Block]) -> list[str]:
    pauses = sorted(pause for block in blocks for pause in block.pauses)
    took = [each for block in blocks for each in block.took]
    errors = Counter(error for block in blocks for error in block.errors)
    memory = [each for block in blocks for each in block.memory]
    minutes = [f"{median(memory[at : at + 60]):.1f}" for at in range(0, len(memory), 60)]
    rows = [f"snapshots: {len(pauses)} of {len(took)}" + (f"; {dict(errors)}" if errors else "")]
    if pauses:
        longest = f"p99 {pauses[int(0.99 * (len(pauses) - 1))]:.2f} ms, longest {pauses[-1]:.2f} ms"
        rows.append(
            f"pause, says the agent: median {median(pauses):.2f} ms, {longest}; arm and fire: {median(took):.2f} s"
        )
    rows.append(
        f"agent's memory, median of each minute with snapshots: {' '.join(minutes)} MB; at most {max(memory):.1f} MB"
    )
    return rows


@contextmanager
def scene(given: argparse.Namespace, go: Path) -> Iterator[Scene]:
    """The server, the load, the agent."""
    web, loadgen = (built(name, given.folder, go) for name in ("web", "loadgen"))
    spec = HERE / "specs/load.yaml"
    with Binary(web) as binary:
        compiled = compile_spec(read_spec(spec.read_bytes(), spec.name), binary)
    if compiled.issues:
        raise RuntimeError(str([issue.message for issue in compiled.issues]))
    with ExitStack() as stack, (given.folder / AUDIT).open("wb") as audit:
        server = stack.enter_context(child([web, "-sessions", given.sessions]))
        environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN}
        command = [sys.executable, "-m", "freezeframe", "agent", "--port", 0]
        agent = stack.enter_context(child(command, environment, stderr=audit))
        load = [loadgen, "-address", server.ready["address"], "-connections", given.connections]
        yield Scene(server, stack.enter_context(child(load)), agent, compiled.program)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300, help="with snapshots, and as long without (default: 300)")
    parser.add_argument("--block", type=int, default=15, help="seconds of a block (default: 15)")
    parser.add_argument("--connections", type=int, default=32, help="requests at a time (default: 32)")
    parser.add_argument("--sessions", type=int, default=2000, help="goroutines that wait (default: 2000)")
    parser.add_argument("--nice", type=int, default=-19, help="priority of all that is run (default: -19)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"programs and results (default: {FOLDER})")
    parser.add_argument("--go", type=Path, help="the go command to build them with (default: the project's)")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    blocks: list[Block] = []
    with preferred(given.nice), scene(given, given.go or project_go()) as found:
        print("warming up", flush=True)
        one_block(found, True, min(5, given.block))
        for pair in range(max(1, given.seconds // given.block)):
            for snapshots in (pair % 2 == 0, pair % 2 == 1):
                block = one_block(found, snapshots, given.block)
                blocks.append(block)
                print(f"{'with' if snapshots else 'without':8} {block.rate:10,.0f} requests/s", flush=True)
    print(f"\n{report(blocks, given.block)}")
    (given.folder / "load.json").write_text(json.dumps([asdict(each) for each in blocks], indent=1))
    print(f"\nall figures: {given.folder}/load.json; what the agent said: {AUDIT}")


if __name__ == "__main__":
    main()
