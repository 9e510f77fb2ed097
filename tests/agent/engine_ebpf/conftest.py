"""One engine for all tests here (it compiles once), the parked target, and a house for made-up processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.engine_ebpf import EbpfEngine
from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import Program
from compiler.spec import read_spec
from tests.agent.engine_ebpf.house import FIRST, LAST, House
from tests.conftest import ROOT, build
from tests.programs import running

SPEC = """
functions:
  - {function: main.work, table: work, collect: [it, local, {expr: it.Owner.Next.Name, as: next_name}]}
  - {function: main.middle, table: middle, collect: [label, numbers, point, {expr: it.Name, as: name}]}
  - {function: main.leaf, table: leaf, collect: [label, it]}
  - {function: main.down, table: down, collect: [id, name]}
  - {function: main.large, table: large, collect: [text, many]}
  - {function: main.spin, table: spin, collect: [id, count]}
limits: {pause_ms: 20000, string_bytes: 200000, slice_items: 20000}
"""


@pytest.fixture(scope="session")
def engine() -> EbpfEngine:
    return EbpfEngine()


@pytest.fixture(scope="session")
def exact_engine() -> EbpfEngine:
    """It copies objects, never pages, so that a test can see what was left out."""
    return EbpfEngine(pages=False)


@pytest.fixture(scope="session")
def parked_binary(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/parked", built / "parked")


@pytest.fixture(scope="session")
def parked_program(parked_binary: Path) -> Program:
    """Every kind of value that the target has."""
    with Binary(parked_binary) as binary:
        compiled = compile_spec(read_spec(SPEC, "parked.yaml"), binary)
    assert compiled.issues == ()
    return compiled.program


@pytest.fixture(scope="session")
def house(go: Path, built: Path) -> Iterator[House]:
    """A process with empty memory at low addresses; PIE, so that its own code is elsewhere."""
    binary = build(go, ROOT / "tests/targets/memory", built / "memory", "-buildmode=pie")
    with running(binary, "-first", FIRST, "-last", LAST) as target, House(target.pid) as found:
        yield found
