"""kill -9 at random points of a capture: the targets run on, and nothing of ours is left. `make chaos` kills a thousand."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program_codec import program_to_bytes
from compiler.spec import read_spec
from tests.conftest import ROOT
from tests.programs import StartTarget, Target

SPEC = ROOT / "examples/querydb/querydb.yaml"
MANY = 100
"""Of so many kills, some fall into a pause, however busy the machine is."""
TIMES = int(os.environ.get("FREEZEFRAME_CHAOS", "20"))


@pytest.mark.parametrize(("engine", "times"), [("ebpf", TIMES), ("memory", TIMES // 4)])
@pytest.mark.timeout(7200)
def test_killed_at_random_points_the_targets_run_on(
    engine: str, times: int, querydb: Path, start_target: StartTarget, tmp_path: Path
) -> None:
    targets = [start_target(querydb, "-load", "-busy", busy) for busy in (1, 0)]
    with Binary(querydb) as binary:
        program = compile_spec(read_spec(SPEC.read_bytes(), "querydb.yaml"), binary).program
    (tmp_path / "program").write_bytes(program_to_bytes(program))
    seed = int.from_bytes(os.urandom(4), "little")
    command = [sys.executable, "-m", "tests.chaos", tmp_path / "program", engine, times, seed]
    command += [target.pid for target in targets]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    print(done.stdout)
    said = json.loads(done.stdout)
    assert said["wrong"] == [], said
    assert said["while_stopped"] > 0 or times < MANY, said
    assert sum(said["killed"].values()) == times
    for target in targets:
        _ended_well(target)


def _ended_well(target: Target) -> None:
    """Every query that was running has run to its end: nothing was lost in all of this."""
    release = urllib.request.Request(f"http://{target.ready['debug']}/release", method="POST")
    with urllib.request.urlopen(release, timeout=30) as answer:
        assert answer.status == 200
    assert target.process.wait(30) == 0
    end = time.monotonic() + 10
    while not (said := [line for line in target.lines if line.startswith("released ")]):
        assert time.monotonic() < end  # who reads its lines may come a little later
    assert '"failed":0' in said[0]
