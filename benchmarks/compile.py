#!/usr/bin/env python3
"""How long compiling a spec of twenty functions takes, and how much memory, beside tools that read the same debug info.

Each figure is of a whole process, from its start to its end, the median of several runs that take turns. Of Freezeframe:
cold, with an empty cache; warm, with everything kept; and with one function more that is given by a pattern, for which
all names have to be read, with an empty cache and with the names kept from another spec. What a cold run spends on Python
and on importing itself is measured beside it: a service that runs already spends it once.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measure import Run, middle, run
from benchmarks.plot import bars
from benchmarks.programs import FOLDER, HERE, PROGRAMS, program, project_go

GO_READER = "Go's debug/dwarf, all entries"
IMPORTS = (
    "import freezeframe.__main__, freezeframe.compiling, freezeframe.specs, datasource.compiling, datasource.cache,"
    "compiler.binary, compiler.compile, compiler.ir.program_codec"
)
"""What a cold compile imports before it begins."""


@dataclass(frozen=True)
class Contender:
    """Something to run on one program. `before` makes things ready and is not measured."""

    name: str
    command: list[str | Path]
    ours: bool = False
    before: Callable[[], object] = lambda: None


def contenders(binary: Path, spec: Path, scratch: Path, tools: dict[str, Path]) -> list[Contender]:
    """All that is run on one program, in the order in which it takes turns."""
    cache, varied = scratch / "freezeframe", scratch / "varied.yaml"
    compile_: list[str | Path] = [Path(sys.executable).with_name("freezeframe"), "compile", binary, "--spec"]

    def forget() -> None:
        shutil.rmtree(cache, ignore_errors=True)

    def vary() -> None:
        another = f"{{function: runtime.mai*, table: t{os.urandom(8).hex()}, collect: [fn]}}"
        varied.write_text(f"{spec.read_text().rstrip()}\n  - {another}\n")

    def vary_and_forget() -> None:
        vary()
        forget()

    found = [
        Contender(GO_READER, [tools["entries"], binary]),
        Contender("readelf --debug-dump=info", ["readelf", "--debug-dump=info", binary]),
        Contender("Freezeframe, a pattern, cold", [*compile_, varied], True, vary_and_forget),
        Contender("Freezeframe, a pattern, names kept", [*compile_, varied], True, vary),
        Contender("Freezeframe, cold", [*compile_, spec], True, forget),
        Contender("Freezeframe, warm", [*compile_, spec], True),
        Contender("Freezeframe, importing itself", [sys.executable, "-c", IMPORTS], True),
        Contender("Python alone, doing nothing", [sys.executable, "-c", ""]),
    ]
    if "dlv" in tools:
        script = scratch / "delve"
        script.write_text("funcs ^main.main$\nexit\n")
        delve: list[str | Path] = [
            tools["dlv"],
            "exec",
            binary,
            "--check-go-version=false",
            "--allow-non-terminal-interactive=true",
            "--init",
            script,
        ]
        found.append(Contender("Delve, load and list functions", delve))
    return found


def as_installed(scratch: Path) -> dict[str, str]:
    """The environment of a run with a cache of its own, in which Python keeps what it compiles as it does for users."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "XDG_CACHE_HOME": str(scratch), "PYTHONPYCACHEPREFIX": str(scratch / "bytecode")}


def measure(binary: Path, spec: Path, tools: dict[str, Path], runs: int) -> list[tuple[Contender, Run]]:
    """The medians of all contenders on one program."""
    with tempfile.TemporaryDirectory() as scratch:
        all_, environment = contenders(binary, spec, Path(scratch), tools), as_installed(Path(scratch))
        for each in all_:  # once before it counts: Python compiles what it imports, and files come into memory
            each.before()
            run(each.command, environment)
        found: dict[str, list[Run]] = {each.name: [] for each in all_}
        for _ in range(runs):
            for each in all_:
                each.before()
                found[each.name].append(run(each.command, environment))
        return [(each, middle(found[each.name])) for each in all_]


def table(name: str, binary: Path, results: list[tuple[Contender, Run]]) -> str:
    """The results as a table, times and memory beside those of Go's reader."""
    base = next(result for each, result in results if each.name == GO_READER)
    lines = [
        f"\n{name}: {binary.stat().st_size / 1e6:.0f} MB",
        f"{'':34} {'wall':>8} {'CPU':>8} {'memory':>8}   beside Go's reader",
    ]
    lines += [
        f"{each.name:34} {result.wall:6.3f} s {result.cpu:6.3f} s {result.rss:5.0f} MB   "
        f"{result.wall / base.wall:5.2f} {result.cpu / base.cpu:5.2f} {result.rss / base.rss:5.2f}"
        for each, result in results
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="measure on this program; may be repeated")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, of which the median counts (default: 5)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"programs and tools (default: {FOLDER})")
    parser.add_argument("--go", type=Path, help="the go command to build them with (default: the project's)")
    parser.add_argument("--delve", action="store_true", help="run Delve, too, which starts the programs to debug them")
    parser.add_argument(
        "--plot", type=Path, help="where to write a picture, as SVG (default: compile.svg in the folder)"
    )
    arguments = parser.parse_args()
    go = arguments.go or project_go()
    names = ["entries", *(["dlv"] if arguments.delve else [])]
    tools = {name: program(name, arguments.folder, go) for name in names}
    groups = []
    for name in arguments.only or PROGRAMS:
        binary = program(name, arguments.folder, go)
        results = measure(binary, HERE / "specs" / f"{name}.yaml", tools, arguments.runs)
        print(table(name, binary, results), flush=True)
        groups.append((name, [(each.name, result.wall, each.ours) for each, result in results]))
    plot = arguments.plot or arguments.folder / "compile.svg"
    plot.write_text(bars("Compiling a spec of twenty functions: seconds, whole process", groups, "s"))
    print(f"\nmedians of {arguments.runs} runs; picture: {plot}")


if __name__ == "__main__":
    main()
