"""Good specs: what they become, and that nothing but SpecError comes out of bad ones."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.ir.limits import Limits
from compiler.spec import SpecError, check_times, read_spec, spec_hash
from compiler.spec.builtin import BUILTIN_TABLES
from datasource.store import schema

QUERYDB = Path(__file__).resolve().parents[3] / "examples/querydb/querydb.yaml"

ISSUE_SPEC = """\
programs:
  querydb: {exe: "*/querydb"}
functions:
  - function: main.(*Session).execute
    table: queries
    collect: [q, {expr: s.user.Name, as: user, limits: {string_bytes: 64}}]
    limits: {depth: 2}
    extra:
      - {name: sql, expr: "q->SQL"}
      - {name: age_s, expr: "(captured_at_ns - unix_ns(q->Start)) / 1e9", unit: s}
  - function: main.(*Locks).wait
    table: lock_waits
    collect: [{expr: holder.ID, as: holder_txn}]
tables:
  red: SELECT * FROM oldest_queries WHERE age_s > 10
  oldest_queries: {sql: "SELECT goroutine_id, user, sql, age_s FROM queries ORDER BY age_s DESC", note: oldest first}
links:
  - {from: lock_waits, from_columns: [holder_txn], to: queries, to_columns: [goroutine_id], note: who holds the lock}
limits: {string_bytes: 4096, pause_ms: 50}
"""


def test_every_item_keeps_its_line_and_its_name() -> None:
    spec = read_spec(ISSUE_SPEC, "SPEC.yaml")
    queries, _ = spec.functions
    assert [(each.name, each.line, each.item) for each in queries.collect] == [
        ("q", 6, "functions[0].collect[0]"),
        ("user", 6, "functions[0].collect[1]"),
    ]
    assert [(each.unit, each.line, each.item) for each in queries.extra] == [
        (None, 9, 'functions[0].extra[0] "sql"'),
        ("s", 10, 'functions[0].extra[1] "age_s"'),
    ]
    assert (queries.line, queries.item, spec.links[0].line) == (4, "functions[0]", 18)


def test_limits_are_the_specs_and_each_item_keeps_only_its_changes() -> None:
    spec = read_spec(ISSUE_SPEC, "SPEC.yaml")
    assert spec.limits == Limits(string_bytes=4096, pause_ms=50)
    assert spec.functions[0].limits == (("depth", 2),)
    assert spec.functions[0].collect[1].limits == (("string_bytes", 64),)


def test_derived_tables_come_after_those_they_read() -> None:
    spec = read_spec(ISSUE_SPEC, "SPEC.yaml")
    assert [each.name for each in spec.tables] == ["oldest_queries", "red"]


def test_stacks_only_is_a_good_spec() -> None:
    assert read_spec("functions: []", "SPEC.yaml").functions == ()


@pytest.mark.parametrize("name", ["on", "no", "yes", "off", "y", "N"])
def test_yaml_1_2_words_are_names(name: str) -> None:
    text = f"%YAML 1.1\n---\nfunctions:\n- function: {name}\n  collect: [{name}]\n"
    spec = read_spec(text, "SPEC.yaml")
    assert (spec.functions[0].table, spec.functions[0].collect[0].name) == (name, name)


def test_a_table_is_called_as_its_function_and_a_column_as_its_expression() -> None:
    spec = read_spec("functions: [{function: main.(*Srv).serve, collect: [s.user.Name]}]", "SPEC.yaml")
    assert (spec.functions[0].table, spec.functions[0].collect[0].name) == ("main.(*Srv).serve", "s.user.Name")


def test_aliases_share_lists() -> None:
    text = "functions:\n- {function: a.f, collect: &c [x, y]}\n- {function: b.f, collect: *c}\n"
    first, second = read_spec(text.encode(), "SPEC.yaml").functions
    assert [each.name for each in first.collect] == [each.name for each in second.collect] == ["x", "y"]


def test_the_first_matching_rule_names_the_program() -> None:
    text = 'functions: []\nprograms:\n  db: {exe: "*/querydb"}\n  any: {exe: "/opt/*"}\n'
    spec = read_spec(text, "SPEC.yaml")
    assert [spec.program_for(exe) for exe in ("/opt/x/querydb", "/opt/other", "/bin/sh")] == ["db", "any", None]


def test_the_hash_is_of_what_the_spec_says() -> None:
    spec = read_spec(ISSUE_SPEC, "a.yaml")
    assert spec_hash(read_spec("# note\n\n" + ISSUE_SPEC, "b.yaml")) == spec_hash(spec)
    assert spec_hash(read_spec(ISSUE_SPEC.replace("age_s > 10", "age_s > 11"), "a.yaml")) != spec_hash(spec)


def test_the_demos_spec_is_good() -> None:
    assert [each.table for each in read_spec(QUERYDB.read_bytes(), "querydb.yaml").functions][:2] == [
        "queries",
        "lock_waits",
    ]


def test_the_store_makes_the_tables_that_specs_may_name() -> None:
    assert {name: tuple(columns) for name, columns in schema.BUILT_IN.items()} == dict(BUILTIN_TABLES)


def test_arithmetic_on_a_times_text_names_unix_ns() -> None:
    text = (
        "functions:\n- function: main.f\n  collect: [q]\n  extra:\n"
        "  - {name: start, expr: q->Start}\n  - {name: age_s, expr: captured_at_ns - start}\n"
    )
    spec = read_spec(text, "SPEC.yaml")
    with pytest.raises(SpecError) as caught:
        check_times(spec, spec.functions[0], lambda column, path: (column, path) == ("q", ("Start",)))
    assert str(caught.value) == (
        'SPEC.yaml:6: functions[0].extra[1] "age_s": start is a time (text such as 2026-01-02T03:04:05.000000000Z), '
        "arithmetic on it would be wrong; write unix_ns(start)"
    )
    check_times(spec, spec.functions[0], lambda _column, _path: False)


def judged(text: str | bytes) -> None:
    """Read it; an error that is no SpecError fails the test."""
    with suppress(SpecError):
        read_spec(text, "SPEC.yaml")


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200) | st.text("functions:[]{}-&*!|>%#'\" \n\t?,a0~\\", max_size=80))
def test_only_spec_errors_come_out_of_any_text(text: str | bytes) -> None:
    judged(text)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(ISSUE_SPEC) - 1), st.integers(0, 20), st.text("[]{}:,-&*!\"'|>\n\t ()$x>0é\0", max_size=4))
def test_only_spec_errors_come_out_of_a_damaged_spec(start: int, length: int, put: str) -> None:
    judged(ISSUE_SPEC[:start] + put + ISSUE_SPEC[start + length :])


@settings(max_examples=300, deadline=None)
@given(st.text("q->.[0]'\"()+-*/ SELECTFROMtx,;\n:?|%é", max_size=40))
def test_only_spec_errors_come_out_of_any_sql(sql: str) -> None:
    judged(f"functions: [{{function: f, table: t, collect: [q], extra: [{{name: x, expr: {sql!r}}}]}}]")
    judged(f"functions: []\ntables: {{t: {sql!r}}}")
