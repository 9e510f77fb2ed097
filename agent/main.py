"""Starts the agent and ends it: `run` is what `freezeframe agent` calls."""

import json
import os
import resource
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from agent.audit import tell
from agent.capabilities import EBPF, NEEDED, missing, remedy
from agent.config import AgentConfig
from agent.config_file import read_private
from agent.ending import endings
from agent.engines import KEPT_S, choose_engine
from agent.server import make_server
from compiler.ir.errors import BadInput, CannotNow

TOKEN_VARIABLE = "FREEZEFRAME_AGENT_TOKEN"
SHORTEST_TOKEN = 16


def run(
    config: AgentConfig,
    *,
    origin: str = "",
    environment: Mapping[str, str] = os.environ,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Says `ready {"address": ...}` once it listens; port 0 takes a free one.

    `origin` is the file that the configuration came from.
    """
    token = read_token(config.token_file, environment)
    check_capabilities(config.engine)
    allow_many_files()
    engine = partial(choose_engine, config.engine, kept_s=KEPT_S, memory_mib=config.limits.memory_mib)
    server = make_server(config, token, engine, origin=origin)
    thread = threading.Thread(target=server.serve_forever, name="agent")
    with endings() as wait_for_the_end:
        thread.start()
        try:
            for warning in warnings(config):
                tell(warning)
            ready = {"address": server.address, "engine": server.captures.engine.name, "pid": os.getpid()}
            (announce or _announce)("ready " + json.dumps(ready, sort_keys=True))
            wait_for_the_end()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: each armed capture has some thirty, each client one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def check_capabilities(engine: str) -> None:
    """CannotNow where the engine could capture nothing at all."""
    lacking = [name for name in EBPF if name in missing()] if engine == "ebpf" else []
    if lacking:
        raise CannotNow(f"the eBPF engine cannot run without {' and '.join(lacking)}", remedy=remedy(*lacking))


def warnings(config: AgentConfig) -> list[str]:
    """What whoever starts the agent should know."""
    said = []
    if config.allow is None:
        said.append("no [[allow]] in its configuration: every Go process of this machine can be captured")
    if config.insecure and config.tls is None:
        said.append("insecure: the token and every capture travel in the clear")
    said += [
        f"without {name} ({NEEDED[name]}) it captures its own user's alone" for name in missing() if name not in EBPF
    ]
    return said


def read_token(file: Path | None, environment: Mapping[str, str]) -> str:
    """The token out of the file, or out of the environment where none is named."""
    token = (environment.get(TOKEN_VARIABLE, "") if file is None else read_private(file, "token")).strip()
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise BadInput(
            f"the agent needs a token of at least {SHORTEST_TOKEN} printable characters",
            where=str(file) if file is not None else TOKEN_VARIABLE,
            remedy="make one with: openssl rand -hex 32",
        )
    return token


def _announce(line: str) -> None:
    print(line, flush=True)
