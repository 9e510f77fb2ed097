"""The names of a SELECT's columns: one that has none is called by its own text, such as `count(*)` or `q->SQL`."""

from collections.abc import Sequence

from compiler.sql.lexer import NOT_AN_OPERAND, Splice, Token
from compiler.sql.names import quote

_ENDS_RESULT = frozenset(
    {"FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT"}
)
_END_EXPRESSIONS = frozenset({"END", "ISNULL", "NOTNULL"})
"""Words that end an expression, and so are no name after it."""
_CONSTANTS = frozenset({"NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"})


def name_splices(sql: str, tokens: Sequence[Token]) -> list[Splice]:
    """` AS "text"` behind every nameless expression of the first SELECT outside of parentheses."""
    return [
        Splice(item[-1].end, item[-1].end, " AS " + quote(sql[item[0].start : item[-1].end]))
        for item in _items(tokens)
        if not _is_named(item)
    ]


def _items(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of each item between SELECT and FROM."""
    items: list[list[Token]] = []
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        first = len(items) == 1 and not items[0]
        if depth == 0 and not items and token.keyword == "SELECT":
            items = [[]]
        elif (
            depth == 0 and items and token.keyword in _ENDS_RESULT and items[-1][-1:] != [] and not _in_path(items[-1])
        ):
            break
        elif depth == 0 and items and token.text == ",":
            items.append([])
        elif items and not (first and token.keyword in ("DISTINCT", "ALL")):
            items[-1].append(token)
    return [item for item in items if item]


def _in_path(item: Sequence[Token]) -> bool:
    """Whether the next word is a field (`q->Order`) or the second half of IS DISTINCT FROM."""
    return item[-1].text in ("->", "->>", ".") or item[-1].keyword == "DISTINCT"


def _is_named(item: Sequence[Token]) -> bool:
    last = item[-1]
    if last.text == "*":
        return True
    if len(item) == 1:
        return last.is_name and last.keyword not in _CONSTANTS
    if last.kind not in ("word", "quoted", "string") or last.keyword in _END_EXPRESSIONS:
        return False
    before = item[-2]
    if before.text == ".":
        return all(token.is_name or token.text == "." for token in item)
    ends_operand = before.text == ")" or (before.kind != "operator" and before.keyword not in NOT_AN_OPERAND)
    return before.keyword == "AS" or ends_operand
