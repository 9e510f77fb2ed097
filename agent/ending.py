"""Waits to be told to end, by SIGTERM or SIGINT, whenever that is."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

ENDINGS: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def endings() -> Iterator[Callable[[], None]]:
    """Take the two signals for a while; yields what waits for the first of them. For the main thread.

    The signals are written into a pipe by the C handler (signal.set_wakeup_fd): one that arrives at any moment ends the wait.
    A threading.Event that a Python handler sets can miss one: where it arrives after the main thread has last looked for
    signals but before it sleeps, nothing wakes it.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    written_before = signal.set_wakeup_fd(writer)
    before = {number: signal.signal(number, lambda *_: None) for number in ENDINGS}
    try:
        yield lambda: _wait(reader)
    finally:
        for number, old in before.items():
            signal.signal(number, old)
        signal.set_wakeup_fd(written_before)
        os.close(reader)
        os.close(writer)


def _wait(reader: int) -> None:
    while os.read(reader, 1)[0] not in ENDINGS:
        pass
