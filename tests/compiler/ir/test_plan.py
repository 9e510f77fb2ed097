"""Which roots an engine goes on from: none through a pointer that nothing keeps alive."""

import pytest

from compiler.ir.chase import Follow, FollowInterface, FollowPointer, FollowString
from compiler.ir.limits import Limits
from compiler.ir.plan import goes_on
from compiler.ir.program import Access, AtCfa, Deref, Element, Located, Select, Step

P0, P8 = FollowPointer(0, 0), FollowPointer(8, 0)


@pytest.mark.parametrize(
    ("steps", "own", "dead", "wanted"),
    [
        ((), (P0,), (), True),
        ((), (P0,), (0,), False),
        ((), (P0, P8), (0,), True),  # the other one is alive
        ((), (P0, P8), (0, 8), False),
        ((), (FollowInterface(0, 8),), (8,), False),
        ((), (FollowString(16),), (16,), False),
        ((), (), (0,), False),
        ((Deref(),), (P0,), (0,), False),
        ((Deref(), Deref()), (), (8,), True),
        ((Select(8), Deref()), (P0,), (8,), False),
        ((Select(8), Element(1, 8)), (P0,), (0,), True),
        ((Select(8),), (P0,), (8,), False),
        ((Select(8),), (P0,), (0,), True),
    ],
)
def test_goes_on(steps: tuple[Step, ...], own: tuple[Follow, ...], dead: tuple[int, ...], wanted: bool) -> None:
    access = Access(32, steps, 0, Limits(), "x")
    assert goes_on(Located(0, (AtCfa(0, 32, -64),), dead), access, own) is wanted
