"""What a spec says, judged from the spec alone: names, expressions, SQL, cycles, links. Nothing here sees a binary."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from compiler.expression.parse import parse
from compiler.ir.errors import BadInput
from compiler.ir.frozen import replace
from compiler.naming.patterns import parse_pattern
from compiler.spec.builtin import BUILTIN_TABLES, FUNCTION_TABLE_COLUMNS
from compiler.spec.errors import SpecError
from compiler.spec.model import Collect, DerivedTable, Extra, FunctionSpec, Link, Spec, TypeSpec
from compiler.spec.uses import FunctionPlaces
from compiler.sql.errors import SqlError
from compiler.sql.names import TABLE_FUNCTIONS, fold, nearest
from compiler.sql.places import Place

if TYPE_CHECKING:
    from compiler.sql.origins import Places

MAX_COLUMNS = 1000
"""Of one function table; SQLite's own bound is 2000."""
LOOKS_LIKE_AN_ID = (*range(16, 20), *range(36, 40))
"""Limits of string_bytes that may leave 16 or 36 bytes of a longer text: up to 3 less than the limit, where characters end."""

Problem = tuple[int, str, str, str]
"""Line, item, what, remedy."""
Columns = dict[str, tuple[str, ...]]


def check(spec: Spec) -> None:
    """SpecError for the first item, by line, that is wrong whatever the binary."""
    schema: Columns = {name: BUILTIN_TABLES[name] for name in BUILTIN_TABLES}
    schema |= {each.table: _function_columns(each) for each in spec.functions}
    places: dict[tuple[str, str], Place] = {}
    functions = list(_functions(spec, places))
    checks = (
        _programs(spec),
        _table_names(spec),
        functions,
        _types(spec),
        _cycles(spec),
        _derived(spec, schema, places),
    )
    problems = [problem for each in (*checks, _cut_ids(spec)) for problem in each]
    problems += [problem for link in spec.links for problem in _link(link, schema)]
    if problems:
        line, item, what, remedy = min(problems, key=lambda each: each[0])
        raise SpecError(what, origin=spec.origin, line=line, item=item, remedy=remedy)


def in_order(spec: Spec) -> Spec:
    """The spec with its derived tables in an order in which each reads only those before it."""
    order, _ = _sorted(spec)
    return replace(spec, tables=order)


def check_times(spec: Spec, function: FunctionSpec, is_time: Callable[[str, tuple[str | int, ...]], bool]) -> None:
    """SpecError where an extra column calculates with a time's text, once the binary has told which values are times.

    `is_time(column, path)` says whether a collected column, or what `path` leads to in its JSON, is a time.Time.
    """
    if not function.extra:
        return
    from compiler.sql.times import find_time_arithmetic, is_time_value

    times: set[str] = set()

    def known(column: str, path: tuple[str | int, ...]) -> bool:
        return (not path and fold(column) in times) or is_time(column, path)

    for extra in function.extra:
        operand = find_time_arithmetic(extra.expr, known)
        if operand is not None:
            what = f"{operand} is a time (text such as 2026-01-02T03:04:05.000000000Z), arithmetic on it would be wrong"
            remedy = f"write unix_ns({operand})"
            raise SpecError(what, origin=spec.origin, line=extra.line, item=extra.item, remedy=remedy)
        if is_time_value(extra.expr, known):
            times.add(fold(extra.name))


def _function_columns(function: FunctionSpec) -> tuple[str, ...]:
    own = [each.name for each in function.collect] + [each.name for each in function.extra]
    return (*FUNCTION_TABLE_COLUMNS, *own)


def _programs(spec: Spec) -> Iterator[Problem]:
    for rule in spec.programs:
        if not rule.name.strip():
            yield rule.line, "programs", "a program's name must not be empty", "write a name"


def _table_names(spec: Spec) -> Iterator[Problem]:
    taken: dict[str, tuple[str, int]] = {}
    named = [(each.line, each.item, each.table, "give it another name with `table`") for each in spec.functions]
    named += [(each.line, each.item, each.name, "give it another name") for each in spec.tables]
    for line, item, name, remedy in sorted(named, key=lambda each: each[0]):
        if (problem := _bad_name(name)) is not None:
            yield line, item, f"the table name {name!r} {problem}", remedy
        elif fold(name) in map(fold, (*BUILTIN_TABLES, *TABLE_FUNCTIONS)) or fold(name).startswith(
            ("sqlite_", "pragma_")
        ):
            yield line, item, f'the table name "{name}" is a built-in one', remedy
        elif fold(name) in taken:
            first, at = taken[fold(name)]
            yield line, item, f'the table "{name}" is there twice, first as {first} on line {at}', remedy
        taken.setdefault(fold(name), (item, line))


def _bad_name(name: str) -> str | None:
    if not name.strip():
        return "is empty"
    return None if name.isprintable() else "holds a character that cannot be printed"


def _functions(spec: Spec, places: dict[tuple[str, str], Place]) -> Iterator[Problem]:
    """Check each function; the places that its columns hold join `places`."""
    for function in spec.functions:
        if function.table == function.function and parse_pattern(function.function).several:
            what = f'"{function.function}" stands for several functions, so their table needs a name of its own'
            yield function.line, function.item, what, "add `table: NAME`"
        yield from _column_names(function)
        yield from _expressions(function.collect)
        own = FunctionPlaces(function)
        for extra in function.extra:
            try:
                own.compile(extra)
            except SqlError as error:
                yield extra.line, extra.item, _placed(error, extra.expr), error.remedy
        places |= own.by_table


def _expressions(collected: Sequence[Collect]) -> Iterator[Problem]:
    for collect in collected:
        try:
            parse(collect.expr)
        except BadInput as error:
            yield collect.line, collect.item, error.what, error.remedy


def _types(spec: Spec) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for each in spec.types:
        name = each.type.lstrip("*")
        if name in first:
            what = f'the type "{name}" is there twice, first on line {first[name]}'
            yield each.line, each.item, what, "collect it all in one place"
        first.setdefault(name, each.line)
        yield from _expressions(each.collect)
        yield from _member_names(each)


def _member_names(type_: TypeSpec) -> Iterator[Problem]:
    """Unlike columns, names of JSON's members differ by case."""
    taken: dict[str, int] = {}
    for each in type_.collect:
        remedy = "name it otherwise: {expr: ..., as: NAME}"
        if (problem := _bad_name(each.name)) is not None:
            yield each.line, each.item, f"the name {each.name!r} {problem}", remedy
        elif each.name.startswith("$"):
            yield each.line, each.item, f'the name "{each.name}" begins with "$", as only marks do', remedy
        elif each.name in taken:
            yield each.line, each.item, f'the name "{each.name}" is already taken on line {taken[each.name]}', remedy
        taken.setdefault(each.name, each.line)


def _column_names(function: FunctionSpec) -> Iterator[Problem]:
    taken = {fold(name): ("a built-in column of every function table") for name in FUNCTION_TABLE_COLUMNS}
    columns: list[Collect | Extra] = [*function.collect, *function.extra]
    for each in columns:
        remedy = "name it otherwise" + ("" if isinstance(each, Extra) else ": {expr: ..., as: NAME}")
        if (problem := _bad_name(each.name)) is not None:
            yield each.line, each.item, f"the column name {each.name!r} {problem}", remedy
        elif fold(each.name) in taken:
            where = taken[fold(each.name)]
            yield each.line, each.item, f'the column "{each.name}" is already {where}', remedy
        taken.setdefault(fold(each.name), f"{each.item} on line {each.line}")
    if len(taken) > MAX_COLUMNS:
        what = f"the table has {len(taken)} columns, more than {MAX_COLUMNS}"
        yield function.line, function.item, what, "collect whole structs, or split it"


def _cut_ids(spec: Spec) -> Iterator[Problem]:
    """A column of text holds no mark of where a limit cut it: uuid() must not take such a beginning for an id."""
    texts = [extra.expr for function in spec.functions for extra in function.extra] + [each.sql for each in spec.tables]
    if not any(re.search(r"\buuid\b", text, re.IGNORECASE) for text in texts):
        return
    for function in spec.functions:
        for each in function.collect:
            size = spec.limits.override({**dict(function.limits), **dict(each.limits)}).string_bytes
            if size in LOOKS_LIKE_AN_ID:
                what = f"string_bytes: {size} cuts texts to a length that uuid() would take for a whole id"
                yield each.line, each.item, what, f"make it {LOOKS_LIKE_AN_ID[-1] + 1} or more"


def _placed(error: SqlError, sql: str) -> str:
    """The error with its place, where the SQL is long enough to search in."""
    return f"{error.what} at {error.where} of the SQL" if error.line and len(sql) > 40 else error.what


# ---------------------------------------------------------------- derived tables


def _sorted(spec: Spec) -> tuple[tuple[DerivedTable, ...], list[DerivedTable]]:
    """The derived tables, sources first, else as they stand; and the first cycle found, as a path, empty if none."""
    if not spec.tables:
        return (), []
    from compiler.sql.select import tables_named

    names = {fold(each.name): each for each in spec.tables}
    reads: dict[str, list[str]] = {}
    for each in spec.tables:
        try:
            reads[fold(each.name)] = [fold(name) for name in tables_named(each.sql, list(names))]
        except SqlError:
            reads[fold(each.name)] = []
    order: list[str] = []
    path: list[str] = []
    for start in names:
        path.append(start)
        while path:
            waiting = [name for name in reads[path[-1]] if name not in order]
            if not waiting:
                done = path.pop()
                order += [done] if done not in order else []
            elif waiting[0] in path:
                return spec.tables, [names[name] for name in path[path.index(waiting[0]) :]]
            else:
                path.append(waiting[0])
    return tuple(names[name] for name in order), []


def _cycles(spec: Spec) -> Iterator[Problem]:
    _, cycle = _sorted(spec)
    if cycle:
        first = min(range(len(cycle)), key=lambda index: cycle[index].line)
        turned = [*cycle[first:], *cycle[:first]]
        names = " -> ".join(each.name for each in (*turned, turned[0]))
        yield turned[0].line, turned[0].item, f"a cycle of derived tables: {names}", "let none read itself"


def _derived(spec: Spec, schema: Columns, places: "Places") -> Iterator[Problem]:
    """Check each table's SQL; its columns join `schema`. One that reads a broken table is not judged."""
    if not spec.tables:
        return
    from compiler.sql.select import compile_select, tables_named

    order, cycle = _sorted(spec)
    broken: set[str] = {fold(each.name) for each in cycle}
    everything = [each.name for each in order]
    for each in order:
        if fold(each.name) in broken:
            continue
        try:
            if broken & {fold(name) for name in tables_named(each.sql, everything)}:
                broken.add(fold(each.name))
                continue
            known = schema | {name: () for name in everything if name not in schema}
            columns = compile_select(each.sql, known, places).columns
        except SqlError as error:
            broken.add(fold(each.name))
            yield each.line, each.item, _placed(error, each.sql), error.remedy
            continue
        schema[each.name] = columns
        yield from _twice(each, columns)


def _twice(table: DerivedTable, columns: Sequence[str]) -> Iterator[Problem]:
    counted = Counter(map(fold, columns))
    for name in columns:
        if counted[fold(name)] > 1:
            what = f'the column "{name}" is there {counted[fold(name)]} times'
            yield table.line, table.item, what, "name the columns, and give one another name with AS"
            return


def _link(link: Link, schema: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    tables = {fold(name): (name, columns) for name, columns in schema.items()}
    for end, table, columns in (("from", link.source, link.source_columns), ("to", link.target, link.target_columns)):
        if fold(table) not in tables:
            yield link.line, link.item, f'`{end}` names an unknown table "{table}"', nearest(table, schema)
            continue
        spelt, known = tables[fold(table)]
        for column in columns:
            if fold(column) not in map(fold, known):
                what = f'`{end}_columns` names an unknown column "{column}" of "{spelt}"'
                yield link.line, link.item, what, nearest(column, known)
