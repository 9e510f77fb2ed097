"""Expressions made from their own vocabulary, written as Go writes them: parsing gives back what they were made of."""

import json
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from compiler.expression.operations import (
    AddressIn,
    Asserted,
    ContextKey,
    CountOf,
    FieldOf,
    IndexOf,
    Operation,
    PointedTo,
    SliceOf,
)
from compiler.expression.parse import parse

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(
    lambda n: n not in ("Value", "__addr", "len", "cap")
)
TYPES = st.sampled_from(
    ["*net.OpError", "main.key", "map[string][]int", "a/b.T", "func(int) error", "[]byte", "*x.Y[int]"]
)
WORDS = st.text(alphabet="abz \"\\'`[](){}.é\t0", max_size=6)
KEYS = st.integers(-(1 << 63), (1 << 63) - 1) | WORDS | st.booleans()
INDEXES = st.integers(0, (1 << 31) - 1)
CONTEXT_TYPES = st.sampled_from(["main.userKey", "*main.key", "user.id"])
OPERATIONS: dict[type[Operation], st.SearchStrategy[Operation]] = {
    FieldOf: st.builds(FieldOf, NAMES),
    PointedTo: st.just(PointedTo()),
    IndexOf: st.builds(IndexOf, KEYS),
    SliceOf: st.tuples(INDEXES, INDEXES | st.none()).map(
        lambda found: SliceOf(found[0] if found[1] is None else min(found[0], found[1]), found[1])
    ),
    CountOf: st.builds(CountOf, st.booleans()),
    Asserted: st.builds(Asserted, TYPES),
    ContextKey: st.builds(ContextKey, CONTEXT_TYPES, KEYS | st.none()) | st.builds(ContextKey, st.none(), KEYS),
    AddressIn: st.just(AddressIn()),
}


def literal(key: object) -> str:
    return json.dumps(key, ensure_ascii=False)


def written(text: str, operation: Operation) -> str:
    """The expression with one more operation."""
    before = f"({text})" if text.startswith("*") and not isinstance(operation, PointedTo | CountOf) else text
    match operation:
        case FieldOf(name=name):
            return f"{before}.{name}"
        case PointedTo():
            return f"*{before}"
        case IndexOf(key=key):
            return f"{before}[{literal(key)}]"
        case SliceOf(lo=lo, hi=hi):
            return f"{before}[{lo}:{'' if hi is None else hi}]"
        case CountOf(capacity=capacity):
            return f"{'cap' if capacity else 'len'}({before})"
        case Asserted(type=kind):
            return f"{before}.({kind})"
        case ContextKey(type=None, key=key):
            return f"{before}.Value({literal(key)})"
        case ContextKey(type=kind, key=None):
            return f"{before}.Value({kind})"
        case ContextKey(type=kind, key=key):
            return f"{before}.Value({kind}({literal(key)}))"
        case AddressIn():
            return f"{before}.__addr"


def test_every_operation_is_tried() -> None:
    assert OPERATIONS.keys() == set(get_args(Operation))


@given(NAMES, st.lists(st.one_of(*OPERATIONS.values()), max_size=8))
def test_what_is_written_is_read(root: str, operations: list[Operation]) -> None:
    text = root
    for operation in operations:
        text = written(text, operation)
    found = parse(text)
    assert (found.root, list(found.operations), found.text) == (root, operations, text)
