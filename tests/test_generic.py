"""Pointers of generic code lead engines only where the dictionary says that the call was passed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.capture import arm
from agent.engine import Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.decode import decode
from compiler.ir.frames import Capture, Cell
from compiler.ir.raw import KIND_MEMORY, Loss
from compiler.spec import read_spec
from tests.conftest import ROOT, build
from tests.programs import running

pytestmark = [pytest.mark.every_go, pytest.mark.timeout(600)]

SMALLS, LINKS, LOAD = 200, 8, 8000
"""As many goroutines of a kind have a small struct; behind each is a chain of huge ones."""
ENOUGH = 4 << 20
"""Bytes that suffice for all that is asked for, and not for a third of those chains."""
ENGINES: dict[str, type[Engine]] = {"memory": MemoryEngine, "ebpf": EbpfEngine}
HIDDEN = ("$addr", "Behind", "Load")
SPEC = f"""
limits: {{pause_ms: 60000, process_bytes: {ENOUGH}}}
functions:
  - {{function: "main.one[...]", table: one, collect: [v, list, v.Number, v.Next.Number, "list[1].Number", v.__addr]}}
  - {{function: "main.(*box[...]).held", table: held, collect: [b, more.Number, b.Value.Next.Number]}}
"""


@dataclass(frozen=True)
class Scene:
    """A capture by one engine, and where the program has what nobody asked for."""

    capture: Capture
    losses: tuple[Loss, ...]
    memory: list[tuple[int, int]]
    behind: list[int]

    def rows(self, table: int) -> list[tuple[Cell, ...]]:
        frames = [frame for goroutine in self.capture.goroutines for frame in goroutine.frames]
        return [row.cells for frame in frames for row in frame.rows if row.table == table]


@pytest.fixture(scope="module")
def binary(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/generic", built / "generic")


@pytest.fixture(scope="module", params=ENGINES)
def scene(request: pytest.FixtureRequest, binary: Path) -> Iterator[Scene]:
    with Binary(binary) as opened, running(binary) as target:
        compiled = compile_spec(read_spec(SPEC, "generic.yaml"), opened)
        assert compiled.issues == ()
        with arm(target.pid, compiled.program, ENGINES[request.param]()) as armed:
            raw = armed.fire()
        memory = [
            (int.from_bytes(payload[:8], "little"), len(payload) - 8)
            for kind, payload in raw.walk()
            if kind == KIND_MEMORY
        ]
        behind = [int(each, 16) for each in target.ready["behind"]]
        yield Scene(decode(compiled.program, raw, opened.pclntab), raw.header.losses, memory, behind)


def without_addresses(cell: Cell) -> Any:
    assert isinstance(cell.value, str)
    return json.loads(cell.value, object_hook=lambda found: {k: v for k, v in found.items() if k not in HIDDEN})


def test_nothing_is_lost_and_nothing_copied_that_nobody_asked_for(scene: Scene) -> None:
    assert scene.losses == ()
    assert len(scene.behind) == SMALLS * LINKS
    copied = [at for at in scene.behind for start, size in scene.memory if start < at + LOAD and at < start + size]
    assert copied == []
    assert sum(size for _, size in scene.memory) < ENOUGH // 4


def test_each_is_shown_as_what_it_is(scene: Scene) -> None:
    smalls, huges = {}, []
    for row in scene.rows(0):
        v, items, number, following, second, at = row
        shown = without_addresses(v)
        assert at.value == json.loads(str(v.value))["$addr"]
        assert (number.value, second.value) == (shown["Number"], shown["Number"])
        if "Next" in shown:
            huges.append((shown["Number"], following.value, without_addresses(items)[0]))
        else:
            assert [absence.reason for absence in following.absences] == ["other type"]
            smalls[shown["Number"]] = without_addresses(items)
    assert smalls == {number: [{"Number": number}] * 2 for number in range(SMALLS)}
    assert huges == [(1 - LINKS, 2 - LINKS, None)]


def test_what_a_generic_receiver_has_too(scene: Scene) -> None:
    found = {}
    for b, number, following in scene.rows(1):
        box = without_addresses(b)
        assert box["Value"]["Number"] == number.value
        found[box["Count"]] = (number.value, following.value, "Next" in box["Value"])
    assert found.pop(-1) == (1 - LINKS, 2 - LINKS, True)
    assert found == {number: (number, None, False) for number in range(SMALLS)}
