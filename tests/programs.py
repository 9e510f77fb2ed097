"""Start real programs for tests and wait until they say that they are in position; never sleeps and hopes."""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

READY = "ready "

StartTarget = Callable[..., "Target"]


@dataclass(frozen=True)
class Target:
    """A running program. `ready` is the object that it announced, `lines` all that it has written to stdout so far."""

    process: subprocess.Popen[str]
    ready: Mapping[str, Any]
    lines: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid


@contextmanager
def running(binary: Path | str, *args: object, timeout_s: float = 30.0, **popen: Any) -> Iterator[Target]:
    """Start `binary`, wait for its line `ready {...}`, kill it at the end.

    A program that is not ready in time fails the test.
    Further keyword arguments go to `subprocess.Popen` (`env`, `cwd`).
    """
    command = [str(binary), *map(str, args)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, **popen)
    assert process.stdout is not None
    announced: queue.Queue[str | None] = queue.Queue()
    lines: list[str] = []
    reader = threading.Thread(target=_drain, args=(process.stdout, lines, announced))
    reader.start()
    try:
        yield Target(process, _announcement(announced, command, lines, timeout_s), lines)
    finally:
        process.kill()
        while not has_ended(process):
            time.sleep(0.001)
        process.wait()
        reader.join()
        process.stdout.close()


def has_ended(process: subprocess.Popen[str]) -> bool:
    """Whether a child has ended, which Popen may be wrong about while a capture of ours holds it: to waitpid(2) of who is
    tracer and parent in one, a stop is as good as an end. The next wait() is right."""
    if process.returncode is not None:
        return True
    try:
        said = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # our tracing thread was there first
        return True
    return said is not None and said.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)


def _drain(stdout: IO[str], lines: list[str], announced: queue.Queue[str | None]) -> None:
    """Read all, so that the program never blocks on a full pipe; pass on its first `ready` line, None at the end."""
    waiting = True
    for line in stdout:
        lines.append(line.rstrip("\n"))
        if waiting and line.startswith(READY):
            waiting = False
            announced.put(line.removeprefix(READY))
    announced.put(None)


def _announcement(
    announced: queue.Queue[str | None], command: list[str], lines: list[str], timeout_s: float
) -> dict[str, Any]:
    try:
        text = announced.get(timeout=timeout_s)
    except queue.Empty:
        text = None
        reason = f"was not ready after {timeout_s} s"
    else:
        reason = "ended before it was ready"
    assert text is not None, f"{' '.join(command)} {reason}; its output: {lines[-20:]}"
    announcement = json.loads(text)
    assert isinstance(announcement, dict), f"{' '.join(command)} announced no object: {text}"
    return announcement
