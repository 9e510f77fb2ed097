"""Extra columns and derived tables of a snapshot, in the spec's order. What fails for this data becomes an Issue in it."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from types import MappingProxyType

from compiler.spec import FunctionSpec, Spec, SpecError
from compiler.spec.builtin import BUILTIN_TABLES
from compiler.spec.uses import FunctionPlaces
from compiler.sql.calls import ENUM_NAME
from compiler.sql.enums import NO_NAMES, Names, enum_function
from compiler.sql.extra import fill_extra
from compiler.sql.functions import SqlFunction, recording
from compiler.sql.names import quote
from compiler.sql.places import Place
from compiler.sql.select import compile_select


def derive(connection: sqlite3.Connection, spec: Spec, names: Names = NO_NAMES) -> None:
    """Fill the extra columns, then make the derived tables. `names`: of constants, by process."""
    with _functions(connection, names) as errors:
        schema = {name: tuple(columns) for name, columns in BUILTIN_TABLES.items()}
        places: dict[tuple[str, str], Place] = {}
        for function in spec.functions:
            own = FunctionPlaces(function)
            _fill_extras(connection, function, own, errors)
            schema[function.table] = tuple(own.columns)
            places |= own.by_table
        for table in spec.tables:
            compiled = compile_select(table.sql, schema, places)
            schema[table.name] = compiled.columns
            try:
                connection.execute(f"CREATE TABLE {quote(table.name)} AS {compiled.sql}")
            except sqlite3.Error as error:
                _note(connection, f"table {table.name}", _reason(error, errors), table.line)
                columns = ", ".join(quote(name) for name in compiled.columns)
                connection.execute(f"CREATE TABLE {quote(table.name)} ({columns})")


def rehearse(spec: Spec) -> None:
    """Derive over no rows, in memory: SpecError for SQL that SQLite itself will not have (what a parser let through)."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for name, columns in BUILTIN_TABLES.items():
            connection.execute(f"CREATE TABLE {quote(name)} ({', '.join(map(quote, columns))})")
        for function in spec.functions:
            create_function_table(connection, function)
        derive(connection, spec)
        found = connection.execute("SELECT item, message, line FROM issues ORDER BY line").fetchone()
    if found is not None:
        item, message, line = found
        raise SpecError(message, origin=spec.origin, line=line, item=item, remedy="write it as SQLite has it")


def create_function_table(connection: sqlite3.Connection, function: FunctionSpec) -> None:
    """Columns without a type: SQLite then keeps every value as it is given (a uint64's digits stay text)."""
    own = [*(collect.name for collect in function.collect), *(extra.name for extra in function.extra)]
    fixed = '"process_id" INTEGER, "goroutine_id" INTEGER, "depth" INTEGER, "function" TEXT, "line" INTEGER'
    connection.execute(f"CREATE TABLE {quote(function.table)} ({', '.join([fixed, *map(quote, own)])})")


@contextmanager
def _functions(connection: sqlite3.Connection, names: Names) -> Iterator[list[str]]:
    """Our SQL functions on the connection; yields the list in which they leave the text of their errors."""
    errors: list[str] = []
    register_functions(connection, errors, {ENUM_NAME: enum_function(names)})
    yield errors


def register_functions(
    connection: sqlite3.Connection, errors: list[str], more: Mapping[str, SqlFunction] = MappingProxyType({})
) -> None:
    """Register unix_ns() and the others (and `more`); what they raise is appended to `errors`."""
    for name, function in recording(errors, more).items():
        connection.create_function(name, function.nargs, function.call, deterministic=True)


def _fill_extras(
    connection: sqlite3.Connection, function: FunctionSpec, own: FunctionPlaces, errors: list[str]
) -> None:
    """Fill one function table's extra columns; `own` sees them in order."""
    for extra in function.extra:
        statement = fill_extra(function.table, extra.name, own.compile(extra).sql)
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            item = f"extra column {function.table}.{extra.name}"
            _note(connection, item, _reason(error, errors), extra.line)
            _fill_row_by_row(connection, function.table, statement)


def _fill_row_by_row(connection: sqlite3.Connection, table: str, statement: str) -> None:
    """The rows for which the expression can be had; the others stay NULL (the Issue says why)."""
    for (row,) in connection.execute(f"SELECT rowid FROM {quote(table)}").fetchall():
        try:
            connection.execute(f"{statement} AND r.rowid = ?", (row,))
        except sqlite3.Error:
            continue


def _reason(error: sqlite3.Error, errors: list[str]) -> str:
    """What went wrong, in our function's own words where it was one of ours."""
    own = errors[-1] if errors else ""
    errors.clear()
    return own or str(error)


def _note(connection: sqlite3.Connection, item: str, message: str, line: int) -> None:
    connection.execute("INSERT INTO issues VALUES (NULL, ?, ?, NULL, ?)", (item, message, line))
