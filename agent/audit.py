"""The agent's audit: a line of JSON before every pause, and one for what came of it."""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from compiler.ir.errors import BadInput, CannotNow

Sink = Callable[[str], None]
"""Takes one line; OSError where it cannot be kept."""


class Audit:
    """Writes lines. The clock gives Unix time in seconds."""

    def __init__(self, sink: Sink, where: str = "stderr", clock: Callable[[], float] = time.time) -> None:
        self._sink = sink
        self._where = where
        self._clock = clock

    def write(self, outcome: str, **parts: object) -> None:
        """One line, `capture {...}`. CannotNow where it cannot be kept: who captures does so before, and then does not."""
        at = self._clock()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}Z"
        line = {"time": moment, "outcome": outcome, **{key: part for key, part in parts.items() if part is not None}}
        try:
            self._sink("capture " + json.dumps(line, sort_keys=True))
        except OSError as error:
            what = f"the audit line cannot be written ({error.strerror}), and without one nothing is captured"
            raise CannotNow(what, where=self._where, remedy="make room there") from None

    def note(self, outcome: str, **parts: object) -> None:
        """One line about what has happened already: it is kept where that is possible, else told to stderr."""
        try:
            self.write(outcome, **parts)
        except CannotNow as error:
            tell(f"{error.what}: {outcome} {parts}")


def open_audit(file: Path | None) -> Audit:
    """The audit that appends to `file`, else to stderr. BadInput where the file cannot be written."""
    if file is None:
        return Audit(_to_stderr)
    try:
        os.close(_open(file))
    except OSError as error:
        what = f"the audit file cannot be written: {error.strerror}"
        raise BadInput(what, where=str(file), remedy="name a file in a folder that exists and is writable") from None
    return Audit(lambda line: _append(file, line), str(file))


def _open(file: Path) -> int:
    """Opened for each line, so that the file may be rotated away."""
    return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)


def _append(file: Path, line: str) -> None:
    descriptor = _open(file)
    try:
        text = (line + "\n").encode()
        written = os.write(descriptor, text)  # one call, so that lines of several writers stay whole
        if written < len(text):
            os.write(descriptor, b"\n")  # the room ended within the line; this raises unless there is room again
            raise OSError(28, "No space left on device")
    finally:
        os.close(descriptor)


def tell(line: str) -> None:
    """To whoever runs the agent, where that is possible: a log without room does not end it."""
    with suppress(OSError):
        print(f"freezeframe agent: {line}", file=sys.stderr, flush=True)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
