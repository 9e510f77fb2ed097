"""Spec text to Spec, or the one error that stands first in it."""

from collections.abc import Mapping, Sequence
from typing import Any

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
from compiler.spec.shape import MINIMUM, SPEC, Fault, Loc, kind_of
from compiler.spec.tree import Node, read_tree


def read_spec(text: str | bytes, origin: str) -> Spec:
    """Read and check a spec. `origin` (a file's name) only goes into messages.

    Raises SpecError for the first item, by line, that is wrong: first among the keys and kinds, then in what they say.
    """
    root = read_tree(text, origin)
    if root is None or root.value is None:
        raise SpecError("the spec is empty", origin=origin, line=1, remedy=MINIMUM)
    if not isinstance(root.value, dict):
        what = f"the spec is {kind_of(root.value)}, not a mapping of keys"
        raise SpecError(what, origin=origin, line=root.line, remedy=MINIMUM)
    faults: list[Fault] = []
    shape = SPEC(root.plain(), (), faults)
    if faults:
        faults.sort(key=lambda each: each.missing)  # of one line, a misspelt key before a missing one
        raise min((_error(root, origin, each) for each in faults), key=lambda each: each.line)
    spec = _spec(shape, root, text if isinstance(text, str) else text.decode("utf-8-sig"), origin)
    check(spec)
    return in_order(spec)


def _error(root: Node, origin: str, fault: Fault) -> SpecError:
    at = (*fault.loc, fault.key) if fault.key else fault.loc
    item = _item(root, fault.loc)
    return SpecError(fault.what, origin=origin, line=_line(root, at), item=item, remedy=fault.remedy)


def _spec(shape: Any, root: Node, text: str, origin: str) -> Spec:
    def at(*loc: int | str) -> tuple[int, str]:
        return _line(root, loc), _item(root, loc)

    return Spec(
        programs=tuple(
            ProgramRule(name, each["exe"], *at("programs", name)) for name, each in shape["programs"].items()
        ),
        functions=tuple(_function(root, number, each) for number, each in enumerate(shape["functions"])),
        tables=tuple(
            DerivedTable(name, each["sql"], *at("tables", name), each["note"]) for name, each in shape["tables"].items()
        ),
        links=tuple(
            Link(each["from"], each["from_columns"], each["to"], each["to_columns"], each["note"], *at("links", number))
            for number, each in enumerate(shape["links"])
        ),
        limits=Limits().override(shape["limits"]),
        text=text,
        origin=origin,
        types=tuple(_type(root, number, each) for number, each in enumerate(shape["types"])),
    )


def _function(root: Node, number: int, shape: Any) -> FunctionSpec:
    loc: Loc = ("functions", number)
    extra = []
    for index, one in enumerate(shape["extra"]):
        here = (*loc, "extra", index)
        item = f'{_item(root, here)} "{one["name"]}"'
        extra.append(Extra(one["name"], one["expr"], one["unit"], _line(root, here), item))
    table = shape["function"] if shape["table"] is None else shape["table"]
    place = _line(root, loc), _item(root, loc)
    collect = _collected(root, loc, shape["collect"])
    return FunctionSpec(shape["function"], table, collect, tuple(extra), *place, _changes(shape["limits"]))


def _type(root: Node, number: int, shape: Any) -> TypeSpec:
    loc: Loc = ("types", number)
    place = _line(root, loc), _item(root, loc)
    return TypeSpec(shape["type"], _collected(root, loc, shape["collect"]), *place, _changes(shape["limits"]))


def _collected(root: Node, loc: Loc, shapes: Sequence[Any]) -> tuple[Collect, ...]:
    collect = []
    for index, each in enumerate(shapes):
        here = (*loc, "collect", index)
        name = each["expr"] if each["as"] is None else each["as"]
        collect.append(Collect(each["expr"], name, _line(root, here), _item(root, here), _changes(each["limits"])))
    return tuple(collect)


def _changes(limits: Mapping[str, int]) -> LimitChanges:
    return tuple(sorted(limits.items()))


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
