"""A pause breaks off what threads wait in. Where a seccomp filter does not let the kernel take that up again, nobody dies of it."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agent.pause import paused
from compiler.ir.errors import CannotNow
from tests.conftest import ROOT, build
from tests.programs import Target, has_ended, running

PATIENCE_NS = 10_000_000_000
WAITS = {"35": "nanosleep", "7": "poll"}
"""System calls of amd64 by number (asm/unistd_64.h)."""
RESTART = "219"


@pytest.fixture(scope="module")
def timed(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/timed", built / "timed")


@contextmanager
def waiting(*command: object) -> Iterator[Target]:
    with running(*map(str, command), cwd=ROOT) as target:
        await_waits(target)
        yield target


def in_calls(target: Target) -> list[str]:
    """The system calls that its threads wait in, by number."""
    texts = [path.read_text() for path in Path(f"/proc/{target.pid}/task").glob("*/syscall")]
    return [text.split()[0] for text in texts]


def await_waits(target: Target) -> None:
    """Until both of its waits have begun, again or still."""
    deadline = time.monotonic() + 10
    while len([number for number in in_calls(target) if number in (*WAITS, RESTART)]) < len(WAITS):
        assert time.monotonic() < deadline, in_calls(target)
        time.sleep(0.001)


def await_lines(target: Target, lines: list[str]) -> None:
    """Until it has written these, in whatever order."""
    deadline = time.monotonic() + 10
    while sorted(target.lines) != sorted(lines):
        assert time.monotonic() < deadline, target.lines
        time.sleep(0.001)


def test_one_that_is_killed_when_a_wait_is_taken_up_again_lives(timed: Path) -> None:
    forbidding = (sys.executable, "-m", "tests.agent.forbidding", "restart_syscall", timed)
    with waiting(*forbidding) as target:
        for number in range(1, 21):
            with paused(target.pid, PATIENCE_NS):
                pass
            told = [f"broken off: {name}" for name in sorted(WAITS.values()) for _ in range(number)]
            await_lines(target, ["ready {}", *told])
            await_waits(target)
        assert not has_ended(target.process)


def test_so_it_does_where_a_pause_is_given_up_at_once(timed: Path) -> None:
    forbidding = (sys.executable, "-m", "tests.agent.forbidding", "restart_syscall", timed)
    with waiting(*forbidding) as target:
        for _ in range(20):
            with suppress(CannotNow), paused(target.pid, -1):
                pass
            await_waits(target)
        assert not has_ended(target.process)


def test_without_a_filter_a_wait_goes_on_as_if_nothing_had_been(timed: Path) -> None:
    with waiting(timed) as target:
        for _ in range(20):
            with paused(target.pid, PATIENCE_NS):
                pass
        await_waits(target)
        assert target.lines == ["ready {}"]


def test_the_filter_kills_who_is_stopped_in_another_way(timed: Path) -> None:
    """That the tests above show something: a stop and a continuation by signals, as of job control, is enough."""
    with waiting(sys.executable, "-m", "tests.agent.forbidding", "restart_syscall", timed) as target:
        os.kill(target.pid, signal.SIGSTOP)
        while "T" not in Path(f"/proc/{target.pid}/stat").read_text().rpartition(")")[2].split()[0]:
            time.sleep(0.001)
        os.kill(target.pid, signal.SIGCONT)
        deadline = time.monotonic() + 10
        while not has_ended(target.process):
            assert time.monotonic() < deadline
            time.sleep(0.001)
