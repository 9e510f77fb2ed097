"""Which values are times: a path through a Go type, as JSON shows it, followed to its end."""

from compiler.dwarf.gotypes import KIND_ARRAY, KIND_MAP, KIND_POINTER, KIND_SLICE, KIND_STRUCT, GoTypes


def is_time(types: GoTypes, type_offset: int, path: tuple[str | int, ...]) -> bool:
    """Whether the path (field names, map keys, indexes) leads from the type to a time.Time."""
    offset: int | None = type_offset
    for step in path:
        offset = None if offset is None else _inside(types, _pointee(types, offset), step)
    return offset is not None and types.name(_pointee(types, offset)) == "time.Time"


def _pointee(types: GoTypes, offset: int) -> int:
    """Through pointers, as JSON shows what they point to."""
    for _ in range(8):
        target = types.pointee(offset) if types.kind(offset) == KIND_POINTER else None
        if target is None:
            break
        offset = target
    return offset


def _inside(types: GoTypes, offset: int, step: str | int) -> int | None:
    kind = types.kind(offset)
    if kind == KIND_STRUCT and isinstance(step, str):
        members = [member for member in types.members(offset) if member.name == step]
        embedded = [member for member in types.members(offset) if member.embedded]
        named = members or [m for m in embedded if types.name(m.type).rpartition(".")[2].lstrip("*") == step]
        return named[0].type if named else None
    if kind == KIND_ARRAY:
        return types.array(offset)[0]
    if kind in (KIND_SLICE, KIND_MAP):
        return types.elem(offset)
    return None
