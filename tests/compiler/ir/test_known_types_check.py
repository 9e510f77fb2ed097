"""Descriptions of locks, big numbers and waiting goroutines that reach outside of what they describe are refused."""

from dataclasses import replace

import pytest

from compiler.ir.program_check import problem
from compiler.ir.types import Basic, Big, Chan, Field, Sync, Type, Word
from tests.agent.process import program

DIGIT = Basic("big.Word", 8, "uint")
MUTEX = Sync("sync.Mutex", 8, "Mutex", (Word(0, 4),))
FLOAT = Big("big.Float", 40, 0, 7, (8,), (Word(32, 4), Word(0, 4), Word(6, 1)))
CHAN = Chan("chan int", 8, 0, 8, 96, 0, 8, 16, 28, 56, 64, 80, 16, 0, 8, 32)


def test_sound_ones_are_taken() -> None:
    assert problem(program((DIGIT, MUTEX, FLOAT, CHAN))) is None


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (replace(MUTEX, words=(Word(6, 4),)), "its words lie outside of it"),
        (replace(MUTEX, words=(Word(-1, 4),)), "its words lie outside of it"),
        (replace(MUTEX, words=()), "its words lie outside of it"),
        (replace(MUTEX, form="RWMutex"), "its words lie outside of it"),
        (replace(MUTEX, fields=(Field("L", 0, 99),)), "field L"),
        (replace(FLOAT, word=1), "its digits have no type"),
        (replace(FLOAT, word=99), "its digits have no type"),
        (replace(FLOAT, nats=(24,)), "its parts lie outside of it"),
        (replace(FLOAT, nats=(8, 8)), "its parts lie outside of it"),
        (replace(FLOAT, neg=40), "its parts lie outside of it"),
        (replace(FLOAT, float=FLOAT.float[:2]), "its parts lie outside of it"),
        (replace(CHAN, senders=89), "senders lies outside of its header_size"),
        (replace(CHAN, elem_type=89), "elem_type lies outside of its header_size"),
        (replace(CHAN, elem_type=-8), "elem_type is -8"),
        (replace(CHAN, waiter_next=9), "the next waiter lies outside of its waiter_size"),
    ],
)
def test_others_are_refused(kind: Type, said: str) -> None:
    text = problem(program((DIGIT, kind)))
    assert text is not None
    assert said in text
