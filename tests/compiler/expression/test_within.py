"""Fields of what interfaces hold that are in interfaces themselves, as causes of errors are."""

from pathlib import Path

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import Lookup, Unbox
from compiler.ir.program_codec import program_to_bytes
from compiler.spec import read_spec
from tests.conftest import build

TYPES = 100
MAIN = """package main

type failed struct{ Code int }

func (failed) Error() string { return "" }

//go:noinline
func serve(err error) { println(err.Error()) }

func main() {
	var err error = failed{7}
"""
FAILED = """
type failed{0} struct {{
	_   [{0}]int
	Err error
}}

func (failed{0}) Error() string {{ return "" }}
"""


def test_ways_through_interfaces_are_as_many_as_there_are_types(go: Path, tmp_path: Path) -> None:
    """Were each a way of its own, there would be 100 * 100 * 100 of them."""
    types = "".join(map(FAILED.format, range(TYPES)))
    wrapped = "".join(f"\terr = failed{number}{{Err: err}}\n" for number in range(TYPES))
    (tmp_path / "main.go").write_text(f"{MAIN}{wrapped}\tserve(err)\n}}\n{types}")
    (tmp_path / "go.mod").write_text("module failed\n\ngo 1.21\n")
    text = "functions: [{function: main.serve, collect: [{expr: err.Err.Err.Err.Code, as: code}]}]"
    with Binary(build(go, tmp_path, tmp_path / "failed")) as binary:
        compiled = compile_spec(read_spec(text, "spec.yaml"), binary)
    assert compiled.issues == ()
    ways = [step.branches for tail in compiled.program.tails for step in tail.steps if isinstance(step, Unbox)]
    assert sum(map(len, ways)) > 2 * TYPES
    assert len(compiled.program.tails) < 4 * TYPES
    assert len(program_to_bytes(compiled.program)) < 200_000


KEYS = """package main

type holder struct{ M map[any]string }

//go:noinline
func serve(v any) { println(v != nil) }

func main() { serve(&holder{map[any]string{1: "one", true: "yes"}}) }
"""


def test_keys_that_are_the_same_to_python_are_two(go: Path, tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(KEYS)
    (tmp_path / "go.mod").write_text("module keys\n\ngo 1.21\n")
    text = "functions: [{function: main.serve, collect: [{expr: 'v.M[1]', as: one}, {expr: 'v.M[true]', as: yes}]}]"
    with Binary(build(go, tmp_path, tmp_path / "keys")) as binary:
        named = {offset: binary.types.name(die) for offset, die in binary.index.runtime_types.items()}
        held = frozenset(offset for offset, name in named.items() if name == "*main.holder")
        program = compile_spec(read_spec(text, "spec.yaml"), binary, held).program
    keys = [step.key for tail in program.tails for step in tail.steps if isinstance(step, Lookup)]
    assert [(type(key), key) for key in keys] == [(int, 1), (bool, True)]
