"""Go's types, each with what makes values of it and what leads into one."""

import json
from dataclasses import dataclass
from random import Random
from typing import Protocol

TEXTS = ("", "a", "hello", "k1", "k3", "x" * 40, "x" * 200, "日本")
FAR = 3
"""Indexes and bounds are less; not every slice has so many elements."""


@dataclass(frozen=True)
class Step:
    """From a value, written as $, to one of another type: in Go, and in a spec."""

    to: "GoType"
    go: str
    ours: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ours", self.ours or self.go)


class GoType(Protocol):
    """A type, and how to write what is of it."""

    @property
    def text(self) -> str:
        """As Go writes it."""

    @property
    def is_key(self) -> bool:
        """Whether a map may have it as key, and shows that as Go's own JSON does."""

    def value(self, pick: Random, depth: int) -> str:
        """A Go expression of this type. Pointers lead no further than `depth`."""

    def step(self, pick: Random) -> Step | None:
        """A step into a value; None where there is none."""


@dataclass(frozen=True)
class Basic:
    """Go's own, or one that is declared as it."""

    text: str
    base: str

    @property
    def is_key(self) -> bool:
        """JSON writes floats its own way."""
        return not self.base.startswith(("float", "complex"))

    def bounds(self) -> tuple[int, int]:
        """Least and largest, of an integer."""
        bits = int("".join(filter(str.isdigit, self.base)) or 64)
        return (0, (1 << bits) - 1) if self.base[0] == "u" else (-1 << (bits - 1), (1 << (bits - 1)) - 1)

    def literal(self, pick: Random) -> str:
        """A constant; few different ones, so that a map's key is met again."""
        match self.base:
            case "bool":
                return pick.choice(("true", "false"))
            case "string":
                return json.dumps(pick.choice(TEXTS), ensure_ascii=False)
            case "float32" | "float64":
                return pick.choice(("0", "1.5", "-2.25", "1e30", "-1e-7"))
            case "complex64" | "complex128":
                return f"complex({pick.randrange(9)}, -{pick.randrange(9)})"
        lo, hi = self.bounds()
        return str(pick.choice((0, 1, 5, lo, hi, pick.randint(lo, hi))))

    def value(self, pick: Random, _depth: int) -> str:
        return f"{self.text}({self.literal(pick)})"

    def step(self, pick: Random) -> Step | None:
        if self.base != "string" or pick.random() < 0.5:
            return None
        lo = pick.randrange(FAR)
        return pick.choice((Step(INT, "len($)"), Step(self, f"cutText($, {lo}, {lo + 2})", f"$[{lo}:{lo + 2}]")))


INT = Basic("int", "int")


@dataclass(frozen=True)
class Time:
    """time.Time or time.Duration."""

    text: str
    is_key = False

    def value(self, pick: Random, _depth: int) -> str:
        if self.text == "time.Duration":
            return f"time.Duration({pick.randrange(-1 << 62, 1 << 62)})"
        moment = f"time.Unix({pick.randrange(-(10**10), 10**10)}, {pick.randrange(10**9)})"
        return pick.choice(("time.Time{}", moment, f"{moment}.In(time.FixedZone({json.dumps('X')}, -3600*5))"))

    def step(self, _pick: Random) -> Step | None:
        return None


@dataclass(frozen=True)
class Field:
    """`name` of an embedded type is that type's; of a blank field it is _."""

    name: str
    type: GoType
    embedded: bool = False


@dataclass(frozen=True)
class Struct:
    """`has_method`: "" or the receiver that its method has, "T" or "*T"."""

    text: str
    fields: tuple[Field, ...]
    has_method: str = ""

    @property
    def is_key(self) -> bool:
        return all(each.type.is_key for each in self.fields)

    def value(self, pick: Random, depth: int) -> str:
        inner = (f"{each.name}: {each.type.value(pick, depth - 1)}" for each in self.fields if each.name != "_")
        return f"{self.text}{{{', '.join(inner)}}}"

    def step(self, pick: Random) -> Step | None:
        named = [each for each in self.fields if each.name != "_"]
        if not named:
            return None
        field = pick.choice(named)
        promoted = self._promoted(field)
        if promoted and pick.random() < 0.5:
            field = pick.choice(promoted)
        return Step(field.type, f"$.{field.name}")

    def _promoted(self, embedded: Field) -> list[Field]:
        """Fields that an embedded struct lends, where no other has their name."""
        if not embedded.embedded or not isinstance(embedded.type, Struct):
            return []
        all_ = [each.name for each in self.fields]
        all_ += [inner.name for each in self.fields if isinstance(each.type, Struct) for inner in each.type.fields]
        return [each for each in embedded.type.fields if each.name != "_" and all_.count(each.name) == 1]


@dataclass(frozen=True)
class Pointer:
    to: GoType
    is_key = False

    @property
    def text(self) -> str:
        return f"*{self.to.text}"

    def value(self, pick: Random, depth: int) -> str:
        if depth <= 0 or pick.random() < 0.2:
            return f"({self.text})(nil)"
        return f"ref[{self.to.text}]({self.to.value(pick, depth - 1)})"

    def step(self, pick: Random) -> Step | None:
        through = self.to.step(pick) if isinstance(self.to, Struct) else None
        return through if through and pick.random() < 0.7 else Step(self.to, "(*$)")
