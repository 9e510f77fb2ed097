"""How the decoder goes on in what interfaces hold: to tails that are there, that come before, and not for ever."""

from dataclasses import replace

import pytest

from compiler.ir.access_check import MAX_STEPS, MAX_TAILS, MAX_UNBOXED
from compiler.ir.limits import Limits
from compiler.ir.program import Access, Branch, Lookup, Program, Select, Tail, Unbox
from compiler.ir.program_check import problem
from compiler.ir.program_codec import BadProgram, program_from_bytes, program_to_bytes
from compiler.ir.types import Interface
from tests.agent.process import program
from tests.compiler.decode.shapes import INT

PLAIN = Tail((), 0)


def into(*tails: int, interface: int = 1) -> Tail:
    """Into what an interface holds, and on by these."""
    branches = tuple(Branch(0x100 * number, True, tail) for number, tail in enumerate(tails, start=1))
    return Tail((Unbox(interface, "a type with .X", branches),), 0)


def made(tail: Tail, *tails: Tail) -> Program:
    access = Access(16, (), 1, Limits(), "v.X", tail)
    return replace(program((INT, Interface("any", 16, True, 8))), accesses=(access,), tails=tails)


def nested(depth: int) -> tuple[Tail, ...]:
    """Interfaces within each other, each in two types: 2 ** depth ways, in as many tails as they are deep."""
    return (PLAIN, *(into(number, number) for number in range(depth)))


def test_tails_arrive_as_they_were_sent() -> None:
    right = made(into(MAX_UNBOXED - 1, 0), *nested(MAX_UNBOXED - 1))
    assert problem(right) is None
    assert program_from_bytes(program_to_bytes(right)) == right


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (made(into(1), PLAIN), "access 0 (v.X): it leads on to a tail that is not before it"),
        (made(into(-1), PLAIN), "access 0 (v.X): it leads on to a tail that is not before it"),
        (made(into(0), into(0)), "tail 0: it leads on to a tail that is not before it"),
        (made(into(0), into(1), PLAIN), "tail 0: it leads on to a tail that is not before it"),
        (made(into(0), Tail((), 2)), "tail 0: type 2"),
        (made(into(0), into(interface=0)), "tail 0: it looks into type 0, which is no interface"),
        (made(into(0), Tail((Lookup(0, "k"),), 0)), "tail 0: it looks into type 0, which is no map"),
        (made(into(0), Tail((Select(8),) * (MAX_STEPS + 1), 0)), "tail 0: it has too many steps"),
        (made(into(0), *[PLAIN] * (MAX_TAILS + 1)), f"more than {MAX_TAILS} ways to go on from what interfaces hold"),
        (
            made(into(MAX_UNBOXED), *nested(MAX_UNBOXED)),
            "access 0 (v.X): it looks into too many interfaces, one within the other",
        ),
    ],
)
def test_others_are_refused(wrong: Program, why: str) -> None:
    assert problem(wrong) == why
    with pytest.raises(BadProgram, match="breaks a bound"):
        program_from_bytes(program_to_bytes(wrong))
