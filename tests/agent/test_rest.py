"""An agent at rest costs nothing: it never wakes up, and is small again after a capture."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from compiler.ir.program import Program
from datasource.agents import Agent
from tests.agent.conftest import patient
from tests.conftest import ROOT
from tests.programs import StartTarget, running

TOKEN = "0123456789abcdef"
RUN = "import agent.main as m; from agent.config import AgentConfig; m.KEPT_S = 0.2; m.run(AgentConfig(port=0))"
MOST_MIB = 80
QUIET_S = 1.5


def resident_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024


def awakenings(pid: int) -> dict[str, str]:
    """How often each thread has gone to sleep, by its id."""
    found = {}
    for path in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # that thread has ended
            lines = (path / "status").read_text().splitlines()
            found[path.name] = next(line for line in lines if line.startswith("voluntary_ctxt_switches"))
    return found


def settled(pid: int) -> bool:
    """Whether it has given back all that it had of the kernel for a capture, and the client's thread has ended."""
    objects = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed
            objects.append(path.readlink().name)
    return not any("bpf" in each for each in objects) and len(awakenings(pid)) == 2


def test_after_a_capture_it_is_small_and_sleeps(
    querydb: Path, querydb_program: Program, start_target: StartTarget
) -> None:
    target = start_target(querydb, "-load")
    environment = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN}
    with running(sys.executable, "-c", RUN, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as agent:
        asking = Agent(f"http://{agent.ready['address']}", TOKEN)
        for _ in range(2):
            with asking.armed(target.pid, patient(querydb_program)) as number:
                assert asking.fire(number).records
        deadline = time.monotonic() + 20
        while not settled(agent.pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert resident_mib(agent.pid) < MOST_MIB
        before = awakenings(agent.pid)
        time.sleep(QUIET_S)
        assert awakenings(agent.pid) == before
        assert asking.processes().processes, "and it answers all the same"
