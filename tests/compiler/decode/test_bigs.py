"""Big numbers as text: exact, or missing with a reason; never a part of their digits."""

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.decode.bigs import MAX_WORDS, float_text
from compiler.decode.scalars import float_text as of_a_float64
from compiler.ir.frames import Cell
from compiler.ir.limits import Limits
from compiler.ir.types import Big, Type, Word
from tests.compiler.decode.address_space import Memory, cell, words
from tests.compiler.decode.shapes import UINT64, pointer

INT = Big("big.Int", 32, 0, 0, (8,))
RAT = Big("big.Rat", 64, 0, 0, (8, 40))
FLOAT = Big("big.Float", 40, 0, 7, (8,), (Word(32, 4), Word(0, 4), Word(6, 1)))
TYPES: tuple[Type, ...] = (UINT64, INT, RAT, FLOAT, pointer(1, "*big.Int"))


def nat(memory: Memory, number: int) -> bytes:
    count = (number.bit_length() + 63) // 64
    return words(memory.put(number.to_bytes(8 * count, "little")) if count else 0, count, count)


def read(kind: int, root: bytes, memory: Memory, limits: Limits | None = None) -> Cell:
    return cell(TYPES, root, memory, type_id=kind, limits=limits or Limits())


@settings(max_examples=60, deadline=None)
@given(st.integers(-(1 << 6000), 1 << 6000))
def test_an_int_is_its_decimal_text(number: int) -> None:
    memory = Memory()
    found = read(1, words(number < 0) + nat(memory, abs(number)), memory)
    assert (found.value, found.absences) == (hex_free(number), ())


def hex_free(number: int) -> str:
    """Decimal text without int's own limit on digits."""
    sign, digits, number = "-" if number < 0 else "", "", abs(number)
    while number >= 10**1000:
        number, low = divmod(number, 10**1000)
        digits = f"{low:01000d}{digits}"
    return f"{sign}{number}{digits}"


def test_a_rat_is_a_fraction_and_a_whole_one_may_lack_its_denominator() -> None:
    memory = Memory()
    assert read(2, words(1) + nat(memory, 22) + words(0) + nat(memory, 7), memory).value == "-22/7"
    assert read(2, words(0) + nat(memory, 3) + words(0, 0, 0, 0), memory).value == "3/1"


def test_a_nil_int_is_null_and_one_behind_a_pointer_its_text() -> None:
    memory = Memory()
    assert read(4, words(0), memory).value is None
    assert read(4, words(memory.put(words(0) + nat(memory, 10**30))), memory).value == str(10**30)


def test_a_number_that_a_limit_cuts_is_missing_and_never_shorter() -> None:
    memory = Memory()
    root = words(0) + nat(memory, 1 << 640)
    found = read(1, root, memory, Limits(slice_items=10))
    assert (found.value, [(each.reason, each.detail) for each in found.absences]) == (
        None,
        [("cut", "a number of 704 bits")],
    )
    found = read(1, words(0) + nat(memory, 1 << 64 * MAX_WORDS), memory, Limits(slice_items=1 << 20))
    assert [each.reason for each in found.absences] == ["cut"]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (words(0x1000, 3, 2), "torn"), (words(0x1000, 1 << 50, 1 << 50), "torn"), (words(0xC0DE0000, 2, 2), "budget"),
        (words(8, 1, 1), "unreadable"),
    ],
)  # fmt: skip
def test_digits_that_cannot_be_are_told(header: bytes, reason: str) -> None:
    found = read(1, words(0) + header, Memory())
    assert (found.value, [each.reason for each in found.absences]) == (None, [reason])


def test_a_number_that_begins_with_zeros_is_being_written() -> None:
    memory = Memory()
    found = read(1, words(0) + words(memory.put(words(5, 0)), 2, 2), memory)
    assert [each.reason for each in found.absences] == ["torn"]


def float_root(memory: Memory, mantissa: int, exponent: int, precision: int, form: int = 1, neg: bool = False) -> bytes:
    head = struct.pack("<IBBBB", precision, 0, 0, form, neg)
    return head + nat(memory, mantissa) + struct.pack("<iI", exponent, 0)


def test_floats() -> None:
    memory = Memory()
    assert read(3, float_root(memory, 0b11 << 62, 1, 53, neg=True), memory).value == "-1.5"
    assert read(3, float_root(memory, 0, 0, 53, form=0), memory).value == "0"
    assert read(3, float_root(memory, 0, 0, 53, form=2, neg=True), memory).value == "-Inf"
    assert read(3, float_root(memory, 1 << 63, 1 << 30, 53), memory).value == "0x.8p+1073741824"
    for torn in ((1, 0, 53, 1), (1 << 63, 1, 53, 9), (1 << 63 | 1, 1, 53, 1), (0, 1, 53, 1), (1 << 63, 1, 0, 1)):
        found = read(3, float_root(memory, *torn), memory)
        assert (found.value, [each.reason for each in found.absences]) == (None, ["torn"])


@given(st.floats(min_value=1e-300, allow_infinity=False))
def test_a_float_of_53_bits_reads_as_a_float64_does(number: float) -> None:
    mantissa, exponent = math.frexp(number)
    assert float_text(int(mantissa * 2**64), exponent, 53, 1) == of_a_float64(number)


@settings(deadline=None)
@given(st.integers(1, 256), st.integers(-400, 400), st.data())
def test_a_float_of_any_precision_reads_back_as_itself(precision: int, exponent: int, data: st.DataObject) -> None:
    odd = data.draw(st.integers(1 << precision - 1, (1 << precision) - 1))
    size = (precision + 63) // 64 * 64
    text = float_text(odd << size - precision, exponent, precision, 1)
    assert text is not None
    exact = Fraction(odd) * Fraction(2) ** (exponent - precision)
    assert abs(Fraction(text) - exact) <= Fraction(2) ** (exponent - precision - 1)
