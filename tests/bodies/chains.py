"""Functions that are inlined in one another, of which the innermost waits."""

import random
from dataclasses import dataclass

from tests.bodies.body import Body, called
from tests.bodies.kinds import GO, MADE

LEVELS = ("outer", "middle", "inner")
PASSED = ("int", "int", "text", "pair", "item", "list", "float", "trio", "short", "some")
STEPS = {
    "int": ("{0} + 1", "{0} * {1}", "-{0}", "{0} + {1}", "7", "doubled({0})"), "text": ("clipped({0})", '{0} + "."', '"c"'),
    "pair": ("pair{{{1}, {0}.B}}", "{0}", "shifted({0})"), "float": ("{0} * 2", "float64({1})"), "short": ("{0} + 1", "int32({1})"),
    "item": ("{0}",), "list": ("{0}[:1]", "{0}[:2]"), "trio": ("{0}",), "some": ("{0}",),
}  # fmt: skip
"""What is cheap enough to be in a function that is inlined: {0} is a variable of the kind, {1} a number."""


@dataclass(frozen=True)
class _Level:
    """One function of a chain: what it is passed, what it declares, and what it does until it calls the next one."""

    name: str
    parameters: list[tuple[str, str]]
    lines: list[str]
    variables: dict[str, str]
    changed: set[str]
    passes: str
    form: str
    own: str
    """What a generic one is passed besides, or the receiver of a method, in its caller's words."""
    gives: bool
    """Whether it has a named result."""
    turn: int = -1
    """In which turn of a loop it calls the next one, if it does so in a loop."""
    turns: tuple[str, ...] = ()
    """What changes with each turn."""

    @property
    def function(self) -> str:
        """Its name in a spec."""
        return {"value": f"main.pair.{self.name}", "generic": f"main.{self.name}[...]"}.get(
            self.form, f"main.{self.name}"
        )

    def head(self, told: str) -> str:
        """Its head, or its twin's."""
        given = ", ".join(f"{each} {GO[kind]}" for each, kind in self.parameters)
        result = " (r int)" if self.gives else ""
        if self.form == "generic":
            return f"func {told}{self.name}[T any](m T, {given}){result}"
        receiver = "(m pair) " if self.form == "value" else ""
        return f"func {receiver}{told}{self.name}({given}){result}"

    def call(self, told: str, passes: str) -> str:
        """A call of it, or of its twin."""
        if self.form == "value":
            return f"{self.own}.{told}{self.name}({passes})"
        return f"{told}{self.name}({f'{self.own}, ' if self.own else ''}{passes})"


def chain(pick: random.Random, name: str) -> tuple[str, list[Body]]:
    """The text of a chain and its twin, and what is asked of each of its functions."""
    kinds = ["int", "int", *pick.sample(PASSED, pick.randint(1, 3))]
    levels: list[_Level] = []
    for at, which in enumerate(LEVELS):
        parameters = [(f"{'abc'[at]}{number}", kind) for number, kind in enumerate(kinds)]
        around = levels[-1].variables if levels else None
        levels.append(_level(pick, f"{name}{which}", parameters, around))
    texts = []
    bodies = []
    for at, level in enumerate(levels):
        following = levels[at + 1] if at < len(levels) - 1 else None
        kept = [each for each in level.variables if pick.random() < 0.8][: 1 if at else None]
        unused = frozenset(level.variables.keys() - kept)
        vague = {each: f"{each}@{level.name}" for each in level.variables if each in unused or each in level.changed}
        bodies.append(Body(level.name, level.function, tuple(level.variables), vague, unused))
        texts += _written(level, kept, following)
    given = ", ".join(
        f"{number + 3}" if kind == "int" else f"{MADE[kind]}({number + 3})" for number, kind in enumerate(kinds)
    )
    texts.append(called(levels[0].call("told", given), levels[0].call("", given)))
    return "\n".join(texts), bodies


def _level(pick: random.Random, name: str, parameters: list[tuple[str, str]], around: dict[str, str] | None) -> _Level:
    """One that is called where there are the variables `around`; the first one where there are none."""
    form = "plain" if around is None else pick.choice(("plain", "plain", "generic", "value"))
    own = "" if form == "plain" or around is None else _own(pick, form, around)
    gives = around is not None and pick.random() < 0.6
    variables = dict([*[("m", "pair" if form == "value" else "T")] * bool(own), *parameters, *[("r", "int")] * gives])
    lines: list[str] = []
    changed = {"r"} if gives else set[str]()
    for number in range(pick.randint(0, 3 if around is None else 1)):
        target, kind, value = _step(pick, variables)
        lines.append(f"HAD {name}: {', '.join(variables)}")
        if pick.random() < 0.5:
            fresh = f"{name[-1]}x{number}"
            variables[fresh] = kind
            lines += [f"{fresh} := {value}", f"_ = {fresh}"]
        else:
            lines.append(f"{target} = {value}")
            changed.add(target)
    turns = [_step(pick, variables) for _ in range(pick.randint(1, 2) if around is None and pick.random() < 0.4 else 0)]
    if turns:
        variables["l"] = "int"
        changed |= {"l", *(target for target, _, _ in turns)}
    had = f"HAD {name}: {', '.join(variables)}"
    changes = tuple(line for target, _, value in turns for line in (f"{target} = {value}", had))
    lines += [] if turns else [had]
    passes = ", ".join(pick.choice([each for each, of in variables.items() if of == kind]) for _, kind in parameters)
    turn = pick.randint(0, 2) if turns else -1
    return _Level(name, parameters, lines, variables, changed, passes, form, own, gives, turn, changes)


def _step(pick: random.Random, variables: dict[str, str]) -> tuple[str, str, str]:
    """A variable, its kind, and what it may be assigned."""
    target, kind = pick.choice([each for each in variables.items() if each[1] in STEPS])
    numbers = [each for each, of in variables.items() if of == "int"]
    return target, kind, pick.choice(STEPS[kind]).format(target, pick.choice(numbers))


def _own(pick: random.Random, form: str, around: dict[str, str]) -> str:
    """What a generic function or a method is passed besides."""
    wanted = [each for each, kind in around.items() if form == "generic" or kind == "pair"]
    return pick.choice(wanted) if wanted else 'pair{7, "m"}'


def _written(level: _Level, kept: list[str], following: _Level | None) -> list[str]:
    """A function and its twin."""
    uses = [_use(each, level.variables[each], outer=level.name.endswith("outer")) for each in kept]
    says = ", ".join(f'"{each}", {each}' for each in level.variables)
    returned = [f"return {level.parameters[0][0]}"] * level.gives
    goes_on = following.call("", level.passes) if following else "wait()"
    tells = following.call("told", level.passes) if following else "panic(isThere{})"
    waits = [*level.lines, *_in_turn(level, [goes_on], uses), *returned]
    told = [*level.lines, *_in_turn(level, [f'says("{level.name}", {says})', tells], []), *returned]
    directive = "//go:noinline\n" if level.name.endswith("outer") else ""
    plain = "\n\t".join(line for line in waits if not line.startswith("HAD"))
    noted = "\n\t".join(_had(line) for line in told)
    return [f"{directive}{level.head('')} {{\n\t{plain}\n}}\n", f"{level.head('told')} {{\n\t{noted}\n}}\n"]


def _in_turn(level: _Level, lines: list[str], uses: list[str]) -> list[str]:
    """The call of the next level, in a loop where there is one, and the uses behind it."""
    if level.turn < 0:
        return [*lines, *uses]
    had = f"HAD {level.name}: {', '.join(level.variables)}"
    called = ["for l := 0; l < 3; l++ {", had, f"if l == {level.turn} {{", *lines, "}"]
    return [*called, *level.turns, *uses, "}"]


def _had(line: str) -> str:
    """What the twin notes of its variables."""
    if not line.startswith("HAD"):
        return line
    name, _, variables = line.removeprefix("HAD ").partition(": ")
    watched = ", ".join(f'"{each}@{name}", &{each}' for each in variables.split(", "))
    return f'watch("{name}", {watched}); was("{name}")'


def _use(name: str, kind: str, *, outer: bool) -> str:
    """A use that costs little, for what is dear is not inlined."""
    return f"use({name})" if outer else f"kept.{'some' if kind == 'T' else kind} = {name}"
