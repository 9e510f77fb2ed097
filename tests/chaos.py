"""Kills a capturing process at random points, again and again; run as a program, for it forks.

python -m tests.chaos PID PROGRAM ENGINE TIMES SEED
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from agent.capture import arm
from agent.engine import Engine
from agent.engines import choose_engine
from compiler.ir.program import Program
from compiler.ir.program_codec import program_from_bytes

LONGEST_S = 0.05
LONGEST_PAUSE_S = 0.0008
PATIENCE_S = 5.0


def capture_without_end(pid: int, program: Program, engine: Engine) -> None:
    """What the child does until it is killed."""
    while True:
        with arm(pid, program, engine) as armed:
            armed.fire()


def held(pid: int) -> list[str]:
    """What is wrong with the target: threads that are stopped or traced."""
    wrong = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        if status["State"][0] in "tT" or status["TracerPid"] != "0":
            wrong.append(f"thread {task.name}: {status['State']}, traced by {status['TracerPid']}")
    return wrong


def caught(pid: int, wait_s: float) -> bool:
    """Wait until the target is being traced, and a little longer; whether it is still held then."""
    status, end = Path(f"/proc/{pid}/status"), time.monotonic() + PATIENCE_S
    while "TracerPid:\t0\n" in status.read_text():
        if time.monotonic() > end:
            return False
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        pass
    return "TracerPid:\t0\n" not in status.read_text()


def main(pid: int, program_file: Path, engine_name: str, times: int, seed: int) -> None:
    """Fork, let it capture, kill it, look at the target: every other time at any moment, else within a pause."""
    program, engine, dice = (
        program_from_bytes(program_file.read_bytes()),
        choose_engine(engine_name),
        random.Random(seed),
    )
    with arm(pid, program, engine) as armed:  # compiles the probe once, for all children
        armed.fire()
    in_pause, wrong = 0, []
    for number in range(times):
        child = os.fork()
        if child == 0:
            try:
                capture_without_end(pid, program, engine)
            finally:
                os._exit(1)
        if number % 2:
            time.sleep(dice.uniform(0, LONGEST_S))
        else:
            in_pause += caught(pid, dice.uniform(0, LONGEST_PAUSE_S))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            wrong.append(f"the capturing child ended by itself: {status}")
        wrong += held(pid)
    print(json.dumps({"in_pause": in_pause, "wrong": wrong}))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
