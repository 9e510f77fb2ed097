"""Type-level capture: what a spec collects of a struct type wherever it is met."""

from collections.abc import Callable
from typing import assert_never

from compiler.dwarf.gotypes import KIND_STRUCT
from compiler.dwarf.typetable import TypeTable
from compiler.expression.operations import Expression, FieldOf
from compiler.expression.parse import parse
from compiler.expression.resolve import resolve
from compiler.expression.way import Resolved, Scope, Unresolved
from compiler.ir.access_check import MAX_ROOT
from compiler.ir.frozen import field, frozen
from compiler.ir.limits import Limits
from compiler.ir.program import Deref, Element, Range, Select
from compiler.ir.types import Field, PickedMember, Pointer, Slice, String, Struct, TypeId
from compiler.spec import Collect, Spec, TypeSpec
from compiler.typepaths import Picked

Note = Callable[[str, str, int | None, tuple[str, ...]], None]
"""Files an Issue: item, message, line, nearest names."""
Accesses = Callable[[Resolved, Limits, str], int]
"""Files an Access: its number."""


def pick_types(spec: Spec, scope: Scope, access: Accesses, note: Note) -> Picked:
    """Have the type table describe every type of `spec.types` by what is collected of it; what that is, by linked name."""
    picked: dict[str, dict[str, tuple[int, ...] | None]] = {}
    for each in spec.types:
        found = [
            (name, die) for name, die in scope.names.find(each.type.lstrip("*")) if scope.types.kind(die) == KIND_STRUCT
        ]
        item = f"type {each.type}"
        if not found:
            message = f'no struct type "{each.type}" in this binary'
            note(item, message, each.line, scope.names.nearest(each.type.lstrip("*")))
        elif len(found) > 1:
            message = f'"{each.type}" may be any of {len(found)} types: write more of its path'
            note(item, message, each.line, tuple(name for name, _ in found))
        elif scope.types.size(found[0][1]) > MAX_ROOT:
            note(item, f"a {each.type} has more than {MAX_ROOT} bytes: collect it in functions", each.line, ())
        else:
            picked[found[0][0]] = _pick(spec, scope, each, found[0], access, note)
    return picked


def _pick(
    spec: Spec, scope: Scope, type_: TypeSpec, struct: tuple[str, int], access: Accesses, note: Note
) -> dict[str, tuple[int, ...] | None]:
    (name, die), members, ways = struct, [], _Part()
    ends: dict[str, tuple[int, ...] | None] = {}
    for collect in type_.collect:
        limits = spec.limits.override({**dict(type_.limits), **dict(collect.limits)})
        try:
            resolved = resolve(scope, _from_fields(collect), die, limits, escaped=False)
            ways.add(resolved, limits)
        except Unresolved as error:
            note(f"type {type_.type}: {collect.expr}", error.message, collect.line, error.names)
            members.append(PickedMember(collect.name, None))
            ends[collect.name] = None
        else:
            members.append(PickedMember(collect.name, access(resolved, limits, collect.expr)))
            ends[collect.name] = resolved.ends
    inner = ways.described(scope.table, scope.types.size(die))
    scope.table.pick(name, scope.types.printed_name(name), inner, tuple(members))
    return ends


def _from_fields(collect: Collect) -> Expression:
    """The expression's first name is a field of the struct."""
    expression = parse(collect.expr)
    return Expression(expression.text, "", (FieldOf(expression.root), *expression.operations))


@frozen
class _Part:
    """What must be followed of one object: values at offsets, and parts of what its pointers and slices lead to."""

    values: dict[tuple[int, TypeId], None] = field(default_factory=dict)
    pointers: "dict[int, _Part]" = field(default_factory=dict)
    slices: "dict[tuple[int, int], _Part]" = field(default_factory=dict)
    """By offset and stride."""

    def add(self, resolved: Resolved, limits: Limits) -> None:
        """Enter a way; Unresolved where it asks for elements that are not followed."""
        part, at = self, 0
        for step in resolved.steps:
            match step:
                case Select(offset=offset):
                    at += offset
                case Deref():
                    part, at = part.pointers.setdefault(at, _Part()), 0
                case Element(index=index, stride=stride):
                    _within(index + 1, limits.string_bytes if stride == 1 else limits.slice_items)
                    part, at = part.slices.setdefault((at, stride), _Part()), 0
                case Range(hi=hi, elem=elem):
                    _within(hi or 0, limits.string_bytes if elem is None else limits.slice_items)
                case _:
                    assert_never(step)
        part.values[at, resolved.type] = None

    def described(self, table: TypeTable, size: int | None = None) -> TypeId:
        """A struct type of just this; `size` where it is known."""
        fields = [(at, type_id) for at, type_id in self.values]
        fields += [(at, table.made(Pointer("", 8, part.described(table)))) for at, part in self.pointers.items()]
        for (at, stride), part in self.slices.items():
            contents = String("string", 16) if stride == 1 else Slice("", 24, part.described(table, stride), stride)
            fields.append((at, table.made(contents)))
        ends = [at + table.size_of(type_id) for at, type_id in fields]
        named = tuple(Field("", at, type_id) for at, type_id in sorted(fields))
        return table.made(Struct("", max([size or 0, *ends]), named))


def _within(wanted: int, limit: int) -> None:
    if wanted > limit:
        raise Unresolved(f"element {wanted - 1} of a type's slice is beyond the limit of {limit}; raise `limits`")
