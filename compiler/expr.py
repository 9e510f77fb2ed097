"""The expressions a spec collects: Go's own selectors and dereferences, from a variable on. Parsing only; types come later.

q      s.user.Name      *p      (*p).next.value      main.config.Limits
"""

import re
from dataclasses import dataclass

from compiler.ir.errors import BadInput

TOKEN = re.compile(r"\s*(?:(?P<name>[^\W\d]\w*)|(?P<mark>[.*()])|(?P<bad>\S))")
MAX_LENGTH = 1000
MAX_NESTING = 50


class ExpressionError(BadInput):
    """An expression that does not parse; `position` is the 0-based character."""

    def __init__(self, text: str, position: int, what: str, remedy: str) -> None:
        super().__init__(f'{what} at character {position + 1} of "{text[:80]}"', remedy=remedy)
        self.position = position


@dataclass(frozen=True, slots=True)
class FieldOf:
    """`.name`; looks through pointers as Go does."""

    name: str


@dataclass(frozen=True, slots=True)
class PointedTo:
    """`*`."""


Operation = FieldOf | PointedTo


@dataclass(frozen=True, slots=True)
class Expression:
    """A variable and what is done to it, first to last."""

    text: str
    root: str
    operations: tuple[Operation, ...]


def parse(text: str) -> Expression:
    """The expression in `text`; ExpressionError names the character and what to write."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(text, MAX_LENGTH, "the expression is too long", f"write at most {MAX_LENGTH} characters")
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [
            (m.lastgroup, m[m.lastgroup], m.start(m.lastgroup)) for m in TOKEN.finditer(text) if m.lastgroup
        ]
        self._at = 0

    def parse(self) -> Expression:
        root, operations = self._unary(0)
        kind, value, position = self._peek()
        if kind != "end":
            raise self._error(position, f'"{value}" is not understood')
        return Expression(self._text, root, tuple(operations))

    def _peek(self) -> tuple[str, str, int]:
        if self._at == len(self._tokens):
            return "end", "", len(self._text)
        kind, value, position = self._tokens[self._at]
        return str(kind), value, position

    def _error(self, position: int, what: str) -> ExpressionError:
        remedy = "write a variable with fields and dereferences, such as s.user.Name or (*p).next"
        return ExpressionError(self._text, position, what, remedy)

    def _unary(self, nesting: int) -> tuple[str, list[Operation]]:
        kind, value, position = self._peek()
        if nesting > MAX_NESTING:
            raise self._error(position, "it is nested too deeply")
        if (kind, value) == ("mark", "*"):
            self._at += 1
            root, operations = self._unary(nesting + 1)
            return root, [*operations, PointedTo()]
        return self._postfix(nesting)

    def _postfix(self, nesting: int) -> tuple[str, list[Operation]]:
        root, operations = self._primary(nesting)
        while self._peek()[:2] == ("mark", "."):
            self._at += 1
            kind, value, position = self._peek()
            if kind != "name":
                raise self._error(position, "a field's name is missing")
            self._at += 1
            operations.append(FieldOf(value))
        return root, operations

    def _primary(self, nesting: int) -> tuple[str, list[Operation]]:
        kind, value, position = self._peek()
        if kind == "name":
            self._at += 1
            return value, []
        if (kind, value) != ("mark", "("):
            raise self._error(position, f'"{value}" is not understood' if value else "a variable's name is missing")
        self._at += 1
        root, operations = self._unary(nesting + 1)
        kind, value, position = self._peek()
        if (kind, value) != ("mark", ")"):
            raise self._error(position, 'a ")" is missing')
        self._at += 1
        return root, operations
