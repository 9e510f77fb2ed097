"""What `benchmarks/pause.py` found, as tables."""

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.pausing import Sample

STACKS, VALUES = "Freezeframe, stacks", "Freezeframe, stacks + values"
STACKS_FLOOR, VALUES_FLOOR = "copy of the same stacks", "copy of the same stacks + objects"
OWN_STACK, OWN_PPROF, DELVE = "its own runtime.Stack(all)", "its own pprof, debug=2", "Delve, goroutines -t"
GOALS = (
    (STACKS, STACKS_FLOOR, 1.0),
    (VALUES, VALUES_FLOOR, 0.7),
    (VALUES, STACKS, 2.0),
    (STACKS, OWN_STACK, 1 / 3),
    (STACKS, DELVE, 1 / 300),
    (VALUES, DELVE, 1 / 200),
)
"""What the first is meant to take at most, as a part of what the second takes."""


@dataclass(slots=True)
class Line:
    """One way, at one number of goroutines: milliseconds that the program stood still."""

    name: str
    pauses: list[float]
    samples: list[Sample] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return median(self.pauses)

    @property
    def lossy(self) -> bool:
        """Whether captures lacked what there was no room or no time for: they would have taken longer."""
        return any({"budget", "pause", "queue"} & each.facts.get("losses", {}).keys() for each in self.samples)

    def part(self, name: str) -> float | None:
        """The median of one part of what is said by who stopped it."""
        found = [each.parts[name] for each in self.samples if name in each.parts]
        return median(found) if found else None


def shown(goroutines: int, line: Line) -> str:
    """One line of the table."""
    noise = f"{median(each.noise for each in line.samples):8.2f}" if line.samples else " " * 8
    parts = ", ".join(
        f"{name} {line.part(name):.2f}" for name in (line.samples[0].parts if line.samples else ()) if name != "wall"
    )
    rest = [f"agent: {parts}"] if parts else []
    if "wall" in line.facts:
        rest.append(f"whole {median(each.facts['wall'] for each in line.samples):.1f}")
    if line.facts.get("bytes"):
        rest.append(f"{line.facts['bytes'] / 1e6:.1f} MB")
    if "objects" in line.facts:
        rest.append(f"has {line.facts['objects']:.1%} of the objects")
    if line.facts.get("losses"):
        rest.append(f"LOST {line.facts['losses']}")
    each = 1000 * line.median / goroutines
    return f"{line.name:34} {min(line.pauses):9.2f} {line.median:9.2f} {noise} {each:8.2f}   {'; '.join(rest)}"


def goals(results: dict[int, list[Line]]) -> str:
    """The goals, as ratios of medians, for each number of goroutines."""
    heading = "".join(f"{size:>11} " for size in results)
    rows = [f"\n{'goals: this / that, of medians (*: it left something out)':62} {'goal':>8}{heading}"]
    for this, that, goal in GOALS:
        cells = []
        for found in results.values():
            by_name = {line.name: line for line in found}
            if this not in by_name or that not in by_name:
                cells.append(f"{'-':>12}")
                continue
            mark = "*" if by_name[this].lossy else " "
            cells.append(f"{by_name[this].median / by_name[that].median:11.4g}{mark}")
        rows.append(f"{this + ' / ' + that:62} {goal:8.3g}" + "".join(cells))
    return "\n".join(rows)


def for_the_documentation(results: dict[int, list[Line]]) -> str:
    """Medians and, in brackets, the smallest, as a Markdown table."""
    names = list({line.name: None for found in results.values() for line in found})
    rows = [f"| ms | {' | '.join(f'{size:,}' for size in results)} |", "|---" * (1 + len(results)) + "|"]
    for name in names:
        cells = []
        for found in results.values():
            line = next((each for each in found if each.name == name), None)
            mark = "*" if line and line.lossy else ""
            cells.append(f"{line.median:,.1f}{mark} ({min(line.pauses):,.1f})" if line else "")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)
