"""Go functions with random bodies that wait somewhere in them, and the judge of what a snapshot says of their variables.

The oracle is the source: each function has a twin that, where the first waits, tells its variables' values instead. What
ARCHITECTURE.md says to leave no trace in the code is not written: constants (also as what a text began as), copies of numbers
and parts of another variable, and arithmetic that a later expression takes up.

A variable that nothing uses any more may be shown as what it was before. The twin says behind every statement what its
variables are, and such a one has to be something that it ever was.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

GO = {
    "int": "int", "text": "string", "item": "*item", "pair": "pair", "list": "[]int", "trio": "[3]int", "some": "any",
    "float": "float64", "bool": "bool", "short": "int32", "wide": "wide", "vast": "vast", "duo": "[2]pair",
    "map": "map[string]pair",
}  # fmt: skip
MADE = {
    "int": "next", "text": "text", "item": "made", "pair": "paired", "list": "listed", "trio": "three", "some": "boxed",
    "float": "half", "bool": "even", "short": "short", "wide": "widened", "vast": "extended", "duo": "twain", "map": "mapped",
}  # fmt: skip
"""What makes a value of a kind from a number."""
CHANGED = {"pair": "grown", "trio": "turned", "wide": "broader", "vast": "vaster", "duo": "crossing", "T": "same"}
"""What makes a value of a kind from another one."""
PLAIN = tuple(kind for kind in GO if kind != "int")
FIXED = {
    "renewed": ("d pair", 'pair{1, "one"}', "d", ["d = grown(d)"]),
    "stacked": ("a, b, c, d, e, f, g, h, i, j int, p pair", '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, pair{1, "one"}', "p j",
                ["p = grown(p)"]),
    "swapped": ("b int, c string, d pair", '1, text(2), pair{3, "three"}', "b c d z",
                ["z := listed(b)", "d = grown(d)"]),
    "crossed": ("d pair", 'pair{1, "one"}', "d", ["d.A = next(d.A)", "d = grown(d)", "use(three(1))"]),
    "within": ("d pair", 'pair{1, "one"}', "d",
               ["d.A = next(d.A)", "d = grown(d)", "use(three(1))", "func() {", "WAIT", "}()"]),
    "hidden": ("c any, s string, n int", '"known", text(5), 3', "c n s",
               ["p := made(n)", "if p == nil {", "\tc := s", "\t_ = c", "}"]),
    "unstored": ("a int, c pair", '9, pair{11, "q"}', "a -c",
                 ["var err error", "if err != nil {", "\trun(func() { c = paired(a) })", "\tuse(c)", "}"]),
    "counted": ("n int", "3", "-i", ["for i := 0; i < n; i++ {", "WAIT", "}"]),
    "inlined": ("n, e int", "3, 4", "n e",
                ["func() {", "\tfor l := 0; l < 2; l++ {", "\t\tif even(e) { break }", "\t}", "\tn++", "\te = next(e)", "}()"]),
    "hiding": ("d pair, n int", 'pair{1, "one"}, 2', "d",
               ["if n > 0 {", "\td := grown(d)", "\tuse(d)", "WAIT", "}", "use(d)"]),
    "grouped": ("a, b int", "4, 5", "a b", ["leak(&a)", "leak(&b)", "a = next(a)", "b = next(b)"]),
    "early": ("b int", "9", "-b", ["use(next(b))", "use(next(b))", "WAIT", "b++", "use(next(b))"]),
    "stepped": ("b int, q []int", "3, listed(2)", "-l q",
                ["for l := 0; l < 2; l++ {", "\tfunc() { b = sum(b) }()", "WAIT", "}"]),
    "copied": ("d pair", 'pair{1, "one"}', "d e", ["e := d", "d = grown(d)", "use(d)"]),
}  # fmt: skip
"""Functions that were shown wrong: parameters, arguments, the variables that are asked for (-: nothing uses it after the wait),
and the lines, the wait at last if nowhere else."""
PARTS = (
    ("wide", ".C", "next"), ("wide", ".T", "text"), ("vast", ".N[1]", "next"), ("vast", ".P.A", "next"),
    ("vast", ".V", "made"), ("duo", "[1].B", "text"), ("duo", "[0].A", "next"), ("map", '["k"]', "paired"),
)  # fmt: skip
"""Kinds, a part of each, and what makes a value for it."""
KEPT = (0.8, 0.8, 0.3, 0.0)
"""Of the variables that are in reach, how many are used after the wait: a function has one of these."""
HAD = re.compile(r"HAD (.*)")


@dataclass(frozen=True)
class Body:
    """One place that waits: its table, the function that a spec names, and the variables (columns c0, c1, ...).

    `unused`: those that nothing may use any more, by what tells them from namesakes.
    """

    name: str
    function: str
    variables: tuple[str, ...]
    unused: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[dict[str, str]]:
        return [{"expr": variable, "as": f"c{at}"} for at, variable in enumerate(self.variables)]


def written(seed: int, count: int, *, iterates: bool = False) -> tuple[str, list[Body]]:
    """The text of a Go file with so many functions, and their descriptions; before them those of FIXED. `iterates`: loops
    may range over functions, as from Go 1.23 on."""
    pick = random.Random(seed)
    texts, bodies = ["//go:build go1.23\n" * iterates, "package main\n"], []
    for name, (parameters, arguments, kept, lines) in FIXED.items():
        asked = kept.split()
        unused = {each[1:]: each for each in asked if each[0] == "-"}
        within = "WAIT" in lines and lines[-1] == "}()"
        body = Body(name, f"main.{name}{'.func1' * within}", tuple(each.removeprefix("-") for each in asked), unused)
        waits = "\n\t".join(["WAIT", *(f"use({each})" for each in asked if each[0] != "-")])
        text = "\n\t".join(waits if line == "WAIT" else line for line in [*lines, *["WAIT"] * ("WAIT" not in lines)])
        texts += [f"//go:noinline\nfunc {twin}({parameters}) {{\n\t{code}\n}}\n" for twin, code in _twins(body, text)]
        texts.append(_called(f"told{name}({arguments})", f"{name}({arguments})"))
        bodies.append(body)
    for number in range(count):
        writer = _Writer(pick, f"f{number}", iterates=iterates)
        text, body = writer.written()
        texts += [text, _called(writer.call("told"), writer.call(""))]
        bodies.append(body)
    return "\n".join(texts), bodies


def _twins(body: Body, text: str) -> Iterator[tuple[str, str]]:
    """The names and texts of a function that waits at WAIT, and of the one that tells its variables there, and at HAD."""
    says = ", ".join(f'"{name}", {name}' for name in body.variables)
    yield body.name, HAD.sub("", text).replace("WAIT", "wait()")
    yield f"told{body.name}", HAD.sub(rf'was("{body.name}", \1)', text).replace("WAIT", f'tells("{body.name}", {says})')


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

    def __init__(self, pick: random.Random, name: str, *, iterates: bool) -> None:
        self._pick, self._name, self._iterates = pick, name, iterates
        self._lines: list[str] = []
        kinds = ["int", "int", *pick.sample(PLAIN, pick.randint(2, 6)), *["int", "text"] * pick.choice((0, 0, 0, 0, 4))]
        self._parameters = list(zip("abcdefghijknopstuv", kinds, strict=False))
        self._form = pick.choice(("plain", "plain", "plain", "pointer", "value", "generic"))
        self._blocks: list[list[tuple[str, str]]] = [list(self._parameters)]
        self._serials, self._begun = [0], 0
        """The numbers of the blocks around, and of the last that began."""
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
        self._number = self._closures = self._ranges = 0
        self._dead = 0
        """How many conditions around may be known to the compiler."""
        self._closure = ""
        self._asked: tuple[str, ...] = ()
        self._unused: dict[str, str] = {}
        self._copied: set[str] = set()
        """Variables that are assigned another one somewhere: once nothing needs what they were, they are said to be this."""
        self._waited = False
        self._keep = pick.choice(KEPT)
        self._waits_in = ""

    # ------------------------------------------------------------ the function

    def written(self) -> tuple[str, Body]:
        """The function and its twin."""
        pick = self._pick
        self._had()
        self._out("r = next(b)" if self._results else "var err error")
        self._had()
        for _ in range(pick.randint(4, 10)):
            self._statement()
        if not self._waited:
            self._wait()
        for _ in range(pick.randint(0, 3)):
            self._statement()
        for name, _ in self._blocks[0]:
            if pick.random() < 0.7:
                self._out(f"use({name})")
        self._out(self._return())
        self._asked = tuple(name for name in self._asked if self._unused.get(name) not in self._copied)
        names = {"plain": self._name, "pointer": f"(*item).{self._name}", "value": f"pair.{self._name}"}
        body = Body(
            self._name, f"main.{names.get(self._form, f'{self._name}[...]')}{self._waits_in}", self._asked, self._unused
        )
        text = "\n".join(self._lines)
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
        plain = {"int": f"{number}", "item": f'&item{{{number}, "p"}}', "pair": f'pair{{{number}, "q"}}'}
        return plain.get(kind, f"{MADE[kind]}({number})")

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

    def _had(self) -> None:
        """Has the twin say what its variables are."""
        says = ", ".join(f'"{self._told_apart(name)}", {name}' for name in self._reach())
        self._out(f"HAD {says}")

    def _told_apart(self, name: str) -> str:
        """A variable's name, and the block that it is declared in."""
        blocks = zip(self._serials, self._blocks, strict=True)
        return f"{name}@{max(serial for serial, block in blocks if name in dict(block))}"

    def _int(self) -> str:
        return self._pick.choice(self._reach("int"))

    def _value(self, kind: str) -> str:
        pick, same = self._pick, self._reach(kind)
        values = [f"{MADE[kind]}({self._number_from()})"] if kind in MADE else []
        if kind in CHANGED:
            values += [f"{CHANGED[kind]}({name})" for name in same]
        elif kind not in ("int", "float", "bool", "short"):  # of a copy of a number no trace is left
            values += [f"append({name}, {self._number_from()})" for name in same] if kind == "list" else same
        if kind == "int":
            values += [f"sum({', '.join(self._int() for _ in range(pick.randint(1, 4)))})"]
        if kind == "text":
            values += [f"{name} + {MADE[kind]}({self._int()})" for name in same]
        return pick.choice(values)

    def _number_from(self) -> str:
        """Mostly a variable, else a call."""
        draw = self._pick.random()
        return (
            f"next({self._int()})"
            if draw < 0.15
            else f"sum({self._int()}, next({self._int()}))"
            if draw < 0.2
            else self._int()
        )

    def _condition(self) -> str:
        items = [f"{name} == nil" for name in self._reach("item")]
        looping = any(name[0] == "l" for name in self._reach())
        known = [] if looping else ["err != nil", "err == nil"]  # a loop that never comes round is none in the code
        found = [f"even({self._int()})", f"{self._int()} > 5", *known, *items]
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
        elif draw < 0.63:
            self._out(f"use({self._pick.choice(self._reach())})")
        elif draw < 0.7:
            self._touch()
        elif draw < 0.73:
            self._out(f"{self._assigned('int') or '_'}++" if self._assigned("int") else "use(nil)")
        elif draw < 0.85 and depth < 3:
            self._branch()
        elif draw < 0.92 and depth < 3 and not self._closure:
            self._call_closure()
        elif depth < 2:
            self._loop()
        self._had()
        if not self._waited and self._pick.random() < (0.12 if depth else 0.18):
            self._wait()

    def _assign(self, kind: str) -> None:
        name = self._assigned(kind)
        if name is not None:
            value = self._value(kind)
            self._copied |= {self._told_apart(name)} if value.isidentifier() else set()
            self._out(f"{name} = {value}")

    def _assign_part(self) -> None:
        pair, trio, item = self._assigned("pair"), self._assigned("trio"), self._assigned("item")
        parts = [f"{pair}.A = next({self._int()})", f"{pair}.B = text({self._int()})"] if pair else []
        parts += [f"{trio}[{self._pick.randint(0, 2)}] = next({self._int()})"] if trio else []
        for kind, part, value in PARTS:
            name = self._assigned(kind)
            line = f"{name}{part} = {value}({self._int()})"
            parts += [f"if {name} != nil {{ {line} }}" if kind == "map" else line] if name else []
        parts += [f"if {item} != nil {{ {item}.N = next({self._int()}) }}"] if item else []
        if parts:
            self._out(self._pick.choice(parts))

    def _assign_several(self) -> None:
        item, text, number = self._assigned("item"), self._assigned("text"), self._assigned("int")
        several = [f"{item}, {number}, err = found({self._int()})"] if item and number else []
        several += [f"{text}, {number} = both({self._int()}, {self._value('text')})"] if text and number else []
        pair, other = self._assigned("pair"), self._assigned("pair")
        several += [f"{pair}, {other} = parted({self._int()})"] if pair and pair != other else []
        if several:
            self._out(self._pick.choice(several))

    def _touch(self) -> None:
        """Changes a variable behind a pointer, by a method value, when the function ends, or by way of a channel."""
        pick, number, pair = self._pick, self._assigned("int"), self._assigned("pair")
        maps, text = self._reach("map"), self._assigned("text")
        ways = [f"defer use({pick.choice(self._reach())})"]
        ways += [] if self._closure else [f"defer func() {{ use(recover()); use({self._int()}) }}()"]
        ways += (
            [f"bump(&{number})", f"select {{ case {number} = <-filled({self._int()}): default: }}"] if number else []
        )
        ways += [f"{pair}.touch()", f"run({pair}.touch)", f"touched(&{pair})"] if pair else []
        ways += [f"clear({pick.choice(maps)})"] if maps else []
        ways += [f"{text} += text({self._int()})"] if text else []
        way = pick.choice(ways)
        self._closures += way.startswith("defer func")
        self._out(way)

    def _declare(self, kind: str) -> None:
        value = self._value(kind)
        # Of a pair that a call returns, nothing is left to say that it hides another type's variable.
        outer = self._reach("pair" if kind == "pair" else None)
        hidden = [name for name in outer if name[0] != "l" and name not in dict(self._blocks[-1])]
        if len(self._blocks) > 1 and hidden and self._pick.random() < 0.2:
            name = self._pick.choice(hidden)  # which hides an outer one
        else:
            name = f"{kind[0]}{self._number}" if kind != "list" else f"z{self._number}"
            self._number += 1
        self._blocks[-1].append((name, kind))
        self._out(f"{name} := {value}")
        self._out(f"_ = {name}")

    def _block(self, *declared: tuple[str, str], longest: int, returns: float = 0.0, leaves: bool = False) -> None:
        self._blocks.append(list(declared))
        self._begun += 1
        self._serials.append(self._begun)
        for name, _ in declared:
            self._out(f"_ = {name}")
        self._had()
        for _ in range(self._pick.randint(1, longest)):
            self._statement()
        if self._pick.random() < returns:
            self._out(self._return())
        if leaves and self._pick.random() < 0.2:
            self._out(f"if {self._condition()} {{ {self._pick.choice(('break', 'continue'))} }}")
        self._blocks.pop()
        self._serials.pop()

    def _branch(self) -> None:
        values = self._reach("some")
        if values and self._pick.random() < 0.3:
            self._switch(self._pick.choice(values))
            return
        condition = self._condition()
        self._dead += "err" in condition
        self._out(f"if {condition} {{")
        self._block(longest=3, returns=0.35)
        if self._pick.random() < 0.3:
            self._out("} else {")
            self._block(longest=2)
        self._out("}")
        self._dead -= "err" in condition

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
        if draw < 0.15:
            self._blocks[-1].append((name, "int"))
            self._out(f"{name} := 0")
            self._out(f"back{name}:")
            self._out("{")
            self._block(longest=3)
            self._out("}")
            self._out(f"{name}++")
            self._out(f"if {name} < 3 {{ goto back{name} }}")
            return
        if self._iterates and draw > 0.8 and not self._closure:
            self._ranges += 1
            self._closure = f"-range{self._ranges}"
            self._out(f"for {name} := range upto({self._int()}) {{")
            self._block(*own, longest=4, leaves=True)
            self._out("}")
            self._closure = ""
            return
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
        if self._closure.startswith(".func"):
            return "return"
        second = self._reach(self._returned[1])
        return f"return {self._int()}, {self._pick.choice(second) if second else self._value(self._returned[1])}, err"

    def _wait(self) -> None:
        """The wait, and uses of some variables behind it."""
        self._out("WAIT")
        self._waits_in, self._waited = self._closure, True
        kept = [name for name in sorted(self._reach()) if self._pick.random() < self._keep]
        # Of one that nothing uses any more, nothing may be left to say that it hides another one.
        hides = {name for name in self._reach() if sum(name in dict(block) for block in self._blocks) > 1}
        self._asked = tuple(name for name in sorted(self._reach()) if name in kept or name not in hides)
        for name in kept:
            self._out(f"use({name})")
        self._unused = {name: self._told_apart(name) for name in self._asked if name not in kept}


# ---------------------------------------------------------------- the judge


@dataclass(frozen=True)
class Told:
    """What a twin said of its variables: what they are where the function waits, and all that they ever were."""

    truth: dict[str, Any]
    had: dict[str, list[Any]]


def told(ready: Mapping[str, Any]) -> dict[str, Told]:
    """By function, what the twins said."""
    return {name: Told(truth, ready["had"].get(name, {})) for name, truth in ready["told"].items()}


@dataclass
class Verdict:
    """Values that are the source's, that an unused variable ever was, that are missing with a reason, and that are others."""

    right: int = 0
    once: int = 0
    missing: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(body: Body, row: dict[str, Any], told: Told, absent: set[str], verdict: Verdict) -> None:
    """Hold a row against what the twin told; `absent`: columns that have a reason to be missing."""
    for at, variable in enumerate(body.variables):
        got, known = row[f"c{at}"], told.truth[variable]
        if f"c{at}" in absent:
            verdict.missing += 1
            continue
        if isinstance(got, str) and got[:1] in ("{", "["):
            got = json.loads(got)
        if variable in body.unused and _ever_was(got, told.had.get(body.unused[variable], [known])):
            verdict.once += 1
            continue
        for part, value, wanted in _parts("", got, known):
            if value == wanted:
                verdict.right += 1
            else:
                what = "is no longer used, " * (variable in body.unused)
                verdict.wrong.append(f"{body.function} {variable}{part}: {what}is {value!r}, not {wanted!r}")


def _ever_was(got: Any, known: list[Any]) -> bool:
    """Whether it, or each part of it, is among what is known."""
    if any(all(value == wanted for _, value, wanted in _parts("", got, each)) for each in known):
        return True
    if isinstance(got, dict):
        same = [each for each in known if isinstance(each, dict)]
        names = {name for each in same for name in each}
        return bool(same) and all(
            _ever_was(got.get(name), [each[name] for each in same if name in each]) for name in names
        )
    if isinstance(got, list):
        like = [each for each in known if isinstance(each, list) and len(each) == len(got)]
        return bool(like) and all(_ever_was(value, [each[at] for each in like]) for at, value in enumerate(got))
    return False


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
