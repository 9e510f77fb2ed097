"""A function that is compiled once for very many types: each call shows its own, and of too many it says that they are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.decode import decode
from compiler.ir.access_check import MAX_CHOICES
from compiler.ir.frames import Cell
from compiler.ir.program import ByDictionary
from compiler.spec import read_spec
from tests.conftest import build
from tests.programs import Target, running

pytestmark = [pytest.mark.every_go, pytest.mark.timeout(600)]

ENGINES: dict[str, type[Engine]] = {"memory": MemoryEngine, "ebpf": EbpfEngine}
FUNCTIONS = {"some": 30, "most": MAX_CHOICES, "more": MAX_CHOICES + 1}
"""Generic functions, and of how many types each is called."""
COLLECT = ["v", "list", "v.Number", "v.Next.Number", "list[1].Number", 'm["k"].Number', "v.F7"]
SPEC = "limits: {pause_ms: 60000}\nfunctions:\n" + "".join(
    f'  - {{function: "main.{name}[...]", table: {name}, collect: {json.dumps(COLLECT)}}}\n' for name in FUNCTIONS
)
HEAD = """package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

var (
	waiting sync.WaitGroup
	never   = make(chan struct{})
	truth   = map[string]map[int]any{}
)

//go:noinline
func stop() {
	waiting.Done()
	<-never
}

func tell(name string, number int, v any) {
	if truth[name] == nil {
		truth[name] = map[int]any{}
	}
	truth[name][number] = v
	waiting.Add(1)
}
"""
GENERIC = """
//go:noinline
func {0}[T any](v T, list []T, m map[string]T) {{
	stop()
	fmt.Fprint(io.Discard, v, list, m)
}}
"""
TAIL = """
	waiting.Wait()
	ready, err := json.Marshal(truth)
	if err != nil {
		panic(err)
	}
	fmt.Printf("ready %s\\n", ready)
	time.Sleep(time.Hour)
}
"""


def source() -> str:
    """Types that begin alike, each with a field of its own name at another place."""
    count = max(FUNCTIONS.values())
    types = "".join(
        f"\ntype t{number} struct {{\n\tNumber int\n\tPad [{number % 5}]int8\n\tF{number} string\n\tNext *t{number}\n}}\n"
        for number in range(count)
    )
    calls = "".join(
        f'\tv{number} := &t{number}{{Number: {number}, F{number}: "text {number}", Next: &t{number}{{Number: -{number}}}}}\n'
        + "".join(
            f'\ttell("{name}", {number}, v{number})\n'
            f'\tgo {name}(v{number}, []*t{number}{{nil, v{number}}}, map[string]*t{number}{{"k": v{number}}})\n'
            for name, calls in FUNCTIONS.items()
            if number < calls
        )
        for number in range(count)
    )
    return HEAD + types + "".join(map(GENERIC.format, FUNCTIONS)) + "\nfunc main() {\n" + calls + TAIL


@pytest.fixture(scope="module")
def binary(go: Path, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    (folder / "go.mod").write_text("module many\n\ngo 1.21\n")
    (folder / "main.go").write_text(source())
    return build(go, folder, built / "many")


@pytest.fixture(scope="module")
def target(binary: Path) -> Iterator[Target]:
    with running(binary) as started:
        yield started


Rows = dict[str, list[tuple[Cell, ...]]]


@pytest.fixture(scope="module", params=ENGINES)
def rows(request: pytest.FixtureRequest, binary: Path, target: Target) -> Rows:
    """By function."""
    with Binary(binary) as opened:
        compiled = compile_spec(read_spec(SPEC, "many.yaml"), opened)
        assert compiled.issues == ()
        sizes = {len(each.choices) for each in compiled.program.accesses if isinstance(each, ByDictionary)}
        assert sizes == {1, 30, MAX_CHOICES}  # of those one has an F7
        with arm(target.pid, compiled.program, ENGINES[request.param]()) as armed:
            raw = armed.fire()
        assert raw.header.losses == ()
        capture = decode(compiled.program, raw, opened.pclntab)
    found: Rows = {name: [] for name in FUNCTIONS}
    for frame in [frame for goroutine in capture.goroutines for frame in goroutine.frames]:
        for row in frame.rows:
            found[list(FUNCTIONS)[row.table]].append(row.cells)
    assert {name: len(each) for name, each in found.items()} == FUNCTIONS
    return found


def plain(value: object) -> object:
    """Without addresses."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key != "$addr"}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["some", "most"])
def test_each_call_shows_its_own_type(rows: Rows, target: Target, name: str) -> None:
    truth = {int(number): value for number, value in target.ready[name].items()}
    for v, items, *numbers, own in rows[name]:
        shown = plain(json.loads(str(v.value)))
        number = numbers[0].value
        assert isinstance(number, int)
        assert shown == truth.pop(number)
        assert plain(json.loads(str(items.value))) == [None, shown]
        assert [each.value for each in numbers] == [number, -number, number, number]
        assert (own.value, [absence.reason for absence in own.absences]) == (
            ("text 7", []) if number == 7 else (None, ["other type"])
        )
    assert truth == {}


def test_of_more_types_than_are_told_apart_it_says_that(rows: Rows) -> None:
    for v, _, *others in rows["more"]:
        assert [absence.reason for absence in v.absences] == ["unsupported"]
        for each in others:
            assert each.value is None
            [absence] = each.absences
            assert (absence.reason, absence.detail) == (
                "unsupported",
                f"the call may have been passed {MAX_CHOICES + 1} different type arguments, and {MAX_CHOICES} are told apart",
            )
