"""A stripped executable has the build id of what it was stripped from: whichever is met first, variables are shown."""

import json
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from compiler.dwarf.debugfile import DebugFiles
from datasource.agents import Agent
from datasource.cache import Cache
from datasource.service import Service, SpecFile
from datasource.snapshots import Snapshots
from tests.conftest import ROOT, build
from tests.programs import StartTarget, running

FREEZEFRAME = ROOT / ".venv/bin/freezeframe"


@dataclass(frozen=True)
class Twins:
    whole: Path
    stripped: Path
    folder: Path
    agent: Agent

    def service(self, name: str, *debug: Path) -> Service:
        spec = self.folder / "spec.yaml"
        functions = [{"function": "main.leaf", "table": "leaves", "collect": [{"expr": "it.Name", "as": "name"}]}]
        programs = {"parked": {"exe": f"{self.whole.parent}/*"}}
        spec.write_text(json.dumps({"programs": programs, "functions": functions}))
        own = self.folder / name
        cache, binaries = Cache(own), own / "binaries"
        return Service(SpecFile(spec), [self.agent], Snapshots(own / "snapshots"), cache, binaries, DebugFiles(debug))


@pytest.fixture
def twins(go: Path, tmp_path: Path) -> Iterator[Twins]:
    whole, stripped, token = tmp_path / "exe/whole", tmp_path / "exe/stripped", tmp_path / "token"
    whole.parent.mkdir()
    build(go, ROOT / "tests/targets/parked", whole)
    subprocess.run(["strip", "--strip-all", "-o", stripped, whole], check=True)
    token.touch(0o600)
    token.write_text(secrets.token_hex(16))
    with running(FREEZEFRAME, "agent", "--port", 0, "--token-file", token, "--engine", "memory") as agent:
        yield Twins(whole, stripped, tmp_path, Agent(f"http://{agent.ready['address']}", token.read_text()))


def names(service: Service) -> list[str | None]:
    """What each process holds."""
    with closing(sqlite3.connect(service.snapshot("latest", 0).path)) as connection:
        return sorted((name for (name,) in connection.execute("SELECT name FROM leaves")), key=str)


def test_a_stripped_copy_that_comes_first_hides_nothing(twins: Twins, start_target: StartTarget) -> None:
    service = twins.service("first")
    start_target(twins.stripped, "-n", 1, "-depth", 0, "-spin", 0)
    assert names(service) == [None]
    start_target(twins.whole, "-n", 1, "-depth", 0, "-spin", 0)
    assert names(service) == ["item 1000", "item 1000"]  # the same code: one's debug info is the other's


def test_debug_info_apart_serves_the_service_too(twins: Twins, start_target: StartTarget) -> None:
    start_target(twins.stripped, "-n", 1, "-depth", 0, "-spin", 0)
    assert names(twins.service("with", twins.whole)) == ["item 1000"]
