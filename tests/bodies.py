"""Go functions with random bodies that wait somewhere in them, and the judge of what a snapshot says of their variables.

The oracle is the source: each function has a twin that, where the first waits, tells its variables' values instead. What
ARCHITECTURE.md says to leave no trace in the code is not written: constants (also as what a text began as), copies of numbers
and parts of another variable, and arithmetic that a later expression takes up.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

GO = {"int": "int", "text": "string", "item": "*item"}
PARAMETERS = (("a", "int"), ("b", "int"), ("s", "text"), ("p", "item"))
RESULTS = (("r", "int"), ("q", "item"))
KEPT = 0.8
"""Of the variables that are in reach, how many are used after the wait: only they are asked for."""


@dataclass(frozen=True)
class Body:
    """One function: its name, and the variables that are asked for (its columns are c0, c1, ...)."""

    name: str
    variables: tuple[str, ...]

    @property
    def columns(self) -> list[dict[str, str]]:
        return [{"expr": variable, "as": f"c{at}"} for at, variable in enumerate(self.variables)]


def written(seed: int, count: int) -> tuple[str, list[Body]]:
    """The text of a Go file with so many functions, and their descriptions."""
    pick = random.Random(seed)
    texts, bodies = ["package main\n"], []
    for number in range(count):
        text, body = _Writer(pick, f"f{number}").written()
        arguments = f'{number % 7}, {number % 5}, text({number}), &item{{{number % 11}, "p"}}'
        run = f"twin(func() {{ told{number}({arguments}) }})\n\tbegin(func() {{ f{number}({arguments}) }})"
        texts.append(f"{text}\nfunc init() {{ calls = append(calls, func() {{\n\t{run}\n}}) }}\n")
        bodies.append(body)
    return "\n".join(texts), bodies


def spec_of(bodies: list[Body]) -> str:
    """A spec that collects their variables; JSON is YAML."""
    wanted = [{"function": f"main.{each.name}", "table": each.name, "collect": each.columns} for each in bodies]
    return json.dumps({"limits": {"pause_ms": 60_000}, "functions": wanted}, indent=1)


class _Writer:
    """Writes one function."""

    def __init__(self, pick: random.Random, name: str) -> None:
        self._pick, self._name = pick, name
        self._lines: list[str] = []
        self._blocks: list[list[tuple[str, str]]] = [list(PARAMETERS)]
        self._number = 0
        self._kept: tuple[str, ...] | None = None

    def written(self) -> tuple[str, Body]:
        """The function and its twin."""
        pick = self._pick
        results = pick.random() < 0.6
        self._blocks[0] += RESULTS if results else ()
        for _ in range(pick.randint(4, 10)):
            self._statement()
        if self._kept is None:
            self._wait()
        for _ in range(pick.randint(0, 3)):
            self._statement()
        for name, _ in self._blocks[0]:
            if pick.random() < 0.7:
                self._out(f"use({name})")
        self._out(self._return())
        kept = self._kept or ()
        says = ", ".join(f'"{name}", {name}' for name in kept)
        begins = "\tr, q = next(b), p" if results else "\tvar err error"
        signature = "(a, b int, s string, p *item) " + (
            "(r int, q *item, err error)" if results else "(int, *item, error)"
        )
        text = "\n".join([begins, *self._lines])
        both = (
            f"//go:noinline\nfunc {name}{signature} {{\n{text.replace('WAIT', instead)}\n}}\n"
            for name, instead in (
                (self._name, "wait()"),
                (self._name.replace("f", "told"), f'tells("{self._name}", {says})'),
            )
        )
        return "\n".join(both), Body(self._name, kept)

    def _out(self, line: str) -> None:
        self._lines.append("\t" * len(self._blocks) + line)

    def _any(self, kind: str, *, assigned: bool = False) -> str:
        """A variable in reach; one that is `assigned` to is no loop's."""
        seen = {name: each for block in self._blocks for name, each in block}
        return self._pick.choice(
            [name for name, each in seen.items() if each == kind and not (assigned and name[0] == "l")]
        )

    def _value(self, kind: str) -> str:
        match kind:
            case "int":
                values = [f"next({self._any('int')})"]
            case "text":
                values = [self._any(kind), f"text({self._any('int')})"]
            case _:
                values = [self._any(kind), f"made({self._any('int')})"]
        return self._pick.choice(values)

    def _condition(self) -> str:
        return self._pick.choice(
            (
                f"even({self._any('int')})",
                f"{self._any('int')} > 5",
                "err != nil",
                "err == nil",
                f"{self._any('item')} == nil",
            )
        )

    def _kind(self) -> str:
        return self._pick.choice(("int", "int", "text", "item"))

    def _statement(self) -> None:
        depth, draw = len(self._blocks) - 1, self._pick.random()
        if draw < 0.2:
            self._declare(self._kind())
        elif draw < 0.42:
            kind = self._kind()
            value = self._value(kind)
            self._out(f"{self._any(kind, assigned=True)} = {value}")
        elif draw < 0.54:
            self._out(
                f"{self._any('item', assigned=True)}, {self._any('int', assigned=True)}, err = found({self._any('int')})"
            )
        elif draw < 0.6:
            self._out(
                f"{self._any('text')}, {self._any('int', assigned=True)} = both({self._any('int')}, {self._any('text')})"
            )
        elif draw < 0.66:
            self._out(f"use({self._any(self._kind())})")
        elif draw < 0.7:
            self._out(f"{self._any('int', assigned=True)}++")
        elif draw < 0.9 and depth < 3:
            self._branch()
        elif depth < 2:
            self._loop()
        if self._kept is None and self._pick.random() < (0.12 if depth else 0.18):
            self._wait()

    def _declare(self, kind: str) -> None:
        value, name = self._value(kind), f"{kind[0]}{self._number}"
        self._number += 1
        self._blocks[-1].append((name, kind))
        self._out(f"{name} := {value}")
        self._out(f"_ = {name}")

    def _block(self, *, longest: int, returns: float = 0.0) -> None:
        self._blocks.append([])
        for _ in range(self._pick.randint(1, longest)):
            self._statement()
        if self._pick.random() < returns:
            self._out(self._return())
        self._blocks.pop()

    def _branch(self) -> None:
        self._out(f"if {self._condition()} {{")
        self._block(longest=3, returns=0.35)
        if self._pick.random() < 0.3:
            self._out("} else {")
            self._block(longest=2)
        self._out("}")

    def _loop(self) -> None:
        name = f"l{self._number}"
        self._number += 1
        self._out(f"for {name} := 0; {name} < {self._pick.randint(2, 4)}; {name}++ {{")
        self._blocks.append([(name, "int")])
        self._block(longest=4)
        self._blocks.pop()
        self._out("}")

    def _return(self) -> str:
        return f"return {self._any('int')}, {self._any('item')}, err"

    def _wait(self) -> None:
        """The wait, and uses of most variables behind it: what nothing uses any more is kept nowhere."""
        reach = {name for block in self._blocks for name, _ in block}
        self._out("WAIT")
        self._kept = tuple(name for name in sorted(reach) if self._pick.random() < KEPT)
        for name in self._kept:
            self._out(f"use({name})")


# ---------------------------------------------------------------- the judge


@dataclass
class Verdict:
    """Values that are the source's, that are missing with a reason, and that are others."""

    right: int = 0
    missing: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(body: Body, row: dict[str, Any], truth: dict[str, Any], absent: set[str], verdict: Verdict) -> None:
    """Hold a row against what the twin told; `absent`: columns that have a reason to be missing."""
    for at, variable in enumerate(body.variables):
        got, known = row[f"c{at}"], truth[variable]
        if f"c{at}" in absent:
            verdict.missing += 1
            continue
        for part, value, wanted in _parts(got, known):
            if value == wanted:
                verdict.right += 1
            else:
                verdict.wrong.append(f"{body.name} {variable}{part}: is {value!r}, not {wanted!r}")


def _parts(got: Any, known: Any) -> Iterator[tuple[str, Any, Any]]:
    """What can be held against each other: fields that are there, or the value."""
    if not isinstance(known, dict) or got is None:
        yield "", got, known
        return
    shown = json.loads(got)
    if "$absent" not in shown:
        for name, wanted in known.items():
            if not isinstance(shown[name], dict):
                yield f".{name}", shown[name], wanted
