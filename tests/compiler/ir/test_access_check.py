"""What a dictionary may choose: an access from the variable itself on."""

from dataclasses import replace

import pytest

from compiler.ir.access_check import MAX_CHOICES
from compiler.ir.limits import Limits
from compiler.ir.program import Access, AnyAccess, ByDictionary, Choice, Program
from compiler.ir.program_check import problem
from compiler.ir.program_codec import BadProgram, program_from_bytes, program_to_bytes
from tests.agent.process import program
from tests.compiler.decode.shapes import INT

VALUE = Access(8, (), 0, Limits(), "v")


def made(*accesses: AnyAccess) -> Program:
    return replace(program((INT,)), accesses=accesses)


def test_choices_arrive_as_they_were_sent() -> None:
    right = made(VALUE, ByDictionary(8, (Choice(0x5000, 0), Choice(0x6000, 0)), "v"))
    assert problem(right) is None
    assert program_from_bytes(program_to_bytes(right)) == right


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (ByDictionary(8, (), "v"), "0 choices"),
        (ByDictionary(8, (Choice(0, 0),) * (MAX_CHOICES + 1), "v"), "257 choices"),
        (ByDictionary(8, (Choice(-1, 0),), "v"), "a dictionary at -1"),
        (ByDictionary(8, (Choice(1 << 47, 0),), "v"), f"a dictionary at {1 << 47}"),
        (ByDictionary(8, (Choice(0, -1),), "v"), "it chooses access -1"),
        (ByDictionary(8, (Choice(0, 2),), "v"), "it chooses access 2"),
        (ByDictionary(8, (Choice(0, 1),), "v"), "it chooses access 1"),
        (ByDictionary(16, (Choice(0, 0),), "v"), "it chooses access 0"),
        (ByDictionary(-1, (Choice(0, 0),), "v"), "a root of 7 bytes"),
        (ByDictionary(1 << 16, (Choice(0, 0),), "v"), f"a root of {(1 << 16) + 8} bytes"),
    ],
)
def test_others_are_refused(wrong: ByDictionary, why: str) -> None:
    refused = made(VALUE, wrong)
    assert problem(refused) == f"access 1 (v): {why}"
    with pytest.raises(BadProgram, match="breaks a bound"):
        program_from_bytes(program_to_bytes(refused))
