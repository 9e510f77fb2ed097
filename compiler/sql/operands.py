"""Where an operand begins and ends in a row of tokens: a name, a literal, a call, parentheses, CASE ... END."""

from collections.abc import Sequence

from compiler.sql.lexer import NOT_AN_OPERAND, Token

CHAIN = frozenset({"->", "->>", "||"})
_NO_OPERAND_AFTER = frozenset({"AS", "EXISTS", "FROM", "IN", "JOIN", "MATERIALIZED", "USING", "VALUES"})
"""Keywords whose name or parentheses are no operand by themselves."""


def operand_start(tokens: Sequence[Token], last: int) -> int | None:
    """Index of the first token of the operand whose last token is `last`; None if no operand ends there."""
    if last < 0:
        return None
    token = tokens[last]
    if token.text == ")":
        return _group_start(tokens, last)
    if token.keyword == "END":
        return _opening(tokens, last, "CASE", "END")
    if token.is_name:
        while last >= 2 and tokens[last - 1].text == "." and tokens[last - 2].is_name:
            last -= 2
        return _name_start(tokens, last)
    return last if token.kind in ("string", "number", "blob", "variable") else None


def _name_start(tokens: Sequence[Token], first: int) -> int | None:
    """`first`, unless what stands before says that this is a window, a collation, a table or the word of `x ISNULL`."""
    before = tokens[first - 1].keyword if first else ""
    if before in ("OVER", "COLLATE"):
        return operand_start(tokens, first - 2)
    no_operand = _none_after(tokens, first - 1) or tokens[first].keyword in ("ISNULL", "NOTNULL")
    return None if no_operand else first


def _none_after(tokens: Sequence[Token], before: int) -> bool:
    """Whether what stands behind this token is no operand; behind `IS DISTINCT FROM` it is one."""
    distinct = before > 0 and tokens[before].keyword == "FROM" and tokens[before - 1].keyword == "DISTINCT"
    return before >= 0 and tokens[before].keyword in _NO_OPERAND_AFTER and not distinct


def _group_start(tokens: Sequence[Token], last: int) -> int | None:
    opening = _opening(tokens, last, "(", ")")
    if opening is None or opening == 0:
        return opening
    before = tokens[opening - 1]
    if before.keyword in ("OVER", "FILTER"):
        return operand_start(tokens, opening - 2)
    if _none_after(tokens, opening - 1):
        return None
    return opening - 1 if before.is_name else opening


def _opening(tokens: Sequence[Token], last: int, opens: str, closes: str) -> int | None:
    depth = 0
    for index in range(last, -1, -1):
        text = tokens[index].keyword or tokens[index].text
        depth += (text == closes) - (text == opens)
        if depth == 0:
            return index
    return None


def closing(tokens: Sequence[Token], first: int, opens: str = "(", closes: str = ")") -> int | None:
    """Index of the token that closes what `first` opens."""
    depth = 0
    for index in range(first, len(tokens)):
        text = tokens[index].keyword or tokens[index].text
        depth += (text == opens) - (text == closes)
        if depth == 0:
            return index
    return None


def operand_end(tokens: Sequence[Token], first: int) -> int | None:
    """Index of the last token of the operand that begins at `first`; None if none begins there."""
    if first >= len(tokens):
        return None
    token = tokens[first]
    if token.text == "(":
        return closing(tokens, first)
    if token.keyword in ("CASE", "CAST"):
        return closing(tokens, first, "CASE", "END") if token.keyword == "CASE" else closing(tokens, first + 1)
    if token.is_name:
        return _name_end(tokens, first)
    return first if token.kind in ("string", "number", "blob", "variable") else None


def _name_end(tokens: Sequence[Token], last: int) -> int | None:
    while last + 2 < len(tokens) and tokens[last + 1].text == "." and tokens[last + 2].is_name:
        last += 2
    end: int | None = last
    while end is not None and end + 1 < len(tokens):
        following = tokens[end + 1]
        if following.text == "(" and end == last:
            end = closing(tokens, end + 1)
        elif following.keyword in ("FILTER", "OVER") and end + 2 < len(tokens) and end > last:
            end = closing(tokens, end + 2) if tokens[end + 2].text == "(" else end + 2
        else:
            break
    return end


def is_call(tokens: Sequence[Token], index: int) -> bool:
    """Whether the name at `index`, which has `(` behind it, is that of a function which is called."""
    token = tokens[index]
    if token.kind not in ("word", "quoted") or token.keyword in NOT_AN_OPERAND or token.keyword == "CAST":
        return False
    if index and tokens[index - 1].keyword == "AS":
        return False  # the type in CAST(x AS VARCHAR(10))
    return not _names_cte(tokens, index)


def _names_cte(tokens: Sequence[Token], index: int) -> bool:
    """`WITH name(columns) AS (`: nothing else has AS and a query after its parentheses."""
    if not index or (tokens[index - 1].keyword not in ("WITH", "RECURSIVE") and tokens[index - 1].text != ","):
        return False
    end = closing(tokens, index + 1)
    if end is None or end + 2 >= len(tokens) or tokens[end + 1].keyword != "AS":
        return False
    return tokens[end + 2].text == "(" or tokens[end + 2].keyword in ("MATERIALIZED", "NOT")
