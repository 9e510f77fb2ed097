"""Keeps the rest of the machine out of what is measured, as far as that goes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def preferred(nice: int) -> Iterator[None]:
    """Run everything of ours before the rest of the machine. Linux may weigh sessions first (sched(7), autogroup)."""
    session, before = Path("/proc/self/autogroup"), os.getpriority(os.PRIO_PROCESS, 0)
    weight = session.read_text().split()[-1] if session.exists() else None
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    if weight is not None:
        session.write_text(str(nice))
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)
        if weight is not None:
            session.write_text(weight)
