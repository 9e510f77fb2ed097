"""SQLite's tokens with their places, so that a rewrite can splice and leave every other byte of the user's text alone.

sqlglot's own tokenizer merges words and drops places; SQLite's lexical grammar is small: https://sqlite.org/draft/tokenreq.html
"""

import re
from collections.abc import Sequence

from compiler.ir.frozen import frozen
from compiler.sql.errors import SqlError, sql_error_at

MAX_SQL_CHARACTERS = 100_000
MAX_NESTING = 50
"""Parentheses and CASEs open at once. The SQL parser recurses about ten calls for each."""

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\n\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<blob>[xX]'[0-9a-fA-F]*')
    | (?P<string>'[^']*(?:''[^']*)*')
    | (?P<quoted>"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\[[^\]]*\])
    | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![A-Za-z_0-9$\x80-\U0010ffff]))
    | (?P<variable>\?\d*|[:@$\#][A-Za-z_0-9$\x80-\U0010ffff]+)
    | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z_0-9$\x80-\U0010ffff]*)
    | (?P<operator>->>|->|\|\||<<|>>|<=|>=|<>|!=|==|[-+*/%&|~<>=(),.;])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)

NOT_AN_OPERAND = frozenset(
    {
        "ALL", "AND", "AS", "BETWEEN", "BY", "CASE", "COLLATE", "CROSS", "DISTINCT", "ELSE", "ESCAPE", "EXCEPT",
        "EXISTS", "FILTER", "FROM", "GLOB", "GROUP", "HAVING", "IN", "INNER", "INTERSECT", "IS", "JOIN", "LEFT",
        "LIKE", "LIMIT", "MATCH", "MATERIALIZED", "NATURAL", "NOT", "OFFSET", "ON", "OR", "ORDER", "OUTER",
        "OVER", "PARTITION", "REGEXP", "RIGHT", "SELECT", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE",
        "WINDOW", "WITH"
    }
)  # fmt: skip
"""Keywords after which an operand begins: none of them ends one, and a parenthesis after them is no call."""


@frozen
class Token:
    """One token: `kind` is blob, string, quoted, number, variable, word or operator; `sql[start:end] == text`."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in upper case; empty for what is no word."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def is_name(self) -> bool:
        """Whether this can be an identifier."""
        return self.kind == "quoted" or (self.kind == "word" and self.keyword not in NOT_AN_OPERAND)


@frozen
class Splice:
    """Replace `sql[start:end]` by `text`."""

    start: int
    end: int
    text: str


def tokenize(sql: str) -> list[Token]:
    """All tokens but space and comments, with balanced parentheses; SqlError for what SQLite could not read either."""
    if len(sql) > MAX_SQL_CHARACTERS:
        raise SqlError(f"the SQL has {len(sql)} characters, more than {MAX_SQL_CHARACTERS}", remedy="make it shorter")
    tokens = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise _unreadable(sql, position)
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, match.group(), position, match.end()))
        position = match.end()
    _check_nesting(sql, tokens)
    return tokens


def _unreadable(sql: str, position: int) -> SqlError:
    character = sql[position]
    if character in "'\"`[":
        return sql_error_at(sql, position, f"the quote {character} is never closed", "close it")
    if character.isascii() and character.isdigit():
        number = re.match(r"[\w.]+", sql[position:])
        return sql_error_at(sql, position, f'"{number.group() if number else character}" is no number')
    return sql_error_at(sql, position, f"unexpected character {character!r}")


def _check_nesting(sql: str, tokens: Sequence[Token]) -> None:
    opened: list[Token] = []
    for token in tokens:
        if token.text == "(" or token.keyword == "CASE":
            opened.append(token)
        elif token.text == ")" or (token.keyword == "END" and opened and opened[-1].keyword == "CASE"):
            if not opened or (token.text == ")") != (opened[-1].text == "("):
                raise sql_error_at(sql, token.start, 'syntax error near ")"', "it closes nothing")
            opened.pop()
        if len(opened) > MAX_NESTING:
            raise sql_error_at(sql, token.start, f"nested more than {MAX_NESTING} deep", "use a derived table")
    if opened:
        raise sql_error_at(sql, opened[-1].start, f'syntax error: "{opened[-1].text}" is never closed', "close it")


def splice(sql: str, splices: Sequence[Splice]) -> str:
    """`sql` with all (not overlapping) splices applied."""
    parts = []
    position = 0
    for each in sorted(splices, key=lambda s: (s.start, s.end)):
        parts += [sql[position : each.start], each.text]
        position = each.end
    return "".join([*parts, sql[position:]])


def original_offset(offset: int, splices: Sequence[Splice]) -> int:
    """Where in the text before the splices the character at `offset` after them came from."""
    shift = 0
    for each in sorted(splices, key=lambda s: (s.start, s.end)):
        if offset < each.start + shift:
            break
        if offset < each.start + shift + len(each.text):
            return each.start
        shift += len(each.text) - (each.end - each.start)
    return offset - shift
