"""A frozen class is what `dataclass(frozen=True, slots=True)` makes of the same text, but quicker to define."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from pprint import pformat
from typing import Any

import pytest

from compiler.ir.frozen import frozen


@frozen
class Place:
    """Where."""

    file: str
    line: int = 0
    notes: tuple[str, ...] = field(default_factory=tuple)
    seen: int = field(default=0, compare=False)


@frozen
class Nothing:
    """No field at all."""


@dataclass(frozen=True, slots=True)
class Model:
    """Where."""

    file: str
    line: int = 0
    notes: tuple[str, ...] = field(default_factory=tuple)
    seen: int = field(default=0, compare=False)


@pytest.mark.parametrize("kind", [Place, Model])
def test_it_is_made_and_told_as_a_dataclass_is(kind: Any) -> None:
    made = kind("a.go", notes=("x",))
    assert (made.file, made.line, made.notes, made.seen) == ("a.go", 0, ("x",), 0)
    assert repr(made) == f"{kind.__name__}(file='a.go', line=0, notes=('x',), seen=0)" == pformat(made)
    assert [each.name for each in fields(kind)] == list(kind.__match_args__) == ["file", "line", "notes", "seen"]
    assert asdict(made) == {"file": "a.go", "line": 0, "notes": ("x",), "seen": 0}
    assert replace(made, line=3) == kind("a.go", 3, ("x",))
    assert kind("a.go") == kind("a.go", seen=1)
    assert hash(kind("a.go")) == hash(kind("a.go", seen=1))
    assert kind("a.go") != kind("b.go")
    assert copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(TypeError, match="file"):
        kind()


@pytest.mark.parametrize("kind", [Place, Model])
def test_it_does_not_change(kind: Any) -> None:
    made = kind("a.go")
    with pytest.raises(FrozenInstanceError):
        made.file = "b.go"
    with pytest.raises(FrozenInstanceError):
        del made.file
    with pytest.raises((AttributeError, TypeError)):
        made.new = 1
    assert not hasattr(made, "__dict__")


def test_classes_differ_though_their_fields_are_equal() -> None:
    place: object = Place("a.go")
    assert place != Model("a.go")
    assert Nothing() == Nothing() != place
    assert len({Nothing(), Nothing()}) == 1
