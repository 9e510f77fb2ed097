"""What the configuration lets be told of processes beyond their programs: command lines, and environment variables by name.

Both may hold secrets, so that by default nothing of them is even read. The environment is the one that a process was started with.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiler.ir.wire import Variable

MOST: Final = 4096
"""Characters of one command line or value; the rest is cut, which its end says."""
CUT: Final = " [cut]"
MOST_READ: Final = 1 << 20
"""Bytes of a process's command line or environment that are read; a variable behind them is not found."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is told of each process."""

    command_lines: bool = False
    environment: tuple[str, ...] = ()

    def command_line(self, folder: Path) -> str | None:
        """How it was started, quoted as a shell would need it. None where it may not be told or read."""
        words = _read(folder / "cmdline") if self.command_lines else []
        return _cut(shlex.join(words)) if words else None

    def variables(self, folder: Path) -> tuple[Variable, ...]:
        """Those of its environment that may be told, in the order of the configuration."""
        found = dict(each.partition("=")[::2] for each in _read(folder / "environ")) if self.environment else {}
        return tuple(Variable(name, _cut(found[name])) for name in self.environment if name in found)


def _read(path: Path) -> list[str]:
    """The texts in a file of /proc, each of which ends with a zero byte."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_READ)
    except OSError:
        return []
    return [each.decode("utf-8", "replace") for each in text.split(b"\0")[:-1]]


def _cut(text: str) -> str:
    return text if len(text) <= MOST else text[: MOST - len(CUT)] + CUT
