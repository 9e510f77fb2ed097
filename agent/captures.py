"""The captures that an agent has in hand: armed, fired once or released, at most one a process at a time.

One that nobody fires is released when its time is over, so that a client that went away costs nothing.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from agent.allow import user_ids
from agent.audit import Audit
from agent.capture import Armed, Quiet, arm
from agent.config import AgentLimits
from agent.engine import Engine
from agent.metrics import Metrics
from agent.processes import Processes
from agent.rate import Rate
from compiler.ir.errors import BadInput, CannotNow, FreezeframeError
from compiler.ir.program_codec import program_from_bytes
from compiler.ir.raw import RawCapture
from compiler.ir.wire import ArmedCapture

MAX_ARMED = 64
"""Captures that may be armed at once; each holds its engine's buffers."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and for what."""

    who: str
    """The client's address."""
    subject: str | None = None
    """Whose certificate it showed (mutual TLS)."""
    spec: str | None = None
    """SHA-256 of the spec that the capture is for, as the client says."""


class Busy(CannotNow):
    """The process is being captured already."""

    http_status = 409


class NoSuchCapture(BadInput):
    """A capture that was never armed, was fired or released, or whose time was over."""

    http_status = 404


@dataclass(frozen=True, slots=True)
class _Entry:
    """An armed capture; what the audit says of it, and when its time is over."""

    armed: Armed
    about: dict[str, object]
    expires: float
    timer: threading.Timer


@dataclass(slots=True)
class Captures:
    """Arms and fires. Safe to use from several threads."""

    engine: Engine
    processes: Processes
    audit: Audit
    limits: AgentLimits
    rate: Rate
    metrics: Metrics
    clock: Callable[[], float] = time.monotonic
    _quiet: Quiet = field(default_factory=Quiet)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _busy: set[int] = field(default_factory=set)

    def arm(self, pid: int, program: bytes, asking: Asking) -> ArmedCapture:
        """Check the Program and prepare its capture of `pid`. Nothing is stopped."""
        checked = program_from_bytes(program)
        about = {**asdict(asking), "pid": pid, "build_id": checked.build_id, "engine": self.engine.name}
        self._reserve(pid)
        try:
            self.rate.take(pid)
            armed = arm(pid, checked, self.engine, processes=self.processes, quiet=self._quiet, limits=self.limits)
        except BaseException as error:
            with self._lock:
                self._busy.discard(pid)
            self._ended("refused", error, about)
            raise
        capture = secrets.token_hex(16)
        about |= {"capture": capture, "exe": armed.process.exe, "uid": _uid(pid)}
        self._keep(capture, armed, about)
        return ArmedCapture(capture, pid, checked.build_id, self.limits.armed_s, armed.estimate)

    def fire(self, capture: str, asking: Asking) -> RawCapture:
        """Pause, run, resume. The capture is gone afterwards, whatever came of it.

        It is written down before the pause; where that cannot be done (a full disk), there is none.
        """
        entry = self._take(capture)
        about = entry.about | {"who": asking.who, "subject": asking.subject}
        begun = False
        try:
            self.processes.allow.check(entry.armed.target.pid)  # what it runs, and as whom, may have changed since
            self.audit.write("begun", **about)
            begun = True
            raw = entry.armed.fire()
        except BaseException as error:
            self._ended("failed" if begun else "refused", error, about)
            raise
        finally:
            self._give_back(entry.armed)
        pause = {part: round(ns / 1e6, 3) for part, ns in asdict(raw.header.pause).items()}
        losses = {loss.kind: loss.count for loss in raw.header.losses}
        self.metrics.captured(raw)
        self.audit.note("captured", pause_ms=pause, bytes=len(raw.records), losses=losses, **about)
        return raw

    def release(self, capture: str) -> None:
        """Give an armed capture back without firing it."""
        self._give_back(self._take(capture).armed)
        self.metrics.ended("released")

    def release_expired(self) -> None:
        """Give back those whose time is over."""
        now = self.clock()
        with self._lock:
            expired = [capture for capture, entry in self._entries.items() if entry.expires <= now]
            entries = [self._entries.pop(capture) for capture in expired]
        for entry in entries:
            entry.timer.cancel()
            self.metrics.ended("expired")
            self.audit.note("expired", reason=f"nobody fired it within {self.limits.armed_s} s", **entry.about)
            self._give_back(entry.armed)

    def close(self) -> None:
        """Give back all that are armed; those that fire end by themselves within their own limits."""
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
        for entry in entries:
            entry.timer.cancel()
            self._give_back(entry.armed)
        self.engine.close()

    def _keep(self, capture: str, armed: Armed, about: dict[str, object]) -> None:
        """Until it is fired or its time is over; a timer sees to that, so that nothing has to look again and again."""
        timer = threading.Timer(self.limits.armed_s, self.release_expired)
        timer.daemon = True
        with self._lock:
            self._entries[capture] = _Entry(armed, about, self.clock() + self.limits.armed_s, timer)
        timer.start()

    @property
    def armed(self) -> int:
        """How many are armed now."""
        return len(self._entries)

    def _ended(self, outcome: str, error: BaseException, about: Mapping[str, object]) -> None:
        reason = str(error) if isinstance(error, FreezeframeError) else type(error).__name__
        self.metrics.ended(outcome)
        self.audit.note(outcome, reason=reason, **about)

    def _reserve(self, pid: int) -> None:
        self.release_expired()
        with self._lock:
            if pid in self._busy:
                remedy = f"fire or release that capture; it ends by itself after {self.limits.armed_s} s"
                raise Busy(f"process {pid} is being captured already", remedy=remedy)
            if len(self._busy) >= MAX_ARMED:
                raise Busy(f"{MAX_ARMED} captures are in hand already", remedy="fire or release some of them")
            self._busy.add(pid)

    def _take(self, capture: str) -> _Entry:
        self.release_expired()
        with self._lock:
            entry = self._entries.pop(capture, None)
        if entry is None:
            raise NoSuchCapture(
                "there is no such armed capture",
                remedy=f"arm it again: each can be fired once, within {self.limits.armed_s} s",
            )
        entry.timer.cancel()
        return entry

    def _give_back(self, armed: Armed) -> None:
        try:
            armed.close()
        finally:
            with self._lock:
                self._busy.discard(armed.target.pid)


def _uid(pid: int) -> int | list[int] | None:
    """Whose process it is: one user's as a rule."""
    try:
        users = sorted(user_ids(Path(f"/proc/{pid}")))
    except OSError:
        return None
    return users[0] if len(users) == 1 else users
