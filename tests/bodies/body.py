"""A function that waits: what a spec asks of it, and its text with that of its twin."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

HAD = re.compile(r"HAD (.*)")
NOTED = re.compile(r'"([^"]+)", (\w+)')
"""What tells a variable from its namesakes, and its name."""


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
    noted: str = ""
    """The body whose twin notes what its variables ever were, if it is another one."""

    @property
    def columns(self) -> list[dict[str, str]]:
        return [{"expr": variable, "as": f"c{at}"} for at, variable in enumerate(self.variables)]


def twins(bodies: list[Body], text: str) -> Iterator[tuple[str, str]]:
    """The names and texts of a function that waits at WAIT, and of the one that tells its variables there, and at HAD.
    `bodies`: the frame that waits, and others that are asked for then."""
    body, *around = bodies
    yield (
        body.name,
        HAD.sub("", text)
        .replace("INLINED WAIT", "waits()")
        .replace("SPIN WAIT", SPINS)
        .replace("WAIT", body.waits)
        .replace("SELF", body.name),
    )
    wanted = {at for each in bodies for at in each.vague.values()}
    watched: set[str] = set()

    def noted(had: re.Match[str]) -> str:
        """What the twin notes: only of those that may be anything that they ever were."""
        found = {each[1]: each[2] for each in NOTED.finditer(had[1]) if each[1] in wanted}
        if "SELF" in text:  # the variables of each call are others
            watched.clear()
        new = "".join(f', "{at}", &{name}' for at, name in found.items() if at not in watched)
        watched.update(found)
        watch = f'watch("{body.name}"{new}); ' if new else ""
        return f'{watch}was("{body.name}")' if found else ""

    tells = "\n\t".join([*(_says("says", each) for each in around), _says("tells", body)])
    told = HAD.sub(noted, text).replace("INLINED WAIT", "WAIT").replace("SPIN WAIT", "WAIT").replace("WAIT", tells)
    yield f"told{body.name}", told.replace("SELF", f"told{body.name}")


def _says(how: str, body: Body) -> str:
    """Has a twin say what a body's variables are."""
    return f'{how}("{body.name}", {", ".join(f"{chr(34)}{name}{chr(34)}, {name}" for name in body.variables)})'


def called(told: str, waits: str, *, spins: bool = False) -> str:
    """Has a function and its twin called; what spins behind all others."""
    run = f"twin(func() {{ {told} }})\n\tbegin(func() {{ {waits} }})"
    calls = "spins" if spins else "calls"
    return f"func init() {{ {calls} = append({calls}, func() {{\n\t{run}\n}}) }}\n"


def spec_of(bodies: list[Body]) -> str:
    """A spec that collects their variables; JSON is YAML."""
    wanted = [{"function": each.function, "table": each.name, "collect": each.columns} for each in bodies]
    return json.dumps({"limits": {"pause_ms": 60_000}, "functions": wanted}, indent=1)
