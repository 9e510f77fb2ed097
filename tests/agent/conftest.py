"""A Go program that keeps several threads at work, and Programs for the demo service."""

import contextlib
import http.client
import json
import time
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program import Program
from compiler.spec import read_spec
from tests.conftest import ROOT, build
from tests.programs import StartTarget, Target

SPEC = ROOT / "examples/querydb/querydb.yaml"


@dataclass(frozen=True)
class Busy:
    """tests/targets/busy, running."""

    target: Target

    @property
    def pid(self) -> int:
        return self.target.pid

    def ask(self) -> dict[str, int]:
        """Its counters: progress, signals, threads."""
        with urllib.request.urlopen(f"http://{self.target.ready['address']}/", timeout=10) as answer:
            counters: dict[str, int] = json.load(answer)
        return counters

    def moves_on(self) -> bool:
        """Whether it still works; the second answer comes later than the first."""
        before = self.ask()["progress"]
        return any(self.ask()["progress"] > before for _ in range(1000))

    def exec_again(self) -> None:
        """Have it execve(2) itself; back when the new one is in position."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(f"http://{self.target.ready['address']}/exec", timeout=10)
        while sum(line.startswith("ready ") for line in self.target.lines) < 2:
            time.sleep(0.001)

    def tracers(self) -> set[str]:
        """Who traces its threads; "0" is nobody."""
        texts = []
        for path in Path(f"/proc/{self.pid}/task").glob("*/status"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
                texts.append(path.read_text())
        return {line.split()[1] for text in texts for line in text.splitlines() if line.startswith("TracerPid:")}

    def comes_to(self, state: str) -> bool:
        """Whether its main thread has this state within a second."""
        end = time.monotonic() + 1
        while self.state() != state:
            if time.monotonic() > end:
                return False
        return True

    def state(self) -> str:
        """The state letter of its main thread."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.fixture(scope="session")
def busy_binary(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/busy", built / "busy")


@pytest.fixture
def busy(busy_binary: Path, start_target: StartTarget) -> Busy:
    return Busy(start_target(busy_binary))


@pytest.fixture(scope="session")
def busy_program(busy_binary: Path) -> Program:
    """Stacks alone."""
    return compiled(busy_binary, "functions: []\n")


@pytest.fixture(scope="session")
def patient_program(busy_program: Program) -> Program:
    """The same, for tests in which the machine may be so busy that its threads do not stop in time."""
    return patient(busy_program)


@pytest.fixture(scope="session")
def querydb_program(querydb: Path) -> Program:
    """The demo's own spec, compiled for the demo."""
    return compiled(querydb, SPEC.read_text())


def patient(program: Program) -> Program:
    """The Program with time enough on a machine that is busy."""
    return replace(program, limits=program.limits.override({"pause_ms": 10_000}))


def compiled(path: Path, spec: str) -> Program:
    with Binary(path) as binary:
        compiled = compile_spec(read_spec(spec, SPEC.name), binary)
    assert compiled.issues == ()
    return compiled.program
