"""What is refused, word for word; and that our judgement of names agrees with SQLite's."""

import sqlite3

import pytest

from compiler.sql.errors import SqlError
from compiler.sql.select import compile_select, sql_select_guard
from tests.compiler.sql.snapshot import SCHEMA, opened

ONE = "; write one SELECT (WITH before it and UNION inside it are fine)"
GUARDED = {
    "": "the SQL is empty; write a SELECT",
    " -- nothing\n;": "the SQL is empty; write a SELECT",
    "SELECT 1; SELECT 2": "line 1, column 9: more than one statement; write one SELECT",
    "PRAGMA journal_mode = DELETE": "found PRAGMA, only a SELECT may stand here" + ONE,
    "ATTACH 'x' AS y": "found ATTACH, only a SELECT may stand here" + ONE,
    "EXPLAIN SELECT 1": "found EXPLAIN, only a SELECT may stand here" + ONE,
    "VALUES (1)": "found VALUES, only a SELECT may stand here" + ONE,
    "(SELECT 1)": "found (, only a SELECT may stand here" + ONE,
    "insert into queries values (1)": "found INSERT, only a SELECT may stand here" + ONE,
    "WITH a AS (SELECT 1) INSERT INTO queries SELECT * FROM a": "found INSERT, only a SELECT may stand here" + ONE,
    "WITH a AS (SELECT 1) UPDATE queries SET q = 1": "found UPDATE, only a SELECT may stand here" + ONE,
    "SELEC a": "found SELEC, only a SELECT may stand here" + ONE,
    "SELECT 'a": "line 1, column 8: the quote ' is never closed; close it",
    "SELECT\n  (1": 'line 2, column 3: syntax error: "(" is never closed; close it',
    "SELECT 1)": 'line 1, column 9: syntax error near ")"; it closes nothing',
    "SELECT 1,, 2": 'line 1, column 9: syntax error near ","; an expression must follow',
    "SELECT q\nFROM queries\nWHERE a b c": 'line 3, column 9: syntax error near "b"',
    "SELECT q->user.Name AS n\nFROM queries WHERE": 'line 2, column 14: syntax error near "WHERE"',
    "SELECT 12abc": 'line 1, column 8: "12abc" is no number',
    "SELECT a ^ b": "line 1, column 10: unexpected character '^'",
    "SELECT :x": "line 1, column 8: the parameter :x has no value here; write the value",
    "SELECT -> a FROM queries": 'line 1, column 8: syntax error near "->"; write column->field.field',
    'SELECT q->"a""b" FROM queries': (
        'line 1, column 11: "a""b" is no step of a JSON path; '
        'a step is a field name, an [index] or a ["key"] without quotes and backslashes in it'
    ),
    "SELECT readfile('x')": 'line 1, column 8: no function "readfile" may be called here; there are: abs, acos, '
    "acosh, address, ago, asin, asinh, atan, atan2, atanh, avg, bare and 99 more",
    'SELECT "load_extension"(1)': (
        'line 1, column 8: no function "load_extension" may be called here; there are: abs, acos, acosh, address, '
        "ago, asin, asinh, atan, atan2, atanh, avg, bare and 99 more"
    ),
    "SELECT unix_nz(1)": 'line 1, column 8: no function "unix_nz" may be called here; nearest: "unix_ns"',
    "SELECT * FROM pragma_table_info": (
        '"pragma_table_info" is no table of a snapshot; read from the snapshot\'s own tables'
    ),
    "SELECT " + "(" * 60 + "1" + ")" * 60: "line 1, column 58: nested more than 50 deep; use a derived table",
    "SELECT " + "1" * 100_000: "the SQL has 100007 characters, more than 100000; make it shorter",
    "SELECT " + "NOT " * 5000 + "1": "the SQL is nested too deeply; split it into derived tables",
    "SELECT 1" + " + 1" * 5000: "the SQL is nested too deeply; split it into derived tables",
}


@pytest.mark.parametrize(("sql", "message"), GUARDED.items())
def test_the_guard_lets_one_select_through(sql: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        sql_select_guard(sql)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


# SQLite is the judge: what it can prepare must compile, what it cannot must not.
GOOD = """
SELECT goroutine_id g FROM queries WHERE g > 1 ORDER BY g
SELECT q.user FROM queries q WHERE EXISTS (SELECT 1 FROM goroutines WHERE goroutine_id = q.goroutine_id AND user = 'x')
SELECT a.user FROM queries a, queries b WHERE a.goroutine_id = b.goroutine_id
SELECT goroutine_id, status FROM queries JOIN goroutines USING (process_id, goroutine_id)
SELECT goroutine_id FROM queries NATURAL JOIN goroutines
SELECT pid, user FROM queries JOIN processes USING (process_id) WHERE process_id = 1
SELECT j.key, j.value FROM queries, json_each(queries.q) AS j WHERE j.type = 'text'
SELECT key, atom FROM queries, json_tree(q, '$.Args')
SELECT value FROM json_each('[1]')
WITH b AS (SELECT * FROM a), a AS (SELECT user FROM queries) SELECT user FROM b
WITH a(x, y) AS (SELECT 1, 2) SELECT x + y FROM a
WITH RECURSIVE up(g) AS (SELECT 1 UNION SELECT g + 1 FROM up WHERE g < 3) SELECT g FROM up
WITH queries AS (SELECT 1 AS one) SELECT one FROM queries
SELECT main.queries.user FROM main.queries
SELECT max(age_s), user FROM queries GROUP BY user HAVING max(age_s) > 1
SELECT user FROM queries UNION ALL SELECT status FROM goroutines ORDER BY user
SELECT sum(age_s) OVER win FROM queries WINDOW win AS (PARTITION BY user ORDER BY age_s)
SELECT * FROM (queries JOIN goroutines USING (goroutine_id))
SELECT x.user FROM (SELECT user FROM queries) x LEFT JOIN (SELECT status FROM goroutines) ON status = x.user
SELECT count(*) FILTER (WHERE age_s > 1) FROM queries
SELECT user FROM queries ORDER BY (SELECT status FROM goroutines WHERE goroutine_id = queries.goroutine_id)
SELECT (SELECT count(*) FROM goroutines g WHERE g.goroutine_id = o.goroutine_id) AS n FROM queries o
SELECT USER, Queries.AGE_S FROM QUERIES
SELECT replace(user, 'a', 'b'), like('a%', user), glob('a*', user) FROM queries
SELECT CAST(age_s AS DECIMAL(10, 2)) FROM queries
""".strip().splitlines()
BAD = """
SELECT nosuch FROM queries
SELECT q.nosuch FROM queries q
SELECT queries.user FROM queries q
SELECT user FROM nosuch
SELECT goroutine_id FROM queries, goroutines
SELECT goroutine_id FROM queries JOIN goroutines USING (process_id)
SELECT user AS u, u || 'x' FROM queries
SELECT user FROM (SELECT q FROM queries)
SELECT user FROM queries WHERE EXISTS (SELECT nosuch FROM goroutines)
WITH a(x) AS (SELECT 1) SELECT y FROM a
WITH a(x) AS (SELECT 1, 2) SELECT x FROM a
SELECT user FROM queries UNION SELECT user, q FROM queries
SELECT user FROM other.queries
SELECT user FROM queries JOIN goroutines USING (user)
SELECT x.* FROM queries q
SELECT sum(age_s) OVER (PARTITION BY nosuch) FROM queries
SELECT user FROM queries GROUP BY nosuch
SELECT user FROM queries WHERE goroutine_id IN nosuch
SELECT (SELECT x.user FROM goroutines x) FROM queries
SELECT 1 FROM queries JOIN (SELECT queries.user) z
SELECT unix_ns(nosuch->Start) FROM queries
SELECT max(nosuch -> '$.a') FROM queries
""".strip().splitlines()


@pytest.mark.parametrize("sql", GOOD)
def test_what_sqlite_can_prepare_compiles(sql: str) -> None:
    compiled = compile_select(sql, SCHEMA)
    with opened() as connection:
        connection.execute(sql)
        names = [column[0] for column in connection.execute(compiled.sql).description]
    assert len(names) == len(compiled.columns)
    assert [name.lower() for name in names] == [name.lower() for name in compiled.columns]


@pytest.mark.parametrize("sql", BAD)
def test_what_sqlite_cannot_prepare_does_not_compile(sql: str) -> None:
    with opened() as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute(sql.replace("nosuch->Start", "nosuch"))
    with pytest.raises(SqlError):
        compile_select(sql, SCHEMA)


def test_the_tables_a_select_reads() -> None:
    inner = "1 IN (SELECT pid FROM processes)"
    sql = f"WITH goroutines AS (SELECT 1 AS one) SELECT q.user, one FROM Queries q, goroutines WHERE {inner}"
    assert compile_select(sql, SCHEMA).tables_used == ("processes", "queries")
