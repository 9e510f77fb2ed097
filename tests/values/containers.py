"""Go's types that have others in them: lists, maps, channels, interfaces, generic types."""

from dataclasses import dataclass
from random import Random

from tests.values.types import FAR, INT, Basic, Field, GoType, Pointer, Step, Struct

ERRORS = (
    "io.EOF",
    'fmt.Errorf("w: %w", io.EOF)',
    '&os.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT}',
    "syscall.ENOENT",
)


@dataclass(frozen=True)
class Array:
    elem: GoType
    count: int

    @property
    def text(self) -> str:
        return f"[{self.count}]{self.elem.text}"

    @property
    def is_key(self) -> bool:
        return self.elem.is_key

    def value(self, pick: Random, depth: int) -> str:
        elems = (self.elem.value(pick, depth - 1) for _ in range(pick.randint(0, self.count)))
        return f"{self.text}{{{', '.join(elems)}}}"

    def step(self, pick: Random) -> Step | None:
        return Step(self.elem, f"$[{pick.randrange(self.count)}]") if self.count else None


@dataclass(frozen=True)
class Slice:
    elem: GoType
    is_key = False

    @property
    def text(self) -> str:
        return f"[]{self.elem.text}"

    def value(self, pick: Random, depth: int) -> str:
        if depth <= 0 or pick.random() < 0.15:
            return f"({self.text})(nil)"
        count = pick.choice((0, 1, 2, 3, 7))
        elems = ", ".join(self.elem.value(pick, depth - 1) for _ in range(count))
        return f"{self.text}{{{elems}}}" + (f"[{pick.randrange(count)}:]" if count > 2 and pick.random() < 0.3 else "")

    def step(self, pick: Random) -> Step | None:
        lo = pick.choice((0, 1, 2))
        hi = pick.choice((None, lo + pick.randrange(FAR)))
        part = Step(self, f"cut($, {lo}, {-1 if hi is None else hi})", f"$[{lo or ''}:{'' if hi is None else hi}]")
        at = Step(self.elem, f"$[{pick.randrange(FAR)}]")
        return pick.choice((at, at, at, part, Step(INT, "len($)"), Step(INT, "cap($)")))


@dataclass(frozen=True)
class Map:
    key: GoType
    elem: GoType
    is_key = False

    @property
    def text(self) -> str:
        return f"map[{self.key.text}]{self.elem.text}"

    def value(self, pick: Random, depth: int) -> str:
        if depth <= 0 or pick.random() < 0.12:
            return f"({self.text})(nil)"
        keys = {self.key.value(pick, 1) for _ in range(pick.choice((0, 1, 2, 3, 5, 9, 17)))}
        entries = "; ".join(f"m[{key}] = {self.elem.value(pick, depth - 1)}" for key in sorted(keys))
        return f"func() {self.text} {{ m := make({self.text}, {pick.choice((0, 100))}); {entries}; return m }}()"

    def step(self, pick: Random) -> Step | None:
        if not isinstance(self.key, Basic) or not self.key.is_key or pick.random() < 0.2:
            return Step(INT, "len($)")
        key = self.key.literal(pick)
        return Step(self.elem, f"valueAt($, {key})", f"$[{key}]")


@dataclass(frozen=True)
class Chan:
    elem: GoType
    direction: str
    is_key = False

    @property
    def text(self) -> str:
        return f"{self.direction} ({self.elem.text})"

    def value(self, pick: Random, depth: int) -> str:
        if depth <= 0 or pick.random() < 0.2:
            return f"({self.text})(nil)"
        sent = [self.elem.value(pick, depth - 1) for _ in range(pick.choice((0, 1, 2)))]
        return f"channelOf[{self.elem.text}]({len(sent) + pick.choice((0, 1, 3))}, {', '.join(sent)})".replace(
            ", )", ")"
        )

    def step(self, pick: Random) -> Step | None:
        return Step(INT, pick.choice(("len($)", "cap($)")))


@dataclass(frozen=True)
class Interface:
    """any, error, or one that has a method. `held`: what it may hold."""

    text: str
    held: tuple[GoType, ...]
    is_key = False

    def value(self, pick: Random, depth: int) -> str:
        if pick.random() < 0.15:
            return f"{self.text}(nil)"
        if self.text == "error":
            return f"error({pick.choice(ERRORS)})"
        held = pick.choice([*self.held, *map(Pointer, self.held)])
        if self.text != "any":
            named = [each for each in self.held if isinstance(each, Struct) and each.has_method]
            if not named or depth <= 0:
                return "tallier(tally(7))"
            held = pick.choice(named)
            held = Pointer(held) if held.has_method == "*T" else held
        return f"{self.text}({held.value(pick, depth - 1)})"

    def step(self, pick: Random) -> Step | None:
        if self.text != "any":
            return None
        held = pick.choice(self.held)
        written = held.text if isinstance(held, Basic) and held.text == held.base else f"main.{held.text}"
        return Step(held, f"$.({held.text})", f"$.({written})")


@dataclass(frozen=True)
class Generic:
    """An instance of a generic type; its fields are those that it shows."""

    name: str
    arguments: tuple[GoType, ...]
    fields: tuple[Field, ...]
    is_key = False

    @property
    def text(self) -> str:
        return f"{self.name}[{', '.join(each.text for each in self.arguments)}]"

    def value(self, pick: Random, depth: int) -> str:
        inner = (f"{each.name}: {each.type.value(pick, depth - 1)}" for each in self.fields)
        return f"{self.text}{{{', '.join(inner)}}}"

    def step(self, pick: Random) -> Step | None:
        field = pick.choice(self.fields)
        return Step(field.type, f"$.{field.name}")
