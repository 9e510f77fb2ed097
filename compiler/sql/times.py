"""Arithmetic on a time's text, found before it happens: SQLite would quietly calculate with the year."""

import re
from collections.abc import Callable

from sqlglot import exp

from compiler.sql.fence import ARITHMETIC_FUNCTIONS
from compiler.sql.names import fold
from compiler.sql.parse import parse_statement

Path = tuple[str | int, ...]
IsTime = Callable[[str, Path], bool]
"""Whether a column, or the place in its JSON that the path leads to, holds a time.Time."""

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.IntDiv)
_PASSES_ON = (exp.Paren, exp.Coalesce, exp.Max, exp.Min, exp.Nullif, exp.If, exp.Case)
_NUMERIC = frozenset({"INT", "BIGINT", "DOUBLE", "FLOAT", "DECIMAL", "SMALLINT", "TINYINT"})
_STEP = re.compile(r'\.(?:"([^"]*)"|([^.\[\]"]+))|\[(#?-?\d+)\]')
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
    place = _place(node)
    if place is not None:
        return _written(*place) if is_time(*place) else None
    if not isinstance(node, _PASSES_ON):
        return None
    names = _MAIN_ARGUMENTS.get(type(node), tuple(node.args))
    values = [each for name in names for each in _as_list(node.args.get(name))]
    return next((found for each in values if (found := _time(each, is_time)) is not None), None)


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _place(node: exp.Expr) -> tuple[str, Path] | None:
    """Column and path of a column, `q->a.b`, `q->>'$.a.b'` or json_extract(q, '$.a.b')."""
    if isinstance(node, exp.Column):
        return node.name, ()
    if isinstance(node, exp.Anonymous) and fold(node.name) == "bare" and len(node.expressions) == 1:
        return _place(node.expressions[0])
    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)):
        inner = _place(node.this)
        literal = node.expression
        if inner is None or not isinstance(literal, exp.Literal):
            return None
        path = _steps(literal.name)
        return None if path is None else (inner[0], inner[1] + path)
    return None


def _steps(text: str) -> Path | None:
    """The steps of a path in SQLite's notation; a bare name is one step. None for what this does not understand."""
    if not text.startswith("$"):
        return (text,)
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            return None
        quoted, plain, index = match.groups()
        steps.append(int(index.lstrip("#")) if index is not None else quoted if quoted is not None else plain)
        at = match.end()
    return tuple(steps)


def _written(column: str, path: Path) -> str:
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return column if not path else f"{column}->{''.join(parts).lstrip('.')}"
