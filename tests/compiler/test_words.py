"""Every sort of place, in words."""

import pytest

from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AtAddress,
    AtCfa,
    Branch,
    ByDictionary,
    Choice,
    ContextValue,
    Count,
    Deref,
    Element,
    InRegister,
    Located,
    Lookup,
    Missing,
    Piece,
    Range,
    Select,
    Tail,
    TailStep,
    Unbox,
)
from compiler.words import place_in_words

FIELD = Tail((Deref(), Select(8)), 0)
STEPS: list[tuple[tuple[TailStep, ...], str]] = [
    ((), ""),
    ((Select(8),), "; then 8 bytes on"),
    ((Deref(),), "; then through the pointer"),
    (
        (Select(8), Select(8), Deref(), Select(8), Deref(or_zero=True), Select(1)),
        "; then through the pointer at +16; then through the pointer at +8 (0 where it is nil); then 1 byte on",
    ),
    (
        (Select(24), Element(3, 16), Select(8)),
        "; then to element 3 (16 bytes each) of what begins at +24; then 8 bytes on",
    ),
    ((Range(1, None, 1, None),), "; then elements 1 to the last (1 byte each) of what begins here"),
    ((Range(0, 3, 8, 0),), "; then elements 0 to before 3 (8 bytes each) of what begins here"),
    ((Lookup(0, "x"),), '; then to the value under "x" in the map'),
    ((Select(8), Count(0)), "; then to the number of entries of the map at +8"),
    ((Select(8), Lookup(0, 7), Select(4)), "; then to the value under 7 in the map at +8; then 4 bytes on"),
    (
        (Unbox(0, "*net.OpError", (Branch(1, True, 0),)),),
        "; then into the interface, if it holds *net.OpError; then through the pointer; then 8 bytes on",
    ),
    (
        (Select(16), Unbox(0, "a field Op", (Branch(1, True, 0), Branch(2, True, 0)))),
        "; then into the interface at +16, if it holds a field Op; then by the type that it holds, one of 2",
    ),
    (
        (ContextValue(0, 1, None, None, False),),
        "; then along the contexts from the one here to a value by its key's type",
    ),
    (
        (Select(8), ContextValue(0, 1, "user", None, False)),
        '; then along the contexts from the one at +8 to a value by its key\'s type, equal to "user"',
    ),
]
PIECES: list[tuple[tuple[Piece, ...], str]] = [
    ((AtCfa(0, 16, -48),), "in the frame, 48 bytes below the CFA"),
    ((AtCfa(0, 16, -1),), "in the frame, 1 byte below the CFA"),
    ((AtCfa(0, 16, 0),), "in the caller's frame, at the CFA"),
    ((AtCfa(0, 16, 24),), "in the caller's frame, 24 bytes above the CFA"),
    ((AtAddress(0, 16, 0x5A00),), "at address 0x5a00"),
    ((AtCfa(8, 8, 32), AtCfa(0, 8, 24)), "in the caller's frame, 24 bytes above the CFA"),
    (
        (AtCfa(0, 8, -208), AtCfa(8, 8, -144)),
        "bytes 0-7 in the frame, 208 bytes below the CFA and bytes 8-15 in the frame, 144 bytes below the CFA",
    ),
    (
        (InRegister(0, 8, 3), InRegister(8, 8, 8)),
        "bytes 0-7 in register rbx (only for a goroutine on a CPU) and bytes 8-15 in register r8 (only for a goroutine on a CPU)",
    ),
    ((AtCfa(8, 8, -16),), "bytes 0-7 nowhere and bytes 8-15 in the frame, 16 bytes below the CFA"),
    ((AtCfa(0, 8, -16),), "bytes 0-7 in the frame, 16 bytes below the CFA and bytes 8-15 nowhere"),
    ((AtCfa(0, 15, -16),), "bytes 0-14 in the frame, 16 bytes below the CFA and byte 15 nowhere"),
]


def access(steps: tuple[TailStep, ...]) -> Access:
    """An access of which the engine does the first steps and the decoder the last one."""
    plain = [step for step in steps if isinstance(step, Select | Deref | Element | Range)]
    whole = len(plain) == len(steps)
    return Access(16, tuple(plain) if whole else (), 0, Limits(), "x", None if whole else Tail(steps, 0))


@pytest.mark.parametrize(("steps", "words"), STEPS)
def test_steps(steps: tuple[TailStep, ...], words: str) -> None:
    place = Located(0, (AtAddress(0, 16, 0x10),))
    assert place_in_words(place, (access(steps),), (FIELD,), "amd64") == f"at address 0x10{words}"


@pytest.mark.parametrize(("pieces", "words"), PIECES)
def test_roots(pieces: tuple[Piece, ...], words: str) -> None:
    assert place_in_words(Located(0, pieces), (access(()),), (), "amd64") == words


def test_a_variable_of_no_size() -> None:
    empty = Access(0, (), 0, Limits(), "x")
    assert place_in_words(Located(0, ()), (empty,), (), "amd64") == "of no size: it has but one value"


def test_a_variable_of_generic_code() -> None:
    place = Located(1, (AtCfa(0, 8, -16), AtCfa(8, 8, 16)))
    chosen = ByDictionary(8, (Choice(0x5000, 0), Choice(0x6000, 0)), "x")
    words = (
        "bytes 0-7 in the frame, 16 bytes below the CFA and bytes 8-15 in the caller's frame, 16 bytes above the CFA;"
        " then by the dictionary that the call was passed, as one of 2 types"
    )
    assert place_in_words(place, (Access(8, (), 0, Limits(), "x"), chosen), (), "amd64") == words


def test_registers_of_arm64() -> None:
    place = Located(0, (InRegister(0, 16, 19),))
    assert place_in_words(place, (access(()),), (), "arm64") == "in register x19 (only for a goroutine on a CPU)"


def test_what_is_missing() -> None:
    assert place_in_words(Missing("partial", "half of it"), (), (), "amd64") == "absent: partial (half of it)"
    words = "absent: optimized out (the compiler keeps this variable nowhere at this PC)"
    assert place_in_words(Missing("optimized out"), (), (), "amd64") == words


def test_pointers_that_nothing_keeps_alive() -> None:
    place = Located(0, (AtCfa(0, 16, 0),), (0,))
    words = "in the caller's frame, at the CFA; but nothing keeps alive what it points to, which is shown only if it is a literal"
    assert place_in_words(place, (access(()),), (), "amd64") == words
