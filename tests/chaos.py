"""Kills an agent at random points of a capture, again and again, and looks at what is left. Run as a program, for it forks:

python -m tests.chaos PROGRAM ENGINE TIMES SEED PID...

For each PID there is a client that asks for one capture after the other and reads the answers slowly. Now and then a new
agent compiles its probe first; the others find it compiled. Prints progress, and one line of JSON at the end.
"""

import ctypes
import json
import mmap
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from agent.audit import Audit
from agent.capture import arm
from agent.config import AgentConfig, AgentLimits
from agent.engine import ArmedProbe, Engine, Registers, Target
from agent.engines import choose_engine
from agent.server import make_server
from compiler.ir.errors import FreezeframeError
from compiler.ir.program import Program
from compiler.ir.program_codec import program_from_bytes
from compiler.ir.raw import Loss
from compiler.ir.wire import ArmedCapture
from tests.bpfobjects import bpf_objects, held_objects

TOKEN = "a token for the chaos"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
COLD_EVERY = 25
"""Every so many agents one has to compile its probe."""
PATIENCE_S = 20.0
NAP_S = 0.00005
MOST_WRONG = 20
GRACE_S = 60.0
"""The kernel gives maps back when no processor can be in the program that used them: on a busy machine that takes seconds."""
PR_SET_CHILD_SUBREAPER = 36


class Point(IntEnum):
    """Where an agent is. STOP is not announced: it is when the target begins to be traced."""

    START = 0
    ARM = 1
    ARMED = 2
    STOP = 3
    RUN = 4
    RESUME = 5
    COLLECT = 6
    SEND = 7


LONGEST_S = {
    Point.ARM: 0.06, Point.ARMED: 0.002, Point.STOP: 0.0006, Point.RUN: 0.003, Point.RESUME: 0.0006,
    Point.COLLECT: 0.003, Point.SEND: 0.01,
}  # fmt: skip
"""A kill comes at any time up to so long after the point."""


ORDER = (Point.STOP, *(point for point in LONGEST_S if point is not Point.STOP))


class Board(ctypes.Structure):
    """Memory that all processes here share."""

    _fields_ = (("point", ctypes.c_uint64), ("port", ctypes.c_uint64), ("captures", ctypes.c_uint64 * 8))

    @staticmethod
    def shared() -> "Board":
        return Board.from_buffer(mmap.mmap(-1, mmap.PAGESIZE))


class Announcing:
    """An engine that writes on the board how far its captures are."""

    def __init__(self, engine: Engine, board: Board) -> None:
        self.name = engine.name
        self._engine, self._board = engine, board

    def arm(self, target: Target, program: Program) -> ArmedProbe:
        self._board.point = Point.ARM
        probe = AnnouncingProbe(self._engine.arm(target, program), self._board)
        self._board.point = Point.ARMED
        return probe

    def close(self) -> None:
        self._engine.close()


class AnnouncingProbe:
    """One of its captures."""

    def __init__(self, probe: ArmedProbe, board: Board) -> None:
        self._probe, self._board = probe, board

    def run(self, threads: Mapping[int, Registers], deadline_ns: int) -> int:
        self._board.point = Point.RUN
        walked_ns = self._probe.run(threads, deadline_ns)
        self._board.point = Point.RESUME
        return walked_ns

    def collect(self) -> tuple[bytes, tuple[Loss, ...]]:
        self._board.point = Point.COLLECT
        found = self._probe.collect()
        self._board.point = Point.SEND
        return found

    def close(self) -> None:
        self._probe.close()


def serve(board: Board, engine: Engine) -> None:
    """The agent: until it is killed."""
    often = AgentLimits(captures_per_minute=1_000_000, captures_per_minute_per_process=1_000_000)
    config = AgentConfig(port=0, limits=often)
    server = make_server(config, TOKEN, lambda: Announcing(engine, board), audit=Audit(lambda _: None))
    board.port = server.server_port
    server.serve_forever()


def ask(board: Board, number: int, pid: int, program: bytes) -> None:
    """A client: capture after capture, of whatever agent there is."""
    while True:
        with suppress(OSError, HTTPException, FreezeframeError):
            connection = HTTPConnection("127.0.0.1", board.port, timeout=5)
            connection.request("POST", f"/v1/captures?pid={pid}", program, HEADERS)
            capture = ArmedCapture.from_json(connection.getresponse().read()).capture
            connection.request("POST", f"/v1/captures/{capture}/fire", b"", HEADERS)
            answer = connection.getresponse()
            while answer.read(64 << 10):
                time.sleep(0.0005)
            board.captures[number] += 1
            connection.close()
        time.sleep(0.001)


def traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def held(pid: int) -> list[str]:
    """What is wrong with the target: threads that are stopped or traced."""
    wrong = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # that thread has ended
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            if status["State"][0] in "tT" or status["TracerPid"] != "0":
                wrong.append(f"thread {task.name}: {status['State']}, traced by {status['TracerPid']}")
    return wrong


@dataclass
class Chaos:
    """One run of it."""

    engine: Engine
    pids: list[int]
    dice: random.Random
    board: Board = field(default_factory=Board.shared)
    before: set[tuple[str, int]] = field(default_factory=bpf_objects)
    clients: list[int] = field(default_factory=list)
    killed_at: Counter[str] = field(default_factory=Counter)
    while_stopped: int = 0
    missed: int = 0
    slowest_s: float = 0
    wrong: list[str] = field(default_factory=list)

    def kill_one(self, number: int) -> None:
        """Start an agent, let it work, kill it, look around."""
        self.board.point, self.board.port = Point.START, 0
        engine = choose_engine(self.engine.name) if number % COLD_EVERY == COLD_EVERY - 1 else self.engine
        agent = fork(lambda: serve(self.board, engine))
        self._wait(ORDER[number % len(ORDER)])
        at = Point(self.board.point)
        stopped = any(map(traced, self.pids))
        os.kill(agent, signal.SIGKILL)
        _, status = os.waitpid(agent, 0)
        self.wrong += [problem for pid in self.pids for problem in held(pid)]
        self.killed_at[at.name.lower()] += 1
        self.while_stopped += stopped
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            self.wrong.append(f"the agent ended by itself: {status}")
        self.wrong += self._left()

    def _wait(self, point: Point) -> None:
        """Until the agent is there, or its target is stopped, and then some."""
        end = time.monotonic() + PATIENCE_S
        there: Callable[[], bool] = lambda: self.board.point >= point  # noqa: E731
        if point is Point.STOP:
            there = lambda: any(map(traced, self.pids))  # noqa: E731
        while not there():
            if time.monotonic() > end:
                self.missed += 1  # the machine is too busy: it is killed where it is
                return
            time.sleep(NAP_S)
        time.sleep(self.dice.uniform(0, LONGEST_S[point]))

    def _left(self) -> list[str]:
        """Child processes of the agent, and eBPF objects that nobody holds."""
        began = time.monotonic()
        while True:
            while ended := os.waitpid(-1, os.WNOHANG)[0]:
                if ended in self.clients:
                    raise ChildProcessError(f"client {ended} has ended")
            orphans = set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))
            orphans -= set(self.clients)
            objects = bpf_objects() - self.before
            objects = objects - held_objects() if objects else objects
            waited = time.monotonic() - began
            self.slowest_s = max(waited, self.slowest_s)
            if not orphans and not objects:
                return []
            if waited > GRACE_S:
                return [*(f"process {pid} is left" for pid in orphans), *(f"{kind} {n} is left" for kind, n in objects)]
            time.sleep(0.005)


def fork(what: Callable[[], None]) -> int:
    """Have a child do it; the child's pid."""
    child = os.fork()
    if child == 0:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, 0)
            what()
        finally:
            os._exit(1)
    return child


def main(program_file: Path, engine_name: str, times: int, seed: int, pids: list[int]) -> None:
    """Kill so many agents."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    text = program_file.read_bytes()
    program, engine = program_from_bytes(text), choose_engine(engine_name)
    arm(pids[0], program, engine).close()  # compiles the probe once, for most
    engine.close()  # maps are no use to several processes
    chaos = Chaos(engine, pids, random.Random(seed))
    chaos.clients += [fork(lambda n=n, pid=pid: ask(chaos.board, n, pid, text)) for n, pid in enumerate(pids)]  # type: ignore[misc]
    os.setpriority(os.PRIO_PROCESS, 0, -10)  # so that a kill comes when it is meant to
    began = time.monotonic()
    try:
        for number in range(times):
            chaos.kill_one(number)
            if (number + 1) % 50 == 0 or chaos.wrong:
                print(f"{number + 1} killed, wrong: {chaos.wrong}", file=sys.stderr, flush=True)
            if len(chaos.wrong) > MOST_WRONG:
                break
    finally:
        for client in chaos.clients:
            os.kill(client, signal.SIGKILL)
            os.waitpid(client, 0)
    said = {
        "killed": dict(sorted(chaos.killed_at.items())),
        "while_stopped": chaos.while_stopped,
        "missed": chaos.missed,
        "wrong": chaos.wrong,
        "captures": sum(chaos.board.captures),
        "slowest_to_go_s": round(chaos.slowest_s, 3),
        "seconds": round(time.monotonic() - began),
        "seed": seed,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), list(map(int, sys.argv[5:])))
