"""Programs round-trip; whatever else comes in is refused with one sentence, before anybody uses it."""

import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import Access, Located, Program
from compiler.ir.program_codec import MAGIC, BadProgram, program_from_bytes, program_to_bytes, program_to_json
from compiler.spec import read_spec
from tests.conftest import ROOT

SPEC = ROOT / "examples/querydb/querydb.yaml"


@pytest.fixture(scope="module")
def program(querydb: Path) -> Program:
    with Binary(querydb) as binary:
        return compile_spec(read_spec(SPEC.read_bytes(), "querydb.yaml"), binary).program


def test_round_trip(program: Program) -> None:
    assert program_from_bytes(program_to_bytes(program)) == program


def test_the_same_spec_and_binary_give_the_same_bytes(program: Program, querydb: Path) -> None:
    with Binary(querydb) as binary:
        again = compile_spec(read_spec(SPEC.read_bytes(), "other name"), binary).program
    assert program_to_bytes(again) == program_to_bytes(program)


def test_it_is_small(program: Program) -> None:
    assert len(program_to_bytes(program)) < 32_000


def packed(plain: object) -> bytes:
    return MAGIC + zlib.compress(json.dumps(plain).encode())


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_changed_program_is_sound_or_refused(program: Program, data: st.DataObject) -> None:
    """Any number in it replaced by any other: either every bound still holds, or BadProgram."""
    plain = json.loads(program_to_json(program))
    places = list(_numbers(plain))
    container, key = data.draw(st.sampled_from(places))
    container[key] = data.draw(st.integers(-(1 << 70), 1 << 70) | st.none() | st.text(max_size=3) | st.booleans())
    with suppress(BadProgram):  # any other exception fails the test
        program_from_bytes(packed(plain))


def _numbers(value: object) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every number."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        if type(each) is int:
            yield value, key
        yield from _numbers(each)


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    for data in (noise, MAGIC + noise, MAGIC + zlib.compress(noise)):
        with pytest.raises(BadProgram):
            program_from_bytes(data)


def test_a_cut_program_is_refused(program: Program) -> None:
    data = program_to_bytes(program)
    for end in range(0, len(data), 97):
        with pytest.raises(BadProgram):
            program_from_bytes(data[:end])


def test_a_bomb_is_refused_without_unpacking_it_whole() -> None:
    with pytest.raises(BadProgram, match="larger than"):
        program_from_bytes(MAGIC + zlib.compress(b" " * (300 << 20)))


def test_only_a_variable_of_no_size_may_be_nowhere(program: Program) -> None:
    at = next(n for n, site in enumerate(program.sites) if any(isinstance(place, Located) for place in site.places))
    places = [replace(each, pieces=()) if isinstance(each, Located) else each for each in program.sites[at].places]
    sites = (*program.sites[:at], replace(program.sites[at], places=tuple(places)), *program.sites[at + 1 :])
    with pytest.raises(BadProgram, match="a variable that is nowhere"):
        program_from_bytes(program_to_bytes(replace(program, sites=sites)))
    plain = (each for each in program.accesses if isinstance(each, Access))
    accesses = tuple(replace(each, root_size=0, steps=(), tail=None) for each in plain)
    nothing = replace(
        program, sites=(replace(program.sites[at], places=(Located(0, ()),) * len(places)),), accesses=accesses
    )
    assert program_from_bytes(program_to_bytes(nothing)) == nothing


def test_equal_places_are_written_once(program: Program) -> None:
    plain, known = json.loads(program_to_json(program)), {place for site in program.sites for place in site.places}
    assert len(plain[2]) == len(known) < sum(len(site.places) for site in program.sites)
    read = [place for site in program_from_bytes(packed(plain)).sites for place in site.places]
    assert len({id(place) for place in read}) == len(known)


@pytest.mark.parametrize("number", [-1, 1 << 40, True, 1.0, None, "0"])
def test_a_place_that_there_is_not_is_refused(program: Program, number: object) -> None:
    plain = json.loads(program_to_json(program))
    plain[3][0][-1][0] = number
    with pytest.raises(BadProgram, match="site 0 has"):
        program_from_bytes(packed(plain))


def test_another_format_is_refused(program: Program) -> None:
    plain = json.loads(program_to_json(replace(program, format=1)))
    with pytest.raises(BadProgram, match="another format"):
        program_from_bytes(packed(plain))
