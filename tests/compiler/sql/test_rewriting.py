"""What we make of SQL means in SQLite what it says: both sides are executed and compared."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.sql.extra import compile_extra, fill_extra, references
from compiler.sql.select import compile_select, sql_select_guard
from tests.compiler.sql.snapshot import SCHEMA, START, blocks, opened, rows


@pytest.mark.parametrize("block", blocks("paths.sql"))
def test_paths_mean_what_the_plain_sql_means(block: str) -> None:
    written, plain = block.split("\n---\n")
    compiled = compile_select(written, SCHEMA)
    with opened() as connection:
        names, found = rows(connection, compiled.sql)
        assert found == rows(connection, plain)[1]
        assert (tuple(names), compiled.sql) == (compiled.columns, sql_select_guard(written))


@pytest.mark.parametrize("written", blocks("untouched.sql"))
def test_sqlites_own_sql_keeps_its_meaning_and_its_names(written: str) -> None:
    compiled = compile_select(written, SCHEMA)
    with opened() as connection:
        assert rows(connection, compiled.sql) == rows(connection, written)
        connection.execute(f"CREATE TABLE derived AS {compiled.sql}")
        made = [name for _, name, *_ in connection.execute("PRAGMA table_info(derived)")]
        assert len(set(map(str.lower, compiled.columns))) < len(made) or made == list(compiled.columns)


OPERANDS = [
    "age_s", "goroutine_id", "user", "2", "0.5", "'7'", "NULL", "-age_s", "(age_s)", "q->N", "q->user.Name", "q->>'$.M'",
    "count(*) OVER ()", "coalesce(age_s, 0)", "CASE WHEN age_s > 3 THEN 1 ELSE age_s END", "TRUE", "+q->>'$.M'",
    "user COLLATE nocase", "(age_s IN (1.5, 3))", "EXISTS (SELECT 1)", "(age_s ISNULL)", "(SELECT max(age_s) FROM queries)",
    "~goroutine_id", "sum(age_s) OVER (ORDER BY goroutine_id)", "CAST(user AS TEXT)", "(age_s NOT NULL)",
]  # fmt: skip
OPERATORS = ["+", "-", "*", "/", "%", "||", "AND", "&", "<<"]
NUMBERS = [
    "age_s", "goroutine_id", "queries.age_s", "2", "0.5", "-1", "NULL", "+age_s", "(3)", "q->N", "q->>'$.M'", "TRUE",
    "count(*) OVER ()", "coalesce(age_s, 0)", "CAST(user AS INTEGER)", "CASE WHEN age_s > 3 THEN 1 ELSE age_s END",
    "abs(age_s)", "(SELECT max(age_s) FROM queries)", "NOT age_s", "length(user)", "age_s + 1", "- age_s * 2",
]  # fmt: skip
COMPARISONS = [
    "{} < {}", "{}>={}", "{} = {}", "{} == {}", "{} <> {}", "{} IS {}", "{} IS NOT {}", "{} IS NOT DISTINCT FROM {}",
    "{} IN ({}, 3)", "{} NOT IN (1, {})", "{} BETWEEN 1 AND {}", "{} NOT BETWEEN {} AND 4.5", "2 BETWEEN {} AND {}",
    "sum({}) OVER (ORDER BY goroutine_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) > {}", "(goroutine_id, {}) = (1, {})",
    "({}) > ({})", "NOT {} > {}", "CASE WHEN {} > {} THEN 1 ELSE 2 END", "count(*) FILTER (WHERE {} < {}) OVER ()",
]  # fmt: skip


def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    both = st.builds("{} {} {}".format, inner, st.sampled_from(OPERATORS), inner)
    return both | st.builds(str.format, st.sampled_from(["({})", "abs({})", "- ({})"]), inner)


def compared(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operand = st.sampled_from(NUMBERS) | inner.map("({})".format)
    both = st.builds(str.format, st.sampled_from(COMPARISONS), operand, operand)
    return both | st.builds("({}) {} {}".format, inner, st.sampled_from(["AND", "OR", "+", "="]), inner)


expressions = st.recursive(st.sampled_from(OPERANDS), longer, max_leaves=6)
comparisons = st.recursive(st.sampled_from(NUMBERS), compared, max_leaves=6)


@settings(max_examples=300, deadline=None)
@given(expressions | comparisons)
def test_any_arithmetic_and_comparison_of_numbers_gives_the_same_with_the_fence(expression: str) -> None:
    plain = expression.replace("q->N", "json_extract(q, '$.N')").replace(
        "q->user.Name", "json_extract(q, '$.user.Name')"
    )
    compiled = compile_select(f"SELECT {expression} AS x FROM queries ORDER BY goroutine_id", SCHEMA)
    with opened() as connection:
        want = outcome(connection, f"SELECT {plain} AS x FROM queries ORDER BY goroutine_id")
        assert outcome(connection, compiled.sql) == want


def outcome(connection: sqlite3.Connection, sql: str) -> object:
    """Names and rows, or what SQLite says against it."""
    try:
        return rows(connection, sql)
    except sqlite3.OperationalError as error:
        return str(error)


COMPARED = {
    "v > 5, v <= - 3, 5 > v, (v) >= (5), v > 2 * depth": (
        "ordered(v) > 5, ordered(v) <= - 3, 5 > ordered(v), ordered((v)) >= (5), ordered(v) > 2 * number(depth)"
    ),
    "v = 5, v IS NOT 5, v NOT IN (5, 6), v <> count(*)": (
        "comparable(v) = 5, comparable(v) IS NOT 5, comparable(v) NOT IN (5, 6), comparable(v) <> count(*)"
    ),
    "v IS DISTINCT FROM 5, v IS NOT DISTINCT FROM w->a": (
        "comparable(v) IS DISTINCT FROM 5, v IS NOT DISTINCT FROM bare(w -> '$.\"a\"')"
    ),
    "v BETWEEN 1 AND w, 1 NOT BETWEEN t.v AND w": "ordered(v) BETWEEN 1 AND ordered(w), 1 NOT BETWEEN ordered(t.v) AND ordered(w)",
    "v < captured_at_ns, p.captured_at_ns < v->a": (
        "ordered(v) < captured_at_ns, p.captured_at_ns < ordered(bare(v -> '$.\"a\"'))"
    ),
    "v + 1 > 5, v > w, v = 'x', v IS NULL, depth = 5, t.goroutine_id = 17, (v, w) = (1, 2), v LIKE 5": (
        "number(v) + 1 > 5, v > w, v = 'x', v IS NULL, depth = 5, t.goroutine_id = 17, (v, w) = (1, 2), v LIKE 5"
    ),
}


@pytest.mark.parametrize(("written", "fenced"), COMPARED.items())
def test_what_is_compared_with_a_number_is_fenced(written: str, fenced: str) -> None:
    select = "SELECT 1 AS x FROM t, p WHERE coalesce({})"
    assert sql_select_guard(select.format(written)) == select.format(fenced)


FENCED = {
    "SELECT q->Start + 1 AS x FROM queries": "SELECT number(bare(q -> '$.\"Start\"')) + 1 AS x FROM queries",
    "SELECT 1 - (q->>'$.Start') AS x FROM queries": "SELECT 1 - number((q->>'$.Start')) AS x FROM queries",
    "SELECT sum(s) FROM (SELECT q->Start s FROM queries)": (
        'SELECT sum(number(s)) AS "sum(s)" FROM (SELECT bare(q -> \'$."Start"\') s FROM queries)'
    ),
    "SELECT max(s) OVER () - age_s AS x FROM (SELECT age_s, q->Start s FROM queries)": (
        "SELECT number(max(s) OVER ()) - number(age_s) AS x FROM (SELECT age_s, bare(q -> '$.\"Start\"') s FROM queries)"
    ),
    "SELECT - q->Start AS x FROM queries": "SELECT - number(bare(q -> '$.\"Start\"')) AS x FROM queries",
}


@pytest.mark.parametrize(("written", "fenced"), FENCED.items())
def test_arithmetic_on_a_time_stops_at_run_time(written: str, fenced: str) -> None:
    errors: list[str] = []
    assert sql_select_guard(written) == fenced
    with opened(errors) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute(fenced).fetchall()
    assert errors == [f"'{START}' is a time, arithmetic on it would be wrong; write unix_ns(...)"]


EXTRAS = {
    "q->SQL": [f"SELECT 'é' -- {number}" for number in range(1, 6)],
    "(captured_at_ns - unix_ns(q->Start)) / 1e9": [1.0] * 5,
    "status || ':' || \"USER\"": ["waiting:ann", "waiting:bob", "waiting:cid", "waiting:ann", None],
    "CASE user WHEN 'ann' THEN goroutine_id ELSE 0 END": [1, 0, 0, 4, 0],
    "pid + goroutine_id -- what it is": [43, 44, 45, 46, 47],
    "coalesce(q->user.Name, 'q') LIKE 'A%'": [1, 0, 0, 1, 0],
    "json_array_length(q, '$.Args')": [2] * 5,
    "CAST(user AS user)": [0] * 5,
    "user COLLATE nocase = 'ANN'": [1, 0, 0, 1, None],
}


@pytest.mark.parametrize(("expression", "values"), EXTRAS.items())
def test_an_extra_column_sees_its_row_its_process_and_its_goroutine(expression: str, values: list[object]) -> None:
    columns = references(SCHEMA["queries"], SCHEMA["processes"][1:], SCHEMA["goroutines"][2:])
    with opened() as connection:
        connection.execute("ALTER TABLE queries ADD COLUMN x")
        connection.execute(fill_extra("queries", "x", compile_extra(expression, columns).sql))
        found = [value for (value,) in connection.execute("SELECT x FROM queries ORDER BY goroutine_id")]
    if expression != "CAST(user AS user)":
        assert found == values
