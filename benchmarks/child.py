"""Programs that say `ready {...}` when they are in position, and answer each line of theirs with a line of JSON."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

READY = "ready "


class Child:
    """One of them, running."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process, self._name = process, name
        self.pid = process.pid
        self.ready = self._read()

    def ask(self, command: str) -> dict[str, Any]:
        """Its answer to a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"{self._name} has ended: status {self._process.wait()} (-9: for want of memory, perhaps)"
            )
        answer: dict[str, Any] = json.loads(line.removeprefix(READY))
        return answer


@contextmanager
def child(
    command: Sequence[object], environment: Mapping[str, str] | None = None, stderr: IO[bytes] | None = None
) -> Iterator[Child]:
    """Start it, wait until it is ready, end it at the end."""
    words = [str(word) for word in command]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
    )
    try:
        yield Child(process, Path(words[0]).name)
    finally:
        process.terminate()
        process.communicate(timeout=60)
