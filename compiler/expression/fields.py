"""Fields of Go structs by Go's own rules: promoted ones, and those behind sync/atomic's wrappers."""

from compiler.dwarf.gotypes import (
    ATOMIC,
    KIND_ARRAY,
    KIND_INTERFACE,
    KIND_POINTER,
    KIND_STRUCT,
    KIND_UNSAFE_POINTER,
    GoTypes,
    Member,
)

MAX_EMBEDDING = 16


def unwrapped(types: GoTypes, offset: int) -> tuple[int, int]:
    """(offset in it, type) of what an atomic.Pointer[T] (a *T) or an atomic.Value (an `any`) is for; (0, itself) for others."""
    atomic = ATOMIC.match(types.name(offset))
    if atomic is None or atomic[1] not in ("Pointer", "Value"):
        return 0, offset
    members = types.members(offset)
    if atomic[1] == "Value":
        held = next((m for m in members if types.kind(m.type) == KIND_INTERFACE), None)
        return (0, offset) if held is None else (held.offset, held.type)
    value = next((m for m in members if types.kind(m.type) == KIND_UNSAFE_POINTER), None)
    typed = next((types.array(m.type)[0] for m in members if types.kind(m.type) == KIND_ARRAY), None)
    return (0, offset) if value is None or typed is None else (value.offset, typed)


def find_field(types: GoTypes, offset: int, name: str) -> tuple[Member, ...] | None:
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


def all_names(types: GoTypes, offset: int) -> set[str]:
    """The fields that can be asked for, promoted ones included."""
    names: set[str] = set()
    level: list[tuple[int, tuple[Member, ...]]] = [(offset, ())]
    for _ in range(3):
        names |= {m.name for struct, _ in level for m in types.members(struct) if m.name != "_"}
        level = [step for struct, path in level for step in _embedded(types, struct, path)]
    return names
