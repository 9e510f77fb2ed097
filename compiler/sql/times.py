"""Arithmetic on a time's text, found before it happens: SQLite would quietly calculate with the year."""

from collections.abc import Callable

from sqlglot import exp

from compiler.sql.fence import ARITHMETIC_FUNCTIONS
from compiler.sql.names import fold
from compiler.sql.parse import parse_statement
from compiler.sql.places import Path, place, written

IsTime = Callable[[str, Path], bool]
"""Whether a column, or the place in its JSON that the path leads to, holds a time.Time."""

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.IntDiv)
_PASSES_ON = (exp.Paren, exp.Coalesce, exp.Max, exp.Min, exp.Nullif, exp.If, exp.Case)
_NUMERIC = frozenset({"INT", "BIGINT", "DOUBLE", "FLOAT", "DECIMAL", "SMALLINT", "TINYINT"})
_MAIN_ARGUMENTS: dict[type, tuple[str, ...]] = {
    exp.Nullif: ("this",),
    exp.If: ("true", "false"),
    exp.Case: ("ifs", "default"),
}


def find_time_arithmetic(expr: str, is_time: IsTime) -> str | None:
    """The first time that an extra column's expression calculates with, as one would write it; None if it does not."""
    for node in _tree(expr).walk():
        for operand in _operands(node):
            found = _time(operand, is_time)
            if found is not None:
                return found
    return None


def is_time_value(expr: str, is_time: IsTime) -> bool:
    """Whether the expression's own value is a time."""
    tree = _tree(expr)
    return any(_time(each, is_time) is not None for each in tree.args.get("expressions") or [])


def _tree(expr: str) -> exp.Expr:
    return parse_statement("SELECT " + expr, name_results=False).tree


def _operands(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, _ARITHMETIC):
        return [each for each in (node.this, node.args.get("expression")) if each is not None]
    called = fold(node.name if isinstance(node, exp.Anonymous) else node.key)
    if called in ARITHMETIC_FUNCTIONS:
        return [node.expressions[0]] if isinstance(node, exp.Anonymous) and node.expressions else [node.this]
    if isinstance(node, exp.Cast) and node.to.this.name in _NUMERIC:
        return [node.this]
    return []


def _time(node: object, is_time: IsTime) -> str | None:
    """How one writes the time that this value is; None if it is none."""
    if not isinstance(node, exp.Expr):
        return None
    found = place(node)
    if found is not None:
        column, path = found[0].name, found[1]
        return written(column, path) if is_time(column, path) else None
    if not isinstance(node, _PASSES_ON):
        return None
    names = _MAIN_ARGUMENTS.get(type(node), tuple(node.args))
    values = [each for name in names for each in _as_list(node.args.get(name))]
    return next((inner for each in values if (inner := _time(each, is_time)) is not None), None)


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
