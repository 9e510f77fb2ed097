"""The end of the agent: told by a signal, whenever that arrives."""

import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT

WAITS = """
import os, signal, sys, threading
from agent.ending import endings

def late():
    os.kill(os.getpid(), int(sys.argv[1]))

with endings() as wait:
    if sys.argv[2] == "before":
        late()
    elif sys.argv[2] == "elsewhere":  # another thread gets it, and the main one is not woken by that
        signal.pthread_sigmask(signal.SIG_BLOCK, {int(sys.argv[1])})
        threading.Timer(0.2, lambda: (signal.pthread_sigmask(signal.SIG_UNBLOCK, {int(sys.argv[1])}), late())).start()
    else:
        threading.Timer(0.2, late).start()
    wait()
print("ended")
"""


@pytest.mark.parametrize("when", ["before", "elsewhere", "meanwhile"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_whenever_it_arrives(number: signal.Signals, when: str) -> None:
    command = [sys.executable, "-c", WAITS, str(int(number)), when]
    assert subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True, timeout=20).stdout == "ended\n"
