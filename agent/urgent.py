"""Lets the threads of a capture run before everything else: whoever makes them wait makes the target wait, too.

On a machine whose processors are all busy, a thread of normal priority is put aside for some milliseconds again and again
while the target stands still. A realtime thread is not (sched(7)); it never takes more than a processor for a short pause.
"""

import os
from contextlib import suppress

MAX_PAUSE_MS = 1000
"""A longer pause is taken at normal priority: others on the machine should not stand still with the target."""
PRIORITY = 1
"""The lowest: real time-critical threads of this machine come first."""


def urge(pause_ms: int) -> None:
    """Make the calling thread urgent, for the rest of its life, where this process may: as root, with CAP_SYS_NICE, or with
    RLIMIT_RTPRIO, which our systemd unit sets."""
    if pause_ms <= MAX_PAUSE_MS:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
