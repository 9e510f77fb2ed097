"""How often this agent captures: token buckets, one for each process and one for all."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.config import AgentLimits
from compiler.ir.errors import CannotNow


class TooMany(CannotNow):
    """More captures than the agent's limits allow; `retry_after_s` seconds from now there is room for one."""

    http_status = 429

    def __init__(self, what: str, retry_after_s: int, limit: str) -> None:
        remedy = f"ask again after {retry_after_s} s, or raise limits.{limit} in the agent's configuration"
        super().__init__(what, remedy=remedy)
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class _Bucket:
    """Holds up to `per_minute` tokens; as many drip in within a minute."""

    per_minute: int
    at: float
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.per_minute

    def wait(self, now: float) -> int:
        """Fill up to now; whole seconds until there is a token, 0 where there is one."""
        self.tokens = min(self.per_minute, self.tokens + (now - self.at) * self.per_minute / 60)
        self.at = now
        return math.ceil((1 - self.tokens) * 60 / self.per_minute) if self.tokens < 1 else 0


class Rate:
    """Counts captures. Safe to use from several threads."""

    def __init__(self, limits: AgentLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._all = _Bucket(limits.captures_per_minute, clock())
        self._of_process: dict[int, _Bucket] = {}

    def take(self, pid: int) -> None:
        """Count one capture of `pid`; TooMany, and nothing is counted, where there is no room for it."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            own = self._of_process.get(pid) or _Bucket(self._limits.captures_per_minute_per_process, now)
            if wait := own.wait(now):
                what = f"process {pid} was captured {own.per_minute} times within a minute"
                raise TooMany(what, wait, "captures_per_minute_per_process")
            if wait := self._all.wait(now):
                what = f"{self._all.per_minute} captures were taken within a minute"
                raise TooMany(what, wait, "captures_per_minute")
            self._of_process[pid] = own
            own.tokens -= 1
            self._all.tokens -= 1

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again after a minute."""
        for pid in [pid for pid, bucket in self._of_process.items() if now - bucket.at > 60]:
            del self._of_process[pid]
