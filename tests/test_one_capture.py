"""What interfaces may hold is described before it is met: the process is paused once, not once more for each new type."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engines import choose_engine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.compiled import Compiled
from compiler.ir.frames import Cell
from compiler.ir.program import Program
from compiler.ir.raw import RawCapture
from compiler.spec import read_spec
from datasource.take import Taken, take
from tests.conftest import ROOT, build
from tests.programs import Target, running

MAKER = """package main

import (
	"fmt"
	"reflect"
	"time"
)

//go:noinline
func holds(v any) {
	fmt.Println("ready {}")
	time.Sleep(time.Hour)
	fmt.Println(v)
}

func main() {
	field := reflect.StructField{Name: "N", Type: reflect.TypeOf(0)}
	go holds(reflect.New(reflect.StructOf([]reflect.StructField{field})).Elem().Interface())
	time.Sleep(time.Hour)
}
"""
SPEC = """
limits: {pause_ms: 60000}
functions:
  - {function: main.chained, table: chained, collect: [%s]}
"""


@pytest.fixture(scope="module")
def zoo(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/zoo", built / "zoo")


@pytest.fixture(scope="module")
def running_zoo(zoo: Path) -> Iterator[Target]:
    with running(zoo) as target:
        yield target


def snapshot(target: Target, zoo: Path, engine: str, columns: str) -> tuple[int, list[Cell]]:
    """How many captures the first snapshot of a binary takes, and the values of the one row in the last of them."""
    times, taken = taking(target, zoo, engine, SPEC % columns)
    [row] = [row for goroutine in taken.capture.goroutines for frame in goroutine.frames for row in frame.rows]
    return times, list(row.cells)


def taking(target: Target, zoo: Path, engine: str, text: str) -> tuple[int, Taken]:
    """How many captures the first snapshot of a binary takes, and what it took."""
    spec, fired = read_spec(text, "spec.yaml"), 0
    made = choose_engine(engine)

    def compile_with(types: frozenset[int]) -> Compiled:
        return compile_spec(spec, binary, types)

    def fire(program: Program) -> RawCapture:
        nonlocal fired
        fired += 1
        with arm(target.pid, program, made) as armed:
            return armed.fire()

    with closing(made), Binary(zoo) as binary:
        taken = take(binary, compile_with, fire, frozenset())
    return fired, taken


@pytest.mark.parametrize("engine", ["memory", "ebpf"])
def test_a_chain_of_the_programs_own_errors_takes_one_capture(running_zoo: Target, zoo: Path, engine: str) -> None:
    times, values = snapshot(running_zoo, zoo, engine, "c.err, c.joined")
    assert times == 1
    for value in values:
        text = str(value.value)
        assert all(
            kind in text for kind in ("main.fault", "*main.fault", "main.single", "*net.OpError", "*os.SyscallError")
        )
        assert "$absent" not in text


@pytest.mark.parametrize("engine", ["memory", "ebpf"])
def test_what_is_in_an_any_takes_a_second_one(running_zoo: Target, zoo: Path, engine: str) -> None:
    times, [value] = snapshot(running_zoo, zoo, engine, "c.kinds")
    assert times == 2
    kinds = [each["$type"] for each in json.loads(str(value.value))]
    assert kinds == ["main.key", "main.tagged", "*main.own", "main.fault", "*main.fault", "main.single"]


@pytest.mark.parametrize("engine", ["memory", "ebpf"])
def test_a_type_that_the_program_made_as_it_ran_is_not_looked_for_again(go: Path, tmp_path: Path, engine: str) -> None:
    """No capture learns more of it, and in another process of the binary it is somewhere else."""
    (tmp_path / "main.go").write_text(MAKER)
    (tmp_path / "go.mod").write_text("module maker\n\ngo 1.21\n")
    binary = build(go, tmp_path, tmp_path / "maker")
    with running(binary) as target:
        times, taken = taking(target, binary, engine, "functions: [{function: main.holds, collect: [v]}]")
    [row] = [row for goroutine in taken.capture.goroutines for frame in goroutine.frames for row in frame.rows]
    assert [absence.reason for absence in row.cells[0].absences] == ["type unknown"]
    assert (times, taken.types) == (1, frozenset())
