"""Frozen dataclasses that are quick to define: a program that runs for a tenth of a second imports more than a hundred.

`@frozen` makes of a class what `@dataclass(frozen=True, slots=True)` makes of it, and dataclasses' `fields`, `replace` and
`asdict` take it as one. But for each dataclass Python compiles the text of six methods, and makes the class twice; for frozen
classes it compiles one `__init__` for all that have as many fields. Nor is dataclasses imported (it needs all of inspect) before
it looks at one of them.
"""

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from types import CodeType, FunctionType, MappingProxyType
from typing import Any, NamedTuple, TypeVar, dataclass_transform

T = TypeVar("T")
MISSING: Any = object()
"""The default of a field that has none."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


class FrozenField(NamedTuple):
    """One field of a frozen class."""

    name: str
    kind: Any
    """Its annotation, which may be a text."""
    default: Any = MISSING
    default_factory: Any = MISSING
    compare: bool = True
    metadata: Mapping[str, Any] = NOTHING


def field(
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    compare: bool = True,
    metadata: Mapping[str, Any] = NOTHING,
) -> Any:
    """What dataclasses' `field` says of a field of a frozen class."""
    return FrozenField("", None, default, default_factory, compare, metadata)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(described: type[T]) -> type[T]:
    """A class decorator: instances are made of the annotated fields, compared and hashed by them, and cannot be changed."""
    given = vars(described)
    own = tuple(_field(name, kind, given.get(name, MISSING)) for name, kind in given.get("__annotations__", {}).items())
    names = tuple([each.name for each in own])
    body = {name: value for name, value in given.items() if name not in (*names, "__dict__", "__weakref__")}
    body |= {"__slots__": names, "__match_args__": names, "__qualname__": described.__qualname__, "_frozen_fields": own}
    body |= _METHODS
    body["__eq__"], body["__hash__"] = _comparing(tuple([each.name for each in own if each.compare]))
    metaclass: Any = type(described)
    made = metaclass(described.__name__, described.__bases__, body)
    made.__init__ = _init(made, own)
    return made  # type: ignore[no-any-return]


def fields_of(kind: Any) -> tuple[FrozenField, ...]:
    """The fields of a frozen class or of an instance, in order."""
    found: tuple[FrozenField, ...] = kind._frozen_fields
    return found


def is_frozen(kind: object) -> bool:
    """Whether it is a frozen class."""
    return isinstance(kind, type) and hasattr(kind, "_frozen_fields")


def values_of(value: Any) -> dict[str, Any]:
    """The fields of an instance by name, as they are; dataclasses' `asdict` copies what is in them, too."""
    return {name: getattr(value, name) for name in value.__match_args__}


def replace(value: T, /, **changes: Any) -> T:
    """The same but for these fields."""
    return type(value)(**values_of(value) | changes)


def _field(name: str, kind: object, default: object) -> FrozenField:
    if isinstance(default, FrozenField):
        return default._replace(name=name, kind=kind)
    if type(default).__name__ == "Field":
        raise TypeError(f"{name} is described by dataclasses' field: frozen classes have their own")
    return FrozenField(name, kind, default)


def _init(made: Any, own: tuple[FrozenField, ...]) -> Callable[..., None]:
    """Sets each slot through its descriptor, for `__setattr__` refuses."""
    known: dict[str, Any] = {f"set{number}": getattr(made, each.name).__set__ for number, each in enumerate(own)}
    factories = {number: each.default_factory for number, each in enumerate(own) if each.default_factory is not MISSING}
    known |= {f"make{number}": factory for number, factory in factories.items()}
    defaults = tuple(each.default for each in own if each.default is not MISSING or each.default_factory is not MISSING)
    code = _code(len(own), tuple(factories)).replace(co_varnames=("self", *(each.name for each in own)))
    init = FunctionType(code, known | {"missing": MISSING}, "__init__", defaults)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {each.name: each.kind for each in own} | {"return": None}
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
    shown = ", ".join(f"{name}={value!r}" for name, value in values_of(self).items())
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> tuple[Any, ...]:
    return type(self), tuple(values_of(self).values())


def _refuse(self: Any, name: str, *_: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot change {name!r} of a {type(self).__qualname__}")


class _ForDataclasses:
    """What dataclasses and pprint look for in a dataclass. It is made when they do, and then takes the place of this."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _: object, kind: Any) -> Any:
        import dataclasses

        model = dataclasses.make_dataclass("_Model", ["one"])
        mark = attrgetter("_field_type")(dataclasses.fields(model)[0])  # what tells a field from a ClassVar
        found = {}
        for each in fields_of(kind):
            given = {"default": each.default, "default_factory": each.default_factory}
            said: Any = {name: value for name, value in given.items() if value is not MISSING}
            made: Any = dataclasses.field(**said, compare=each.compare, metadata=each.metadata)
            made.name, made.type, made._field_type, made.kw_only = each.name, each.kind, mark, False
            found[each.name] = made
        kind.__dataclass_fields__, kind.__dataclass_params__ = found, vars(model)["__dataclass_params__"]
        return vars(kind)[self._name]


_METHODS = {
    "__repr__": _repr,
    "__reduce__": _reduce,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__dataclass_fields__": _ForDataclasses("__dataclass_fields__"),
    "__dataclass_params__": _ForDataclasses("__dataclass_params__"),
}
"""What all frozen classes have alike."""
