"""Any Program there can be, made from the type hints of the vocabulary: it arrives as it was sent, or is refused."""

import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir import program_check
from compiler.ir.program import FORMAT, Program, Step
from compiler.ir.program_codec import MAGIC, BadProgram, program_from_bytes, program_to_bytes, program_to_json
from compiler.ir.types import Type
from compiler.spec import read_spec
from tests.compiler.ir.programs import Change, Path, any_of, changed, changes, nodes, places
from tests.conftest import ROOT, build

SPEC = ROOT / "tests/goldens/ledger.yaml"


@pytest.fixture(scope="module")
def program(go: File, built: File) -> Program:
    with Binary(build(go, ROOT / "tests/targets/ledger", built / "ledger", "-trimpath")) as binary:
        return compile_spec(read_spec(SPEC.read_bytes(), "ledger.yaml"), binary).program


def arrives(made: Program) -> bool:
    """Whether it is sound; it must arrive unchanged then, and be refused otherwise."""
    sent = program_to_bytes(made)
    if program_check.problem(made) is None and made.format == FORMAT:
        assert program_from_bytes(sent) == made
        return True
    with pytest.raises(BadProgram, match=r"breaks a bound: |of another format"):
        program_from_bytes(sent)
    return False


@pytest.mark.timeout(3600)
def test_a_changed_program_arrives_or_is_refused(program: Program, fuzz: int) -> None:
    ends = []

    @settings(max_examples=200 * fuzz, deadline=None, derandomize=fuzz == 1, suppress_health_check=list(HealthCheck))
    @given(changes(program))
    def run(wanted: list[Change]) -> None:
        ends.append(arrives(changed(program, wanted)))

    run()
    assert min(ends.count(True), ends.count(False)) > len(ends) // 20


@given(made=any_of(Program))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_program_of_nothing_but_chance_arrives_or_is_refused(made: Program) -> None:
    arrives(made)


def test_every_kind_of_step_and_type_is_tried() -> None:
    """A kind that the hints do not lead to would never be drawn."""
    seen: set[str] = set()

    @settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(any_of(Step), max_size=8).map(tuple), st.lists(any_of(Type), max_size=8).map(tuple))
    def run(steps: object, types: object) -> None:
        seen.update(type(node).__name__ for node in (*nodes(steps), *nodes(types)))

    run()
    assert {kind.__name__ for kind in (*Step.__args__, *Type.__args__)} <= seen


def test_a_part_of_another_kind_is_refused(program: Program) -> None:
    """Each field in turn holds something that its type does not allow."""
    shapes: dict[tuple[str, ...], tuple[Path, Any]] = {}
    for path, annotation in places(program, Program):
        shapes.setdefault(tuple(step for step in path if isinstance(step, str)), (path, annotation))
    assert len(shapes) > 60
    for path, annotation in shapes.values():
        others: tuple[Any, ...] = ({}, [[]], 1.5, ["Nobody", 1.5], None)
        for other in others:
            if (other is None and "None" in str(annotation)) or (other == 1.5 and "float" in str(annotation)):
                continue
            plain = json.loads(program_to_json(program))
            data = MAGIC + zlib.compress(json.dumps(_put(plain, _written(program, plain, path), other)).encode())
            with pytest.raises(BadProgram):
                program_from_bytes(data)


def _written(program: Program, plain: Any, path: Path) -> Path:
    """Where a Program's JSON text has what is at this path: sites stand by themselves, and name their places by number."""
    match path:
        case ("sites", int(site), "places", int(number), *rest):
            place = program.sites[site].places[number]
            return 2, plain[3][site][-1][number], *_listed(place, rest)
        case ("sites", *rest):
            return 3, *_listed(program.sites, rest)
        case _:
            return 1, *_listed(program, path)


def _listed(value: Any, path: Iterable[str | int]) -> Iterator[int]:
    """The same path by numbers: a record is a list of its kind's name and its fields."""
    for step in path:
        yield step if isinstance(step, int) else value.__match_args__.index(step) + 1
        value = value[step] if isinstance(step, int) else getattr(value, step)


def _put(plain: object, path: Path, other: object) -> object:
    here = plain
    for step in path[:-1]:
        here = here[step]  # type: ignore[index]
    here[path[-1]] = other  # type: ignore[index]
    return plain


@pytest.mark.timeout(3600)
def test_changed_bytes_are_refused_or_sound(program: Program, fuzz: int) -> None:
    """Bytes of the JSON text and of the packed form."""
    text, packed = program_to_json(program).encode(), program_to_bytes(program)
    change = st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=3))

    @settings(max_examples=200 * fuzz, deadline=None, derandomize=fuzz == 1)
    @given(st.lists(change, min_size=1, max_size=3), st.booleans())
    def run(changes: list[tuple[int, bytes]], inside: bool) -> None:
        data = bytearray(text if inside else packed)
        for place, content in changes:
            at = place % len(data)
            data[at : at + len(content)] = content
        with suppress(BadProgram):  # any other exception fails the test
            found = program_from_bytes(MAGIC + zlib.compress(data) if inside else bytes(data))
            assert program_check.problem(found) is None

    run()
