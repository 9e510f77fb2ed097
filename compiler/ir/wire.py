"""What the agent and the data source say to each other in JSON: health, processes, an armed capture, an error.

Whatever comes in is checked field by field; what does not fit is one BadWire. Programs and raw captures travel as bytes
of their own (`program_codec`, `raw`).
"""

import json
from dataclasses import asdict, fields
from ipaddress import ip_address
from types import NoneType, UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

from compiler.ir.errors import BadInput, CannotNow, FreezeframeError
from compiler.ir.frozen import frozen

PROTOCOL = 1
"""Raised whenever a message changes its meaning; agent and data source compare it."""
SPEC_HEADER = "Freezeframe-Spec"
"""Of a request that arms a capture: the SHA-256 of the spec that it is for, in hex; the agent's audit has it."""
MAX_MESSAGE = 64 << 20
"""Bytes of one JSON message."""


def is_loopback(host: str) -> bool:
    """Whether what is said to a host of this name or address stays on the machine, as far as that tells."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class BadWire(CannotNow):
    """The other side said something that is no message of this protocol."""


class _Message:
    """A frozen dataclass that travels as a JSON object with exactly its fields."""

    __slots__ = ()

    def to_json(self) -> bytes:
        """The message as it travels."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()  # type: ignore[call-overload]

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """The message in `text`; BadWire where it is none."""
        message: Self = _record(cls, _parse(text), cls.__name__)
        return message


@frozen
class Health(_Message):
    """An agent's answer to "are you there": the engine it captures with, and how many Go processes it sees."""

    protocol: int
    host: str
    engine: str
    architecture: str
    """As GOARCH has it."""


@frozen
class Variable(_Message):
    """One environment variable."""

    name: str
    value: str


@frozen
class GoProcess(_Message):
    """One Go process of the agent's machine. `program` is the file name of its executable, `exe` the path as the kernel
    tells it (it may be one inside of a container, or deleted: nobody opens it)."""

    pid: int
    exe: str
    program: str
    build_id: str
    go_version: str | None
    architecture: str
    started_at_ns: int
    """Unix time; with the pid it names the process for good."""
    container_pid: int | None
    """Its pid inside, where it has a pid namespace of its own: a container."""
    debug_info: bool
    """Whether its executable has debug info; one of the same build id may, if this was stripped."""
    command_line: str | None = None
    """How it was started, where the agent's configuration lets it tell."""
    environment: tuple[Variable, ...] = ()
    """Variables that it was started with: those that the agent's configuration names."""


@frozen
class Processes(_Message):
    """All Go processes that an agent may capture, by pid."""

    host: str
    processes: tuple[GoProcess, ...]


@frozen
class Estimate(_Message):
    """How large a capture is going to be, roughly. Goroutines that have ended count as well."""

    goroutines: int
    threads: int
    bytes: int
    pause_ms: float


@frozen
class ArmedCapture(_Message):
    """A capture that is ready to fire; unless it is fired within `expires_s` seconds, the agent releases it."""

    capture: str
    pid: int
    build_id: str
    expires_s: int
    estimate: Estimate


@frozen
class Failure(_Message):
    """An error with its parts, and as one sentence."""

    what: str
    where: str
    remedy: str
    message: str

    @staticmethod
    def of(error: FreezeframeError) -> "Failure":
        return Failure(error.what, error.where, error.remedy, str(error))

    def error(self, status: int) -> FreezeframeError:
        """The error again, as the HTTP status sorts it: the request was wrong (4xx), or it cannot be done now."""
        kind = BadInput if status in (400, 403, 404, 413, 422) else CannotNow
        return kind(self.what, where=self.where, remedy=self.remedy)


def _parse(text: bytes) -> Any:
    if len(text) > MAX_MESSAGE:
        raise BadWire(f"a message of {len(text)} bytes", remedy=f"at most {MAX_MESSAGE} bytes are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadWire(
            "the answer is not JSON", remedy="check that this is the address of a freezeframe agent"
        ) from None


def _record(kind: Any, plain: Any, where: str) -> Any:
    names = [field.name for field in fields(kind)]
    if not isinstance(plain, dict) or not set(names) <= plain.keys():
        raise BadWire(f"{where} lacks fields", remedy="use one version for agent and data source")
    hints = get_type_hints(kind)
    return kind(**{name: _typed(hints[name], plain[name], f"{where}.{name}") for name in names})


def _typed(annotation: Any, plain: Any, where: str) -> Any:
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, _Message):
        return _record(annotation, plain, where)
    if origin is tuple and isinstance(plain, list):
        item = get_args(annotation)[0]
        return tuple(_record(item, each, f"{where}[{number}]") for number, each in enumerate(plain))
    kinds = get_args(annotation) if origin is UnionType else (annotation,)
    if type(plain) not in kinds and not (plain is None and NoneType in kinds):
        raise BadWire(f"{where} is not of type {annotation}", remedy="use one version for agent and data source")
    return plain
