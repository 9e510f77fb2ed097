"""The run-time fence around arithmetic: every operand that is no literal goes through `number()`, which refuses a time.

SQLite would quietly take the year of `2026-01-02T...` and calculate with it. What the compiler can see is an error
before the capture; what it cannot (derived tables, values behind interfaces) stops here.
"""

from collections.abc import Sequence

from compiler.sql.lexer import Splice, Token
from compiler.sql.names import fold, unquote
from compiler.sql.operands import CHAIN, closing, operand_end, operand_start

ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "&", "|", "<<", ">>", "~"})
ARITHMETIC_FUNCTIONS = frozenset({"sum", "total", "avg", "abs", "round"})
_NUMERIC_CALLS = frozenset({"ago", "unix_ns", "count", "length", "julianday", "unixepoch", *ARITHMETIC_FUNCTIONS})
_LITERALS = frozenset({"number", "string", "blob"})
_CONSTANTS = frozenset({"NULL", "TRUE", "FALSE"})


def fence_splices(tokens: Sequence[Token]) -> list[Splice]:
    """The splices that wrap the operands of arithmetic in `number(...)`."""
    spans: set[tuple[int, int]] = set()
    for index, token in enumerate(tokens):
        if token.text in ARITHMETIC and token.kind == "operator":
            spans |= _operands(tokens, index)
        elif fold(unquote(token.text)) in ARITHMETIC_FUNCTIONS:
            spans |= _argument(tokens, index)
    wrapped = [(tokens[first].start, tokens[last].end) for first, last in spans if not is_number(tokens, first, last)]
    opens = [Splice(start, start, "number(") for start, _ in wrapped]
    return opens + [Splice(end, end, ")") for _, end in wrapped]


def _operands(tokens: Sequence[Token], operator: int) -> set[tuple[int, int]]:
    """The operands on both sides; on one side for a minus sign; none for a plus sign, which changes nothing, and for the star of
    `count(*)` and `SELECT *`."""
    if tokens[operator].text == "+" and is_sign(tokens, operator):
        return set()
    left = chain_start(tokens, operator - 1)
    spans = set() if left is None else {(left, operator - 1)}
    if is_sign(tokens, operator):
        right = operand_end(tokens, operator + 1)  # a sign binds tighter than `||` and `->`
    elif tokens[operator].text == "*" and not _ends_operand(tokens, operator - 1):
        return set()
    else:
        right = chain_end(tokens, operator + 1)
    return spans if right is None else spans | {(operator + 1, right)}


def _argument(tokens: Sequence[Token], function: int) -> set[tuple[int, int]]:
    first = function + 1
    if first >= len(tokens) or tokens[first].text != "(":
        return set()
    end = closing(tokens, first)
    first += 2 if tokens[first + 1].keyword in ("DISTINCT", "ALL") else 1
    last = chain_end(tokens, first)
    if last is None or end is None or (last + 1 != end and tokens[last + 1].text != ","):
        return set()
    return {(first, last)}


def _ends_operand(tokens: Sequence[Token], index: int) -> bool:
    if index < 0:
        return False
    token = tokens[index]
    return token.text == ")" or token.is_name or token.kind in _LITERALS


def is_sign(tokens: Sequence[Token], operator: int) -> bool:
    """Whether the token is a sign before an operand, and not an operator between two."""
    return tokens[operator].text in ("+", "-", "~") and not _ends_operand(tokens, operator - 1)


def chain_start(tokens: Sequence[Token], last: int) -> int | None:
    """Where the chain of `||` and `->` begins that ends at `last`; its last operand if a sign binds the first one."""
    only = start = operand_start(tokens, last)
    while start is not None and start >= 2 and tokens[start - 1].text in CHAIN:
        start = operand_start(tokens, start - 2)
    return only if start is not None and start > 0 and is_sign(tokens, start - 1) else start


def chain_end(tokens: Sequence[Token], first: int) -> int | None:
    last = operand_end(tokens, first)
    while last is not None and last + 2 < len(tokens) and tokens[last + 1].text in CHAIN:
        last = operand_end(tokens, last + 2)
    return last


def is_number(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether this can be seen to be no time: a literal, a call that gives a number, arithmetic in parentheses."""
    if first == last:
        return tokens[first].kind in _LITERALS or tokens[first].keyword in _CONSTANTS
    if fold(tokens[first].text) in _NUMERIC_CALLS and closing(tokens, first + 1) == last:
        return True
    return tokens[first].text == "(" and closing(tokens, first) == last and _calculates(tokens, first + 1, last)


def _calculates(tokens: Sequence[Token], first: int, end: int) -> bool:
    """Whether what stands between is two or more operands with arithmetic operators between them."""
    last = chain_end(tokens, first)
    if last is None or last + 1 >= end:
        return False
    while last is not None and last + 1 < end:
        if tokens[last + 1].text not in ARITHMETIC:
            return False
        last = chain_end(tokens, last + 2)
    return last is not None
