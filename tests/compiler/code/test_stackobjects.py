"""Variables that are in memory, whole: what debug info says of them in one word, and Go's own tables in others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.candidates import RENEWED, Candidate
from compiler.code.unnamed import half_stored
from compiler.copycode import Code
from compiler.dwarf.functions import Variable
from tests.conftest import ROOT, build


@pytest.fixture(scope="module")
def binary(go: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Binary]:
    folder = tmp_path_factory.mktemp("stackobjects")
    with Binary(build(go, ROOT / "tests/targets/places", folder / "places")) as opened:
        yield opened


def variables(binary: Binary, function: str) -> tuple[Code, dict[str, Variable]]:
    [instance] = binary.functions.instances(function)
    return Code(binary, instance), {each.name: each for each in instance.variables}


@pytest.mark.parametrize(
    ("function", "whole", "apart"),
    [
        ("main.resultsSeen", {"text", "list", "err"}, {"v"}),
        ("main.capturedSeen", {"text", "kept", "failed"}, {"v"}),
        ("main.capturedByValue", set(), {"list", "first"}),
    ],
)
def test_what_a_deferred_call_sees_is_in_memory(
    binary: Binary, function: str, whole: set[str], apart: set[str]
) -> None:
    _, found = variables(binary, function)
    assert {name: binary.places(found[name]).in_memory for name in whole | apart} == {
        **dict.fromkeys(whole, True),
        **dict.fromkeys(apart, False),
    }


def test_what_is_half_stored_is_absent(binary: Binary) -> None:
    code, found = variables(binary, "main.resultsSeen")
    for name in ("text", "list"):
        candidate = Candidate(binary, found[name], code, [found[name]])
        half = half_stored(code.stays, candidate.places)
        assert half
        assert {candidate.found(pc, exact=True) for pc in half} == {RENEWED}
