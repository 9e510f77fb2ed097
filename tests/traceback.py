"""Go's own stack dump (runtime.Stack), parsed: the oracle for goroutines and stacks."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEAD = re.compile(r"goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[([^\]]*)\]")
CREATED = re.compile(r"created by (.+?)(?: in goroutine (\d+))?$")


@dataclass(frozen=True, slots=True)
class Dumped:
    """One goroutine of a dump: `state` as in its head line, functions innermost first."""

    goroutine_id: int
    state: str
    functions: tuple[str, ...]
    lines: tuple[tuple[str, int], ...]
    created_by: str | None
    parent: int | None
    created_at: tuple[str, int] | None


def parse_dump(text: str) -> dict[int, Dumped]:
    """Goroutines by id."""
    found = {}
    for block in text.strip().split("\n\n"):
        head, *rest = block.splitlines()
        match = HEAD.match(head)
        assert match is not None, head
        functions, lines, created, parent, created_at = [], [], None, None, None
        for line in rest:
            made = CREATED.match(line)
            if line.startswith("\t"):
                file, _, number = line.strip().split(" ")[0].rpartition(":")
                if created is None:
                    lines.append((file, int(number)))
                else:
                    created_at = file, int(number)
            elif made is not None:
                created, parent = made[1], int(made[2]) if made[2] else None
            elif not line.startswith("..."):
                functions.append(_name(line))
        goroutine_id = int(match[1])
        state = match[2].split(",")[0].removesuffix(" (scan)")
        found[goroutine_id] = Dumped(goroutine_id, state, tuple(functions), tuple(lines), created, parent, created_at)
    return found


def _name(line: str) -> str:
    """A frame's function: the line without its arguments, which end with the last parenthesis."""
    depth = 0
    for at in range(len(line) - 1, -1, -1):
        depth += (line[at] == ")") - (line[at] == "(")
        if depth == 0:
            return line[:at]
    return line


def shown(functions: Iterable[str]) -> tuple[str, ...]:
    """The frames that Go's traceback shows: not the runtime's unexported functions (showfuncinfo in runtime/traceback.go)."""
    return tuple(name for name in functions if not _hidden(name))


def _hidden(name: str) -> bool:
    if not name.startswith("runtime."):
        return "." not in name and name != "panic"
    rest = name.removeprefix("runtime.")
    return not ("A" <= rest[:1] <= "Z")


def still(before: dict[int, Dumped], after: dict[int, Dumped], but: Sequence[str] = ()) -> dict[int, Dumped]:
    """The goroutines that stood in the same place in two dumps, without those that have one of the functions `but`."""
    return {
        number: dumped
        for number, dumped in before.items()
        if after.get(number) == dumped and not set(but) & set(dumped.functions)
    }
