"""Go functions of random signatures that block, and the judge of what a snapshot says of their arguments.

The oracle is Go's own traceback: for every argument it prints its words, with "?" where it does not vouch for one.
"""

import json
import random
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

WAYS = 12
UNFILLED = "the code stores nothing in its place"
LEAVES = re.compile(r"[{}]|0x[0-9a-f]+\??|\.\.\.|_")
ADDRESS = re.compile(r"\(it was at (0x[0-9a-f]+)\)")


@dataclass(frozen=True)
class Kind:
    """A Go type: an expression of a value (`#` is a number), and its parts, (name, kind), if it has some."""

    go: str
    value: str
    form: str
    size: int = 8
    parts: tuple[tuple[str, "Kind"], ...] = ()


def _whole(go: str, size: int) -> Kind:
    return Kind(go, f"{go}(#)", "int" if go.startswith("int") else "uint", size)


INT8, INT16, INT32, INT64 = (_whole(f"int{bits}", bits // 8) for bits in (8, 16, 32, 64))
INT, UINT8, UINT16, UINT32 = _whole("int", 8), _whole("uint8", 1), _whole("uint16", 2), _whole("uint32", 4)
UINT64, UINTPTR = _whole("uint64", 8), _whole("uintptr", 8)
BOOL = Kind("bool", "#%2 == 1", "bool", 1)
FLOAT32, FLOAT64 = Kind("float32", "#.5", "float", 4), Kind("float64", "#.25", "float", 8)
STRING = Kind("string", 'fmt.Sprint("text ", #)', "string", 16)
FIVE_FIELDS = tuple((name, INT) for name in "ABCDE")
PAIR = Kind("*pair", "&pair{#, 2}", "pointer")
FIVE = Kind("five", "five{#, 2, 3, 4, 5}", "struct", 40, FIVE_FIELDS)
KINDS = (
    INT8, INT16, INT32, INT64, INT, UINT8, UINT16, UINT32, UINT64, UINTPTR, BOOL, FLOAT32, FLOAT64, STRING,
    Kind("time.Duration", "time.Duration(#)", "int"),
    Kind("complex128", "complex(#, 2)", "complex128", 16),
    Kind("complex64", "complex(#, 2)", "complex64", 8),
    Kind("[]byte", '[]byte(fmt.Sprint("bytes ", #))', "text slice", 24),
    Kind("[]string", '[]string{"a", fmt.Sprint(#)}', "slice", 24),
    Kind("[]int", "make([]int, #, 2*#)", "slice", 24),
    Kind("[]pair", "nil", "slice", 24),
    Kind("*int", "ref(#)", "bare pointer"),
    PAIR,
    Kind("*texts", "nil", "pointer"),
    Kind("*texts", '&texts{"in a struct", #}', "pointer"),
    Kind("map[string]int", 'map[string]int{"key": #}', "pointer"),
    Kind("chan int", "make(chan int, #)", "pointer"),
    Kind("func()", "func() { use(#) }", "pointer"),
    Kind("any", "any(#)", "interface", 16),
    Kind("any", "nil", "interface", 16),
    Kind("error", "error(number(#))", "interface", 16),
    Kind("shaper", "shaper(&texts{})", "interface", 16),
    Kind("pair", "pair{#, -#}", "struct", 16, (("A", INT64), ("B", INT64))),
    Kind("mixed", "mixed{-#, #, true, #}", "struct", 24, (("A", INT8), ("B", INT64), ("C", BOOL), ("D", UINT16))),
    Kind("texts", 'texts{"text", #}', "struct", 24, (("S", STRING), ("N", INT32))),
    FIVE,
    Kind("holes", "holes{A: #, B: 2}", "struct", 12, (("_", INT8), ("A", INT32), ("_", Kind("", "", "struct", 0)), ("B", FLOAT32))),
    Kind("empty", "empty{}", "struct", 0),
    Kind("[2]int32", "[2]int32{#, 2}", "array", 8, (("", INT32), ("", INT32))),
    Kind("[1]string", "[1]string{fmt.Sprint(#)}", "array", 16, (("", STRING),)),
    Kind("[0]int", "[0]int{}", "array", 0),
)  # fmt: skip


RECEIVERS = (
    ("number", "number(7)", INT16),
    ("*pair", "(&pair{7, 6})", PAIR),
    ("five", "five{7, 8, 7, 6, 5}", FIVE),
)
"""Receivers' types, values, and kinds."""


@dataclass(frozen=True)
class Parameter:
    """One parameter; "_" has no name. `number`: what `#` was in its value."""

    name: str
    kind: Kind
    number: int
    use: str = ""
    """Whether it is "change"d through its address, "escape"s to the heap, or is "assign"ed one more before it blocks."""

    @property
    def value(self) -> str:
        return self.kind.value.replace("#", str(self.number))

    def truth(self) -> Any:
        """What its column must say where it says something; None where only the traceback knows."""
        match self.kind.form:
            case "int" | "uint":
                return self.number + (self.use == "assign")
            case "bool":
                return self.number % 2
            case "float":
                return float(self.kind.value.replace("#", str(self.number)))
            case "string":
                return f"text {self.number}"
        return None


@dataclass(frozen=True)
class Function:
    """One of them: how a traceback names it, and its parameters in order."""

    name: str
    parameters: tuple[Parameter, ...]
    captured: int | None = None
    """What its variable of this name holds, which it has from around it."""

    @property
    def table(self) -> str:
        return "t" + re.sub(r"\W+", "_", self.name)

    @property
    def columns(self) -> list[str]:
        named = [each.name for each in self.parameters if each.name != "_"]
        return named if self.captured is None else [*named, "captured"]


def written(seed: int, count: int) -> tuple[str, list[Function]]:
    """The text of a Go file with so many functions, and their descriptions."""
    pick = random.Random(seed)
    texts = [
        'package main\n\nimport (\n\t"fmt"\n\t"time"\n)\n\nvar _, _ = fmt.Sprint, time.Now\n\nfunc ref(n int) *int { return &n }\n'
    ]
    functions = []
    for number in range(count):
        text, function, call = _function(pick, f"f{number}", number)
        texts.append(f"{text}\nfunc init() {{ starts = append(starts, func() {{ {call} }}) }}\n")
        functions.append(function)
    return "\n".join(texts), functions


def _parameter(pick: random.Random, number: int) -> Parameter:
    kind, name = pick.choice(KINDS), "_" if pick.random() < 0.06 else f"p{number}"
    use = pick.choice(("change", "escape", "assign", "assign")) if pick.random() < 0.15 and name != "_" else ""
    if use == "assign" and (kind.form not in ("int", "uint")):
        use = ""
    return Parameter(name, kind, pick.randint(1, 90), use)


def _function(pick: random.Random, name: str, number: int) -> tuple[str, Function, str]:
    """Its text, its description, and a call of it."""
    parameters = [_parameter(pick, at) for at in range(pick.choice((1, 2, 3, 3, 4, 5, 6, 12)))]
    if pick.random() < 0.1:
        parameters.append(Parameter(f"p{len(parameters)}", Kind("...int", "#, 2, 3", "slice", 24), 1))
    values = ", ".join(each.value for each in parameters)
    signature = ", ".join(f"{each.name} {each.kind.go}" for each in parameters)
    blocks = f"block({number % WAYS})"
    body = "\n\t".join(_body(pick, parameters, blocks))
    plain = Function(f"main.{name}", tuple(parameters))
    match pick.choice(("plain", "plain", "plain", "method", "generic", "closure", "deferred", "inlinable", "results")):
        case "method":
            receiver, made, kind = pick.choice(RECEIVERS)
            text = f"func (r {receiver}) {name}({signature}) {{\n\tuse(r)\n\t{body}\n}}"
            owner = f"({receiver})" if receiver.startswith("*") else receiver
            function = Function(f"main.{owner}.{name}", (Parameter("r", kind, 7), *parameters))
            return f"//go:noinline\n{text}\n", function, f"{made}.{name}({values})"
        case "generic":
            kind = pick.choice((INT, STRING, PAIR))
            text = f"func {name}[T any](g T, {signature}) {{\n\tuse(g)\n\t{body}\n\tuse(g)\n}}"
            first = Parameter("g", kind, 77)
            function = Function(f"main.{name}[...]", (first, *parameters))
            return f"//go:noinline\n{text}\n", function, f"{name}[{kind.go}]({first.value}, {values})"
        case "closure":
            inner = f"func({signature}) {{\n\tuse(captured)\n\t{body}\n\tuse(captured)\n}}"
            text = f"func {name}(captured int) func({signature}) {{\n\treturn {inner}\n}}"
            function = Function(f"main.{name}.func1", tuple(parameters), number)
            return f"//go:noinline\n{text}\n", function, f"{name}({number})({values})"
        case "deferred":
            return (
                f"//go:noinline\nfunc {name}({signature}) {{\n\t{body.replace(blocks, 'defer ' + blocks)}\n}}\n",
                plain,
                f"{name}({values})",
            )
        case "inlinable":
            return f"func {name}({signature}) {{\n\t{body}\n}}\n\nvar v{name} = {name}\n", plain, f"v{name}({values})"
        case "results":
            text = f'func {name}({signature}) (r int, s string) {{\n\t{body}\n\treturn len(s), "result"\n}}'
            return f"//go:noinline\n{text}\n", plain, f"{name}({values})"
    return f"//go:noinline\nfunc {name}({signature}) {{\n\t{body}\n}}\n", plain, f"{name}({values})"


def _body(pick: random.Random, parameters: list[Parameter], blocks: str) -> Iterator[str]:
    """What it does with its parameters: some are used before it blocks, some after."""
    for each in parameters:
        if each.name != "_" and pick.random() < 0.35:
            yield f"use({each.name})"
        if each.use in ("change", "escape"):
            yield f"{each.use}(&{each.name})"
        if each.use == "assign":
            yield f"{each.name}++"
    if pick.random() < 0.3:
        yield "use(1)"
    yield blocks
    for each in parameters:
        if each.name != "_" and (each.use == "assign" or pick.random() < 0.35):
            yield f"use({each.name})"


def spec_of(functions: list[Function]) -> str:
    """A spec that collects every named variable of theirs; JSON is YAML."""
    wanted = [
        {"function": each.name, "table": each.table, "collect": each.columns} for each in functions if each.columns
    ]
    return json.dumps({"limits": {"pause_ms": 60_000}, "functions": wanted}, indent=1)


# ---------------------------------------------------------------- the judge


@dataclass
class Verdict:
    """Words that agree, words that the traceback vouches for and the snapshot has not, and words that differ."""

    right: int = 0
    missing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def arguments_of(line: str) -> str:
    """What stands in the last parentheses of a traceback's line."""
    depth = 0
    for at in range(len(line) - 1, -1, -1):
        depth += (line[at] == ")") - (line[at] == "(")
        if depth == 0:
            return line[at + 1 : -1]
    return ""


def judge(
    function: Function,
    printed: str,
    row: dict[str, Any],
    absences: dict[str, dict[str, str]],
    verdict: Verdict,
    *,
    blanks: bool,
) -> None:
    """Hold a row against the printed arguments and against the truth; `absences`: of each column, path to reason.

    In a generic function the traceback's "?" belong to the argument before (it forgets the dictionary), so that its words
    are no oracle there. Before Go 1.23 debug info leaves out parameters without a name (`blanks` is False), so that
    nobody can tell which is which where there are some, or where more are not printed. Of an argument that is too large
    to be taken apart and that nothing reads, it prints what the caller left in its place.
    """
    excused = not blanks and ("..." in printed or any(each.name == "_" for each in function.parameters))
    words = iter(LEAVES.findall(printed))
    printing = "[" not in function.name
    for each in function.parameters:
        value, known = row.get(each.name), absences.get(each.name, {})
        _judge_truth(function, each.name, value, each.truth(), verdict)
        if isinstance(value, str) and (
            each.kind.form not in ("string", "text slice") or value.startswith('{"$absent"')
        ):
            value = json.loads(value) if value[:1] in ("{", "[") else value
        whole = each.name == "_" or (value is None and "" in known)
        counts = each.name != "_" and each.use not in ("escape", "assign")
        named = f"{function.name} {each.name} {each.kind.go}"
        judging = _Judging(named, known, verdict, counts=counts, excused=excused or UNFILLED in known.get("", ""))
        printing = printing and judging.value(each.kind, value, "", words, whole=whole)
    if function.captured is not None:
        _judge_truth(function, "captured", row["captured"], function.captured, verdict)
        if row["captured"] is None:
            verdict.missing.append(f"{function.name} captured: {absences['captured']}")


def _judge_truth(function: Function, name: str, value: Any, truth: Any, verdict: Verdict) -> None:
    if name == "_" or truth is None or value is None:
        return
    if value == truth:
        verdict.right += 1
    else:
        verdict.wrong.append(f"{function.name} {name}: is {value!r}, not {truth!r}")


MANY = {"string": 4, "interface": 4, "slice": 5, "text slice": 5, "complex128": 4, "complex64": 4}
"""How many words and braces are printed of a value of these forms; one of others."""


class _Judging:
    """One argument."""

    def __init__(self, where: str, absences: dict[str, str], verdict: Verdict, *, counts: bool, excused: bool) -> None:
        self._where, self._absences, self._verdict, self._counts = where, absences, verdict, counts
        self._missing = [] if excused else verdict.missing

    def value(self, kind: Kind, value: Any, path: str, words: Iterator[str], *, whole: bool) -> bool:
        """Take the words of one value and hold it against them; False where no more are printed. `whole`: it is missing."""
        whole = whole or (isinstance(value, dict) and "$absent" in value)
        if kind.form in ("struct", "array"):
            return self._parts(kind, value, path, words, whole=whole)
        taken = [next(words, "...") for _ in range(MANY.get(kind.form, 1))]
        if "..." in taken:
            return False
        plain = [word for word in taken if word not in "{}"]
        if self._counts and not any(word.endswith("?") or word == "_" for word in plain):
            self._judged(kind, value, [int(word, 16) for word in plain], path, whole=whole)
        return True

    def _parts(self, kind: Kind, value: Any, path: str, words: Iterator[str], *, whole: bool) -> bool:
        if next(words, "...") != "{":
            return False
        counted = self._counts
        for at, (name, part) in enumerate(kind.parts):
            blank = name == "_"
            inner = None if whole or blank else value[name] if kind.form == "struct" else value[at]
            step = path + (f".{name}" if name else f"[{at}]")
            self._counts = counted and not blank
            if not self.value(part, inner, step, words, whole=whole or (inner is None and step in self._absences)):
                return False
        self._counts = counted
        return next(words, "...") == "}"

    def _judged(self, kind: Kind, value: Any, words: list[int], path: str, *, whole: bool) -> None:
        told = f"{self._where}{path}: {value!r} ({self._absences.get(path, '')}), and the traceback has {words}"
        if whole and not isinstance(value, dict):
            found = ADDRESS.search(self._absences.get(path, "") or self._absences.get("", ""))
            value = (
                {"$absent": "", "$addr": found[1]}
                if found and kind.form in ("bare pointer", "string", "text slice")
                else None
            )
            if value is None:
                self._missing.append(told)
                return
        right = _agrees(kind, value, words)
        if right is None:
            self._missing.append(told)
        elif right:
            self._verdict.right += 1
        else:
            self._verdict.wrong.append(told)


def _agrees(kind: Kind, value: Any, words: list[int]) -> bool | None:
    """Whether a value is what these words say; None where it does not say enough."""
    first = words[0]
    if isinstance(value, dict) and "$absent" in value:
        if "$addr" not in value:
            return None
        at = first if kind.form != "interface" else words[1]
        return int(value["$addr"], 16) == at and value.get("$len", words[-1]) in words
    match kind.form:
        case "int":
            return int(value) == int.from_bytes(first.to_bytes(kind.size, "little"), "little", signed=True)
        case "uint" | "bool":
            return int(value) == first
        case "float":
            return struct.pack("<f" if kind.size == 4 else "<d", value) == first.to_bytes(kind.size, "little")
        case "complex64" | "complex128":
            width, form = (4, "<f") if kind.size == 8 else (8, "<d")
            parts = [struct.unpack(form, word.to_bytes(width, "little"))[0] for word in words]
            return complex(value.strip("()").replace("i", "j")) == complex(*parts)
        case "string":
            return isinstance(value, str) and len(value.encode()) == words[1]
        case "slice" | "text slice":
            return (value is None and first == 0) or (value is not None and len(value) == words[1])
        case "interface":
            return (value is None) == (first == 0)
        case "bare pointer":
            return (value is None) == (first == 0)
        case _:
            address = value.get("$addr") if isinstance(value, dict) else None
            return (value is None) == (first == 0) if address is None else int(address, 16) == first
