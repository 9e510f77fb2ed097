"""enum_name(), ago() and ->__addr in SQL: what they become, what they refuse, and that SQLite runs what comes out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.sql.calls import Use
from compiler.sql.enums import EnumNames, TypeNames, by_process, enum_function, is_flags
from compiler.sql.errors import SqlError
from compiler.sql.extra import compile_extra, fill_extra, references
from compiler.sql.places import Place
from compiler.sql.select import compile_select, sql_select_guard
from tests.compiler.sql.snapshot import SCHEMA, START, opened, rows

KNOWN = {
    **SCHEMA,
    "oldest": ("process_id", "start"),
    "bare_times": ("start", "n"),
}
PLACES = {("queries", "q"): Place("queries", "q"), ("queries", "age_s"): Place("queries", "q", ("N",))}
CAPTURE = 'SELECT "the capture".captured_at_ns FROM main.processes AS "the capture" WHERE "the capture".process_id = '
EVIDENT = (
    "enum_name() takes a column of a function table, or a path in one: which it is, is not evident here; "
    "make an extra column of it where the value is collected"
)
WHICH = (
    "ago() does not know here which capture is meant; "
    "write ago(time, captured_at_ns) with the captured_at_ns of the row's process"
)
FULL = {
    "SELECT enum_name(q->State) AS x FROM queries": (
        """SELECT enum_name(bare(q -> '$."State"'), "queries"."process_id", 'queries', 'q', '$."State"') AS x FROM queries"""
    ),
    "SELECT enum_name ( age_s )+1 AS x FROM Queries Q": (
        """SELECT number(enum_name ( age_s , "Q"."process_id", 'queries', 'q', '$."N"'))+1 AS x FROM Queries Q"""
    ),
    "SELECT ago(q->Start)-1 AS x FROM queries AS p": (
        f"""SELECT ago(bare(q -> '$."Start"'), ({CAPTURE}"p"."process_id"))-1 AS x FROM queries AS p"""
    ),
    "SELECT ago(start) AS x FROM oldest, goroutines": (
        f'SELECT ago(start, ({CAPTURE}"oldest"."process_id")) AS x FROM oldest, goroutines'
    ),
    "SELECT ago(start) AS x FROM bare_times, processes": (
        'SELECT ago(start, "processes"."captured_at_ns") AS x FROM bare_times, processes'
    ),
    "SELECT ago(start) AS x FROM bare_times, queries": (
        f'SELECT ago(start, ({CAPTURE}"queries"."process_id")) AS x FROM bare_times, queries'
    ),
    "SELECT ago(value->Start) AS x FROM queries, json_each(q)": (
        f"""SELECT ago(bare(value -> '$."Start"'), ({CAPTURE}"queries"."process_id")) AS x FROM queries, json_each(q)"""
    ),
    "SELECT ago(start, 5) AS x FROM bare_times": "SELECT ago(start, 5) AS x FROM bare_times",
    "SELECT q->__addr AS a, q->Tx->__addr AS b, q->Tx.__addr AS c, q->\"__addr\" AS d FROM queries": (
        """SELECT address(q) AS a, address(q -> '$."Tx"') AS b, address(q -> '$."Tx"') AS c, """
        """bare(q -> '$."__addr"') AS d FROM queries"""
    ),
    "SELECT 1 AS x FROM queries a JOIN queries b ON a.q->__addr = b.q->'$.Tx'->__addr": (
        "SELECT 1 AS x FROM queries a JOIN queries b ON address(a.q) = address(b.q->'$.Tx')"
    ),
    "WITH uuid(a) AS (SELECT 1) SELECT a, CAST(a AS ago(1, 2)) AS b FROM uuid": (
        "WITH uuid(a) AS (SELECT 1) SELECT a, CAST(a AS ago(1, 2)) AS b FROM uuid"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "full"), FULL.items())
def test_a_call_is_told_what_it_needs(written: str, full: str) -> None:
    assert compile_select(written, KNOWN, PLACES).sql == full


REFUSED = {
    "SELECT enum_name(user) FROM queries": f"line 1, column 8: {EVIDENT}",
    "SELECT 'é',\n enum_name(status) FROM goroutines": f"line 2, column 2: {EVIDENT}",
    "SELECT enum_name(x.q) FROM (SELECT * FROM queries) x": f"line 1, column 8: {EVIDENT}",
    "WITH queries AS (SELECT 1 AS q, 2 AS process_id) SELECT enum_name(q) FROM queries": f"line 1, column 57: {EVIDENT}",
    "SELECT enum_name(value) FROM queries, json_each(q)": f"line 1, column 8: {EVIDENT}",
    "SELECT enum_name(q->A || q->B) FROM queries": f"line 1, column 8: {EVIDENT}",
    "SELECT enum_name(coalesce(q, 1)) FROM queries": f"line 1, column 8: {EVIDENT}",
    "SELECT enum_name(json_extract(q, '$.A', '$.B')) FROM queries": f"line 1, column 8: {EVIDENT}",
    "SELECT q AS s FROM queries ORDER BY enum_name(s)": f"line 1, column 37: {EVIDENT}",
    "SELECT q FROM queries UNION SELECT 1 ORDER BY enum_name(q)": f"line 1, column 47: {EVIDENT}",
    "SELECT (SELECT enum_name(q) FROM processes AS Queries) FROM queries": f"line 1, column 16: {EVIDENT}",
    "SELECT ago(start) FROM bare_times": f"line 1, column 8: {WHICH}",
    "SELECT ago(a.start || b.start) FROM oldest a, oldest b": f"line 1, column 8: {WHICH}",
    "SELECT ago('2026-01-02T03:04:05Z')": f"line 1, column 8: {WHICH}",
    "SELECT ago(n) FROM bare_times, oldest AS a, queries": f"line 1, column 8: {WHICH}",
    "SELECT start FROM oldest UNION SELECT 1 ORDER BY ago(start)": f"line 1, column 50: {WHICH}",
    "SELECT ago() FROM oldest": "line 1, column 8: ago() takes one or two arguments, got none; write ago(q->Start)",
    "SELECT ago(1, 2, (3)) FROM oldest": "line 1, column 8: ago() takes one or two arguments, got 3; write ago(q->Start)",
    "SELECT enum_name(q, 1) FROM queries": "line 1, column 8: enum_name() takes one argument, got 2; "
    "write enum_name(q->State)",
    "SELECT UUID(q, 1) FROM queries": "line 1, column 8: uuid() takes one argument, got 2; write uuid(q->ID)",
    "SELECT address() FROM queries": "line 1, column 8: address() takes one argument, got none; write q->__addr",
    "SELECT uuid(nosuch) FROM queries": 'unknown column "nosuch"; there are: age_s, goroutine_id, process_id, q, user',
}  # fmt: skip
AFTER = (
    "__addr is the address itself, nothing can follow it; end the path there; "
    'a field of that name is written "__addr", in quotes'
)
REFUSED |= {
    "SELECT q->__addr.x FROM queries": f"line 1, column 17: {AFTER}",
    "SELECT q->Tx.__addr[0] FROM queries": f"line 1, column 20: {AFTER}",
    "SELECT q->__addr->x FROM queries": f"line 1, column 17: {AFTER}",
}


@pytest.mark.parametrize(("sql", "message"), REFUSED.items())
def test_what_is_not_evident_is_refused_with_the_remedy(sql: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        compile_select(sql, KNOWN, PLACES)
    assert str(caught.value) == message


GUARDED = {
    "SELECT enum_name(q->State) FROM queries": "line 1, column 8: enum_name() needs the binary, which a finished snapshot "
    "does not have; make an extra column of it where the value is collected, in the spec",
    "SELECT q,\n ago(q->Start) FROM queries": f"line 2, column 2: {WHICH}",
    "SELECT uuid() FROM queries": "line 1, column 8: uuid() takes one argument, got none; write uuid(q->ID)",
}


@pytest.mark.parametrize(("sql", "message"), GUARDED.items())
def test_what_a_finished_snapshot_cannot_tell(sql: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        sql_select_guard(sql)
    assert str(caught.value) == message


def test_sqlite_runs_it() -> None:
    joined = "queries JOIN processes USING (process_id)"
    sql = f"SELECT ago(q->Start) AS a, ago(q->Start, captured_at_ns) AS b, q->'$.user'->Name AS c FROM {joined}"
    compiled = compile_select(sql, SCHEMA, PLACES)
    with opened() as connection:
        assert rows(connection, compiled.sql)[1] == [
            (1.0, 1.0, name) for name in ("ann", "bob", "cid", "ann", None)
        ]  # fmt: skip
    assert compiled.uses == ()


def test_a_select_tells_what_it_asks_the_binary() -> None:
    inner = "SELECT q->Tx->__addr AS at FROM queries"
    sql = f"SELECT enum_name(q->State), user->__addr FROM queries JOIN ({inner}) ON at = q->__addr"
    assert set(compile_select(sql, SCHEMA, PLACES).uses) == {
        Use("address", Place("queries", "q", ("Tx",))),
        Use("enum_name", Place("queries", "q", ("State",))),
        Use("address", Place("queries", "q")),
    }


COLUMNS = references(("process_id", "q", "state"), ("captured_at_ns",), ("status",))
EXTRA_PLACES = {"q": Place("t'1", "q"), "state": Place("t'1", "q", ("State",))}
EXTRAS = {
    "enum_name(q->a[0]['it''s'])": (
        """enum_name(bare(r."q" -> '$."a"[0]."it''s"'), r.process_id, 't''1', 'q', '$."a"[0]."it''s"')"""
    ),
    "enum_name(State)": """enum_name(r."state", r.process_id, 't''1', 'q', '$."State"')""",
    "ago(q->Start) + 1": """ago(bare(r."q" -> '$."Start"'), p.captured_at_ns) + 1""",
    "uuid(q)": 'uuid(r."q")',
    "q->Tx->__addr": """address(r."q" -> '$."Tx"')""",
}


@pytest.mark.parametrize(("written", "full"), EXTRAS.items())
def test_an_extra_column_knows_its_row(written: str, full: str) -> None:
    assert compile_extra(written, COLUMNS, EXTRA_PLACES).sql == full


ENUM = "enum_name() takes a collected column or a path in one; write enum_name(column) or enum_name(column->field)"
BAD_EXTRAS = {
    "enum_name(status)": f"line 1, column 1: {ENUM}",
    "1 + enum_name(q->A || 'x')": f"line 1, column 5: {ENUM}",
    "\n enum_name(3)": f"line 2, column 2: {ENUM}",
    "enum_name()": "line 1, column 1: enum_name() takes one argument, got none; write enum_name(q->State)",
    "ago(q, 1, 2)": "line 1, column 1: ago() takes one or two arguments, got 3; write ago(q->Start)",
    "q->__addr->a": f"line 1, column 10: {AFTER}",
}


@pytest.mark.parametrize(("expression", "message"), BAD_EXTRAS.items())
def test_what_an_extra_column_cannot_ask(expression: str, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        compile_extra(expression, COLUMNS, EXTRA_PLACES)
    assert str(caught.value) == message


def test_an_extra_column_may_copy_a_place() -> None:
    copies = [compile_extra(each, COLUMNS, EXTRA_PLACES).copies for each in ("q->'a'->>'$.b[1]'", "state", "q || ''")]
    assert copies == [Place("t'1", "q", ("a", "b", 1)), Place("t'1", "q", ("State",)), None]


NAMES = TypeNames("main.State", "State", ((0, "Idle"), (1, "Busy"), (-1, "Gone"), (2**64 - 1, "Top")))
BITS = ((1, "A"), (2, "B"), (4, "C"), (1 << 63, "High"))
FLAGS = TypeNames("main.Flag", "Flag", ((3, "other.Both"), *BITS), BITS)
TWICE = (TypeNames("x.Level", "Level", ((1, "One"),)), TypeNames("x.Level", "Level", ((1, "Uno"),)))
CALLED = enum_function(
    by_process(
        [
            (
                EnumNames("t", "c", "$", NAMES),
                EnumNames("t", "f", "$", FLAGS),
                EnumNames("t", "any", "$", None, (NAMES, *TWICE)),
            )
        ]
    )
).call


def test_a_number_has_the_name_of_its_constant() -> None:
    assert [CALLED(value, 1, "t", "c", "$") for value in (0, 1, -1, "-1", 7, "18446744073709551615", "18446744073709551614")] == [
        "Idle", "Busy", "Gone", "Gone", "State(7)", "Top", "State(18446744073709551614)",
    ]  # fmt: skip
    assert [CALLED(value, 1, "t", "c", "$") for value in (None, '{"$absent":"nil"}')] == [None, None]
    assert CALLED(0, 2, "t", "c", "$") is None  # a process of another binary


def test_bit_flags_are_taken_apart() -> None:
    shown = {
        0: "Flag(0)",
        3: "other.Both",
        5: "A|C",
        7: "A|B|C",
        8: "Flag(8)",
        9: "A|0x8",
        -1: "Flag(-1)",
        str((1 << 63) + 2): "B|High",
    }
    assert {value: CALLED(value, 1, "t", "f", "$") for value in shown} == shown


@pytest.mark.parametrize(
    ("values", "flags"),
    [
        ((1, 2, 4), True),
        ((0, 1, 2, 4, 64), True),
        ((1, 2), False),
        ((1, 2, 3, 4), False),
        ((-4, 1, 2, 4), False),
        ((), False),
    ],
)
def test_only_distinct_bits_are_flags(values: tuple[int, ...], flags: bool) -> None:
    assert is_flags(values) is flags


HELD = {
    '{"$type":"main.State","$value":1}': "Busy",
    '{"$type":"*main.State","$value":7}': "State(7)",
    '{"$type":"other.State","$value":1}': None,
    '{"$type":"int","$value":1}': None,
    '{"$type":"x.Level","$value":1}': None,
    '{"$type":"main.State","$value":{"$absent":"torn"}}': None,
    '{"$type":"*main.T","$addr":"0xc000010018","N":1}': None,
    "text": None,
}


@pytest.mark.parametrize(("value", "name"), HELD.items())
def test_what_an_interface_holds_is_named_by_its_own_type(value: str, name: str | None) -> None:
    """Not where two types have one name in the snapshot: a/x.Level and b/x.Level."""
    assert CALLED(value, 1, "t", "any", "$") == name


def test_a_field_of_what_an_interface_holds_has_no_type() -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is compared below)
        CALLED(1, 1, "t", "any", "$")
    assert str(caught.value) == (
        "enum_name() got 1, a field of what an interface holds: its type is not known; "
        "collect the field with a type assertion, x.(*T).State"
    )


def test_what_is_no_number_has_no_name() -> None:
    for value, text in (("Idle", "'Idle'"), (1.5, "1.5"), ("--3", "'--3'"), (f"{START}", f"'{START}'")):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is compared below)
            CALLED(value, 1, "t", "c", "$")
        assert str(caught.value) == f"enum_name() takes a number, got {text}"


GAPS = st.sampled_from([" ", "\n", "\r\n", "\t", " -- it's (\n", "/* ) 😀 é */", "\f", "  "])


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    call = st.builds(
        "{}{}({}{}{})".format, st.sampled_from(["ago", "AGO", '"ago"', "uuid", "[uuid]"]), GAPS, GAPS, inner, GAPS
    )
    return call | st.builds("{}{}||{}{}".format, inner, GAPS, GAPS, inner) | st.builds("(-{})".format, inner)


operands = st.sampled_from(["q->Start", "'é😀 ago('", "q->Tx->__addr", "user"])
enums = st.builds(
    "{}{}({}q{}->{}State{})".format, st.sampled_from(["enum_name", "Enum_Name", "`enum_name`"]), *[GAPS] * 5
)


@settings(max_examples=200, deadline=None)
@given(st.recursive(operands | enums, nested, max_leaves=5), GAPS)
def test_every_call_is_completed_wherever_it_stands(expression: str, gap: str) -> None:
    """SQLite itself counts the arguments when it prepares the statement."""
    sql = f"SELECT '😀'{gap}AS y, {expression} AS x{gap}FROM queries"
    compiled = compile_select(sql, SCHEMA, PLACES)
    with opened() as connection:
        connection.create_function("enum_name", 5, lambda *_: None)
        connection.execute("EXPLAIN " + compiled.sql)
    columns = references(SCHEMA["queries"], SCHEMA["processes"][1:], SCHEMA["goroutines"][2:])
    extra = fill_extra("queries", "age_s", compile_extra(expression, columns, {"q": Place("queries", "q")}).sql)
    with opened() as connection:
        connection.create_function("enum_name", 5, lambda *_: None)
        connection.execute("EXPLAIN " + extra)
