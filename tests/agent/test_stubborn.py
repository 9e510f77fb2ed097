"""Processes that cannot be stopped for a while, agents that are ended in the middle, disks that are full, clients that hang: no
process is held longer than its capture, and each case has its words."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from agent.pause import LINGER_S, paused
from compiler.ir.errors import CannotNow
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from compiler.ir.raw import RawCapture
from compiler.ir.wire import ArmedCapture
from tests.agent.conftest import Busy
from tests.agent.serving import TOKEN, serving
from tests.conftest import ROOT
from tests.programs import Target, running

FREEZERS = {
    "v1": (Path("/sys/fs/cgroup/freezer"), "freezer.state", "FROZEN", "THAWED"),
    "v2": (Path("/sys/fs/cgroup"), "cgroup.freeze", "1", "0"),
    "hybrid": (Path("/sys/fs/cgroup/unified"), "cgroup.freeze", "1", "0"),
}
HERE = [kind for kind, (folder, *_) in FREEZERS.items() if (folder / "cgroup.procs").exists()]
PATIENCE_NS = 3_000_000_000


def test_this_machine_can_freeze() -> None:
    assert HERE, "no cgroup hierarchy with a freezer is mounted: these tests cannot tell anything here"


@contextmanager
def frozen(pid: int, kind: str) -> Iterator[None]:
    folder, file, freeze, thaw = FREEZERS[kind]
    group = folder / f"freezeframe-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(pid))
        (group / file).write_text(freeze)
        yield
    finally:
        (group / file).write_text(thaw)
        (folder / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def hold(pid: int, patience_ns: int) -> int:
    """Hold it still for a moment, on a thread of its own as a capture does; how many threads it has."""

    def once() -> int:
        with paused(pid, patience_ns) as held:
            return len(held.threads)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(once).result()


@pytest.mark.parametrize("kind", HERE)
def test_a_frozen_process_is_captured_or_named_and_let_go(kind: str, busy: Busy) -> None:
    """cgroups v2 let a frozen process be traced; version 1 does not let it stop until it is thawed."""
    with frozen(busy.pid, kind):
        time.sleep(0.05)  # version 1 freezes when each thread next looks
        began = time.monotonic()
        if kind == "v1":
            with pytest.raises(
                CannotNow, match=r"thread \d+ of process \d+ did not stop in time: its cgroup is frozen"
            ):
                hold(busy.pid, 20_000_000)
        else:
            assert hold(busy.pid, PATIENCE_NS) >= 3
        assert time.monotonic() - began < LINGER_S + 5
        assert comes_to_be_free(busy)
    assert busy.moves_on()
    assert busy.ask()["signals"] == 0


def comes_to_be_free(busy: Busy) -> bool:
    """Whether nobody traces it, within a second: the tracing thread ends a moment after it is joined."""
    end = time.monotonic() + 1
    while busy.tracers() != {"0"}:
        if time.monotonic() > end:
            return False
    return True


@contextmanager
def an_agent(engine: str, stderr: int, **environment: str) -> Iterator[Target]:
    """One of its own, whose messages go there."""
    code = (
        f"from agent.main import run; from agent.config import AgentConfig; run(AgentConfig(port=0, engine={engine!r}))"
    )
    variables = {**os.environ, "FREEZEFRAME_AGENT_TOKEN": TOKEN.replace(" ", "-"), **environment}
    with running(sys.executable, "-c", code, cwd=ROOT, env=variables, stderr=stderr) as target:
        yield target


def ask(target: Target, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = HTTPConnection(target.ready["address"], timeout=60)
    try:
        connection.request("POST", path, body, {"Authorization": f"Bearer {TOKEN.replace(' ', '-')}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_sigterm_in_the_middle_of_captures_lets_the_target_go(busy: Busy, busy_program: Program) -> None:
    for _ in range(5):
        with an_agent("memory", subprocess.DEVNULL) as target, ThreadPoolExecutor(1) as pool:
            client = pool.submit(_captures, target, busy.pid, program_to_bytes(busy_program))
            while busy.tracers() == {"0"} and not client.done():
                pass
            target.process.terminate()
            assert target.process.wait(20) == 0
            assert busy.tracers() == {"0"}
            client.result(60)
        assert busy.moves_on()


def _captures(target: Target, pid: int, program: bytes) -> None:
    """One after the other, until the agent is gone."""
    with contextlib.suppress(OSError, HTTPException):
        while True:
            capture = ArmedCapture.from_json(ask(target, f"/v1/captures?pid={pid}", program)[1]).capture
            ask(target, f"/v1/captures/{capture}/fire")


@pytest.mark.parametrize("engine", ["memory", "ebpf"])
def test_full_disks(engine: str, busy: Busy, busy_program: Program, tmp_path: Path) -> None:
    """Nothing that an agent writes has room: neither its messages nor temporary files."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", tmp_path], check=True)
    try:
        with contextlib.suppress(OSError):
            (tmp_path / "full").write_bytes(bytes(8192))
        full, home = os.open("/dev/full", os.O_WRONLY), str(tmp_path)
        try:
            with an_agent(engine, full, TMPDIR=home, XDG_CACHE_HOME=home, HOME=home) as target:
                status, answer = ask(target, f"/v1/captures?pid={busy.pid}", program_to_bytes(busy_program))
                if status == 201:
                    capture = ArmedCapture.from_json(answer).capture
                    status, answer = ask(target, f"/v1/captures/{capture}/fire")
                assert (status, b"the audit line cannot be written" in answer) == (503, True), answer
                assert busy.tracers() == {"0"}
        finally:
            os.close(full)
        with an_agent(engine, subprocess.DEVNULL, TMPDIR=home, XDG_CACHE_HOME=home, HOME=home) as target:
            capture = ArmedCapture.from_json(
                ask(target, f"/v1/captures?pid={busy.pid}", program_to_bytes(busy_program))[1]
            ).capture
            status, answer = ask(target, f"/v1/captures/{capture}/fire")
            assert (status, RawCapture.from_bytes(answer).header.pid) == (200, busy.pid)
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
    assert busy.moves_on()


def test_clients_that_hang_hold_nobody(busy: Busy, busy_program: Program) -> None:
    """One has fired and never reads the answer, one has sent half of a Program: the target runs, others are served."""
    body = program_to_bytes(busy_program)
    with serving() as agent:
        head = f"Authorization: Bearer {TOKEN}\r\nContent-Length: "
        armed = agent.arm(busy.pid, busy_program)
        with (
            socket.create_connection(("127.0.0.1", agent.server.server_port)) as silent,
            socket.create_connection(("127.0.0.1", agent.server.server_port)) as slow,
        ):
            slow.sendall(f"POST /v1/captures?pid={busy.pid} HTTP/1.1\r\n{head}{len(body)}\r\n\r\n".encode() + body[:-5])
            silent.sendall(f"POST /v1/captures/{armed.capture}/fire HTTP/1.1\r\n{head}0\r\n\r\n".encode())
            while not any(json.loads(line.removeprefix("capture ")).get("pause_ms") for line in agent.audit):
                time.sleep(0.001)
            for _ in range(3):
                assert busy.tracers() == {"0"}
                assert busy.moves_on()
                capture = agent.arm(busy.pid, busy_program).capture
                assert agent.ask("POST", f"/v1/captures/{capture}/fire", b"")[0] == 200


def test_killed_agent_s_pause_ends_with_it(busy: Busy) -> None:
    """Stopped itself (SIGSTOP) while it holds a process, it is killed by who watches it: that ends the pause."""
    code = (
        f"from agent.pause import paused\nimport time\nwith paused({busy.pid}, 10**9):\n"
        "    print('held', flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        assert busy.state() == "t"
        holder.kill()
        holder.wait()
    assert busy.tracers() == {"0"}
    assert busy.moves_on()
