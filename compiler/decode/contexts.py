"""Go's contexts as structs: which of them carries a key and a value, and where each has the context that it was made from."""

from compiler.ir.types import Field, Interface, Struct, Type, TypeId

VALUE_CONTEXT = "context.valueCtx"
CONTEXT = "context.Context"
VALUE_FIELDS = {"Context", "key", "val"}
MAX_EMBEDDED = 4


def is_value_context(kind: Struct) -> bool:
    """Whether context.WithValue made it."""
    return kind.name == VALUE_CONTEXT and {each.name for each in kind.fields} >= VALUE_FIELDS


def member(kind: Struct, name: str) -> Field:
    """A field that is there."""
    return next(each for each in kind.fields if each.name == name)


def context_in(types: tuple[Type, ...], kind: Type, nesting: int = 0) -> tuple[int, TypeId] | None:
    """(offset, interface type) of the context that one was made from: the first field that is a context.Context."""
    if not isinstance(kind, Struct) or nesting > MAX_EMBEDDED:
        return None
    for each in kind.fields:
        inner = types[each.type]
        if isinstance(inner, Interface) and inner.name == CONTEXT:
            return each.offset, each.type
        found = context_in(types, inner, nesting + 1) if each.embedded else None
        if found is not None:
            return each.offset + found[0], found[1]
    return None
