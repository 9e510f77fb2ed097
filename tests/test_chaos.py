"""kill -9 at a random point of a capture, a hundred times: the target runs on, and nothing of ours is left in the kernel."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program_codec import program_to_bytes
from compiler.spec import read_spec
from tests.conftest import ROOT
from tests.programs import StartTarget

SPEC = ROOT / "examples/querydb/querydb.yaml"
TIMES = int(os.environ.get("FREEZEFRAME_CHAOS", "100"))


@pytest.mark.parametrize("engine", ["ebpf", "memory"])
@pytest.mark.timeout(1800)
def test_killed_at_random_points_the_target_runs_on(
    engine: str, querydb: Path, start_target: StartTarget, tmp_path: Path
) -> None:
    target = start_target(querydb, "-load", "-busy", 2)
    with Binary(querydb) as binary:
        program = compile_spec(read_spec(SPEC.read_bytes(), "querydb.yaml"), binary).program
    (tmp_path / "program").write_bytes(program_to_bytes(program))
    seed = int.from_bytes(os.urandom(4), "little")
    command = [sys.executable, "-m", "tests.chaos", target.pid, tmp_path / "program", engine, TIMES, seed]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == [], f"seed {seed}"
    assert said["in_pause"] > 0, f"none of {TIMES} kills fell into a pause; seed {seed}"
    release = urllib.request.Request(f"http://{target.ready['debug']}/release", method="POST")
    with urllib.request.urlopen(release, timeout=30) as answer:
        assert answer.status == 200
    assert target.process.wait(30) == 0
    # Every query that was running has run to its end: nothing was lost in all of this.
    assert any('"failed":0' in line for line in target.lines if line.startswith("released "))
