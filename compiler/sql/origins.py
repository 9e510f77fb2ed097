"""Where the values in a SELECT come from, for the calls that need to know: `enum_name(q->State)`, `ago(q->Start)`.

Told only where it is evident: a value of one function table, named in this SELECT's own FROM clause (or around it), and
the one process that its row is of. Nothing is guessed through subqueries and expressions.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlglot import exp

from compiler.sql.calls import AGO, AGO_REMEDY, ENUM_NAME, ENUM_REMEDY, Call, Use, enum_splice, nodes
from compiler.sql.lexer import Splice
from compiler.sql.names import fold, quote
from compiler.sql.parse import Parsed
from compiler.sql.places import Place, place
from compiler.sql.resolve import Scope, Source, source_of

Places = Mapping[tuple[str, str], Place]
"""(table, column), both folded, to what a function collected into it."""
NO_PLACES: Places = MappingProxyType({})
_CAPTURE = (
    '(SELECT "the capture".captured_at_ns FROM main.processes AS "the capture" WHERE "the capture".process_id = {})'
)


def full_calls(
    parsed: Parsed, functions: Sequence[tuple[exp.Anonymous, Scope]], places: Places
) -> tuple[list[Splice], tuple[Use, ...]]:
    """The splices that complete our functions' calls, and the places that they ask the binary about."""
    scopes = {id(node): scope for node, scope in functions}
    splices: list[Splice] = []
    uses: list[Use] = []
    for call, node in nodes(parsed.tree, parsed.calls):
        scope, argument = scopes.get(id(node), Scope()), node.expressions[0]
        if call.name == AGO and call.arguments == 1:
            splices.append(Splice(call.close, call.close, f", {_capture(parsed, call, argument, scope)}"))
        elif call.asks is not None:
            found = _origin(argument, scope, places)
            if found is not None:
                origin, process = found
                uses.append(Use(call.asks, origin))
                splices += [enum_splice(call, process, origin)] if call.asks == ENUM_NAME else []
            elif call.asks == ENUM_NAME:
                what = (
                    "enum_name() takes a column of a function table, or a path in one: which it is, is not evident here"
                )
                raise parsed.error_at(call.start, what, ENUM_REMEDY)
    return splices, tuple(uses)


def _origin(argument: exp.Expr, scope: Scope, places: Places) -> tuple[Place, str] | None:
    """The place that an argument is the value of, and SQL for its row's process_id."""
    found = place(argument)
    source = source_of(found[0], scope) if found else None
    if found is None or source is None or not _reaches(scope, source):
        return None
    column, path = found
    origin = places.get((fold(source.table), fold(column.name)))
    process = _column(source, "process_id")
    return None if origin is None or process is None else (origin.inside(path), process)


def _capture(parsed: Parsed, call: Call, argument: exp.Expr, scope: Scope) -> str:
    """SQL for the time of the capture that an argument's row is of: of the one source that the argument is of, else of
    the only one around that has a process."""
    columns = [] if any(argument.find_all(exp.Query)) else list(argument.find_all(exp.Column))
    named = [source_of(column, scope) for column in columns]
    own = named[0] if named and all(each is named[0] for each in named) else None
    candidates = [[own] if own is not None else [], _around(scope, own)]
    for sources in candidates:
        for column, sql in (("captured_at_ns", "{}"), ("process_id", _CAPTURE)):
            having = [each for each in sources if _column(each, column) and _reaches(scope, each)]
            if len(having) == 1:
                return sql.format(_column(having[0], column))
    raise parsed.error_at(call.start, "ago() does not know here which capture is meant", AGO_REMEDY)


def _around(scope: Scope, own: Source | None) -> list[Source]:
    """The sources of the SELECT that `own` is of; without one, of the innermost."""
    here: Scope | None = scope
    while own is not None and here is not None and not any(each is own for each in here.sources):
        here = here.outer
    return list((here or scope).sources)


def _reaches(scope: Scope, source: Source) -> bool:
    """Whether the source's alias means it, seen from `scope`."""
    here: Scope | None = scope
    while here is not None and source.alias:
        same = [each for each in here.sources if fold(each.alias) == fold(source.alias)]
        if same:
            return len(same) == 1 and same[0] is source
        here = here.outer
    return False


def _column(source: Source, name: str) -> str | None:
    spelt = next((each for each in source.columns if fold(each) == name), None)
    return None if spelt is None else f"{quote(source.alias)}.{quote(spelt)}"
