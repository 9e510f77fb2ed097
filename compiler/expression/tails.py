"""The ways on from what interfaces hold, of the Program that is being made: once an expression, however many types lead there."""

from collections.abc import Hashable
from typing import Any

from compiler.expression.way import Unresolved
from compiler.ir.access_check import MAX_TAILS
from compiler.ir.program import Tail


class Tails:
    """Numbers tails; those that one leads on to are numbered before it."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, Tail], int] = {}
        """With the expression's text: to Python, m[1] and m[true] are the same."""
        self.known: dict[Hashable, Any] = {}
        """What was resolved before: interfaces within each other hold the same types, and lead to the same fields."""

    def file(self, text: str, tail: Tail) -> int:
        """The number of a tail of the expression that is written so."""
        if (text, tail) not in self._numbers and len(self._numbers) >= MAX_TAILS:
            what = f"fields of what interfaces hold are found in more than {MAX_TAILS} ways"
            raise Unresolved(f"{what}; write the type that is held: x.(*T).Field")
        return self._numbers.setdefault((text, tail), len(self._numbers))

    def all(self) -> tuple[Tail, ...]:
        """In order."""
        return tuple(tail for _, tail in self._numbers)
