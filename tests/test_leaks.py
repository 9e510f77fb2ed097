"""The leak detectors and the program starter must notice what they are there for."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests import leaks
from tests.programs import StartTarget, running

SLEEPER = "import sys, time; print('ready {\"port\": 7}', flush=True); time.sleep(600)"


def test_starter_waits_for_the_announcement_and_kills(start_target: StartTarget) -> None:
    target = start_target(sys.executable, "-c", SLEEPER)
    assert target.ready == {"port": 7}
    assert target.pid in {process.pid for process in leaks.our_processes().values()}


def test_starter_reports_a_program_that_ends_early() -> None:
    with (
        pytest.raises(AssertionError, match=r"ended before it was ready; its output: \['no'\]"),
        running(sys.executable, "-c", "print('no')"),
    ):
        pass


def test_starter_reports_a_program_that_is_never_ready() -> None:
    with (
        pytest.raises(AssertionError, match=r"was not ready after 0\.1 s"),
        running(sys.executable, "-c", "import time; time.sleep(600)", timeout_s=0.1),
    ):
        pass


def test_child_left_running_is_seen(start_target: StartTarget) -> None:
    before = leaks.our_processes()
    target = start_target(sys.executable, "-c", SLEEPER)
    assert [process.pid for process in leaks.left_behind(before)] == [target.pid]


def test_stopped_target_is_seen_though_it_was_there_before(start_target: StartTarget) -> None:
    target = start_target(sys.executable, "-c", SLEEPER)
    os.kill(target.pid, signal.SIGSTOP)
    os.waitpid(target.pid, os.WUNTRACED)
    assert [process.pid for process in leaks.left_behind(leaks.our_processes())] == [target.pid]


def test_grandchild_whose_parent_died_is_seen() -> None:
    before = leaks.our_processes()
    code = "import subprocess as s; print(s.Popen(['sleep', '600'], stdout=s.DEVNULL).pid, flush=True)"
    parent = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    orphan = int(parent.stdout)
    assert [process.pid for process in leaks.left_behind(before)] == [orphan]
    os.kill(orphan, signal.SIGKILL)


def test_open_snapshot_is_seen(tmp_path: Path) -> None:
    before = leaks.our_open_files()
    connection = sqlite3.connect(tmp_path / "still.sqlite")
    connection.execute("CREATE TABLE queries (sql TEXT)")
    assert [name.partition(": ")[2] for name in leaks.our_open_files() - before] == [str(tmp_path / "still.sqlite")]
    connection.close()
