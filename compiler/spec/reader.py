"""Spec text to Spec, or the one error that stands first in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from compiler.ir.limits import Limits
from compiler.spec.checks import check, in_order
from compiler.spec.errors import SpecError
from compiler.spec.model import (
    Collect,
    DerivedTable,
    Extra,
    FunctionSpec,
    LimitChanges,
    Link,
    ProgramRule,
    Spec,
    TypeSpec,
)
from compiler.spec.shape import SHAPES, CollectShape, FunctionShape, SpecShape, TypeShape
from compiler.spec.tree import Node, read_tree
from compiler.sql.names import nearest

MINIMUM = 'write at least "functions: []"'
_KINDS = {
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_type": "text",
    "int_type": "a whole number",
}
_Loc = tuple[int | str, ...]


def read_spec(text: str | bytes, origin: str) -> Spec:
    """Read and check a spec. `origin` (a file's name) only goes into messages.

    Raises SpecError for the first item, by line, that is wrong: first among the keys and kinds, then in what they say.
    """
    root = read_tree(text, origin)
    if root is None or root.value is None:
        raise SpecError("the spec is empty", origin=origin, line=1, remedy=MINIMUM)
    if not isinstance(root.value, dict):
        what = f"the spec is {_kind(root.value)}, not a mapping of keys"
        raise SpecError(what, origin=origin, line=root.line, remedy=MINIMUM)
    try:
        shape = SpecShape.model_validate(root.plain())
    except ValidationError as error:
        found = sorted(error.errors(include_url=False), key=lambda each: each["type"] == "missing")
        errors = [_shape_error(root, origin, each) for each in found]
        raise min(errors, key=lambda each: each.line) from None  # of one line, a misspelt key before a missing one
    spec = _spec(shape, root, text if isinstance(text, str) else text.decode("utf-8-sig"), origin)
    check(spec)
    return in_order(spec)


def _spec(shape: SpecShape, root: Node, text: str, origin: str) -> Spec:
    def at(*loc: int | str) -> tuple[int, str]:
        return _line(root, loc), _item(root, loc)

    return Spec(
        programs=tuple(ProgramRule(name, each.exe, *at("programs", name)) for name, each in shape.programs.items()),
        functions=tuple(_function(root, number, each) for number, each in enumerate(shape.functions)),
        tables=tuple(
            DerivedTable(name, each.sql, *at("tables", name), each.note) for name, each in shape.tables.items()
        ),
        links=tuple(
            Link(each.from_, tuple(each.from_columns), each.to, tuple(each.to_columns), each.note, *at("links", number))
            for number, each in enumerate(shape.links)
        ),
        limits=Limits().override(shape.limits),
        text=text,
        origin=origin,
        types=tuple(_type(root, number, each) for number, each in enumerate(shape.types)),
    )


def _function(root: Node, number: int, shape: FunctionShape) -> FunctionSpec:
    loc: _Loc = ("functions", number)
    extra = []
    for index, one in enumerate(shape.extra):
        here = (*loc, "extra", index)
        item = f'{_item(root, here)} "{one.name}"'
        extra.append(Extra(one.name, one.expr, one.unit, _line(root, here), item))
    table = shape.function if shape.table is None else shape.table
    place = _line(root, loc), _item(root, loc)
    return FunctionSpec(
        shape.function, table, _collected(root, loc, shape.collect), tuple(extra), *place, _changes(shape.limits)
    )


def _type(root: Node, number: int, shape: TypeShape) -> TypeSpec:
    loc: _Loc = ("types", number)
    place = _line(root, loc), _item(root, loc)
    return TypeSpec(shape.type, _collected(root, loc, shape.collect), *place, _changes(shape.limits))


def _collected(root: Node, loc: _Loc, shapes: Sequence[CollectShape]) -> tuple[Collect, ...]:
    collect = []
    for index, each in enumerate(shapes):
        here = (*loc, "collect", index)
        name = each.expr if each.as_ is None else each.as_
        collect.append(Collect(each.expr, name, _line(root, here), _item(root, here), _changes(each.limits)))
    return tuple(collect)


def _changes(limits: Mapping[str, int]) -> LimitChanges:
    return tuple(sorted(limits.items()))


def _shape_error(root: Node, origin: str, error: Any) -> SpecError:
    """One of pydantic's errors in our words."""
    loc: _Loc = error["loc"]
    context: dict[str, Any] = error.get("ctx", {})
    what, remedy = _wording(str(error["type"]), error["input"], loc, context)
    at = (*loc, context["key"]) if context.get("key") else loc
    named = loc[:-1] if error["type"] in ("missing", "extra_forbidden") else loc
    return SpecError(what, origin=origin, line=_line(root, at), item=_item(root, named), remedy=remedy)


def _wording(kind: str, given: object, loc: _Loc, context: Mapping[str, Any]) -> tuple[str, str]:
    match kind:
        case "extra_forbidden":
            known = SHAPES[tuple(str(step) for step in loc[:-1:2])].keys()
            return f'unknown key "{loc[-1]}"', nearest(str(loc[-1]), known)
        case "bad_value":
            return str(context["what"]), str(context["remedy"])
        case "missing":
            return f'the key "{loc[-1]}" is missing', MINIMUM if loc == ("functions",) else "add it"
        case "text_or_mapping":
            return f"must be text or a mapping, but is {_kind(given)}", _to_text(given)
        case "string_too_short":
            return "must not be empty", "write it or remove the key"
        case "too_short":
            return "must not be an empty list", "name at least one"
        case _ if kind in _KINDS:
            remedy = _to_text(given) if _KINDS[kind] == "text" else f"write {_KINDS[kind]}"
            return f"must be {_KINDS[kind]}, but is {_kind(given)}", remedy
        case _:
            return f"is not understood ({kind})", "see the documentation of specs"


def _to_text(given: object) -> str:
    return "quote it" if isinstance(given, (bool, int, float)) else "write text"


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _line(root: Node, loc: Sequence[int | str]) -> int:
    """The line of the item, or of the nearest thing around it that is there; a key's line rather than its value's."""
    node, line = root, root.line
    for step in loc:
        if isinstance(node.value, dict) and step in node.value:
            node, line = node.value[step], node.key_lines[str(step)]
        elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.line
        else:
            break
    return line


def _item(root: Node, loc: Sequence[int | str]) -> str:
    """The item as people write it: functions[0].collect[1]."""
    node, name = root, ""
    for step in loc:
        if isinstance(node.value, dict) and step in node.value:
            name += f".{step}" if name else str(step)
            node = node.value[step]
        elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
            name += f"[{step}]"
            node = node.value[step]
        else:
            break
    return name
