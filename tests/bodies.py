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

GO = {
    "int": "int", "text": "string", "item": "*item", "pair": "pair", "list": "[]int", "trio": "[3]int", "some": "any",
    "float": "float64",
}  # fmt: skip
PLAIN = tuple(kind for kind in GO if kind != "int")
FIXED = {
    "renewed": ("d pair", 'pair{1, "one"}', "d", ["d = grown(d)"]),
    "stacked": ("a, b, c, d, e, f, g, h, i, j int, p pair", '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, pair{1, "one"}', "p j",
                ["p = grown(p)"]),
    "swapped": ("b int, c string, d pair", '1, text(2), pair{3, "three"}', "b c d z",
                ["z := listed(b)", "d = grown(d)"]),
    "crossed": ("d pair", 'pair{1, "one"}', "d", ["d.A = next(d.A)", "d = grown(d)", "use(three(1))"]),
    "within": ("d pair", 'pair{1, "one"}', "d",
               ["d.A = next(d.A)", "d = grown(d)", "use(three(1))", "func() {"]),
    "hidden": ("c any, s string, n int", '"known", text(5), 3', "c n s",
               ["p := made(n)", "if p == nil {", "\tc := s", "\t_ = c", "}"]),
}  # fmt: skip
"""Functions that were shown wrong: parameters, arguments, the variables that are asked for, and what comes before the wait."""
KEPT = 0.8
"""Of the variables that are in reach, how many are used after the wait: only they are asked for."""


@dataclass(frozen=True)
class Body:
    """One place that waits: its table, the function that a spec names, and the variables (columns c0, c1, ...)."""

    name: str
    function: str
    variables: tuple[str, ...]

    @property
    def columns(self) -> list[dict[str, str]]:
        return [{"expr": variable, "as": f"c{at}"} for at, variable in enumerate(self.variables)]


def written(seed: int, count: int) -> tuple[str, list[Body]]:
    """The text of a Go file with so many functions, and their descriptions; before them those of FIXED."""
    pick = random.Random(seed)
    texts, bodies = ["package main\n"], []
    for name, (parameters, arguments, kept, lines) in FIXED.items():
        within = lines[-1] == "func() {"
        body = Body(name, f"main.{name}{'.func1' * within}", tuple(kept.split()))
        text = "\n\t".join((*lines, "WAIT", *(f"use({each})" for each in body.variables), *["}()"] * within))
        texts += [f"//go:noinline\nfunc {twin}({parameters}) {{\n\t{code}\n}}\n" for twin, code in _twins(body, text)]
        texts.append(_called(f"told{name}({arguments})", f"{name}({arguments})"))
        bodies.append(body)
    for number in range(count):
        writer = _Writer(pick, f"f{number}")
        text, body = writer.written()
        texts += [text, _called(writer.call("told"), writer.call(""))]
        bodies.append(body)
    return "\n".join(texts), bodies


def _twins(body: Body, text: str) -> Iterator[tuple[str, str]]:
    """The names and texts of a function that waits at WAIT, and of the one that tells its variables there."""
    says = ", ".join(f'"{name}", {name}' for name in body.variables)
    yield body.name, text.replace("WAIT", "wait()")
    yield f"told{body.name}", text.replace("WAIT", f'tells("{body.name}", {says})')


def _called(told: str, waits: str) -> str:
    """Has a function and its twin called."""
    run = f"twin(func() {{ {told} }})\n\tbegin(func() {{ {waits} }})"
    return f"func init() {{ calls = append(calls, func() {{\n\t{run}\n}}) }}\n"


def spec_of(bodies: list[Body]) -> str:
    """A spec that collects their variables; JSON is YAML."""
    wanted = [{"function": each.function, "table": each.name, "collect": each.columns} for each in bodies]
    return json.dumps({"limits": {"pause_ms": 60_000}, "functions": wanted}, indent=1)


class _Writer:
    """Writes one function: plain, a method, or generic."""

    def __init__(self, pick: random.Random, name: str) -> None:
        self._pick, self._name = pick, name
        self._lines: list[str] = []
        kinds = ["int", "int", *pick.sample(PLAIN, pick.randint(2, 6))]
        self._parameters = [(f"{'abcdefgh'[at]}", kind) for at, kind in enumerate(kinds)]
        self._form = pick.choice(("plain", "plain", "plain", "pointer", "value", "generic"))
        self._blocks: list[list[tuple[str, str]]] = [list(self._parameters)]
        if self._form == "pointer":
            self._blocks[0].append(("m", "item"))
        elif self._form == "value":
            self._blocks[0].append(("m", "pair"))
        elif self._form == "generic":
            self._blocks[0].append(("m", "T"))
        self._results = pick.random() < 0.6
        self._returned = ["int", pick.choice(PLAIN)]
        if self._results:
            self._blocks[0] += [("r", "int"), ("q", self._returned[1])]
        self._of_type = pick.choice(("int", "text", "item", "pair", "list", "float"))
        """What a generic function is called with."""
        self._number = self._closures = 0
        self._closure = ""
        self._kept: tuple[str, ...] | None = None
        self._waits_in = ""

    # ------------------------------------------------------------ the function

    def written(self) -> tuple[str, Body]:
        """The function and its twin."""
        pick = self._pick
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
        names = {"plain": self._name, "pointer": f"(*item).{self._name}", "value": f"pair.{self._name}"}
        body = Body(self._name, f"main.{names.get(self._form, f'{self._name}[...]')}{self._waits_in}", kept)
        begins = "\tr = next(b)" if self._results else "\tvar err error"
        text = "\n".join([begins, *self._lines])
        both = (f"//go:noinline\n{self._head(twin)} {{\n{code}\n}}\n" for twin, code in _twins(body, text))
        return "\n".join(both), body

    def _head(self, name: str) -> str:
        receiver = {"pointer": "(m *item) ", "value": "(m pair) "}.get(self._form, "")
        generic = "[T any]" if self._form == "generic" else ""
        parameters = ", ".join(f"{name} {GO[kind]}" for name, kind in self._parameters)
        if generic:
            parameters += ", m T"
        second = GO[self._returned[1]]
        results = f"(r int, q {second}, err error)" if self._results else f"(int, {second}, error)"
        return f"func {receiver}{name}{generic}({parameters}) {results}"

    def call(self, twin: str) -> str:
        """A call of the function, or of its twin."""
        given = [self._argument(kind, at) for at, (_, kind) in enumerate(self._parameters)]
        if self._form == "generic":
            given.append(self._argument(self._of_type, 9))
        receiver = {"pointer": f"({self._argument('item', 5)}).", "value": f"({self._argument('pair', 5)})."}
        return f"{receiver.get(self._form, '')}{twin}{self._name}({', '.join(given)})"

    def _argument(self, kind: str, at: int) -> str:
        number = sum(map(ord, self._name)) % 11 + at
        return {
            "int": f"{number}", "text": f"text({number})", "item": f'&item{{{number}, "p"}}',
            "pair": f'pair{{{number}, "q"}}', "list": f"listed({number})", "trio": f"[3]int{{{number}, 1, 2}}",
            "some": f"boxed({number})", "float": f"{number}.5",
        }[kind]  # fmt: skip

    def _out(self, line: str) -> None:
        self._lines.append("\t" * len(self._blocks) + line)

    # ------------------------------------------------------------ variables and values

    def _reach(self, kind: str | None = None) -> list[str]:
        """Variables in reach by their innermost declaration."""
        seen = {name: each for block in self._blocks for name, each in block}
        return [name for name, each in seen.items() if kind in (None, each)]

    def _assigned(self, kind: str) -> str | None:
        """A variable that may be assigned to: no loop's."""
        found = [name for name in self._reach(kind) if name[0] != "l"]
        return self._pick.choice(found) if found else None

    def _int(self) -> str:
        return self._pick.choice(self._reach("int"))

    def _value(self, kind: str) -> str:
        pick, same = self._pick, self._reach(kind)
        values = {
            "int": [f"next({self._int()})"],
            "text": [f"text({self._int()})", *same],
            "item": [f"made({self._int()})", *same],
            "pair": [f"paired({self._int()})", *(f"grown({name})" for name in same)],
            "list": [f"listed({self._int()})", *(f"append({name}, next({self._int()}))" for name in same)],
            "trio": [f"three({self._int()})", *(f"turned({name})" for name in same)],
            "some": [f"boxed({self._int()})", *same],
            "float": [f"half({self._int()})"],
            "T": [f"same({name})" for name in same],
        }[kind]
        return pick.choice(values)

    def _condition(self) -> str:
        items = [f"{name} == nil" for name in self._reach("item")]
        found = [f"even({self._int()})", f"{self._int()} > 5", "err != nil", "err == nil", *items]
        return self._pick.choice(found)

    def _kind(self) -> str:
        return self._pick.choice(("int", "int", *PLAIN))

    # ------------------------------------------------------------ statements

    def _statement(self) -> None:
        depth, draw = len(self._blocks) - 1, self._pick.random()
        if draw < 0.2:
            self._declare(self._kind())
        elif draw < 0.4:
            self._assign(self._pick.choice(("int", "int", *PLAIN, "T")))
        elif draw < 0.5:
            self._assign_part()
        elif draw < 0.58:
            self._assign_several()
        elif draw < 0.64:
            self._out(f"use({self._pick.choice(self._reach())})")
        elif draw < 0.67:
            self._out(f"{self._assigned('int') or '_'}++" if self._assigned("int") else "use(nil)")
        elif draw < 0.82 and depth < 3:
            self._branch()
        elif draw < 0.9 and depth < 3 and not self._closure:
            self._call_closure()
        elif depth < 2:
            self._loop()
        if self._kept is None and self._pick.random() < (0.12 if depth else 0.18):
            self._wait()

    def _assign(self, kind: str) -> None:
        name = self._assigned(kind)
        if name is not None:
            self._out(f"{name} = {self._value(kind)}")

    def _assign_part(self) -> None:
        pair, trio, item = self._assigned("pair"), self._assigned("trio"), self._assigned("item")
        parts = [f"{pair}.A = next({self._int()})", f"{pair}.B = text({self._int()})"] if pair else []
        parts += [f"{trio}[{self._pick.randint(0, 2)}] = next({self._int()})"] if trio else []
        parts += [f"if {item} != nil {{ {item}.N = next({self._int()}) }}"] if item else []
        if parts:
            self._out(self._pick.choice(parts))

    def _assign_several(self) -> None:
        item, text, number = self._assigned("item"), self._assigned("text"), self._assigned("int")
        several = [f"{item}, {number}, err = found({self._int()})"] if item and number else []
        several += [f"{text}, {number} = both({self._int()}, {self._value('text')})"] if text and number else []
        if several:
            self._out(self._pick.choice(several))

    def _declare(self, kind: str) -> None:
        value = self._value(kind)
        hidden = [name for name in self._reach() if name[0] != "l" and name not in dict(self._blocks[-1])]
        if len(self._blocks) > 1 and hidden and kind != "pair" and self._pick.random() < 0.2:
            name = self._pick.choice(hidden)  # which hides an outer one; of a pair that a call returns, nothing is left
        else:
            name = f"{kind[0]}{self._number}" if kind != "list" else f"z{self._number}"
            self._number += 1
        self._blocks[-1].append((name, kind))
        self._out(f"{name} := {value}")
        self._out(f"_ = {name}")

    def _block(self, *declared: tuple[str, str], longest: int, returns: float = 0.0, leaves: bool = False) -> None:
        self._blocks.append(list(declared))
        for name, _ in declared:
            self._out(f"_ = {name}")
        for _ in range(self._pick.randint(1, longest)):
            self._statement()
        if self._pick.random() < returns:
            self._out(self._return())
        if leaves and self._pick.random() < 0.2:
            self._out(f"if {self._condition()} {{ {self._pick.choice(('break', 'continue'))} }}")
        self._blocks.pop()

    def _branch(self) -> None:
        values = self._reach("some")
        if values and self._pick.random() < 0.3:
            self._switch(self._pick.choice(values))
            return
        self._out(f"if {self._condition()} {{")
        self._block(longest=3, returns=0.35)
        if self._pick.random() < 0.3:
            self._out("} else {")
            self._block(longest=2)
        self._out("}")

    def _switch(self, value: str) -> None:
        """By what an interface holds."""
        name = f"w{self._number}"
        self._number += 1
        self._out(f"switch {name} := {value}.(type) {{")
        for kind in ("int", "text", "item"):
            self._out(f"case {GO[kind]}:")
            self._block((name, kind), longest=2, returns=0.2)
        self._out("}")

    def _loop(self) -> None:
        name, draw = f"l{self._number}", self._pick.random()
        self._number += 1
        lists = self._reach("list")
        own = [(name, "int")]
        if lists and draw < 0.4:
            self._out(f"for {name}, {name}v := range {self._pick.choice(lists)} {{")
            own.append((f"{name}v", "int"))
        else:
            self._out(f"for {name} := 0; {name} < {self._pick.randint(2, 4)}; {name}++ {{")
        self._block(*own, longest=4, leaves=True)
        self._out("}")

    def _call_closure(self) -> None:
        self._closures += 1
        self._closure = f".func{self._closures}"
        called = self._pick.random() < 0.5
        self._out("func() {" if called else "run(func() {")
        self._block(longest=4, returns=0.1)
        self._out("}()" if called else "})")
        self._closure = ""

    def _return(self) -> str:
        if self._closure:
            return "return"
        second = self._reach(self._returned[1])
        return f"return {self._int()}, {self._pick.choice(second) if second else self._value(self._returned[1])}, err"

    def _wait(self) -> None:
        """The wait, and uses of most variables behind it: what nothing uses any more is kept nowhere."""
        self._out("WAIT")
        self._waits_in = self._closure
        self._kept = tuple(name for name in sorted(self._reach()) if self._pick.random() < KEPT)
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
        if isinstance(got, str) and got[:1] in ("{", "["):
            got = json.loads(got)
        for part, value, wanted in _parts("", got, known):
            if value == wanted:
                verdict.right += 1
            else:
                verdict.wrong.append(f"{body.function} {variable}{part}: is {value!r}, not {wanted!r}")


def _parts(where: str, got: Any, known: Any) -> Iterator[tuple[str, Any, Any]]:
    """What can be held against each other: fields and elements that are there, or the value."""
    if isinstance(got, dict) and "$absent" in got:
        return
    if isinstance(got, dict) and "$value" in got:
        got = got["$value"]
    if isinstance(known, dict) and isinstance(got, dict):
        for name, wanted in known.items():
            yield from _parts(f"{where}.{name}", got.get(name), wanted)
    elif isinstance(known, list) and isinstance(got, list) and len(known) == len(got):
        for at, (value, wanted) in enumerate(zip(got, known, strict=True)):
            yield from _parts(f"{where}[{at}]", value, wanted)
    else:
        yield where, got, known
