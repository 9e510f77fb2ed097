"""Extra columns and derived tables of a snapshot, in the spec's order. What fails for this data becomes an Issue in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from compiler.spec import FunctionSpec, Spec, SpecError
from compiler.spec.builtin import BUILTIN_TABLES, FUNCTION_TABLE_COLUMNS, GOROUTINE_COLUMNS, PROCESS_COLUMNS
from compiler.sql.extra import compile_extra, fill_extra, references
from compiler.sql.functions import recording
from compiler.sql.names import quote
from compiler.sql.select import compile_select


def derive(connection: sqlite3.Connection, spec: Spec) -> None:
    """Fill the extra columns, then make the derived tables."""
    with _functions(connection) as errors:
        schema = {name: tuple(columns) for name, columns in BUILTIN_TABLES.items()}
        for function in spec.functions:
            schema[function.table] = _fill_extras(connection, function, errors)
        for table in spec.tables:
            compiled = compile_select(table.sql, schema)
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
def _functions(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """Our SQL functions on the connection; yields the list in which they leave the text of their errors."""
    errors: list[str] = []
    register_functions(connection, errors)
    yield errors


def register_functions(connection: sqlite3.Connection, errors: list[str]) -> None:
    """Register unix_ns() and the others; what they raise is appended to `errors`."""
    for name, function in recording(errors).items():
        connection.create_function(name, function.nargs, function.call, deterministic=True)


def _fill_extras(connection: sqlite3.Connection, function: FunctionSpec, errors: list[str]) -> tuple[str, ...]:
    """Fill one function table's extra columns; the table's columns, in order."""
    names = [*FUNCTION_TABLE_COLUMNS, *(collect.name for collect in function.collect)]
    for extra in function.extra:
        compiled = compile_extra(extra.expr, references(names, PROCESS_COLUMNS, GOROUTINE_COLUMNS))
        statement = fill_extra(function.table, extra.name, compiled)
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            item = f"extra column {function.table}.{extra.name}"
            _note(connection, item, _reason(error, errors), extra.line)
            _fill_row_by_row(connection, function.table, statement)
        names.append(extra.name)
    return tuple(names)


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
