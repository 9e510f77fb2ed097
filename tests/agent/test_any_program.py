"""An agent that accepts a Program can run it: no number in it makes the engines or the decoder fail, grow or hang."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from compiler.spec import read_spec
from tests.bounded import Bounded, bounded
from tests.compiler.ir.programs import Change, changed, changes
from tests.conftest import ROOT, build

SPEC = ROOT / "tests/goldens/ledger.yaml"


@pytest.fixture(scope="module")
def program(go: Path, built: Path) -> Program:
    with Binary(build(go, ROOT / "tests/targets/ledger", built / "ledger agent", "-trimpath")) as binary:
        return compile_spec(read_spec(SPEC.read_bytes(), "ledger.yaml"), binary).program


@pytest.fixture(scope="module")
def use() -> Iterator[Bounded]:
    with bounded("tests.agent.any_program:use", memory_mib=1536, seconds=20) as found:
        yield found


@pytest.mark.timeout(3600)
def test_what_is_accepted_can_be_run(program: Program, use: Bounded, tmp_path: Path, fuzz: int) -> None:
    file = tmp_path / "program"
    cells = []

    @settings(max_examples=150 * fuzz, deadline=None, derandomize=fuzz == 1, suppress_health_check=list(HealthCheck))
    @given(changes(program), st.integers(0, 99))
    @example([], 0)
    def run(wanted: list[Change], seed: int) -> None:
        file.write_bytes(program_to_bytes(changed(program, wanted)))
        outcome = use(str(file), seed)
        assert outcome.how in ("returned", "refused"), f"{outcome.how}: {outcome.what}"
        if outcome.how == "returned":
            cells.append(outcome.what["cells"])

    run()
    assert cells[0] > 100
    assert sum(map(bool, cells)) > len(cells) // 3
