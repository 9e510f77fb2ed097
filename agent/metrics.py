"""What the agent counts, for Prometheus. Home of prometheus_client; each agent has a registry of its own."""

from collections.abc import Callable
from dataclasses import fields

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from compiler.ir.raw import Pause, RawCapture
from compiler.ir.wire import PROTOCOL

CONTENT_TYPE = CONTENT_TYPE_LATEST
PAUSES_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
PARTS = tuple(each.name for each in fields(Pause))
OUTCOMES = ("captured", "failed", "refused", "expired", "released")


class Metrics:
    """Counters of one agent. Safe to use from several threads."""

    def __init__(self, engine: str, host: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        name = "freezeframe_agent"
        self._captures = self._counter("captures", "Captures by what came of them.", ["outcome"])
        for outcome in OUTCOMES:
            self._captures.labels(outcome)  # so that it is there, and 0, before the first
        self._pauses = Histogram(
            f"{name}_pause_seconds", "How long a process stood still, by part.", ["part"],
            buckets=PAUSES_S, registry=self._registry,
        )  # fmt: skip
        self._losses = self._counter("losses", "What captures left out, by kind.", ["kind"])
        self._bytes = self._counter("captured_bytes", "Bytes of captures.", [])
        self._errors = self._counter("request_errors", "Requests that were refused, by HTTP status.", ["status"])
        self._turned_away = self._counter("connections_refused", "Clients beyond limits.connections.", [])
        self._armed = Gauge(f"{name}_armed", "Captures that are armed now.", registry=self._registry)
        self._processes = Gauge(
            f"{name}_processes", "Go processes when they were last listed.", registry=self._registry
        )
        built = Gauge(f"{name}_info", "This agent.", ["engine", "protocol", "host"], registry=self._registry)
        built.labels(engine, str(PROTOCOL), host).set(1)

    def watch_armed(self, count: Callable[[], int]) -> None:
        """Ask `count` for the number of armed captures whenever somebody wants to know."""
        self._armed.set_function(count)

    def captured(self, raw: RawCapture) -> None:
        """A process was captured."""
        self.ended("captured")
        self._bytes.inc(len(raw.records))
        pause: Pause = raw.header.pause
        for part in PARTS:
            self._pauses.labels(part).observe(getattr(pause, part) / 1e9)
        for loss in raw.header.losses:
            self._losses.labels(loss.kind).inc(loss.count)

    def ended(self, outcome: str) -> None:
        """What came of a capture, one of OUTCOMES."""
        self._captures.labels(outcome).inc()

    def listed(self, processes: int) -> None:
        """So many Go processes were seen."""
        self._processes.set(processes)

    def failed(self, status: int) -> None:
        """A request was answered by an error."""
        self._errors.labels(str(status)).inc()

    def turned_away(self) -> None:
        """A client came when there were too many."""
        self._turned_away.inc()

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, labels: list[str]) -> Counter:
        return Counter(f"freezeframe_agent_{name}", what, labels, registry=self._registry)
