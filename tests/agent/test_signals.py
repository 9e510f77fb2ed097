"""Signals to a process that is being captured again and again: every one arrives, once, as it was sent."""

import mmap
import os
import signal
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.pause import paused
from tests.agent.conftest import Busy
from tests.conftest import ROOT
from tests.programs import StartTarget

NUMBER = 200_000
PATIENCE_NS = 5_000_000_000


@pytest.fixture(scope="module")
def signals(built: Path) -> Path:
    binary = built / "signals"
    source = ROOT / "tests/targets/signals/signals.c"
    subprocess.run(["cc", "-O1", "-Wall", "-Werror", "-pthread", "-o", binary, source], check=True)
    return binary


@dataclass(frozen=True)
class Counts:
    """What the target has counted so far (struct counts)."""

    memory: mmap.mmap

    def word(self, index: int) -> int:
        return int.from_bytes(self.memory[8 * index : 8 * index + 8], "little")

    @property
    def numbered(self) -> int:
        return self.word(1)

    @property
    def plain(self) -> int:
        return self.word(2)

    def comes_to(self, index: int, least: int) -> bool:
        end = time.monotonic() + 20
        while self.word(index) < least:
            if time.monotonic() > end:
                return False
            time.sleep(0.001)
        return True


def hold(pid: int, times: int) -> None:
    """On a thread of its own, as a capture does it."""

    def pauses() -> None:
        for _ in range(times):
            with paused(pid, PATIENCE_NS):
                pass

    with ThreadPoolExecutor(1) as pool:
        pool.submit(pauses).result()


def test_none_of_200_000_queued_signals_is_lost_or_doubled(
    signals: Path, tmp_path: Path, start_target: StartTarget
) -> None:
    target, pauses = start_target(signals, "count", tmp_path / "counts"), 0
    with (tmp_path / "counts").open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        counts = Counts(memory)
        with subprocess.Popen([signals, "send", str(target.pid), str(NUMBER)]) as sender:
            while sender.poll() is None:
                hold(target.pid, 5)
                pauses += 5
        assert sender.returncode == 0
        assert counts.comes_to(1, NUMBER)
        hold(target.pid, 20)  # were one to come again, it would come now
        assert counts.numbered == NUMBER
        assert Counter(memory[24 : 24 + NUMBER]) == {1: NUMBER}
        assert 0 < counts.plain <= NUMBER // 16 + 1
        seen, progress = counts.plain, counts.word(0)
        os.kill(target.pid, signal.SIGUSR1)
        assert counts.comes_to(2, seen + 1)
        assert counts.comes_to(0, progress + 1)
    assert pauses >= 20


STOPS = [
    ((), (), "S"),
    ((signal.SIGSTOP,), (), "T"),
    ((), (signal.SIGSTOP,), "T"),
    ((signal.SIGSTOP,), (signal.SIGCONT,), "S"),
    ((signal.SIGSTOP,), (signal.SIGCONT, signal.SIGSTOP), "T"),
    ((), (signal.SIGSTOP, signal.SIGCONT), "S"),
    ((signal.SIGTSTP,), (), "T"),
    ((signal.SIGSTOP, signal.SIGCONT), (), "S"),
]


@pytest.mark.parametrize(("before", "meanwhile", "afterwards"), STOPS)
def test_job_control_has_the_last_word(
    before: tuple[signal.Signals, ...], meanwhile: tuple[signal.Signals, ...], afterwards: str,
    signals: Path, tmp_path: Path, start_target: StartTarget,
) -> None:  # fmt: skip
    """Whatever stops or continues the process, before or while it is held: it ends up as without us."""
    # A group of its own: SIGTSTP stops nobody in one that no shell looks after, as CI's may be.
    target = start_target(signals, "count", tmp_path / "counts", process_group=0)
    for _ in range(20):
        for number in before:  # at once: it may be on its way to any thread when we stop that
            os.kill(target.pid, number)
        with paused(target.pid, PATIENCE_NS) as held:
            assert len(held.threads) == 5
            for number in meanwhile:
                os.kill(target.pid, number)
        assert comes_to_stay(target.pid, afterwards)
        os.kill(target.pid, signal.SIGCONT)
        assert comes_to_stay(target.pid, "S")


def comes_to_stay(pid: int, state: str) -> bool:
    """Whether all threads get into this state (S: into none of the stopped ones) and are still in it a moment later."""
    end = time.monotonic() + 5
    while not _all_in(pid, state):
        if time.monotonic() > end:
            return False
    time.sleep(0.005)
    return _all_in(pid, state)


def _all_in(pid: int, state: str) -> bool:
    stats = [(task / "stat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    states = {stat.rpartition(")")[2].split()[0] for stat in stats}
    return states == {"T"} if state == "T" else not states & {"T", "t"}


def test_who_waits_for_a_stopped_child_hears_of_it_once(busy: Busy) -> None:
    """A shell sees its job stop and go on as often as it does, not once more for each capture."""
    os.kill(busy.pid, signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(busy.pid, os.WUNTRACED)[1])
    hold(busy.pid, 20)
    assert busy.comes_to("T")
    assert os.waitpid(busy.pid, os.WUNTRACED | os.WCONTINUED | os.WNOHANG) == (0, 0)
    os.kill(busy.pid, signal.SIGCONT)
    assert os.WIFCONTINUED(os.waitpid(busy.pid, os.WCONTINUED)[1])
    hold(busy.pid, 20)
    assert os.waitpid(busy.pid, os.WUNTRACED | os.WCONTINUED | os.WNOHANG) == (0, 0)
    assert busy.moves_on()
