"""The run-time fence around comparisons with numbers: `v > 5` becomes `ordered(v) > 5`, `v = 5` becomes `comparable(v) = 5`.

To SQLite every text is more than any number, and a column of an interface type is JSON text with a number in it: what
stands beside a number goes through a function that takes the number out, or refuses what is none. Where neither side can
be seen to be a number, SQLite compares as it does.
"""

from collections.abc import Iterator, Sequence

from compiler.sql.fence import ARITHMETIC, chain_end, chain_start, is_number, is_sign
from compiler.sql.lexer import Splice, Token
from compiler.sql.names import fold, unquote
from compiler.sql.operands import closing
from compiler.sql.shown import INT64

_ORDERS = frozenset({"<", "<=", ">", ">="})
_EQUALS = frozenset({"=", "==", "<>", "!="})
_NUMBERS = frozenset({"process_id", "goroutine_id", "depth", "line", "captured_at_ns"})
"""Columns of every snapshot that hold numbers, nothing else: a panel that filters by them needs no fence."""
_NUMERIC_TYPES = frozenset({"INTEGER", "INT", "BIGINT", "REAL", "DOUBLE", "FLOAT", "NUMERIC"})

Span = tuple[int, int]
"""First and last token of an operand."""


def comparison_splices(tokens: Sequence[Token]) -> list[Splice]:
    """The splices that wrap what is compared with a number."""
    wrapped: dict[Span, str] = {}
    for index, token in enumerate(tokens):
        for span, function in _compared(tokens, index, token):
            if wrapped.get(span) != "ordered":
                wrapped[span] = function
    opens = [Splice(tokens[first].start, tokens[first].start, f"{name}(") for (first, _), name in wrapped.items()]
    return opens + [Splice(tokens[last].end, tokens[last].end, ")") for _, last in wrapped]


def _compared(tokens: Sequence[Token], index: int, token: Token) -> list[tuple[Span, str]]:
    """What the comparison at `index` has beside a number, with the function that it goes through."""
    if token.kind == "operator" and token.text in _ORDERS:
        return _fenced(tokens, [_left(tokens, index), _right(tokens, index + 1)], "ordered")
    if token.kind == "operator" and token.text in _EQUALS:
        return _equal(tokens, index, index + 1)
    if token.keyword == "IS":
        return _equal(tokens, index, _after_is(tokens, index + 1))
    left = index - 1 if index and tokens[index - 1].keyword == "NOT" else index
    if token.keyword == "BETWEEN":
        return _between(tokens, left, index + 1)
    if token.keyword == "IN" and index + 1 < len(tokens) and tokens[index + 1].text == "(":
        return _equal(tokens, left, index + 2)
    return []


def _equal(tokens: Sequence[Token], operator: int, right: int) -> list[tuple[Span, str]]:
    """Of an equality; of `x IN (1, 2)` the x, by the first of the list."""
    spans = [_left(tokens, operator), _right(tokens, right)]
    found = _fenced(tokens, spans, "comparable")
    return found if tokens[operator].text in _EQUALS else [each for each in found if each[0] == spans[0]]


def _between(tokens: Sequence[Token], operator: int, first: int) -> list[tuple[Span, str]]:
    """Of `x BETWEEN low AND high`; nothing of a window's frame, `ROWS BETWEEN 1 PRECEDING AND CURRENT ROW`."""
    low = _right(tokens, first)
    if low is None or low[1] + 1 >= len(tokens) or tokens[low[1] + 1].keyword != "AND":
        return []
    return _fenced(tokens, [_left(tokens, operator), low, _right(tokens, low[1] + 2)], "ordered")


def _after_is(tokens: Sequence[Token], index: int) -> int:
    """Where the right side begins behind IS, IS NOT, IS [NOT] DISTINCT FROM."""
    while index < len(tokens) and tokens[index].keyword in ("NOT", "DISTINCT", "FROM"):
        index += 1
    return index


def _fenced(tokens: Sequence[Token], spans: Sequence[Span | None], function: str) -> list[tuple[Span, str]]:
    """The operands that cannot be seen to be numbers, where another one can."""
    known = [span for span in spans if span is not None]
    numbers = [span for span in known if _seen_as_number(tokens, span)]
    if not numbers or len(known) < len(spans):
        return []
    return [(span, function) for span in known if span not in numbers and not _is_row(tokens, *span)]


def _left(tokens: Sequence[Token], operator: int) -> Span | None:
    """The operand that ends before a comparison, with the arithmetic in it and its sign."""
    start = chain_start(tokens, operator - 1)
    while start is not None and start >= 2 and tokens[start - 1].text in ARITHMETIC and not is_sign(tokens, start - 1):
        start = chain_start(tokens, start - 2)
    while start is not None and start >= 1 and is_sign(tokens, start - 1):
        start -= 1
    return None if start is None else (start, operator - 1)


def _right(tokens: Sequence[Token], first: int) -> Span | None:
    """The operand that begins at `first`, in the same way."""
    at = first
    while True:
        while at < len(tokens) and is_sign(tokens, at):
            at += 1
        last = chain_end(tokens, at)
        if last is None or last + 1 >= len(tokens) or tokens[last + 1].text not in ARITHMETIC:
            return None if last is None else (first, last)
        at = last + 2


def _seen_as_number(tokens: Sequence[Token], span: Span) -> bool:
    """Whether it can be seen to be a number: a literal, arithmetic, a call that gives one, a column that holds them."""
    first, last = span
    while tokens[first].text == "+" or (tokens[first].text == "(" and closing(tokens, first) == last):
        first, last = first + 1, last - (tokens[first].text == "(")
    if first == last:
        token = tokens[first]
        return token.kind == "number" or token.keyword in ("TRUE", "FALSE") or _is_known_column(token)
    if tokens[first].text in ("-", "~"):
        return True
    if first + 2 == last and tokens[first + 1].text == ".":
        return _is_known_column(tokens[last])
    if is_number(tokens, first, last):
        return True
    if tokens[first].keyword == "CAST" and closing(tokens, first + 1) == last:
        return tokens[last - 1].keyword in _NUMERIC_TYPES
    end = chain_end(tokens, first)
    return end is not None and end < last and tokens[end + 1].text in ARITHMETIC


def _is_row(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether it is several values in parentheses, which no function takes."""
    if tokens[first].text != "(" or closing(tokens, first) != last:
        return False
    at = first + 1
    while at < last and tokens[at].text != ",":
        at = 1 + ((closing(tokens, at) or at) if tokens[at].text == "(" else at)
    return at < last and tokens[first + 1].keyword not in ("SELECT", "WITH", "VALUES")


def _is_known_column(token: Token) -> bool:
    return token.is_name and fold(unquote(token.text)) in _NUMBERS


def rounded(tokens: Sequence[Token]) -> Iterator[Token]:
    """Integers in equalities that SQLite would round to compare: `x = 12345678901234567890`, `x IN (...)`."""
    listed = [range(0)]
    for index, token in enumerate(tokens):
        if token.keyword == "IN" and index + 1 < len(tokens) and tokens[index + 1].text == "(":
            listed.append(range(index, closing(tokens, index + 1) or index))
        beside = {
            each.keyword or each.text for each in (*tokens[max(index - 1, 0) : index], *tokens[index + 1 : index + 2])
        }
        equal = any(index in each for each in listed) or beside & (_EQUALS | {"IS"})
        if equal and token.kind == "number" and token.text.isdigit() and int(token.text) not in INT64:
            yield token
