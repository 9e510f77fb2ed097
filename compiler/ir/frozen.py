"""Frozen dataclasses that are quick to define: a program that runs for a tenth of a second imports more than a hundred.

`@frozen` makes of a class what `@dataclass(frozen=True, slots=True)` makes of it, and dataclasses' `fields`, `replace` and
`asdict` take it as one. But a dataclass has Python compile the text of six methods; of a frozen class it compiles one, `__init__`.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(described: type[T]) -> type[T]:
    """A class decorator: instances are made of the annotated fields, compared and hashed by them, and cannot be changed."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(described)
    own: tuple[Field[Any], ...] = fields(made)
    made.__init__ = _init(made, own)
    made.__eq__, made.__hash__ = _comparing(tuple(each.name for each in own if each.compare))
    made.__repr__ = _repr
    made.__reduce__ = _reduce
    made.__setattr__ = made.__delattr__ = _refuse
    return made  # type: ignore[no-any-return]


def _init(made: Any, own: tuple[Field[Any], ...]) -> Callable[..., None]:
    """Sets each slot through its descriptor, for `__setattr__` refuses."""
    known: dict[str, Any] = {}
    parameters, lines = ["self"], ["pass"]
    for number, each in enumerate(own):
        known[f"set{number}"] = getattr(made, each.name).__set__
        value = each.name
        if each.default is not MISSING:
            known[f"default{number}"] = each.default
            parameters.append(f"{each.name}=default{number}")
        elif each.default_factory is not MISSING:
            known |= {f"make{number}": each.default_factory, "missing": MISSING}
            parameters.append(f"{each.name}=missing")
            value = f"make{number}() if {each.name} is missing else {each.name}"
        else:
            parameters.append(each.name)
        lines.append(f"set{number}(self, {value})")
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(text, known)
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {each.name: each.type for each in own} | {"return": None}
    return init


def _comparing(names: tuple[str, ...]) -> tuple[Callable[[Any, object], bool], Callable[[Any], int]]:
    key: Callable[[Any], Any] = attrgetter(*names) if names else lambda _: ()

    def __eq__(self: Any, other: object) -> bool:  # noqa: N807
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(key(self))

    return __eq__, __hash__


def _repr(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> tuple[Any, ...]:
    return type(self), tuple(getattr(self, each.name) for each in fields(self))


def _refuse(self: Any, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"cannot change {name!r} of a {type(self).__qualname__}")
