"""Programs made from the vocabulary's own type hints, so that whatever is added to it is tried, too."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from compiler.ir.program import Program

NUMBERS = st.one_of(
    st.integers(0, 9),
    st.integers(0, 40).map(lambda number: 8 * number),
    st.sampled_from([-1, 127, 128, 255, 256, 4095, 4096, 1 << 16, 1 << 20, 1 << 30, (1 << 47) - 1, 1 << 47, 1 << 64]),
    st.integers(-(1 << 66), 1 << 66),
)
TEXTS = st.sampled_from(["", "x", "main.f", "int", "nil", "depth", "bytes"]) | st.text(max_size=5)


@cache
def hints(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass with their types."""
    return get_type_hints(kind)


@cache
def any_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Whatever the annotation allows: a dataclass, a union, a tuple, a Literal, a scalar."""
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return NUMBERS
    if annotation is str:
        return TEXTS
    if annotation is NoneType:
        return st.none()
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        if members[-1] is Ellipsis:
            return st.lists(any_of(members[0]), max_size=4).map(tuple)
        return st.tuples(*map(any_of, members))
    if origin is Union or origin is UnionType:
        return st.one_of(*map(any_of, members))
    if origin is Literal:
        return st.sampled_from(members)
    return st.builds(annotation, **{name: _later(hint) for name, hint in hints(annotation).items()})


def _later(annotation: Any) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: any_of(annotation))


Path = tuple[str | int, ...]


def places(value: Any, annotation: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every part of a value that could be another one: how to get there, and what may stand there."""
    if path:
        yield path, annotation
    if is_dataclass(value):
        kind: Any = type(value)
        for name, hint in hints(kind).items():
            yield from places(getattr(value, name), hint, (*path, name))
    elif isinstance(value, tuple):
        members = get_args(_tuple_of(annotation))
        for number, each in enumerate(value):
            hint = members[0] if members[-1] is Ellipsis else members[number]
            yield from places(each, hint, (*path, number))


def _tuple_of(annotation: Any) -> Any:
    if get_origin(annotation) is tuple:
        return annotation
    return next(member for member in get_args(annotation) if get_origin(member) is tuple)


def with_other(value: Any, path: Path, other: Any) -> Any:
    """The value with something else there."""
    step, *rest = path
    if isinstance(step, str):
        inner = with_other(getattr(value, step), tuple(rest), other) if rest else other
        return replace(value, **{step: inner})
    inner = with_other(value[step], tuple(rest), other) if rest else other
    return (*value[:step], inner, *value[step + 1 :])


Change = tuple[Path, Any]


def changes(program: Program) -> st.SearchStrategy[list[Change]]:
    """One to three parts of the Program, and others of their types. Rare parts are drawn as often as frequent ones."""
    by_shape: dict[tuple[str, ...], list[tuple[Path, Any]]] = {}
    for path, annotation in places(program, Program):
        by_shape.setdefault(_shape(path), []).append((path, annotation))

    @st.composite
    def change(draw: st.DrawFn) -> Change:
        path, annotation = draw(st.sampled_from(by_shape[draw(st.sampled_from(sorted(by_shape)))]))
        return path, draw(any_of(annotation))

    return st.lists(change(), min_size=1, max_size=3)


def changed(program: Program, wanted: list[Change]) -> Program:
    """The Program with the changes made, one after the other, as far as what they change is still there."""
    for path, other in wanted:
        with suppress(AttributeError, IndexError, TypeError):
            program = with_other(program, path, other)
    return program


def _shape(path: Path) -> tuple[str, ...]:
    """The path without its numbers, so that rare parts are drawn as often as those that there are many of."""
    return tuple(step for step in path if isinstance(step, str))


def nodes(value: Any) -> Iterator[Any]:
    """Every dataclass in a value."""
    if is_dataclass(value):
        yield value
        for each in fields(value):
            yield from nodes(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from nodes(each)
