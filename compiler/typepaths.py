"""A path through a Go type, as JSON shows its values, followed to its end."""

from collections.abc import Mapping

from compiler.dwarf.gotypes import (
    ATOMIC,
    BASIC_KINDS,
    KIND_ARRAY,
    KIND_INTERFACE,
    KIND_MAP,
    KIND_POINTER,
    KIND_SLICE,
    KIND_STRUCT,
    KIND_UNSAFE_POINTER,
    GoTypes,
)
from compiler.ir.frozen import field, frozen
from compiler.naming.nearest import nearest

MAX_POINTERS = 16
Path = tuple[str | int, ...]


@frozen
class Lost:
    """Why a path leads nowhere, and the nearest names that do; `held`: into what an interface holds."""

    message: str
    names: tuple[str, ...] = ()
    held: bool = False


Picked = Mapping[str, Mapping[str, tuple[int, ...] | None]]
"""Struct types (linked names) of which a spec collects parts: each part's name to its types (DIE offsets), () where it is of
no type of the program's (a length), None where the binary does not have it."""


@frozen
class ShownTypes:
    """A binary's types as their values are shown."""

    go: GoTypes
    picked: Picked = field(default_factory=dict)

    def follow(self, type_offset: int, path: Path) -> list[int | Lost]:
        """The types that the path (field names, map keys, indexes) leads to, as they are declared: maybe pointers.

        Nothing where the spec's own Issue says already that the binary has no such thing.
        """
        ends: list[int | Lost] = [type_offset]
        for step in path:
            following = [[end] if isinstance(end, Lost) else self._inside(shown(self.go, end), step) for end in ends]
            ends = list(dict.fromkeys(each for found in following for each in found))
        return ends

    def _inside(self, offset: int, step: str | int) -> "list[int | Lost]":
        name = self.go.name(offset)
        if name not in self.picked:
            return [_inside(self.go, offset, step)]
        parts = self.picked[name]
        if step not in parts:
            what = f'the spec collects no "{step}" of {self.go.printed_name(name)}'
            return [Lost(what, nearest(str(step), sorted(parts)))]
        ends = parts[str(step)]
        if ends is None:
            return []
        return list(ends) or [Lost(f'"{step}" of {self.go.printed_name(name)} is not a value of one Go type')]


def shown(types: GoTypes, offset: int) -> int:
    """The type of what is shown of a value: through pointers, and into sync/atomic's types."""
    for _ in range(MAX_POINTERS):
        target = types.pointee(offset) if types.kind(offset) == KIND_POINTER else _wrapped(types, offset)
        if target is None:
            break
        offset = target
    return offset


def _wrapped(types: GoTypes, offset: int) -> int | None:
    """What a type of sync/atomic holds: of atomic.Pointer[T] the T; None for any other type."""
    if ATOMIC.match(types.name(offset)) is None or types.kind(offset) != KIND_STRUCT:
        return None
    members = types.members(offset)
    value = next((each.type for each in members if each.name in ("v", "value", "u")), None)
    if value is not None and types.kind(value) == KIND_UNSAFE_POINTER:
        return next((types.array(each.type)[0] for each in members if types.kind(each.type) == KIND_ARRAY), None)
    return value


def _inside(types: GoTypes, offset: int, step: str | int) -> int | Lost:
    kind, name = types.kind(offset), types.printed(offset) or "this struct"
    if kind == KIND_STRUCT and types.name(offset) == "sync.Map":
        kind = KIND_INTERFACE
    if kind == KIND_STRUCT and isinstance(step, str):
        members = [member for member in types.members(offset) if member.name == step]
        embedded = [member for member in types.members(offset) if member.embedded]
        named = members or [m for m in embedded if types.name(m.type).rpartition(".")[2].lstrip("*") == step]
        known = sorted(member.name for member in types.members(offset))
        return named[0].type if named else Lost(f'no field "{step}" in {name}', nearest(step, known))
    elem = types.array(offset)[0] if kind == KIND_ARRAY else types.elem(offset)
    if kind == KIND_INTERFACE:
        return Lost(f"what {name} holds is known only when it is captured", held=True)
    if kind not in (KIND_ARRAY, KIND_SLICE, KIND_MAP) or elem is None:
        return Lost(f'{name} has no "{step}" inside')
    if kind == KIND_SLICE and BASIC_KINDS.get(types.kind(elem)) == "uint" and types.size(elem) == 1:
        return Lost(f"{name} is shown as text")
    return elem
