"""What a writer of a function knows: lines, blocks, and the variables in reach."""

import random
import re
from dataclasses import dataclass

from tests.bodies.kinds import GO, MADE, SHORT

WANTED = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Asked:
    """What is asked of a frame: its closure's name within the function, its variables by what tells them from namesakes, and
    those that are used afterwards."""

    closure: str
    told_apart: dict[str, str]
    kept: frozenset[str]


class Scope:
    """The lines that were written, and the variables that the next may use."""

    def __init__(self, pick: random.Random, name: str) -> None:
        self._pick, self._name = pick, name
        self._lines: list[str] = []
        self._blocks: list[list[tuple[str, str]]] = []
        self._serials, self._begun = [0], 0
        """The numbers of the blocks around, and of the last that began."""
        self._number = 0
        self._loose: set[str] = set()
        """Variables that are assigned somewhere what leaves no trace."""

    def _out(self, line: str) -> None:
        self._lines.append("\t" * len(self._blocks) + line)

    def _fresh(self, first: str) -> str:
        """A name that no other variable has."""
        self._number += 1
        return f"{first}{self._number - 1}"

    def _reach(self, kind: str | None = None) -> list[str]:
        """Variables in reach by their innermost declaration."""
        seen = {name: each for block in self._blocks for name, each in block}
        return [name for name, each in seen.items() if kind in (None, each)]

    def _assigned(self, kind: str) -> str | None:
        """A variable that may be assigned to: no loop's."""
        found = [name for name in self._reach(kind) if name[0] != "l"]
        return self._pick.choice(found) if found else None

    def _had(self) -> None:
        """Has the twin say what its variables are, unless it has just done so."""
        says = ", ".join(f'"{self._told_apart(name)}", {name}' for name in self._reach())
        if not self._lines or self._lines[-1].lstrip() != f"HAD {says}":
            self._out(f"HAD {says}")

    def _told_apart(self, name: str) -> str:
        """A variable's name, and the block that it is declared in."""
        blocks = zip(self._serials, self._blocks, strict=True)
        return f"{name}@{max(serial for serial, block in blocks if name in dict(block))}"

    def _asks(self, closure: str, keep: float, among: dict[str, str] | None = None) -> Asked:
        """What is asked of a frame that stands here, and uses of so many of its variables (0.0 to 1.0) behind it. `among`: those
        that can be asked for, where they are not all in reach."""
        reach = {name: self._told_apart(name) for name in sorted(self._reach())}
        reach = {name: at for name, at in reach.items() if among is None or among.get(name) == at}
        kept = [name for name in reach if self._pick.random() < keep]
        # Of one that nothing uses any more, nothing may be left to say that it hides another one.
        hides = {name for name in reach if sum(name in dict(block) for block in self._blocks) > 1}
        short = {name for kind in SHORT for name in self._reach(kind)}
        for name in kept:
            self._out(f"_ = same({name})" if name in short else f"use({name})")
        return Asked(
            closure, {name: at for name, at in reach.items() if name in kept or name not in hides}, frozenset(kept)
        )

    def _int(self) -> str:
        return self._pick.choice(self._reach("int") or ["len(calls)"])

    def _filled(self, form: str) -> str:
        """A form with a variable for each $kind, or a call where there is none."""

        last = ""

        def given(match: re.Match[str]) -> str:
            nonlocal last
            last = last if match[1] == "same" else self._given_for(match[1])
            return last

        return WANTED.sub(given, form)

    def _given_for(self, kind: str) -> str:
        if kind == "any":
            return self._pick.choice(self._reach())
        same = self._reach(kind)
        if kind == "int":
            return self._int()
        if same and self._pick.random() < 0.9:
            return self._pick.choice(same)
        return f"{MADE[kind]}({self._int()})" if kind in GO else f"{kind}({self._int()})"
