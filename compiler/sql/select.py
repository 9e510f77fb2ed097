"""One SELECT: checked against a schema (derived tables), or by itself (questions asked of a finished snapshot)."""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from compiler.ir.frozen import frozen
from compiler.sql.calls import AGO, AGO_REMEDY, ENUM_NAME, ENUM_REMEDY, Use
from compiler.sql.errors import SqlError
from compiler.sql.lexer import tokenize
from compiler.sql.names import fold
from compiler.sql.origins import NO_PLACES, Places, full_calls
from compiler.sql.parse import Parsed, parse_statement, too_deep
from compiler.sql.resolve import Resolver, Schema

ONE_SELECT = "write one SELECT (WITH before it and UNION inside it are fine)"
_NOT_READING = (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Command, exp.Into, exp.Lock)


@frozen
class CompiledSelect:
    """SQL for SQLite (the user's text but for our splices), the schema's tables it reads, sorted, and its columns."""

    sql: str
    tables_used: tuple[str, ...]
    columns: tuple[str, ...]
    uses: tuple[Use, ...] = ()
    """What it asks the binaries' types about."""


def compile_select(sql: str, schema: Schema, places: Places = NO_PLACES) -> CompiledSelect:
    """Check one SELECT against the tables and columns of `schema`; SqlError for the first thing that is wrong.

    `places`: which of the columns hold what functions collected.
    """
    parsed = _one_select(sql)
    resolver = Resolver(schema)
    try:
        columns = resolver.query(parsed.tree, None, None)
    except RecursionError:
        raise too_deep() from None
    named = tuple(name or f"column{number}" for number, name in enumerate(columns, start=1))
    splices, uses = full_calls(parsed, resolver.functions, places)
    return CompiledSelect(parsed.sql(splices), tuple(sorted(resolver.tables_used)), named, uses)


def sql_select_guard(sql: str) -> str:
    """The SQL to run on a snapshot's read-only connection, if `sql` is one SELECT; names are SQLite's to judge."""
    parsed = _one_select(sql)
    for table in parsed.tree.find_all(exp.Table):
        if fold(table.name).startswith("pragma_"):
            raise SqlError(f'"{table.name}" is no table of a snapshot', remedy="read from the snapshot's own tables")
    for call in parsed.calls:
        if call.name == ENUM_NAME:
            what = "enum_name() needs the binary, which a finished snapshot does not have"
            raise parsed.error_at(call.start, what, f"{ENUM_REMEDY}, in the spec")
        if call.name == AGO and call.arguments == 1:
            raise parsed.error_at(call.start, "ago() does not know here which capture is meant", AGO_REMEDY)
    return parsed.sql()


def tables_named(sql: str, known: Sequence[str]) -> tuple[str, ...]:
    """Which of `known` a SELECT reads anywhere, sorted; names that a WITH around them defines do not count."""
    named = {fold(node.name) for node in _tables(_one_select(sql).tree)}
    return tuple(sorted(each for each in known if fold(each) in named))


def _tables(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes that name a table of the schema: in FROM, or in `x IN name`."""
    for node in tree.walk():
        is_table = isinstance(node, exp.Table) or (isinstance(node, exp.Column) and node.arg_key == "field")
        if is_table and not _is_cte(node):
            yield node


def _is_cte(node: exp.Expr) -> bool:
    around: exp.Expr | None = node
    while around is not None:
        with_ = around.args.get("with_")
        if with_ is not None and any(fold(cte.alias) == fold(node.name) for cte in with_.expressions):
            return True
        around = around.parent
    return False


def _one_select(sql: str) -> Parsed:
    tokens = tokenize(sql)
    first = tokens[0].keyword or tokens[0].text if tokens else ";"
    if first not in ("SELECT", "WITH", ";"):
        raise SqlError(f"found {first}, only a SELECT may stand here", remedy=ONE_SELECT)
    parsed = parse_statement(sql, name_results=True)
    tree = parsed.tree
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise SqlError(f"found {tree.key.upper()}, only a SELECT may stand here", remedy=ONE_SELECT)
    for node in tree.walk():
        if isinstance(node, _NOT_READING):
            raise SqlError(f"found {node.key.upper()}, only a SELECT may stand here", remedy=ONE_SELECT)
    return parsed
