"""The captures that an agent has in hand: armed, fired once or released, at most one a process at a time.

One that nobody fires is released when its time is over, so that a client that went away costs nothing.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.capture import Armed, Quiet, arm
from agent.config import AgentLimits
from agent.engine import Engine
from agent.processes import Processes
from compiler.ir.errors import BadInput, CannotNow, FreezeframeError
from compiler.ir.program_codec import program_from_bytes
from compiler.ir.raw import RawCapture
from compiler.ir.wire import ArmedCapture

MAX_ARMED = 64
"""Captures that may be armed at once; each holds its engine's buffers."""

Audit = Callable[[str], None]
"""Takes one line for every capture."""


class Busy(CannotNow):
    """The process is being captured already."""

    http_status = 409


class NoSuchCapture(BadInput):
    """A capture that was never armed, was fired or released, or whose time was over."""

    http_status = 404


@dataclass(slots=True)
class _Entry:
    armed: Armed
    expires: float


@dataclass(slots=True)
class Captures:
    """Arms and fires. Safe to use from several threads."""

    engine: Engine
    processes: Processes
    audit: Audit
    limits: AgentLimits = field(default_factory=AgentLimits)
    clock: Callable[[], float] = time.monotonic
    _quiet: Quiet = field(default_factory=Quiet)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _busy: set[int] = field(default_factory=set)

    def arm(self, pid: int, program: bytes, who: str) -> ArmedCapture:
        """Check the Program and prepare its capture of `pid`. Nothing is stopped."""
        checked = program_from_bytes(program)
        self._reserve(pid)
        try:
            armed = arm(pid, checked, self.engine, processes=self.processes, quiet=self._quiet, limits=self.limits)
        except BaseException as error:
            with self._lock:
                self._busy.discard(pid)
            if isinstance(error, FreezeframeError):
                self._say(who, pid, checked.build_id, refused=str(error))
            raise
        capture = secrets.token_hex(16)
        with self._lock:
            self._entries[capture] = _Entry(armed, self.clock() + self.limits.armed_s)
        return ArmedCapture(capture, pid, checked.build_id, self.limits.armed_s, armed.estimate)

    def fire(self, capture: str, who: str) -> RawCapture:
        """Pause, run, resume. The capture is gone afterwards, whatever came of it."""
        armed = self._take(capture)
        pid, build_id = armed.target.pid, armed.program.build_id
        try:
            self.processes.allow.check(pid)  # again: what it runs and as whom may have changed since it was armed
            raw = armed.fire()
        except FreezeframeError as error:
            self._say(who, pid, build_id, failed=str(error))
            raise
        finally:
            self._give_back(armed)
        pause_ms = round(raw.header.pause.total / 1e6, 3)
        lost = {loss.kind: loss.count for loss in raw.header.losses}
        self._say(who, pid, build_id, pause_ms=pause_ms, bytes=len(raw.records), losses=lost)
        return raw

    def release(self, capture: str) -> None:
        """Give an armed capture back without firing it."""
        self._give_back(self._take(capture))

    def release_expired(self) -> None:
        """Give back those whose time is over."""
        now = self.clock()
        with self._lock:
            expired = [capture for capture, entry in self._entries.items() if entry.expires <= now]
            entries = [self._entries.pop(capture) for capture in expired]
        for entry in entries:
            self._say("agent", entry.armed.target.pid, entry.armed.program.build_id, expired=f"{self.limits.armed_s} s")
            self._give_back(entry.armed)

    def close(self) -> None:
        """Give back all that are armed; those that fire end by themselves within their own limits."""
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
        for entry in entries:
            self._give_back(entry.armed)
        self.engine.close()

    def _reserve(self, pid: int) -> None:
        self.release_expired()
        with self._lock:
            if pid in self._busy:
                remedy = f"fire or release that capture; it ends by itself after {self.limits.armed_s} s"
                raise Busy(f"process {pid} is being captured already", remedy=remedy)
            if len(self._busy) >= MAX_ARMED:
                raise Busy(f"{MAX_ARMED} captures are in hand already", remedy="fire or release some of them")
            self._busy.add(pid)

    def _take(self, capture: str) -> Armed:
        self.release_expired()
        with self._lock:
            entry = self._entries.pop(capture, None)
        if entry is None:
            raise NoSuchCapture(
                "there is no such armed capture",
                remedy=f"arm it again: each can be fired once, within {self.limits.armed_s} s",
            )
        return entry.armed

    def _give_back(self, armed: Armed) -> None:
        try:
            armed.close()
        finally:
            with self._lock:
                self._busy.discard(armed.target.pid)

    def _say(self, who: str, pid: int, build_id: str, **outcome: object) -> None:
        line = {"who": who, "pid": pid, "build_id": build_id, "engine": self.engine.name, **outcome}
        self.audit("capture " + json.dumps(line, sort_keys=True))
