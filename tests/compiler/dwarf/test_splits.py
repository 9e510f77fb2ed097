"""Which variables are only fields of others, as Go's compiler calls these."""

from pathlib import Path
from typing import NamedTuple

import pytest

from compiler.binary import Binary
from compiler.dwarf.functions import HALVES
from compiler.dwarf.splits import parts
from tests.conftest import ROOT, build


class Told(NamedTuple):
    """A variable as debug info tells it."""

    name: str
    type: int
    line: int


@pytest.fixture(scope="module")
def places(go: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(go, ROOT / "tests/targets/places", tmp_path_factory.mktemp("splits") / "places")


def test_a_part_has_both_names_and_is_declared_where_the_whole_is(places: Path) -> None:
    with Binary(places) as binary:
        types = {name: binary.index.types[name][0] for name in ("main.large", "main.pair", "int", "string")}

        def is_part(name: str, kind: str, line: int, whole: str = "main.large", lines: range = range(7, 9)) -> bool:
            return parts(binary.types, [Told(name, types[kind], line)], [(Told("q", types[whole], 0), lines)]) == {0}

        assert is_part("qName", "string", 7)
        assert is_part("qID", "int", 8)
        assert is_part("qA", "int", 7, "main.pair", range(7, 8))
        assert not is_part("qID", "int", 9)  # declared elsewhere
        assert not is_part("qID", "string", 7)  # of another type
        assert not is_part("qIDs", "int", 7)
        assert not is_part("ID", "int", 7)
        assert not is_part("q", "main.large", 7)  # the whole itself


@pytest.mark.parametrize("name", ["s.ptr", "err.itab", "v.type", "p[0]", "~r0.len", "q[0].data"])
def test_a_name_that_no_program_can_have_is_a_part(name: str) -> None:
    assert HALVES.search(name)


@pytest.mark.parametrize("name", ["s", "&ptr", ".dict", ".autotmp_5", "~r0", "größe"])
def test_other_names_are_whole(name: str) -> None:
    assert not HALVES.search(name)
