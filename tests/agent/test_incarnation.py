"""A process is told from a later one with the same pid, even where both run the same file at the same addresses."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent.incarnation import Incarnation
from compiler.ir.errors import CannotNow

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
TRIES = 200


@contextmanager
def sleeper() -> Iterator[int]:
    """A process whose addresses are not random; its pid, once it runs its program."""
    with subprocess.Popen(["setarch", "--addr-no-randomize", "sleep", "600"]) as process:
        while " (sleep) S " not in Path(f"/proc/{process.pid}/stat").read_text():
            time.sleep(0.001)
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_pid_that_is_used_again_is_another_process() -> None:
    with sleeper() as pid:
        first = Incarnation(pid)
        first.check()
    with pytest.raises(CannotNow, match=f"process {pid} has ended; take the snapshot again"):
        first.check()
    for _ in range(TRIES):
        LAST_PID.write_text(str(pid - 1))
        with sleeper() as again:
            if again != pid:  # somebody else was quicker
                continue
            with closing(Incarnation(pid)) as second:
                second.check()
                assert second.entry() == first.entry()
            with closing(first), pytest.raises(CannotNow, match=f"process {pid} has ended"):
                first.check()
            return
    pytest.fail(f"pid {pid} was not given again in {TRIES} tries")
