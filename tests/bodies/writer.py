"""A Go file of functions with random bodies."""

import random

from tests.bodies.body import SPINS, Body, called, twins
from tests.bodies.chains import chain
from tests.bodies.fixed import FIXED
from tests.bodies.kinds import GO, MADE, PLAIN
from tests.bodies.scope import Asked
from tests.bodies.statements import Statements

SPINNING = 16
"""One in so many functions waits without a call."""
KEPT = (0.8, 0.8, 0.3, 0.0)
"""Of the variables that are in reach, how many are used after the wait: a function has one of these."""
FORMS: dict[str, tuple[str, str, tuple[str, str] | None]] = {
    "plain": ("", "", None), "pointer": ("(m *item) ", "(*item).", ("m", "item")), "value": ("(m pair) ", "pair.", ("m", "pair")),
    "generic": ("", "", ("m", "T")), "outer": ("(m nest) ", "nest.", ("m", "nest")),
    "boxes": ("(m *box[T]) ", "(*box[...]).", ("x", "T")), "box": ("(m box[T]) ", "box[...].", ("x", "T")),
}  # fmt: skip
"""Kinds of functions: the receiver, what a spec writes of it, and the variable that comes with it."""
OLD, NEW = (
    ("plain", "plain", "plain", "pointer", "value", "generic"),
    ("plain", "pointer", "value", "generic", "outer", "boxes", "box"),
)
SHAPES = ("int", "text", "item", "pair", "list", "float", "join", "short", "nest", "some")
"""What generic functions are called with."""


def written(seed: int, count: int, version: tuple[int, ...]) -> tuple[str, list[Body]]:
    """The text of a Go file with so many functions, and their descriptions; before them those of FIXED. `version`: the Go
    version, such as (1, 27), whose language they may be in. From 1.22 on each turn of a loop has variables of its own, and
    loops may range over numbers, from 1.23 on over functions."""
    pick = random.Random(seed)
    language = min(version, (1, 23))
    tag = f"//go:build go{language[0]}.{language[1]}\n" if language > (1, 21) else ""
    texts, bodies = [tag, "package main\n"], []
    for name in FIXED:
        text, body = _fixed(name)
        texts.append(text)
        bodies.append(body)
    for number in range(count // 4):
        text, found = chain(pick, f"c{number}")
        texts.append(text)
        bodies += found
    for number in range(count):
        spins = number % SPINNING == SPINNING - 1
        writer = Writer(pick, f"fn{number}", language=language, varied=number % 2 == 1, spins=spins)
        text, found = writer.written()
        texts += [text, called(writer.call("told"), writer.call(""), spins=spins)]
        bodies += found
    return "\n".join(texts), bodies


def _fixed(name: str) -> tuple[str, Body]:
    """One of FIXED."""
    parameters, arguments, kept, lines = FIXED[name]
    asked = kept.split()
    vague = {each[1:]: each for each in asked if each[0] == "-"}
    within = "WAIT" in lines and "func() {" in lines[: lines.index("WAIT")]
    variables = tuple(each.removeprefix("-") for each in asked)
    body = Body(name, f"main.{name}{'.func1' * within}", variables, vague, frozenset(vague))
    uses = [f"use({each})" for each in asked if each[0] != "-"]
    waits = any(line.endswith("WAIT") for line in lines)
    text = "\n\t".join(
        "\n\t".join([line, *uses]) if line.endswith("WAIT") else line for line in [*lines, *["WAIT"] * (not waits)]
    )
    texts = [f"//go:noinline\nfunc {twin}({parameters}) {{\n\t{code}\n}}\n" for twin, code in twins([body], text)]
    return "\n".join(
        [*texts, called(f"told{name}({arguments})", f"{name}({arguments})", spins="SPIN WAIT" in lines)]
    ), body


class Writer(Statements):
    """Writes one function: plain, a method, or generic."""

    def __init__(self, pick: random.Random, name: str, *, language: tuple[int, ...], varied: bool, spins: bool) -> None:
        super().__init__(pick, name)
        self._language, self._varied = language, varied
        kinds = ["int", "int", *pick.sample(PLAIN, pick.randint(2, 6)), *["int", "text"] * pick.choice((0, 0, 0, 0, 4))]
        self._parameters = list(zip("abcdefghijknopstuv", kinds, strict=False))
        self._form = pick.choice(NEW if varied else OLD)
        self._own: tuple[str, str] | None = FORMS[self._form][2]
        self._blocks.append(list(self._parameters))
        if self._own:
            self._blocks[0].append(self._own)
        if "box" in self._form:
            self._blocks[0].append(("m", "boxes"))
        self._results = pick.random() < 0.6
        self._returned = ["int", pick.choice(PLAIN)]
        if self._results:
            self._blocks[0] += [("r", "int"), ("q", self._returned[1]), ("err", "fault")]
        self._of_type = pick.choice(SHAPES)
        """What a generic function is called with."""
        self._around, self._copied, self._stored, self._within = [], set(), [], {}
        self._keep = pick.choice(KEPT)
        self._waits_with = SPINS if spins else pick.choice(("wait()", "waits()"))

    def written(self) -> tuple[str, list[Body]]:
        """The function and its twin."""
        pick = self._pick
        if self._varied and self._form == "plain":
            self._again = tuple(kind for _, kind in self._parameters)
        self._had()
        if not self._results:
            self._out("var err error")
        elif not self._varied or pick.random() < 0.6:  # else it is zero
            self._out("r = next(b)")
        self._blocks[0] += [("err", "fault")] * (not self._results)
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
        if self._returns:
            results = frozenset({"r", "q", "err"} if self._results else ())
            own = {name: self._told_apart(name) for name, _ in self._blocks[0]}
            there = {name: at for name, at in own.items() if self._there.get(name) == at}
            self._around.append(Asked("", there, results & there.keys()))
        bodies = [self._body(self._name, self._found)]
        bodies += [self._body(f"{self._name}around", found, noted=self._name) for found in self._around]
        text = "\n".join(self._lines)
        both = (f"//go:noinline\n{self._head(twin)} {{\n{code}\n}}\n" for twin, code in twins(bodies, text))
        return "\n".join(both), bodies

    def _body(self, name: str, asked: Asked, noted: str = "") -> Body:
        """What is asked of one of its frames."""
        # What one is once nothing uses it may be what it is only going to be a copy of.
        wanted = {name: at for name, at in asked.told_apart.items() if name in asked.kept or at not in self._copied}
        vague = {name: at for name, at in wanted.items() if name not in asked.kept or at in self._loose}
        function = f"main.{FORMS[self._form][1]}{self._name}{'[...]' * (self._form == 'generic')}{asked.closure}"
        unused = frozenset(wanted.keys() - asked.kept)
        return Body(name, function, tuple(wanted), vague, unused, waits=self._waits_with, noted=noted)

    def _head(self, name: str) -> str:
        receiver, _, own = FORMS[self._form]
        parameters = ", ".join(f"{name} {GO[kind]}" for name, kind in self._parameters)
        parameters += f", {own[0]} T" if own and own[1] == "T" else ""
        second = GO[self._returned[1]]
        results = f"(r int, q {second}, err error)" if self._results else f"(int, {second}, error)"
        return f"func {receiver}{name}{'[T any]' * (self._form == 'generic')}({parameters}) {results}"

    def call(self, twin: str) -> str:
        """A call of the function, or of its twin; of a generic one there are others that are never made."""
        name, shape = f"{twin}{self._name}", self._of_type
        made = f"box[{GO[shape]}]{{{self._argument(shape, 5)}, {self._argument('pair', 6)}}}"
        match self._form:
            case "pointer":
                return f"({self._argument('item', 5)}).{name}({self._given()})"
            case "value" if self._varied:
                return self._by_way(name)
            case "value":
                return f"({self._argument('pair', 5)}).{name}({self._given()})"
            case "outer":
                return f"({self._argument('nest', 5)}).{name}({self._given()})"
            case "boxes":
                return f"(&{made}).{name}({self._given(shape)}){self._others(name)}"
            case "box":
                return f"({made}).{name}({self._given(shape)}){self._others(name)}"
            case "generic":
                return f"{name}({self._given(shape)}){self._others(name)}"
            case _:
                return f"{name}({self._given()})"

    def _by_way(self, name: str) -> str:
        """A call of a method by way of what embeds its receiver, or by its expression."""
        receiver, given = self._argument("pair", 5), self._given()
        ways = (
            f"nest{{pair: {receiver}}}.{name}({given})",
            f"pair.{name}({receiver}, {given})",
            f"(&nest{{pair: {receiver}}}).{name}({given})",
            f"any({receiver}).(interface {{ {self._head(name).removeprefix('func (m pair) ')} }}).{name}({given})",
        )
        return ways[sum(map(ord, self._name)) % len(ways)]

    def _others(self, name: str) -> str:
        """Calls with other type arguments, which make other shapes and dictionaries; they are never carried out."""
        if not self._varied:
            return ""
        shapes = ("item", "join") if self._of_type in ("item", "join") else ("pair", "int")
        called = {
            shape: f"(&box[{GO[shape]}]{{}}).{name}({self._given(shape)})"
            if "box" in self._form
            else f"{name}({self._given(shape)})"
            for shape in shapes
        }
        return f"; if never == nil {{ {'; '.join(called.values())} }}"

    def _given(self, shape: str = "") -> str:
        given = [self._argument(kind, at) for at, (_, kind) in enumerate(self._parameters)]
        return ", ".join([*given, *([self._argument(shape, 9)] if shape else [])])

    def _argument(self, kind: str, at: int) -> str:
        number = sum(map(ord, self._name)) % 11 + at
        plain = {"int": f"{number}", "item": f'&item{{{number}, "p"}}', "pair": f'pair{{{number}, "q"}}'}
        return plain.get(kind, f"{MADE[kind]}({number})")
