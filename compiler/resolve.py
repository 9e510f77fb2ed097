"""From a variable's type through an expression's operations to the steps a probe takes and the type it ends at."""

from dataclasses import dataclass

from compiler.dwarf.gotypes import (
    ATOMIC,
    KIND_ARRAY,
    KIND_INTERFACE,
    KIND_POINTER,
    KIND_STRUCT,
    KIND_UNSAFE_POINTER,
    GoTypes,
    Member,
    printed_type,
)
from compiler.expr import Expression, FieldOf, PointedTo
from compiler.ir.program import Deref, Select, Step
from compiler.ir.program_check import MAX_ROOT, MAX_STEPS
from compiler.nearest import nearest

MAX_EMBEDDING = 16


class Unresolved(Exception):
    """Why an expression does not fit the types; `names` are the nearest that do."""

    def __init__(self, message: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.names = names


@dataclass(frozen=True, slots=True)
class Resolved:
    """Steps from the root's bytes, and the type (DIE offset) of what is there."""

    root_size: int
    steps: tuple[Step, ...]
    type: int


def resolve(types: GoTypes, expression: Expression, type_offset: int, *, escaped: bool) -> Resolved:
    """The steps of `expression` from a variable of the type; `escaped`: the variable is a pointer to the one that was named."""
    steps: list[Step] = []
    current = type_offset
    if escaped:
        current = _follow(types, current, steps)
    for operation in expression.operations:
        match operation:
            case FieldOf(name=name):
                current = _field(types, current, name, steps, expression.text)
            case PointedTo():
                current = _follow(types, _unwrapped(types, current, steps), steps)
    return _bounded(Resolved(types.size(type_offset), _merged(steps), current))


def _bounded(resolved: Resolved) -> Resolved:
    """What a Program can hold; one expression beyond that must not cost the others."""
    if resolved.root_size > MAX_ROOT:
        raise Unresolved(f"the variable has {resolved.root_size} bytes, and at most {MAX_ROOT} are read of one")
    if len(resolved.steps) > MAX_STEPS:
        raise Unresolved(f"the expression takes {len(resolved.steps)} steps, and at most {MAX_STEPS} are taken")
    return resolved


def _merged(steps: list[Step]) -> tuple[Step, ...]:
    """Neighbouring selects as one, selects of offset 0 left out."""
    merged: list[Step] = []
    for step in steps:
        match step, merged:
            case Select(offset=0), _:
                continue
            case Select(offset=offset), [*_, Select(offset=before)]:
                merged[-1] = Select(before + offset)
            case _:
                merged.append(step)
    return tuple(merged)


def _follow(types: GoTypes, offset: int, steps: list[Step]) -> int:
    target = types.pointee(offset) if types.kind(offset) == KIND_POINTER else None
    if target is None:
        raise Unresolved(f"{printed_type(types.name(offset))} is no pointer that can be followed")
    steps.append(Deref())
    return target


def _unwrapped(types: GoTypes, offset: int, steps: list[Step]) -> int:
    """Through atomic.Pointer[T] to its *T, as Go's engineers read it."""
    atomic = ATOMIC.match(types.name(offset))
    if atomic is None or atomic[1] != "Pointer":
        return offset
    members = types.members(offset)
    value = next((m for m in members if types.kind(m.type) == KIND_UNSAFE_POINTER), None)
    typed = next((types.array(m.type)[0] for m in members if types.kind(m.type) == KIND_ARRAY), None)
    if value is None or typed is None:
        return offset
    steps.append(Select(value.offset))
    return typed


def _field(types: GoTypes, offset: int, name: str, steps: list[Step], text: str) -> int:
    offset = _unwrapped(types, offset, steps)
    if types.kind(offset) == KIND_POINTER:
        offset = _follow(types, offset, steps)
    if types.kind(offset) == KIND_INTERFACE:
        raise Unresolved(
            f'".{name}" in "{text}": {printed_type(types.name(offset))} is an interface; collect the interface itself'
        )
    if types.kind(offset) != KIND_STRUCT:
        raise Unresolved(f'".{name}" in "{text}": {printed_type(types.name(offset)) or "this"} is no struct')
    path = _find(types, offset, name)
    if path is None:
        fields = sorted(_all_names(types, offset))
        raise Unresolved(
            f'no field "{name}" in {printed_type(types.name(offset)) or "struct"}, in "{text}"', nearest(name, fields)
        )
    for position, member in enumerate(path):
        steps.append(Select(member.offset))
        offset = member.type
        if position < len(path) - 1 and types.kind(offset) == KIND_POINTER:
            offset = _follow(types, offset, steps)
    return offset


def _find(types: GoTypes, offset: int, name: str) -> tuple[Member, ...] | None:
    """The members on the way to a field, promoted ones by Go's rule: the shallowest depth, and only one there."""
    level: list[tuple[int, tuple[Member, ...]]] = [(offset, ())]
    seen: set[int] = set()
    for _ in range(MAX_EMBEDDING):
        hits = [(*path, m) for struct, path in level for m in types.members(struct) if m.name == name]
        if hits:
            return hits[0] if len(hits) == 1 else None
        level = [step for struct, path in level for step in _embedded(types, struct, path) if step[0] not in seen]
        seen |= {struct for struct, _ in level}
    return None


def _embedded(types: GoTypes, struct: int, path: tuple[Member, ...]) -> list[tuple[int, tuple[Member, ...]]]:
    found = []
    for member in types.members(struct):
        if member.embedded:
            inner = types.pointee(member.type) if types.kind(member.type) == KIND_POINTER else member.type
            if inner is not None and types.kind(inner) == KIND_STRUCT:
                found.append((types.structure(inner), (*path, member)))
    return found


def _all_names(types: GoTypes, offset: int) -> set[str]:
    names: set[str] = set()
    level: list[tuple[int, tuple[Member, ...]]] = [(offset, ())]
    for _ in range(3):
        names |= {m.name for struct, _ in level for m in types.members(struct) if m.name != "_"}
        level = [step for struct, path in level for step in _embedded(types, struct, path)]
    return names
