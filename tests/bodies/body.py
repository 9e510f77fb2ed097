"""A function that waits: what a spec asks of it, and its text with that of its twin."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

HAD = re.compile(r"HAD (.*)")


SPINS = "spinning.Add(1)\n\tfor stop.Load() == 0 {\n\t}"
"""Waits without a call, so that a thread or a preempted goroutine is at any instruction of it."""


@dataclass(frozen=True)
class Body:
    """One place that waits: its table, the function that a spec names, and the variables (columns c0, c1, ...).

    `vague`: those that may be anything that they ever were, by what tells them from namesakes; `unused`: those of them
    that nothing uses any more.
    """

    name: str
    function: str
    variables: tuple[str, ...]
    vague: dict[str, str] = field(default_factory=dict)
    unused: frozenset[str] = frozenset()
    waits: str = "wait()"
    """What it waits with."""

    @property
    def columns(self) -> list[dict[str, str]]:
        return [{"expr": variable, "as": f"c{at}"} for at, variable in enumerate(self.variables)]


def twins(body: Body, text: str) -> Iterator[tuple[str, str]]:
    """The names and texts of a function that waits at WAIT, and of the one that tells its variables there, and at HAD."""
    says = ", ".join(f'"{name}", {name}' for name in body.variables)
    yield (
        body.name,
        HAD.sub("", text)
        .replace("INLINED WAIT", "waits()")
        .replace("SPIN WAIT", SPINS)
        .replace("WAIT", body.waits)
        .replace("SELF", body.name),
    )
    told = (
        HAD.sub(rf'was("{body.name}", \1)', text)
        .replace("INLINED WAIT", "WAIT")
        .replace("SPIN WAIT", "WAIT")
        .replace("WAIT", f'tells("{body.name}", {says})')
    )
    yield f"told{body.name}", told.replace("SELF", f"told{body.name}")


def called(told: str, waits: str, *, spins: bool = False) -> str:
    """Has a function and its twin called; what spins behind all others."""
    run = f"twin(func() {{ {told} }})\n\tbegin(func() {{ {waits} }})"
    calls = "spins" if spins else "calls"
    return f"func init() {{ {calls} = append({calls}, func() {{\n\t{run}\n}}) }}\n"


def spec_of(bodies: list[Body]) -> str:
    """A spec that collects their variables; JSON is YAML."""
    wanted = [{"function": each.function, "table": each.name, "collect": each.columns} for each in bodies]
    return json.dumps({"limits": {"pause_ms": 60_000}, "functions": wanted}, indent=1)
