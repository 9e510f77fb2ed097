"""Every table and column that a SELECT names, looked up where SQLite would look it up.

Follows https://sqlite.org/lang_select.html: columns of the FROM clause, then (outside the result list) the result's own
names, then the enclosing query. Names are compared without case.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from compiler.ir.frozen import frozen
from compiler.sql.errors import SqlError
from compiler.sql.names import TABLE_FUNCTIONS, fold, nearest

Schema = Mapping[str, Sequence[str]]
"""Tables (as they are spelt) to their columns, in order."""


@frozen
class Source:
    """One item of a FROM clause."""

    alias: str
    columns: tuple[str, ...]
    merged: frozenset[str] = frozenset()
    """Columns (folded) that USING or NATURAL merged with the same one further left."""
    table: str = ""
    """The schema's table that it is, as that is spelt; "" for a query, a CTE, a table-valued function."""


@dataclass(slots=True)
class Scope:
    """What a SELECT's expressions may name."""

    outer: "Scope | None" = None
    sources: list[Source] = field(default_factory=list)
    result: tuple[str, ...] = ()


class _Ctes:
    """The WITH clauses in reach; each is resolved when first named, so that they may stand in any order."""

    def __init__(self, resolver: "Resolver", outer: "_Ctes | None", nodes: Sequence[exp.Expr]) -> None:
        self._resolver = resolver
        self._outer = outer
        self._nodes = {fold(node.alias): node for node in nodes}
        self._columns: dict[str, tuple[str, ...]] = {}

    def find(self, name: str) -> tuple[str, ...] | None:
        """The columns of the CTE of this (folded) name, if there is one."""
        if name not in self._nodes:
            return self._outer.find(name) if self._outer else None
        if name not in self._columns:
            self._columns[name] = self._resolve(name)
        return self._columns[name]

    def _resolve(self, name: str) -> tuple[str, ...]:
        node = self._nodes[name]
        named = tuple(node.args["alias"].columns and [each.name for each in node.args["alias"].columns])
        body = node.this
        self._columns[name] = named
        if isinstance(body, exp.SetOperation):
            first = self._resolver.query(body.left, self, None)
            self._columns[name] = named or first
        found = self._resolver.query(body, self, None)
        if named and len(named) != len(found):
            raise SqlError(f'"{node.alias}" names {len(named)} columns, its SELECT gives {len(found)}')
        return named or found

    def check_all(self) -> None:
        """Resolve those too that nothing names."""
        for name in self._nodes:
            self.find(name)


class Resolver:
    """Looks names up in `schema`; `tables_used` and `functions` (function nodes with their scopes) grow as it goes."""

    def __init__(self, schema: Schema) -> None:
        self._tables = {fold(name): (name, tuple(columns)) for name, columns in schema.items()}
        self.tables_used: set[str] = set()
        self.functions: list[tuple[exp.Anonymous, Scope]] = []

    def query(self, node: exp.Expr, ctes: "_Ctes | None", outer: Scope | None) -> tuple[str, ...]:
        """Resolve a whole query; its column names."""
        with_ = node.args.get("with_")
        if with_ is not None:
            ctes = _Ctes(self, ctes, with_.expressions)
            ctes.check_all()
        match node:
            case exp.Subquery():
                return self.query(node.this, ctes, outer)
            case exp.SetOperation():
                return self._set_operation(node, ctes, outer)
            case exp.Select():
                return self._select(node, ctes, outer)
            case exp.Values():
                width = len(node.expressions[0].expressions) if isinstance(node.expressions[0], exp.Tuple) else 1
                self._names(node.expressions, Scope(outer), ctes)
                return tuple(f"column{index + 1}" for index in range(width))
            case _:
                raise SqlError(f"{node.key.upper()} is no SELECT", remedy="write one SELECT")

    def _set_operation(self, node: exp.SetOperation, ctes: "_Ctes | None", outer: Scope | None) -> tuple[str, ...]:
        left = self.query(node.left, ctes, outer)
        right = self.query(node.right, ctes, outer)
        if len(left) != len(right):
            raise SqlError(f"{node.key.upper()} of {len(left)} and {len(right)} columns", remedy="select equally many")
        order = [each for each in (node.args.get("order"), node.args.get("limit")) if each is not None]
        self._names(order, Scope(outer, [Source("", left), Source("", right, frozenset(map(fold, left)))]), ctes)
        return left

    def _select(self, node: exp.Select, ctes: "_Ctes | None", outer: Scope | None) -> tuple[str, ...]:
        scope = Scope(outer)
        joins = node.args.get("joins") or []
        from_ = node.args.get("from_")
        if from_ is not None:
            self._from(from_.this, [], scope, ctes)
        for join in joins:
            self._join(join, scope, ctes)
        self._names(node.expressions, scope, ctes)
        columns = tuple(name for each in node.expressions for name in _result_names(each, scope))
        scope.result = columns
        used = ("expressions", "from_", "joins", "with_")
        rest = [each for key, each in node.args.items() if key not in used]
        self._names([each for item in rest for each in (item if isinstance(item, list) else [item])], scope, ctes)
        self._names([join.args["on"] for join in joins if join.args.get("on")], scope, ctes)
        return columns

    def _from(self, node: exp.Expr, merged: Iterable[str], scope: Scope, ctes: "_Ctes | None") -> None:
        """Add one item of the FROM clause (and what is joined inside its parentheses) to the scope."""
        if isinstance(node, exp.Table):
            columns, table = self._table(node, scope, ctes)
            alias = node.alias or node.name or (node.this.name if isinstance(node.this, exp.Func) else "")
            scope.sources.append(Source(alias, columns, frozenset(merged), table))
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            inside = scope if not node.alias else Scope(scope.outer)
            self._from(node.this, merged, inside, ctes)
            if node.alias:
                scope.sources.append(Source(node.alias, _star(inside.sources), frozenset(merged)))
        else:
            columns = self.query(node, ctes, scope.outer)
            scope.sources.append(Source(node.alias, columns, frozenset(merged)))
        for join in node.args.get("joins") or []:
            self._join(join, scope, ctes)
            self._names([join.args["on"]] if join.args.get("on") else [], scope, ctes)

    def _join(self, join: exp.Expr, scope: Scope, ctes: "_Ctes | None") -> None:
        """Add what is joined; a column of USING must be there on both sides."""
        left = {fold(name) for name in _star(scope.sources)}
        using = [each.name for each in join.args.get("using") or []]
        natural = join.args.get("method") == "NATURAL"
        joined = len(scope.sources)
        self._from(join.this, left if natural else map(fold, using), scope, ctes)
        right = {fold(name) for source in scope.sources[joined:] for name in source.columns}
        for name in using:
            if fold(name) not in left & right:
                raise SqlError(f'USING names "{name}", which is not on both sides', remedy=nearest(name, left & right))

    def _table(self, node: exp.Table, scope: Scope, ctes: "_Ctes | None") -> tuple[tuple[str, ...], str]:
        """Its columns, and which of the schema's tables it is."""
        if isinstance(node.this, exp.Func):
            called = fold(node.this.name)
            if called not in TABLE_FUNCTIONS:
                raise SqlError(f"{called}() is no table", remedy=nearest(called, TABLE_FUNCTIONS))
            self._names(node.this.expressions, scope, ctes)
            return TABLE_FUNCTIONS[called], ""
        if (node.db and fold(node.db) != "main") or node.catalog:
            raise SqlError(f'unknown database "{node.db}"', remedy=f'write "{node.name}" alone')
        return self.table(node.name, ctes)

    def table(self, name: str, ctes: "_Ctes | None") -> tuple[tuple[str, ...], str]:
        """The columns of a table or CTE of this name, and which of the schema's tables it is ("" for a CTE)."""
        columns = ctes.find(fold(name)) if ctes else None
        if columns is not None:
            return columns, ""
        if fold(name) not in self._tables:
            raise SqlError(
                f'unknown table "{name}"', remedy=nearest(name, [spelt for spelt, _ in self._tables.values()])
            )
        spelt, columns = self._tables[fold(name)]
        self.tables_used.add(spelt)
        return columns, spelt

    def _names(self, nodes: Sequence[object], scope: Scope, ctes: "_Ctes | None") -> None:
        """Look up every column below `nodes`; queries in there see this scope from inside."""
        for node in nodes:
            if not isinstance(node, exp.Expr):
                continue
            for found in node.walk(prune=lambda each: isinstance(each, (exp.Query, exp.Column))):
                if isinstance(found, exp.Query):
                    self.query(found, ctes, scope)
                elif isinstance(found, exp.Column) and found.arg_key == "field" and isinstance(found.parent, exp.In):
                    self.table(found.name, ctes)
                elif isinstance(found, exp.Column):
                    _check_column(found, scope)
                elif isinstance(found, exp.Anonymous):
                    self.functions.append((found, scope))


def _star(sources: Sequence[Source]) -> tuple[str, ...]:
    return tuple(name for source in sources for name in source.columns if fold(name) not in source.merged)


def _result_names(node: exp.Expr, scope: Scope) -> Iterator[str]:
    if isinstance(node, exp.Star):
        yield from _star(scope.sources)
    elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        yield from next(each.columns for each in scope.sources if fold(each.alias) == fold(node.table))
    else:
        yield node.alias_or_name if isinstance(node, (exp.Alias, exp.Column)) else ""


def source_of(column: exp.Column, scope: Scope) -> Source | None:
    """The source that a column is of; None for one of the result's own names."""
    here: Scope | None = scope
    while here is not None:
        for source in here.sources:
            named = fold(source.alias) == fold(column.table) if column.table else fold(column.name) not in source.merged
            if named and fold(column.name) in map(fold, source.columns):
                return source
        if not column.table and fold(column.name) in map(fold, here.result):
            return None
        here = here.outer
    return None


def _check_column(column: exp.Column, scope: Scope) -> None:
    here: Scope | None = scope
    while here is not None:
        if column.table and _in_named_source(column, here):
            return
        if not column.table and _in_scope(column, here):
            return
        here = here.outer
    if column.table:
        aliases = [source.alias for source in scope.sources]
        raise SqlError(
            f'unknown table "{column.table}" of "{column.sql(_DIALECT)}"', remedy=nearest(column.table, aliases)
        )
    remedy = nearest(column.name, [*_star(scope.sources), *filter(None, scope.result)])
    if column.this.args.get("quoted"):
        remedy = f"for a text write '{column.name}'" + (f"; {remedy}" if remedy else "")
    raise SqlError(f'unknown column "{column.name}"', remedy=remedy)


_DIALECT = "sqlite"


def _in_named_source(column: exp.Column, scope: Scope) -> bool:
    for source in scope.sources:
        if fold(source.alias) != fold(column.table):
            continue
        if isinstance(column.this, exp.Star) or fold(column.name) in map(fold, source.columns):
            return True
        what = f'unknown column "{column.name}" of "{source.alias}"'
        raise SqlError(what, remedy=nearest(column.name, source.columns))
    return False


def _in_scope(column: exp.Column, scope: Scope) -> bool:
    name = fold(column.name)
    holding = [each for each in scope.sources if name in map(fold, each.columns) and name not in each.merged]
    if len(holding) > 1:
        choices = " or ".join(f"{each.alias}.{column.name}" for each in holding)
        raise SqlError(f'column "{column.name}" is ambiguous', remedy=f"write {choices}")
    return bool(holding) or name in map(fold, scope.result)
