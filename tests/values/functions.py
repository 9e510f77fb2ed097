"""A Go file of functions that tell what their variables of random types are, and then stand still."""

import json
from collections.abc import Callable
from random import Random

from tests.values.containers import Array, Chan, Generic, Interface, Map, Slice
from tests.values.types import INT, Basic, Field, GoType, Pointer, Struct, Time

BASES = (
    "bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr",
    "float32", "float64", "complex64", "complex128", "string",
)  # fmt: skip
FORMS = ("plain", "plain", "generic", "closure", "method")
GENERIC_FORMS = ("turned", "folded", "folded", "within")
"""Methods with type parameters of their own: of a plain type, of a generic one, and a closure in such a one."""
OF_TWO = ("folded", "within")
"""Those whose receiver has a type parameter, too: K."""
DEPTH = 4
"""Of a value: pointers beyond are nil, maps and slices too."""
GENERIC_METHODS = "//go:build go1.27\n\n"
"""What lets a file have methods with type parameters, whatever the module's go line says."""
HEAD = """package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

var _ = []any{fmt.Errorf, io.EOF, os.ErrExist, syscall.ENOENT, time.Now}
"""


def written(seed: int, count: int, *, generic_methods: bool) -> str:
    """The text of a file for the zoo's package; main starts its functions in place of the zoo's own. `generic_methods`: for a Go
    that has methods with type parameters of their own, 1.27 or later."""
    pick = Random(seed)
    types = Types(pick)
    forms = FORMS + GENERIC_FORMS * generic_methods
    functions = [Function(types, number, pick, pick.choice(forms)) for number in range(count)]
    texts = [each.text() for each in functions]
    starts = "".join(f"\tstart(func() {{ {each.call()} }})\n" for each in functions)
    return "\n".join(
        [
            GENERIC_METHODS * generic_methods + HEAD,
            *types.declarations,
            *texts,
            f"func init() {{ started = []func(){{random}} }}\n\nfunc random() {{\n{starts}}}\n",
        ]
    )


class Types:
    """Makes types; `declarations` are those of the named ones."""

    def __init__(self, pick: Random) -> None:
        self._pick = pick
        self.declarations: list[str] = []
        self._structs: list[Struct] = []

    def any(self, depth: int) -> GoType:
        """One of any kind, others in it no deeper."""
        pick = self._pick
        if depth <= 0:
            return self.basic()
        makers: dict[Callable[[int], GoType], int] = {
            self.basic: 28, self.struct: 18, self._slice: 8, self._array: 6, self._map: 10, self._pointer: 12, self._chan: 4,
            self._interface: 8, self._generic: 4, self._time: 3,
        }  # fmt: skip
        make = pick.choices(list(makers), list(makers.values()))[0]
        return make(depth)

    def basic(self, _depth: int = 0) -> Basic:
        base = self._pick.choice(BASES)
        return Basic(self._declared(base, methods=True)[0], base) if self._pick.random() < 0.25 else Basic(base, base)

    def _declared(self, body: str, *, methods: bool) -> tuple[str, str]:
        """(name of a new type, receiver of its method, if it has one)."""
        name = f"T{len(self.declarations)}"
        self.declarations.append(f"type {name} {body}\n")
        receiver = self._pick.choice(("T", "*T")) if methods and self._pick.random() < 0.3 else ""
        if receiver:
            self.declarations[-1] += (
                f"\nfunc (v {receiver.replace('T', name)}) Tally() int {{ return {len(self.declarations)} }}\n"
            )
        return name, receiver

    def struct(self, depth: int) -> Struct:
        if self._structs and self._pick.random() < 0.3:
            return self._pick.choice(self._structs)
        types = [self.any(depth - 1) for _ in range(self._pick.choice((0, 1, 1, 2, 3, 4, 6)))]
        found = self._struct_of(types)
        self._structs.append(found)
        return found

    def _struct_of(self, types: list[GoType]) -> Struct:
        pick, fields = self._pick, list[Field]()
        for number, type_ in enumerate(types):
            named = (
                isinstance(type_, Struct) and type_.text.isalnum() and type_.text not in {each.name for each in fields}
            )
            if named and pick.random() < 0.4:
                fields.append(Field(type_.text, type_, embedded=True))
            else:
                fields.append(Field("_" if pick.random() < 0.1 else f"{pick.choice('AbCdEf')}{number}", type_))
        inner = "; ".join(each.type.text if each.embedded else f"{each.name} {each.type.text}" for each in fields)
        body = f"struct {{ {inner} }}"
        if pick.random() < 0.25:
            return Struct(body, tuple(fields))
        # Beside an embedded one of the same name, a method would not be promoted but hidden.
        name, receiver = self._declared(body, methods=not any(each.embedded for each in fields))
        return Struct(name, tuple(fields), receiver)

    def _key(self) -> GoType:
        def plain() -> Basic:
            found = self.basic()
            return found if found.is_key else plain()

        match self._pick.choice(("basic", "basic", "basic", "struct", "array", "any")):
            case "struct":
                return self._struct_of([plain() for _ in range(self._pick.choice((1, 2, 3)))])
            case "array":
                return Array(plain(), 2)
            case "any":
                return Interface("any", (plain(), plain()))
            case _:
                return self.basic()

    def _slice(self, depth: int) -> GoType:
        return Slice(self.any(depth - 1))

    def _array(self, depth: int) -> GoType:
        return Array(self.any(depth - 1), self._pick.choice((0, 1, 1, 2, 3, 5)))

    def _map(self, depth: int) -> GoType:
        return Map(self._key(), self.any(depth - 1))

    def _pointer(self, depth: int) -> GoType:
        return Pointer(self.any(depth - 1))

    def _chan(self, depth: int) -> GoType:
        return Chan(self.any(depth - 1), self._pick.choice(("chan", "<-chan", "chan<-")))

    def _interface(self, _depth: int = 0) -> GoType:
        held: list[GoType] = [Basic("int", "int"), Basic("string", "string"), self.basic(), *self._structs[-6:]]
        return Interface(self._pick.choice(("any", "any", "error", "tallier")), tuple(held))

    def _time(self, _depth: int) -> GoType:
        return Time(self._pick.choice(("time.Time", "time.Duration")))

    def _generic(self, depth: int) -> GoType:
        return self.generic(self.any(depth - 1))

    def generic(self, of: GoType) -> Generic:
        """An instance of one of the zoo's generic types."""
        match self._pick.choice(("Chain", "Crate", "Couple")):
            case "Chain":
                link = Generic("Chain", (of,), (Field("V", of),))
                return Generic("Chain", (of,), (Field("V", of), Field("Next", Pointer(link))))
            case "Crate":
                return Generic("Crate", (of,), (Field("v", of), Field("all", Slice(of))))
            case _:
                key = Basic("string", "string")
                return Generic("Couple", (key, of), (Field("K", key), Field("V", of), Field("m", Map(key, of))))


class Function:
    """One function: plain, generic, a closure in a generic one, a method of a generic type, a generic method of a plain or of a
    generic type, or a closure in the latter."""

    def __init__(self, types: Types, number: int, pick: Random, form: str) -> None:
        self._types, self._pick, self._number, self._form = types, pick, number, form
        self._argument = types.any(2)
        self._key = types.any(2)
        self._parameters = [(f"p{at}", *self._parameter()) for at in range(pick.choice((1, 2, 3, 4, 6)))]
        plain = self._form == "plain"
        self._locals = [(f"l{at}", types.any(3)) for at in range(pick.choice((0, 1, 2)) * plain)]
        self._results = [("r", types.any(2))] * (plain and pick.random() < 0.3)

    def _parameter(self) -> tuple[str, GoType]:
        """(its type as the function writes it, its type)."""
        if self._form == "plain":
            found = self._types.any(3)
            return found.text, found
        letter, of = self._pick.choice((("T", self._argument), ("K", self._key))[: 1 + (self._form in OF_TWO)])
        text = Basic("string", "string")
        written, found = self._pick.choice((
            ("$", of), ("*$", Pointer(of)), ("[]$", Slice(of)), ("map[string]$", Map(text, of)), ("[2]$", Array(of, 2)),
            ("chan $", Chan(of, "chan")), ("Crate[$]", Generic("Crate", (of,), (Field("v", of), Field("all", Slice(of))))),
            ("any", Interface("any", (of,))),
            ("struct{ a $; b string }", Struct(f"struct{{ a {of.text}; b string }}", (Field("a", of), Field("b", text)))),
        ))  # fmt: skip
        return written.replace("$", letter), found

    def text(self) -> str:
        """Its declaration."""
        body = "\n".join(f"\t{line}" for line in self._body())
        parameters = ", ".join(f"{name} {written}" for name, written, _ in self._parameters)
        results = ", ".join(f"{name} {type_.text}" for name, type_ in self._results)
        match self._form:
            case "plain":
                return f"//go:noinline\nfunc f{self._number}({parameters}) ({results}) {{\n{body}\n}}\n"
            case "generic":
                return f"//go:noinline\nfunc f{self._number}[T any]({parameters}) {{\n{body}\n}}\n"
            case "closure":
                return f"//go:noinline\nfunc f{self._number}[T any]({parameters}) {{\n\tinside(func() {{\n{body}\n\t}})\n}}\n"
        type_, function = f"R{self._number}", f"f{self._number}"
        match self._form:
            case "turned":
                head = f"type {type_} struct {{ x []int; y int }}\n\n//go:noinline\nfunc (r *{type_}) {function}[T any]"
            case "folded" | "within":
                head = f"type {type_}[K any] struct {{ x []K; y int }}\n\n//go:noinline\nfunc (r *{type_}[K]) {function}[T any]"
            case _:
                head = (
                    f"type {type_}[T any] struct {{ x []T; y int }}\n\n//go:noinline\nfunc (r *{type_}[T]) {function}"
                )
        if self._form == "within":
            body = f"\tinside(func() {{\n{body}\n\t}})"
        return f"{head}({parameters}) {{\n{body}\n}}\n"

    def _body(self) -> list[str]:
        """Its lines: what has a value, what is told, and the use behind it."""
        variables: list[tuple[str, GoType]] = [(name, type_) for name, _, type_ in self._parameters]
        variables += self._locals + self._results
        lines = [f"var {name} {type_.text} = {type_.value(self._pick, DEPTH)}" for name, type_ in self._locals]
        lines += [f"{name} = {type_.value(self._pick, DEPTH)}" for name, type_ in self._results]
        told = {name: f"ref({name})" for name, _ in variables}
        if self._form == "plain":
            told |= {
                ours: f"attempt(func() any {{ return ref({go}) }})"
                for each in variables
                for go, ours in self._into(*each)
            }
        names = [name for name, _ in variables]
        if self._form in ("method", "turned", "folded"):
            names.append("r")
            told["r"] = "ref(r)"
        pairs = ", ".join(f"{json.dumps(ours, ensure_ascii=False)}, {go}" for ours, go in told.items())
        return [*lines, f"tell({pairs})", "stop()", f"keep({', '.join(names)})", *["return"] * bool(self._results)]

    def _into(self, name: str, type_: GoType) -> list[tuple[str, str]]:
        """Random expressions from a variable on: in Go, and in a spec."""
        found: dict[str, str] = {}
        for _ in range(4):
            go = ours = name
            at, left = type_, self._pick.randint(1, 5)
            while left and (step := at.step(self._pick)) is not None:
                go, ours, at, left = step.go.replace("$", go), step.ours.replace("$", ours), step.to, left - 1
            if ours != name:
                found[ours] = go
        return [(go, ours) for ours, go in found.items()]

    def call(self) -> str:
        """A call of it."""
        arguments = ", ".join(type_.value(self._pick, DEPTH) for _, _, type_ in self._parameters)
        instance = f"[{self._argument.text}]"
        of: GoType = self._argument
        match self._form:
            case "plain":
                return f"f{self._number}({arguments})"
            case "generic" | "closure":
                return f"f{self._number}{instance}({arguments})"
            case "turned":
                of, receiver, method = INT, "", instance
            case "folded" | "within":
                of, receiver, method = self._key, f"[{self._key.text}]", instance
            case _:
                receiver, method = instance, ""
        held = Slice(of).value(self._pick, 2)
        return f"(&R{self._number}{receiver}{{x: {held}}}).f{self._number}{method}({arguments})"
