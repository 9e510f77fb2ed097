"""A process in user, pid and mount namespaces of its own, whose executable is nowhere outside, is captured like any other."""

import json
import os
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.capture import arm
from agent.engine import Engine
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from agent.processes import Processes
from compiler.binary import Binary
from compiler.decode import decode
from compiler.ir.program import Program
from compiler.ir.raw import GOROUTINE, KIND_GOROUTINE, SOURCE_THREAD, RawCapture, RawGoroutine
from tests.container import PID, in_container
from tests.house import FREEZEFRAME

SPINNING = 2


@pytest.fixture(scope="module")
def contained(parked_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The pid outside."""
    folder = tmp_path_factory.mktemp("root")
    with in_container(folder, parked_binary, "-n", 5, "-depth", 0, "-spin", SPINNING) as (_, pid):
        yield pid


def fired(engine: Engine, pid: int, program: Program) -> RawCapture:
    with arm(pid, program, engine) as armed:
        return RawCapture.from_bytes(armed.fire().to_bytes())


def on_threads(raw: RawCapture) -> list[RawGoroutine]:
    """Goroutines whose stack begins with a thread's registers."""
    found = (RawGoroutine(*GOROUTINE.unpack(payload)[:-1]) for kind, payload in raw.walk() if kind == KIND_GOROUTINE)
    return [each for each in found if each.source == SOURCE_THREAD]


@pytest.mark.parametrize("name", ["ebpf", "memory"])
def test_running_goroutines_have_the_registers_of_their_own_threads(
    name: str, contained: int, parked_program: Program, parked_binary: Path, engine: EbpfEngine
) -> None:
    raw = fired(engine if name == "ebpf" else MemoryEngine(), contained, parked_program)
    with Binary(parked_binary) as binary:
        capture = decode(parked_program, raw, binary.pclntab)
    spinning = [each for each in capture.goroutines if each.frames[0].function == "main.spin"]
    assert [[frame.function for frame in each.frames] for each in spinning] == [
        ["main.spin", "runtime.goexit"]
    ] * SPINNING
    # What each adds is in a register of its thread, or was: nobody else's.
    ids = [row.cells[0].value for each in spinning for row in each.frames[0].rows]
    assert sorted(map(str, ids)) == [str(number) for number in range(SPINNING)]
    assert len(on_threads(raw)) >= SPINNING


def test_pids_and_tids_are_known_on_both_sides(contained: int, parked_program: Program) -> None:
    raw = fired(MemoryEngine(), contained, parked_program)
    assert (raw.header.pid, raw.header.container_pid) == (contained, PID)
    tids = dict(raw.header.host_tids)
    assert {each.tid for each in on_threads(raw)} <= tids.keys()
    assert len(tids) == raw.header.threads
    for inside, outside in tids.items():
        status = Path(f"/proc/{contained}/task/{outside}/status").read_text()
        assert f"NSpid:\t{outside}\t{inside}\n" in status
    assert tids[PID] == contained


def test_processes_outside_of_containers_have_one_number(parked_program: Program, parked_binary: Path) -> None:
    with subprocess.Popen([parked_binary, "-spin", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready ")
        header = fired(MemoryEngine(), process.pid, parked_program).header
        process.kill()
    assert (header.container_pid, header.host_tids) == (None, ())


def test_listed_and_stored_by_both_pids(contained: int, parked_binary: Path, tmp_path: Path) -> None:
    """Though no path outside leads to the executable."""
    listed = {process.pid: process for process in Processes().list()}[contained]
    assert (listed.exe, listed.container_pid) == (f"/{parked_binary.name}", PID)
    assert not Path(listed.exe).exists()
    spec, out = tmp_path / "spec.yaml", tmp_path / "out.sqlite"
    spec.write_text("functions:\n- {function: main.spin, table: spin, collect: [id]}\n")
    command = [FREEZEFRAME, "snapshot", "--pid", contained, "--spec", spec, "--out", out, "--json"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tables"]["spin"] == SPINNING
    with closing(sqlite3.connect(out)) as database:
        assert database.execute("SELECT pid, container_pid, exe FROM processes").fetchall() == [
            (contained, PID, f"/{parked_binary.name}")
        ]
        assert Counter(database.execute("SELECT id FROM spin")) == Counter((each,) for each in range(SPINNING))
