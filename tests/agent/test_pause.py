"""Stopping real, busy processes and letting them go: always, and without their noticing more than a gap in time."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.pause import paused
from compiler.ir.errors import CannotNow
from tests.agent.conftest import Busy
from tests.conftest import ROOT
from tests.programs import has_ended

PATIENCE_NS = 10_000_000_000
HOLD = """
import sys, time
from agent.pause import paused
with paused(int(sys.argv[1]), 10**10):
    print("held", flush=True)
    time.sleep(60)
"""
HOLD_AND_LET_GO = """
import sys, threading, time
from contextlib import suppress
from agent.pause import paused
from compiler.ir.errors import CannotNow

def hold():
    with suppress(CannotNow), paused(int(sys.argv[1]), 10**10):
        pass

hold()
print("held", flush=True)
while True:
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    time.sleep(0.002)
"""
SPAWN = """
import os, sys
opened = (os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}, file_actions=[opened]), 0)
"""
"""posix_spawn(3) is a vfork(2), and the child opens the FIFO before it goes on to exec."""


@contextmanager
def holder(pid: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds `pid` still, until it is killed at the end of the block."""
    command = [sys.executable, "-c", HOLD, str(pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_busy_process_runs_on_after_200_pauses_and_sees_no_signal(busy: Busy) -> None:
    for _ in range(200):
        with paused(busy.pid, PATIENCE_NS) as held:
            assert held.threads.keys() == {int(name) for name in os.listdir(f"/proc/{busy.pid}/task")}  # noqa: PTH208
            assert busy.tracers() == {str(os.getpid())}
        assert held.began_ns < held.stopped_ns <= held.release_ns < held.resumed_ns
    assert busy.tracers() == {"0"}
    assert busy.moves_on()
    assert busy.ask()["signals"] == 0
    assert busy.state() not in "Tt"


def test_registers_are_those_of_the_program(busy: Busy) -> None:
    maps = Path(f"/proc/{busy.pid}/maps").read_text().splitlines()
    spans = [line.split()[0].split("-") for line in maps]
    with paused(busy.pid, PATIENCE_NS) as held:
        for registers in held.threads.values():
            assert len(registers) == 17
            rip = registers[16]
            assert any(int(lo, 16) <= rip < int(hi, 16) for lo, hi in spans)


def test_signals_that_arrive_while_it_is_stopped_reach_it_later(busy: Busy) -> None:
    for number in range(50):
        if number % 2:
            os.kill(busy.pid, signal.SIGUSR1)  # perhaps on its way to a thread when we stop it
        with paused(busy.pid, PATIENCE_NS):
            if not number % 2:
                os.kill(busy.pid, signal.SIGUSR1)
        while busy.ask()["signals"] <= number:  # one signal of a kind can be pending: wait for each
            pass
    assert busy.ask()["signals"] == 50


def test_process_stopped_by_job_control_stays_as_it_was(busy: Busy) -> None:
    os.kill(busy.pid, signal.SIGSTOP)
    os.waitpid(busy.pid, os.WUNTRACED)
    with paused(busy.pid, PATIENCE_NS) as held:
        assert len(held.threads) > 1
    assert busy.comes_to("T")  # the kernel wakes it for a moment, so that it stops again of its own accord
    os.kill(busy.pid, signal.SIGCONT)
    assert busy.moves_on()


def test_it_is_released_when_the_capture_fails(busy: Busy) -> None:
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(error), paused(busy.pid, PATIENCE_NS):
            raise error
        assert busy.tracers() == {"0"}
    assert busy.moves_on()


def test_killed_in_the_middle_of_a_pause_100_times_the_target_runs_on(busy: Busy) -> None:
    for _ in range(100):
        with holder(busy.pid):
            assert busy.state() == "t"
        assert busy.moves_on()
        assert busy.tracers() == {"0"}
    assert busy.ask()["signals"] == 0


def test_process_killed_while_it_stands_leaves_nothing(busy: Busy) -> None:
    with paused(busy.pid, PATIENCE_NS):
        os.kill(busy.pid, signal.SIGKILL)
    assert busy.target.process.wait(10) is not None


def test_one_that_is_traced_already_names_the_tracer(busy: Busy) -> None:
    with holder(busy.pid) as tracer:
        with pytest.raises(CannotNow) as refused, paused(busy.pid, PATIENCE_NS):
            pass
        comm = Path(f"/proc/{tracer.pid}/comm").read_text().strip()
    assert str(refused.value) == (
        f"process {busy.pid} is being traced by process {tracer.pid} ({comm}); "
        "end that debugger or capture, then take the snapshot again"
    )


def test_a_trace_of_our_own_that_is_about_to_end_is_waited_for(busy: Busy) -> None:
    def hold() -> None:
        with paused(busy.pid, PATIENCE_NS):
            held.set()
            time.sleep(0.05)

    held = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    with paused(busy.pid, PATIENCE_NS) as again:
        assert len(again.threads) >= 3
    thread.join()


def test_traces_of_others_that_come_and_go_are_waited_for(busy: Busy) -> None:
    """While a trace ends, /proc names a thread that is gone, or the parent of the process: neither is a tracer that stays."""
    command = [sys.executable, "-c", HOLD_AND_LET_GO, str(busy.pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            for _ in range(100):
                with paused(busy.pid, PATIENCE_NS) as held:
                    assert len(held.threads) >= 3
            assert process.poll() is None
        finally:
            process.kill()
    assert busy.moves_on()


def test_a_process_that_is_gone_or_that_we_may_not_stop() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(CannotNow, match=f"process {ended.pid} ended while it was being stopped"), paused(ended.pid, 1):
        pass
    with (
        pytest.raises(
            CannotNow, match="no permission to stop process 2: Operation not permitted; the capabilities are"
        ),
        paused(2, 1),
    ):
        pass


def test_a_thread_that_does_not_stop_in_time_costs_the_capture_only(tmp_path: Path) -> None:
    """The parent of a vfork(2) cannot be stopped until its child has gone on: here one that waits for us."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([sys.executable, "-c", SPAWN, str(fifo)], text=True) as parent:
        while not Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text() or _state(parent.pid) != "D":
            pass
        began = time.monotonic()
        with (
            ThreadPoolExecutor(1) as pool,
            pytest.raises(CannotNow, match="in time: it waits for its new child to run its program"),
        ):
            pool.submit(_hold, parent.pid, 20_000_000).result()
        assert time.monotonic() - began < 10
        fifo.write_text("")
        while not has_ended(parent):  # the kernel may not have let go yet, for all that the pool's thread is done
            pass
        assert parent.wait() == 0


def _hold(pid: int, patience_ns: int) -> None:
    with paused(pid, patience_ns):
        pass


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
