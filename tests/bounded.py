"""Calls in child processes of bounded memory and time, so that a test can say: whatever comes in, this ends, and small.

A worker process imports what is called once; every call runs in a fork of it.
"""

import importlib
import json
import os
import resource
import select
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from compiler.ir.errors import FreezeframeError
from tests.conftest import ROOT


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended: "returned" what it said (as JSON), "refused" by an error of ours, or "broke", "hung" or "died"."""

    how: str
    what: Any


class Bounded:
    """Calls one function, given as "package.module:name", with JSON arguments."""

    def __init__(self, worker: "subprocess.Popen[str]") -> None:
        self._worker = worker

    def __call__(self, *arguments: object) -> Outcome:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(json.dumps(arguments) + "\n")
        self._worker.stdin.flush()
        return Outcome(*json.loads(self._worker.stdout.readline()))


@contextmanager
def bounded(function: str, *, memory_mib: int, seconds: float) -> Iterator[Bounded]:
    """A worker for `function`. `memory_mib` is of address space, the interpreter's own included."""
    command = [sys.executable, "-m", "tests.bounded", function, str(memory_mib << 20), str(seconds)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield Bounded(worker)
    finally:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.close()
        worker.stdout.close()
        worker.wait()


def _serve(function: Callable[..., object], memory: int, seconds: float) -> None:
    for line in sys.stdin:
        print(json.dumps(_in_child(function, json.loads(line), memory, seconds)), flush=True)


def _in_child(function: Callable[..., object], arguments: list[Any], memory: int, seconds: float) -> tuple[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        outcome = _outcome(function, arguments)
        with os.fdopen(writing, "w") as out:
            json.dump(outcome, out)
        os._exit(0)
    os.close(writing)
    hung = not select.select([reading], [], [], seconds)[0]
    if hung:
        os.kill(child, 9)
    with os.fdopen(reading) as said:
        text = said.read()
    _, status = os.waitpid(child, 0)
    if hung:
        return "hung", f"after {seconds} s"
    how, what = json.loads(text) if text else ("died", f"wait status {status}")
    return str(how), what


def _outcome(function: Callable[..., object], arguments: list[Any]) -> tuple[str, Any]:
    try:
        return "returned", function(*arguments)
    except FreezeframeError as error:
        return "refused", str(error)
    except BaseException:  # noqa: BLE001 - whatever it is, the test is told
        return "broke", traceback.format_exc()


if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    _serve(getattr(importlib.import_module(module), name), int(sys.argv[2]), float(sys.argv[3]))
