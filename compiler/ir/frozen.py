"""Frozen dataclasses that are quick to define: a program that runs for a tenth of a second imports more than a hundred.

`@frozen` makes of a class what `@dataclass(frozen=True, slots=True)` makes of it, and dataclasses' `fields`, `replace` and
`asdict` take it as one. But for each dataclass Python compiles the text of six methods, and makes the class twice; for frozen
classes it compiles one `__init__` for all that have as many fields.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass
class _Model:
    one: int


_MARK: Any = attrgetter("_field_type")(fields(_Model)[0])
"""By which dataclasses knows a field from a ClassVar; it has no other name for it."""
_PARAMS: Any = attrgetter("__dataclass_params__")(_Model)
"""By which pprint knows how a dataclass is shown."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(described: type[T]) -> type[T]:
    """A class decorator: instances are made of the annotated fields, compared and hashed by them, and cannot be changed."""
    annotations = vars(described).get("__annotations__", {})
    own = {name: _field(name, kind, vars(described).get(name, MISSING)) for name, kind in annotations.items()}
    body = {name: value for name, value in vars(described).items() if name not in (*own, "__dict__", "__weakref__")}
    body |= {"__slots__": tuple(own), "__match_args__": tuple(own), "__dataclass_fields__": own}
    body["__dataclass_params__"] = _PARAMS
    metaclass: Any = type(described)
    made = metaclass(described.__name__, described.__bases__, body)
    made.__qualname__ = described.__qualname__
    made.__init__ = _init(made, tuple(own.values()))
    made.__eq__, made.__hash__ = _comparing(tuple(each.name for each in own.values() if each.compare))
    made.__repr__ = _repr
    made.__reduce__ = _reduce
    made.__setattr__ = made.__delattr__ = _refuse
    return made  # type: ignore[no-any-return]


def values_of(value: Any) -> dict[str, Any]:
    """The fields of an instance by name, as they are; `asdict` copies what is in them, too."""
    return {name: getattr(value, name) for name in value.__match_args__}


def _field(name: str, kind: object, default: object) -> "Field[Any]":
    found: Any = default if isinstance(default, Field) else field(default=default)
    found.name, found.type, found._field_type, found.kw_only = name, kind, _MARK, False
    return found  # type: ignore[no-any-return]


def _init(made: Any, own: "tuple[Field[Any], ...]") -> Callable[..., None]:
    """Sets each slot through its descriptor, for `__setattr__` refuses."""
    known: dict[str, Any] = {f"set{number}": getattr(made, each.name).__set__ for number, each in enumerate(own)}
    factories = {number: each.default_factory for number, each in enumerate(own) if each.default_factory is not MISSING}
    known |= {f"make{number}": factory for number, factory in factories.items()}
    defaults = tuple(each.default for each in own if each.default is not MISSING or each.default_factory is not MISSING)
    code = _code(len(own), tuple(factories)).replace(co_varnames=("self", *(each.name for each in own)))
    init = FunctionType(code, known | {"missing": MISSING}, "__init__", defaults)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {each.name: each.type for each in own} | {"return": None}
    return init


@cache
def _code(count: int, made: tuple[int, ...]) -> CodeType:
    """An `__init__` of so many parameters; those `made` by a factory are `missing` where they are not given."""
    values = [f"make{n}() if value{n} is missing else value{n}" if n in made else f"value{n}" for n in range(count)]
    lines = ["pass", *(f"set{n}(self, {value})" for n, value in enumerate(values))]
    text = f"def __init__({', '.join(['self', *(f'value{n}' for n in range(count))])}):\n " + "\n ".join(lines)
    known: dict[str, Any] = {}
    exec(text, known)
    code: CodeType = known["__init__"].__code__
    return code


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
