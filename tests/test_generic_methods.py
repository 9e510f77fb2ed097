"""Methods with type parameters of their own (since Go 1.27): their names as Go's traceback has them, and their variables.

Of a generic type's generic method, type arguments stand in two places of the name: main.box[...].fold[...].
"""

import json
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import AtCfa, Located
from compiler.ir.types import WORD
from compiler.spec import read_spec
from tests import zoo
from tests.conftest import ROOT, build
from tests.programs import running
from tests.servers.snapshots import assert_stacks_of, rows, take
from tests.traceback import parse_dump

GO = "1.27.3"
FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",)}
ENGINES = ("memory", "ebpf")
NOT_TOLD = {
    "main.(*plain).unused[...] p.Size",  # nothing uses it behind the wait
    # Both type arguments are pointers: of one shape, so that debug info does not say which of them a variable is of.
    "main.plain.byValue[...] x", "main.plain.byValue[...] u",
    "main.box[...].fold[...] first", "main.box[...].fold[...] total",
    "main.(*box[...]).each[...] a",
    "main.(*box[...]).each[...].func1 key",
    "main.(*plain).turned[...] kept",  # may have been assigned early, as far as code tells
}  # fmt: skip
"""What may be absent, in some of the calls."""


@dataclass(frozen=True)
class Scene:
    """Functions that stand still, what they say of their values, their traceback, and snapshots of them."""

    functions: list[zoo.Function]
    stack: str
    files: dict[str, Path]
    binary: Path


@pytest.fixture(scope="module", params=FLAGS)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("methods")
    said = subprocess.run([ROOT / "scripts/toolchain", GO], capture_output=True, text=True, check=True)
    binary = build(Path(said.stdout.strip()), ROOT / "tests/targets/methods", folder / "methods", *FLAGS[request.param])
    spec = folder / "spec.yaml"
    with running(binary) as target:
        assert len(target.ready["rows"]) == target.ready["started"]
        functions = zoo.functions(target.ready["rows"])
        spec.write_text(zoo.spec_of(functions, zoo.LIMITS))
        files = {engine: folder / f"{engine}.sqlite" for engine in ENGINES}
        for engine, out in files.items():
            take(target.pid, spec, out, engine)
    return Scene(functions, target.ready["stack"], files, binary)


@pytest.mark.parametrize("engine", ENGINES)
def test_variables_are_what_the_program_says(scene: Scene, engine: str) -> None:
    right, missing = 0, set[str]()
    for function in scene.functions:
        verdict = zoo.verdict(partial(rows, scene.files[engine]), function)
        assert not verdict.wrong, "\n".join(verdict.wrong)
        right += verdict.right
        missing |= {each.partition(": ")[0] for each in verdict.missing}
    assert sorted(missing - NOT_TOLD) == []
    assert right > len(missing)


@pytest.mark.parametrize("engine", ENGINES)
def test_functions_are_called_what_the_traceback_calls_them(scene: Scene, engine: str) -> None:
    dump = {number: each for number, each in parse_dump(scene.stack).items() if "main.main" not in each.functions}
    assert len(dump) >= len({goroutine for each in scene.functions for goroutine in each.frames})
    assert_stacks_of(dump, scene.files[engine], ())


def test_a_receiver_is_not_taken_for_the_dictionary_behind_it(scene: Scene) -> None:
    """Also where only the calling convention tells of it: while a call asks for more stack."""
    name = "main.(*plain).turned[go.shape.*uint8]"
    spec = {"functions": [{"function": name, "table": "t", "collect": ["p", "x"]}]}
    with Binary(scene.binary) as binary:
        program = compile_spec(read_spec(json.dumps(spec), "spec.yaml"), binary).program
    places = [site.places for site in program.sites if not site.exact]
    receivers = {place[0].pieces for place in places if isinstance(place[0], Located)}
    values = [place[1].pieces for place in places if isinstance(place[1], Located)]
    dictionaries = {piece for pieces in values for piece in pieces if piece.at == WORD}
    assert len(receivers) == len(dictionaries) == 1
    [[receiver]], [dictionary] = receivers, dictionaries
    assert isinstance(receiver, AtCfa)
    assert isinstance(dictionary, AtCfa)
    assert dictionary.offset == receiver.offset + WORD
