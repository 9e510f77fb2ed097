"""Places in a row: a column, or what a path leads to in its JSON; found in SQL where one can see which is meant."""

import re
from typing import TYPE_CHECKING

from compiler.ir.frozen import frozen
from compiler.sql.names import fold

if TYPE_CHECKING:
    from sqlglot import exp

Path = tuple[str | int, ...]
_STEP = re.compile(r'\.(?:"([^"]*)"|([^.\[\]"]+))|\[(#?-?\d+)\]')


@frozen
class Place:
    """What a function table's collected column holds at a path (field names, map keys, indexes) in its JSON."""

    table: str
    column: str
    path: Path = ()

    def inside(self, path: Path) -> "Place":
        """What the path leads to from here."""
        return Place(self.table, self.column, self.path + path)

    @property
    def written(self) -> str:
        """As one would write it: q->user.Name."""
        return written(self.column, self.path)


def place(node: "exp.Expr") -> "tuple[exp.Column, Path] | None":
    """Column and path of a column, `q->a.b`, `q->>'$.a.b'` or json_extract(q, '$.a.b'); None for anything else."""
    from sqlglot import exp  # places are there also where no SQL is

    match node:
        case exp.Column():
            return node, ()
        case exp.Paren():
            return place(node.this)
        case exp.Anonymous() if fold(node.name) == "bare" and len(node.expressions) == 1:
            return place(node.expressions[0])
        case exp.JSONExtract() | exp.JSONExtractScalar() if not node.expressions:  # several paths give an array
            inner, literal = place(node.this), node.expression
            if inner is None or not isinstance(literal, exp.Literal):
                return None
            path = _steps(literal.name)
            return None if path is None else (inner[0], inner[1] + path)
        case _:
            return None


def written(column: str, path: Path) -> str:
    """A column and a path as one would write them."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return column if not path else f"{column}->{''.join(parts).lstrip('.')}"


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
