"""Extra columns: one scalar SQL expression over a row of a function table, its process and its goroutine."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from compiler.sql.allowed import AGGREGATES
from compiler.sql.errors import SqlError
from compiler.sql.lexer import Splice, splice, tokenize
from compiler.sql.names import fold, nearest, quote, unquote
from compiler.sql.parse import Parsed, parse_statement

_PREFIX = "SELECT "
_DERIVED = "make a derived table under `tables`"


def compile_extra(expr: str, columns: Mapping[str, str]) -> str:
    """SQL for the expression; `columns` maps each name it may use to the SQL that stands for it, as `q` to `r."q"`."""
    visible = {fold(name): sql for name, sql in columns.items()}
    parsed = _scalar(expr)
    for column in parsed.tree.find_all(exp.Column):
        _check_column(column, columns)
    tokens = tokenize(parsed.sql)
    names = {fold(each.name) for each in parsed.tree.find_all(exp.Column)}
    splices = []
    for index, token in enumerate(tokens):
        called = index + 1 < len(tokens) and tokens[index + 1].text == "("
        after = tokens[index - 1].keyword if index else ""
        if token.is_name and not called and after not in ("AS", "COLLATE") and fold(unquote(token.text)) in names:
            splices.append(Splice(token.start, token.end, visible[fold(unquote(token.text))]))
    return splice(parsed.sql, splices)[len(_PREFIX) :]


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
        column = error.column - len(_PREFIX) if error.line == 1 else error.column
        raise SqlError(
            error.what, remedy=error.remedy, line=error.line, column=max(column, 1) if column else 0
        ) from None
    _check_scalar(parsed.tree)
    return parsed


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
