"""Every number and every list of a real Program, broken one by one and sent to an agent: refused before anything is stopped, or
a capture that ends in time and harms nothing."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest

from agent.config import AgentConfig, AgentLimits
from agent.engine_ebpf import EbpfEngine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import Program
from compiler.ir.program_codec import BadProgram, program_from_bytes, program_to_bytes
from compiler.ir.raw import RawCapture
from compiler.ir.wire import ArmedCapture
from compiler.spec import read_spec
from tests.agent.serving import Agent, serving
from tests.chaos import held
from tests.compiler.ir.programs import Path as Place
from tests.compiler.ir.programs import places, with_other
from tests.conftest import ROOT
from tests.programs import StartTarget

NUMBERS = (0, -1, 1, 1 << 16, (1 << 47) - 1, 1 << 63, (1 << 64) - 1, 1 << 200)
SPEC = ROOT / "examples/querydb/querydb.yaml"
UNLIMITED = AgentConfig(limits=AgentLimits(captures_per_minute=1_000_000, captures_per_minute_per_process=1_000_000))
PAUSE_MS, SLACK_MS = 100, 1000
SAMPLED = 29
"""Of so many broken Programs, one is sent; with --fuzz=2, all are."""
LONGEST_S = 20.0
"""Of two requests on a busy machine."""


def broken(program: Program, every: int) -> Iterator[tuple[Place, Program]]:
    """Of each kind of place in it the first and the last one, with everything that is wrong there; one in `every`."""
    kinds: dict[tuple[str, ...], list[tuple[Place, Any]]] = {}
    for path, annotation in places(program, Program):
        kinds.setdefault(tuple(step for step in path if isinstance(step, str)), []).append((path, annotation))
    ends = [each for found in kinds.values() for each in (found[0], found[-1])]
    cases = [(path, other) for path, annotation in ends for other in _others(program, path, annotation)]
    yield from ((path, with_other(program, path, other)) for path, other in cases[::every])


def _others(program: Program, path: Place, annotation: Any) -> Iterator[Any]:
    value: Any = program
    for step in path:
        value = getattr(value, step) if isinstance(step, str) else value[step]
    if type(value) is int:
        own = next((step for step in path if isinstance(step, int)), 0)  # of a type: itself
        yield from (number for number in (*NUMBERS, own, value + 1, value - 1, value + 8) if number != value)
    elif isinstance(value, tuple):
        yield from {(), value + value, value[::-1], value[1:]} - {value}
    if _may_be(annotation, type(None)) and value is not None:
        yield None
    if value is None and _may_be(annotation, int):
        yield from NUMBERS


def _may_be(annotation: Any, kind: type) -> bool:
    return get_origin(annotation) in (Union, UnionType) and kind in get_args(annotation)


def sent(agent: Agent, pid: int, data: bytes, pause_ms: int) -> str:
    """Arm it and fire it, as any client may: what became of it. It must not be a bug of ours, nor take long."""
    began = time.monotonic()
    status, answer = agent.ask("POST", f"/v1/captures?pid={pid}", data)
    said = "refused when armed"
    if status == 201:
        capture = ArmedCapture.from_json(answer).capture
        status, answer = agent.ask("POST", f"/v1/captures/{capture}/fire", b"")
        said = "captured" if status == 200 else "refused when fired"
    assert status != 500, answer
    if said == "captured":
        assert RawCapture.from_bytes(answer).header.pause.total < (pause_ms + SLACK_MS) * 1_000_000
    assert time.monotonic() - began < LONGEST_S
    return said


@pytest.mark.timeout(900)
def test_every_number_and_list_broken(querydb: Path, start_target: StartTarget, fuzz: int, engine: EbpfEngine) -> None:
    with Binary(querydb) as opened:
        program = compile_spec(read_spec(SPEC.read_bytes(), SPEC.name), opened).program
    program = replace(program, limits=replace(program.limits, pause_ms=PAUSE_MS))
    target = start_target(querydb)
    outcomes: Counter[str] = Counter()
    with serving(UNLIMITED, lambda: engine) as agent:
        for place, wrong in broken(program, 1 if fuzz > 1 else SAMPLED):
            data = program_to_bytes(wrong)
            try:
                program_from_bytes(data)
            except BadProgram:
                assert sent(agent, target.pid, data, 0) == "refused when armed", place
                outcomes["refused"] += 1
            else:
                outcomes[sent(agent, target.pid, data, wrong.limits.pause_ms)] += 1
            assert held(target.pid) == [], place
        assert sent(agent, target.pid, program_to_bytes(program), PAUSE_MS) == "captured"
    assert outcomes["refused"] > 20, outcomes
    assert outcomes["captured"] > 20, outcomes
    print(dict(outcomes))
