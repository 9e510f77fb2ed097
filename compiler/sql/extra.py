"""Extra columns: one scalar SQL expression over a row of a function table, its process and its goroutine."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlglot import exp

from compiler.ir.frozen import frozen
from compiler.sql.allowed import AGGREGATES
from compiler.sql.calls import AGO, ENUM_NAME, Use, enum_splice, nodes
from compiler.sql.errors import SqlError
from compiler.sql.lexer import Splice, tokenize
from compiler.sql.names import fold, nearest, quote, unquote
from compiler.sql.parse import Parsed, parse_statement
from compiler.sql.places import Place, place

_PREFIX = "SELECT "
_DERIVED = "make a derived table under `tables`"
NOWHERE: Mapping[str, Place] = MappingProxyType({})


@frozen
class CompiledExtra:
    """SQL for the expression, what it asks the binary's types about, and the place that its value is just a copy of."""

    sql: str
    uses: tuple[Use, ...]
    copies: Place | None


def compile_extra(expr: str, columns: Mapping[str, str], places: Mapping[str, Place] = NOWHERE) -> CompiledExtra:
    """Check the expression. `columns` maps each name it may use to the SQL that stands for it, as `q` to `r."q"`;
    `places` maps those names (folded) that hold what the function collected to its place."""
    visible = {fold(name): sql for name, sql in columns.items()}
    parsed = _scalar(expr)
    for column in parsed.tree.find_all(exp.Column):
        _check_column(column, columns)
    tokens = tokenize(parsed.rewritten)
    names = {fold(each.name) for each in parsed.tree.find_all(exp.Column)}
    splices, uses = _full_calls(parsed, places)
    for index, token in enumerate(tokens):
        called = index + 1 < len(tokens) and tokens[index + 1].text == "("
        after = tokens[index - 1].keyword if index else ""
        if token.is_name and not called and after not in ("AS", "COLLATE") and fold(unquote(token.text)) in names:
            splices.append(Splice(token.start, token.end, visible[fold(unquote(token.text))]))
    copies = _place(parsed.tree.args["expressions"][0], places)
    return CompiledExtra(parsed.sql(splices)[len(_PREFIX) :], tuple(uses), copies)


def _full_calls(parsed: Parsed, places: Mapping[str, Place]) -> tuple[list[Splice], list[Use]]:
    """The splices that complete our functions' calls, and what they ask the binary's types about."""
    splices: list[Splice] = []
    uses: list[Use] = []
    for call, node in nodes(parsed.tree, parsed.calls):
        origin = _place(node.expressions[0], places) if node.expressions else None
        if call.name == AGO and call.arguments == 1:
            splices.append(Splice(call.close, call.close, ", p.captured_at_ns"))
        elif call.asks == ENUM_NAME and origin is None:
            what = "enum_name() takes a collected column or a path in one"
            remedy = "write enum_name(column) or enum_name(column->field)"
            raise _unprefixed(parsed.error_at(call.start, what, remedy))
        elif origin is not None and call.asks is not None:
            uses.append(Use(call.asks, origin))
            splices += [enum_splice(call, "r.process_id", origin)] if call.asks == ENUM_NAME else []
    return splices, uses


def _place(node: exp.Expr, places: Mapping[str, Place]) -> Place | None:
    found = place(node)
    origin = places.get(fold(found[0].name)) if found else None
    return None if found is None or origin is None else origin.inside(found[1])


def fill_extra(table: str, column: str, compiled: str) -> str:
    """The UPDATE that fills an extra column, where `columns` named r the row, p its process and g its goroutine."""
    return (
        f"UPDATE {quote(table)} AS r SET {quote(column)} = ({compiled}) FROM processes AS p, goroutines AS g "
        "WHERE p.process_id = r.process_id AND g.process_id = r.process_id AND g.goroutine_id = r.goroutine_id"
    )


def references(own: Sequence[str], process: Sequence[str], goroutine: Sequence[str]) -> dict[str, str]:
    """What an extra sees, for `compile_extra` and `fill_extra`: the row's own columns hide the others of that name."""
    found: dict[str, str] = {}
    for alias, names in (("g", goroutine), ("p", process), ("r", own)):
        found |= {fold(name): f"{alias}.{quote(name)}" for name in names}
    return found


def _scalar(expr: str) -> Parsed:
    try:
        parsed = parse_statement(_PREFIX + expr, name_results=False)
    except SqlError as error:
        if error.what == "the SQL is empty":
            raise SqlError("the expression is empty", remedy="write a SQL expression") from None
        raise _unprefixed(error) from None
    _check_scalar(parsed.tree)
    return parsed


def _unprefixed(error: SqlError) -> SqlError:
    """The error placed in the expression alone."""
    column = error.column - len(_PREFIX) if error.line == 1 else error.column
    return SqlError(error.what, remedy=error.remedy, line=error.line, column=max(column, 1) if column else 0)


def _check_scalar(tree: exp.Expr) -> None:
    clauses = [key for key, value in tree.args.items() if value and key not in ("expressions", "kind")]
    if not isinstance(tree, exp.Select) or clauses:
        raise SqlError("the expression is no scalar SQL expression", remedy=_DERIVED)
    if len(tree.expressions) != 1:
        raise SqlError(f"{len(tree.expressions)} expressions where one belongs", remedy="make one extra column of each")
    if isinstance(tree.expressions[0], exp.Alias):
        raise SqlError("the expression names itself with AS", remedy="the column's name is its `name`")
    for node in tree.expressions[0].walk():
        _check_node(node)


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, (exp.Query, exp.Exists)):
        raise SqlError("an extra column cannot hold a subquery", remedy=_DERIVED)
    if isinstance(node, exp.Window):
        raise SqlError("an extra column cannot look at other rows with OVER", remedy=_DERIVED)
    alone = isinstance(node, (exp.Max, exp.Min)) and not node.expressions
    name = fold(node.name if isinstance(node, exp.Anonymous) else node.key)
    if isinstance(node, exp.Filter) or alone or isinstance(node, _AGGREGATE_NODES) or name in AGGREGATES:
        raise SqlError("an extra column cannot aggregate over rows", remedy=_DERIVED)
    if isinstance(node, exp.Star) or (isinstance(node, exp.In) and node.args.get("field") is not None):
        raise SqlError("an extra column cannot hold a list of columns or a table", remedy=_DERIVED)


_AGGREGATE_NODES = (exp.Count, exp.Sum, exp.Avg, exp.GroupConcat, exp.JSONArrayAgg, exp.JSONObjectAgg)


def _check_column(column: exp.Column, columns: Mapping[str, str]) -> None:
    if column.table:
        what = f'"{column.table}.{column.name}" names a table, an extra column sees only its own row'
        raise SqlError(what, remedy=f'write "{column.name}" alone, or {column.table}->{column.name} for a JSON path')
    if fold(column.name) not in {fold(name) for name in columns}:
        remedy = nearest(column.name, columns)
        if column.this.args.get("quoted"):
            remedy = f"for a text write '{column.name}'; {remedy}"
        raise SqlError(f'unknown column "{column.name}"', remedy=remedy)
