"""SQL text to sqlglot's tree, for looking only: what runs is the user's own text with our splices in it.

sqlglot is more lenient than SQLite here and there; the worst of it (stray commas, an empty list) is refused by token.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.sqlite import SQLiteParser

from compiler.ir.frozen import frozen
from compiler.sql.allowed import check_functions
from compiler.sql.calls import Call, calls
from compiler.sql.compared import comparison_splices, rounded
from compiler.sql.errors import SqlError, sql_error_at
from compiler.sql.fence import fence_splices
from compiler.sql.lexer import Splice, Token, original_offset, splice, tokenize
from compiler.sql.paths import path_splices
from compiler.sql.results import name_splices

_ENDS_A_LIST = frozenset({"", ")", ",", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION"})
MAX_STATEMENT_DEPTH = 400
"""Levels of the tree. SQLite itself refuses expressions deeper than 1000 and 500 SELECTs in a UNION."""


class _Lookout(SQLite):
    """SQLite in which `f(a -> '$.b')` is an argument with an arrow and not, as sqlglot has it, a lambda."""

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        """Leave the path a literal, as SQLite understands more of them than sqlglot."""
        return path

    class Parser(SQLiteParser):
        LAMBDAS: ClassVar[dict[Any, Any]] = {}
        # Its own uuid() makes a new one, and drops the arguments from the tree.
        FUNCTIONS: ClassVar[dict[str, Any]] = {
            name: build for name, build in SQLiteParser.FUNCTIONS.items() if name != "UUID"
        }


@frozen
class Parsed:
    """One statement: the user's text and its tokens; the text with its paths (and names) rewritten, and its tree."""

    text: str
    tokens: tuple[Token, ...]
    rewritten: str
    tree: exp.Expr
    calls: tuple[Call, ...]
    """Of our functions, in `rewritten`."""
    _splices: tuple[Splice, ...]
    _fences: tuple[Splice, ...]

    def sql(self, more: Sequence[Splice] = ()) -> str:
        """The SQL to run: `rewritten` with its arithmetic and comparisons fenced and `more` splices in it."""
        return splice(self.rewritten, [*self._fences, *more])

    def error_at(self, offset: int, what: str, remedy: str) -> SqlError:
        """The error of what stands at `offset` of `rewritten`, placed in the user's text."""
        return sql_error_at(self.text, original_offset(offset, self._splices), what, remedy)


def parse_statement(text: str, *, name_results: bool) -> Parsed:
    """The one statement in `text`, paths rewritten, arithmetic and comparisons fenced, functions checked; SqlError if it is none.

    With `name_results`, columns of the first result list that have no name get their own text as their name, as SQLite
    itself does, but without our splices in it.
    """
    tokens = tokenize(text)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens:
        raise SqlError("the SQL is empty", remedy="write a SELECT")
    _check_tokens(text, tokens)
    end = tokens[-1].end
    splices = path_splices(text, tokens) + (name_splices(text, tokens) if name_results else [])
    with_paths = splice(text[:end], splices)
    tree = _tree(text, with_paths, splices)
    rewritten = tokenize(with_paths)
    found = calls(with_paths, rewritten)
    fences = (*fence_splices(rewritten), *comparison_splices(rewritten))
    return Parsed(text, tuple(tokens), with_paths, tree, tuple(found), tuple(splices), fences)


def too_deep() -> SqlError:
    """The error of SQL whose tree is deeper than a walk can go."""
    return SqlError("the SQL is nested too deeply", remedy="split it into derived tables")


def _check_tokens(text: str, tokens: Sequence[Token]) -> None:
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        after = (following.keyword or following.text) if following else ""
        if token.text == ";":
            raise sql_error_at(text, token.start, "more than one statement", "write one SELECT")
        if token.kind == "variable":
            raise sql_error_at(text, token.start, f"the parameter {token.text} has no value here", "write the value")
        if (token.text == "," or token.keyword == "SELECT") and after in _ENDS_A_LIST:
            raise sql_error_at(text, token.start, f'syntax error near "{token.text}"', "an expression must follow")
    for token in rounded(tokens):
        what = f"{token.text} is more than SQLite's integers can be (2^63 - 1), it would be rounded"
        raise sql_error_at(text, token.start, what, f"write '{token.text}': so large a value is kept as its digits")
    check_functions(text, tokens)
    calls(text, tokens)


def _tree(text: str, sql: str, splices: Sequence[Splice]) -> exp.Expr:
    try:
        trees = sqlglot.parse(sql, dialect=_Lookout)
    except ParseError as error:
        raise _syntax_error(text, sql, splices, error) from None
    except TokenError:
        raise SqlError("the SQL has a quote or a comment that is never closed", remedy="close it") from None
    except RecursionError:
        raise too_deep() from None
    if len(trees) != 1 or trees[0] is None:
        raise SqlError("the SQL is no single statement", remedy="write one SELECT")
    tree = trees[0]
    level = [tree]
    for _ in range(MAX_STATEMENT_DEPTH):
        level = [child for node in level for child in node.iter_expressions()]
    if level:
        raise too_deep()
    return tree


def _syntax_error(text: str, sql: str, splices: Sequence[Splice], error: ParseError) -> SqlError:
    if not error.errors:
        return SqlError(f"syntax error: {error}")
    first = error.errors[0]
    highlight = str(first.get("highlight") or "")
    line, column = int(first.get("line") or 1), int(first.get("col") or 1)
    begin = sum(len(each) + 1 for each in sql.split("\n")[: line - 1]) + column - len(highlight)
    offset = original_offset(max(begin, 0), splices)
    description = str(first.get("description"))
    expecting = description[0].lower() + description[1:] if description.startswith("Expecting") else ""
    return sql_error_at(text, min(offset, len(text)), f'syntax error near "{highlight}"', expecting)
