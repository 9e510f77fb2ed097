"""Our SQL functions, and times found before one calculates with them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.sql.functions import ago, bare, comparable, number, ordered, unix_ns
from compiler.sql.times import find_time_arithmetic, is_time_value

TIMES = {
    "1970-01-01T00:00:00.000000000Z": 0,
    "1969-12-31T23:59:59.999999999Z": -1,
    "2026-01-02T03:04:05.000000001Z": 1767323045000000001,
    "2026-01-02T03:04:05Z": 1767323045000000000,
    "2026-01-02T03:04:05.5+01:30": 1767317645500000000,
    "2262-04-11T23:47:16.854775807Z": 2**63 - 1,
    "1677-09-21T00:12:43.145224192Z": -(2**63),
}
BAD_TIMES = {
    "yesterday": "unix_ns() takes the text of a time such as 2026-01-02T03:04:05.000000000Z, got 'yesterday'",
    5: "unix_ns() takes the text of a time such as 2026-01-02T03:04:05.000000000Z, got 5",
    "2026-13-02T03:04:05Z": "unix_ns() got '2026-13-02T03:04:05Z', which is no time: month must be in 1..12",
    "2262-04-11T23:47:16.854775808Z": (
        "unix_ns() got '2262-04-11T23:47:16.854775808Z', which is not between the years 1677 and 2262 that it can hold"
    ),
    "0001-01-01T00:00:00.000000001Z": (
        "unix_ns() got '0001-01-01T00:00:00.000000001Z', which is not between the years 1677 and 2262 that it can hold"
    ),
}


def test_unix_ns_of_a_time_never_set_is_null() -> None:
    assert unix_ns("0001-01-01T00:00:00.000000000Z") is None


@pytest.mark.parametrize(("text", "nanoseconds"), TIMES.items())
def test_unix_ns_is_exact(text: str, nanoseconds: int) -> None:
    assert unix_ns(text) == nanoseconds


@pytest.mark.parametrize(("value", "message"), BAD_TIMES.items())
def test_unix_ns_says_what_is_no_time(value: str | int, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is compared below)
        unix_ns(value)
    assert str(caught.value) == message


def test_null_stays_null() -> None:
    assert (unix_ns(None), bare(None), number(None)) == (None, None, None)


@given(st.integers(-(2**63), 2**63 - 1))
def test_unix_ns_undoes_gos_format(nanoseconds: int) -> None:
    seconds, rest = divmod(nanoseconds, 10**9)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert unix_ns(f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z") == nanoseconds


HELD: dict[str | int, str | int | float | None] = {
    '{"$type":"int64","$value":25077}': 25077,
    '{"$type":"main.On","$value":true}': 1,
    '{"$type":"float32","$value":1.5}': 1.5,
    '{"$type":"uint64","$value":18446744073709551615}': "18446744073709551615",
    '{"$type":"*int","$value":null}': None,
    '{"$type":"int","$value":{"$absent":"torn"}}': None,
    '{"$absent":"depth","$addr":"0xc000010018"}': None,
    "[not JSON": "[not JSON",
    "7": "7",
    8: 8,
    '{"$type":"main.T","N":1}': None,
    '{"$type":"string","$value":"12"}': None,
    "{not JSON": "{not JSON",
}


@pytest.mark.parametrize(("value", "found"), HELD.items())
def test_arithmetic_takes_the_number_that_an_interface_holds(value: str | int, found: object) -> None:
    assert number(value) == found


COMPARED: dict[str | float, tuple[object, object]] = {
    '{"$type":"int64","$value":25077}': (25077, 25077),
    '{"$type":"main.On","$value":true}': (1, 1),
    '{"$type":"uint64","$value":18446744073709551615}': (2.0**64, "18446744073709551615"),
    '{"$type":"string","$value":"12"}': (None, 12),
    '{"$type":"string","$value":"twelve"}': (None, "twelve"),
    '{"$type":"main.T","N":1}': (None, '{"$type":"main.T","N":1}'),
    '{"$type":"*int","$value":null}': (None, None),
    '{"$absent":"depth","$addr":"0xc000010018"}': (None, None),
    "18446744073709551615": (2.0**64, "18446744073709551615"),
    "-12": (-12, -12),
    "1.5e3": (1500.0, 1500.0),
    "twelve": (None, "twelve"),
    "": (None, ""),
    "{12": (None, "{12"),
    12: (12, 12),
    0.5: (0.5, 0.5),
}


@pytest.mark.parametrize(("value", "found"), COMPARED.items())
def test_a_comparison_with_a_number_takes_the_number(value: str | float, found: tuple[object, object]) -> None:
    assert (ordered(value), comparable(value)) == found


@pytest.mark.parametrize("function", [number, ordered])
@pytest.mark.parametrize("value", ['{"N":1}', "[1,2]", "[]", "{}"])
def test_a_whole_struct_is_no_number(function: Callable[[str], object], value: str) -> None:
    with pytest.raises(ValueError, match=r"is a whole value, .*; name the part that is a number"):
        function(value)


def test_a_time_in_an_interface_is_a_time() -> None:
    text = '{"$type":"time.Time","$value":"1970-01-01T00:00:01.000000000Z"}'
    assert (unix_ns(text), ago(text, 3_000_000_000)) == (1_000_000_000, 2.0)
    assert [unix_ns('{"$absent":"depth"}'), ago('{"$absent":"depth"}', 1)] == [None, None]
    with pytest.raises(ValueError, match=r"is a time.*write unix_ns"):
        number(text)
    with pytest.raises(ValueError, match=r"is a time, which SQLite takes for more than any number; write unix_ns"):
        ordered(text)


BARE = {
    "true": 1, "false": 0, "null": None, "7": 7, "1.5": 1.5, '"é\\n"': "é\n", '{"a":1}': '{"a":1}', "[]": "[]",
    "18446744073709551615": "18446744073709551615", "-9223372036854775808": -(2**63), '"NaN"': "NaN",
    '{"$absent":"optimized out","$addr":"0xc000010018"}': None, '{"$type":"int","$value":{"$absent":"torn"}}': None,
    '{"$type":"int","$value":7}': 7, '{"$type":"string","$value":"x"}': "x",
    '{"$type":"main.State","$value":7}': '{"$type":"main.State","$value":7}',
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), BARE.items())
def test_bare_is_the_sql_value_of_json(text: str, value: object) -> None:
    assert bare(text) == value


def at_start(column: str, path: tuple[str | int, ...]) -> bool:
    return (column.lower(), path) in {("q", ("Start",)), ("started", ()), ("q", ("Spans", 0, "End"))}


CALCULATES = {
    "captured_at_ns - q->Start": "q->Start",
    "captured_at_ns - unix_ns(q->Start)": None,
    "(q->Start) / 2": "q->Start",
    "-started": "started",
    "sum(Started)": "Started",
    "round(q->Spans[0].End, 1)": "q->Spans[0].End",
    "coalesce(started, 0) % 2": "started",
    "CASE WHEN 1 THEN started ELSE 2 END * 3": "started",
    "iif(started, 1, 2) + 1": None,
    "q->>'$.Start' + 1": "q->Start",
    "json_extract(q, '$.Start') + 1": "q->Start",
    "CAST(started AS INTEGER)": "started",
    "started > '2026'": None,
    "'at ' || started": None,
    "q->SQL + 1": None,
    "substr(started, 1, 4) + 1": None,
}


@pytest.mark.parametrize(("expression", "operand"), CALCULATES.items())
def test_arithmetic_on_a_time_is_found(expression: str, operand: str | None) -> None:
    assert find_time_arithmetic(expression, at_start) == operand


def test_a_value_that_is_a_time_passes_it_on() -> None:
    expressions = ("q->Start", "coalesce(started, '')", "unix_ns(started)", "q")
    assert [is_time_value(each, at_start) for each in expressions] == [True, True, False, False]
