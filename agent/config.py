"""The agent's configuration: what its TOML file may say, with defaults that suit one machine of one's own.

Every key is a field here; `read_config` refuses what is none. Paths in the file are relative to the file.
"""

from dataclasses import dataclass, field
from pathlib import Path

from agent.allow import Rule


def _number(default: int, lowest: int, highest: int) -> int:
    value: int = field(default=default, metadata={"lowest": lowest, "highest": highest})
    return value


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Names of PEM files."""

    cert: Path
    """The agent's certificate, with the chain to its CA behind it."""
    key: Path
    """Its key; nobody else may read the file."""
    client_ca: Path | None = None
    """Only clients with a certificate of this CA are heard (mutual TLS)."""


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """What this agent does at most, whatever it is asked for."""

    armed_s: int = _number(30, 1, 3600)
    """How long a capture stays armed that nobody fires."""
    goroutines: int = _number(2_000_000, 1, 1 << 22)
    """A process with more of them is not captured."""
    threads: int = _number(10_000, 1, 1 << 22)
    """A process with more of them is not stopped. Go's own limit is 10,000."""
    captures_per_minute: int = _number(600, 1, 1_000_000)
    """Of all processes together; as many at once, after a minute without."""
    captures_per_minute_per_process: int = _number(120, 1, 1_000_000)
    """A snapshot takes one to three: after the first, what interfaces held is known."""
    connections: int = _number(64, 1, 4096)
    """Clients at once, idle ones too."""
    memory_mib: int = _number(2048, 128, 1 << 20)
    """What the captures in hand may take together, beside their answers. One of a few hundred goroutines takes 80, of a
    hundred thousand 600, of a million 1,300."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """All that can be configured."""

    host: str = "127.0.0.1"
    port: int = _number(7431, 0, 65535)
    """0: any free one."""
    token_file: Path | None = None
    engine: str = "ebpf"
    insecure: bool = False
    """Listen beyond this machine without TLS, too: the token and what is captured can be read on the way."""
    list_command_lines: bool = False
    """They may hold secrets; so may the environment."""
    list_environment: tuple[str, ...] = ()
    """Names of the environment variables that are told of each process."""
    audit_file: Path | None = None
    """Where a line for each capture is appended; without one they go to stderr."""
    metrics_without_token: bool = False
    """Whether GET /v1/metrics is for everybody who can reach the agent."""
    tls: TlsFiles | None = None
    limits: AgentLimits = AgentLimits()
    allow: tuple[Rule, ...] | None = None
    """Processes that one of these rules permits can be listed and captured; all of them where this is not said."""
