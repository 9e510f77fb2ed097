"""Scalars, texts and times: what a column holds and what JSON holds."""

import datetime
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.decode.scalars import YEAR_1_TO_1885, complex_text, float_text, real, time_text
from compiler.ir.frames import Absence
from compiler.ir.types import Opaque, Type, Wrapper
from tests.compiler.decode.address_space import Memory, cell, words
from tests.compiler.decode.shapes import (
    BOOL,
    COMPLEX128,
    DURATION,
    FLOAT32,
    FLOAT64,
    INT,
    INT8,
    STRING,
    TIME,
    UINT8,
    UINT64,
    pointer,
    slice_of,
    struct_of,
)

INF = float("inf")


@pytest.mark.parametrize(
    ("kind", "found", "expected"),
    [
        (BOOL, b"\1", 1),
        (BOOL, b"\0", 0),
        (INT, words(-7), -7),
        (INT8, b"\x80", -128),
        (UINT8, b"\xff", 255),
        (UINT64, words((1 << 63) - 1), (1 << 63) - 1),
        (UINT64, words((1 << 64) - 1), "18446744073709551615"),
        (FLOAT64, struct.pack("<d", 1.5), 1.5),
        (FLOAT64, struct.pack("<d", float("nan")), "NaN"),
        (FLOAT64, struct.pack("<d", INF), "+Inf"),
        (FLOAT64, struct.pack("<d", -INF), "-Inf"),
        (FLOAT32, struct.pack("<f", 0.1), 0.1),
        (FLOAT32, struct.pack("<f", 3.4028234663852886e38), 3.4028235e38),
        (COMPLEX128, struct.pack("<dd", 1, 2), "(1+2i)"),
        (DURATION, words(-1_500_000_000), -1_500_000_000),
        (TIME, words(0, 0, 0), "0001-01-01T00:00:00.000000000Z"),
        (TIME, words(5, 62_135_596_800 + 1_700_000_000, 0), "2023-11-14T22:13:20.000000005Z"),
    ],
)
def test_a_scalar_column_holds_the_bare_value(kind: Type, found: bytes, expected: object) -> None:
    read = cell((kind,), found)
    assert (read.value, type(read.value), read.absences) == (expected, type(expected), ())
    memory = Memory()
    behind = cell((kind, pointer(0)), words(memory.put(found)), memory)
    assert behind == read


def test_json_keeps_bools_and_large_integers() -> None:
    types = (BOOL, UINT64, struct_of("S", 16, ("Ok", 0, 0), ("N", 8, 1)))
    assert cell(types, words(1, (1 << 64) - 1)).value == '{"Ok":true,"N":18446744073709551615}'


@pytest.mark.parametrize("found", ["", "select 1", "größe 語 \U0001f600", "\0"])
def test_text_is_text_as_string_and_as_bytes(found: str) -> None:
    memory = Memory()
    assert cell((STRING,), memory.string(found), memory).value == found
    memory = Memory()
    size = len(found.encode())
    assert cell((UINT8, slice_of(0, 1)), memory.slice(found.encode(), size), memory).value == found


def test_bytes_that_are_no_utf8_are_base64() -> None:
    memory = Memory()
    assert cell((STRING,), memory.string(b"\xff\xfe"), memory).value == '{"$base64":"//4="}'
    types = (STRING, struct_of("S", 16, ("a", 0, 0)))
    memory = Memory()
    assert cell(types, memory.string(b"\xff\xfe"), memory).value == '{"a":{"$base64":"//4="}}'


def test_a_nil_byte_slice_is_null_and_an_empty_one_is_empty() -> None:
    types = (UINT8, slice_of(0, 1))
    assert cell(types, words(0, 0, 0)).value is None
    assert cell(types, words(0xC000000000, 0, 8)).value == ""


def test_a_bool_that_is_none_is_torn() -> None:
    assert cell((BOOL,), b"\7").absences == (Absence("", "torn", "no bool"),)


def test_a_wrapper_is_its_inner_value() -> None:
    types = (INT, Wrapper("atomic.Int64", 16, 8, 0), struct_of("S", 16, ("N", 0, 1)))
    assert cell(types, words(1, 42), type_id=1).value == 42
    assert cell(types, words(1, 42)).value == '{"N":42}'


def test_an_opaque_value_is_unsupported() -> None:
    assert cell((Opaque("weird", 8, "unsupported"),), words(1)).absences == (Absence("", "unsupported", "weird"),)
    assert cell((Opaque("weird", 8, "too many types"),), words(1)).absences[0].detail == "too many types"


@pytest.mark.parametrize(
    ("wall", "ext", "expected"),
    [
        (1 << 63 | (1_700_000_000 - (YEAR_1_TO_1885 - 62_135_596_800)) << 30 | 9, 1, "2023-11-14T22:13:20.000000009Z"),
        (0, 315_537_897_599, "9999-12-31T23:59:59.000000000Z"),
        (0, 315_537_897_600, "+10000-01-01T00:00:00.000000000Z"),
        (0, -1, "0000-12-31T23:59:59.000000000Z"),
        (0, -31_622_401, "-0001-12-31T23:59:59.000000000Z"),
        (0, (1 << 63) - 1, "+292277024627-12-06T15:30:07.000000000Z"),
        ((1 << 30) - 1, 0, None),
    ],
)
def test_times(wall: int, ext: int, expected: str | None) -> None:
    assert time_text(wall, ext & (1 << 64) - 1) == expected


@given(st.datetimes(), st.integers(0, 999_999_999))
def test_times_are_those_of_the_calendar(moment: datetime.datetime, nanoseconds: int) -> None:
    seconds = (moment - datetime.datetime.min) // datetime.timedelta(seconds=1)  # noqa: DTZ901 - a count of seconds
    text = time_text(nanoseconds, seconds)
    assert text == f"{moment.replace(microsecond=0).isoformat()}.{nanoseconds:09d}Z"


@pytest.mark.parametrize(
    ("re", "im", "text"),
    [
        (123456789, 1e20, "(1.23456789e+08+1e+20i)"),
        (1e21, -0.5, "(1e+21-0.5i)"),
        (float("nan"), INF, "(NaN+Infi)"),
        (-INF, float("nan"), "(-Inf+NaNi)"),
        (0.1, 1e-5, "(0.1+1e-05i)"),
        (1000000, 100000, "(1e+06+100000i)"),
        (-0.0, 0, "(-0+0i)"),
        (123456, 1234567, "(123456+1.234567e+06i)"),
    ],
)
def test_complex_numbers_are_as_go_prints_them(re: float, im: float, text: str) -> None:
    assert complex_text(re, im) == text


@given(st.floats(allow_nan=False))
def test_float_texts_read_back(number: float) -> None:
    assert float(float_text(number)) == number


@given(st.binary(min_size=4, max_size=4))
def test_a_float32_reads_back(found: bytes) -> None:
    number = real(found)
    assert number is not None
    assert math.isnan(number) or struct.pack("<f", number) == found
