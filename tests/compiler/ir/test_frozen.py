"""A frozen class is what `dataclass(frozen=True, slots=True)` makes of the same text, but quicker to define."""

import copy
import dataclasses
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, dataclass, fields
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest

from compiler.ir.frozen import field, fields_of, frozen, is_frozen, replace, values_of


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
    notes: tuple[str, ...] = dataclasses.field(default_factory=tuple)
    seen: int = dataclasses.field(default=0, compare=False)


@pytest.mark.parametrize("kind", [Place, Model])
def test_it_is_made_and_told_as_a_dataclass_is(kind: Any) -> None:
    made = kind("a.go", notes=("x",))
    assert (made.file, made.line, made.notes, made.seen) == ("a.go", 0, ("x",), 0)
    assert repr(made) == f"{kind.__name__}(file='a.go', line=0, notes=('x',), seen=0)" == pformat(made)
    assert [each.name for each in fields(kind)] == list(kind.__match_args__) == ["file", "line", "notes", "seen"]
    assert asdict(made) == {"file": "a.go", "line": 0, "notes": ("x",), "seen": 0}
    assert dataclasses.replace(made, line=3) == replace(made, line=3) == kind("a.go", 3, ("x",))
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


def test_its_fields_are_known_without_dataclasses() -> None:
    assert [(each.name, each.default, each.compare) for each in fields_of(Place)][1::2] == [
        ("line", 0, True),
        ("seen", 0, False),
    ]
    assert values_of(Place("a.go")) == asdict(Place("a.go"))
    assert is_frozen(Place)
    assert not is_frozen(Model)
    assert not is_frozen(Place("a.go"))


def test_a_field_of_dataclasses_is_refused() -> None:
    with pytest.raises(TypeError, match="notes"):

        @frozen
        class Wrong:
            notes: tuple[str, ...] = dataclasses.field(default_factory=tuple)


def test_compiling_needs_neither_dataclasses_nor_inspect(querydb: Path, tmp_path: Path) -> None:
    wanted = "import sys; from freezeframe.__main__ import answer, asked_plainly"
    left = "print(sorted({'dataclasses', 'inspect', 'elftools', 'click'} & set(sys.modules)))"
    spec = tmp_path / "spec.yaml"
    spec.write_text("functions: [{function: main.main, table: t, collect: [os.Args]}]\n")
    code = f"{wanted}; answer(asked_plainly(sys.argv[1:])); {left}"
    command = [sys.executable, "-c", code, "compile", str(querydb), "--spec", str(spec)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()
    assert "from the cache" not in told[-2]
    assert told[-1] == "[]"
