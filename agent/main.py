"""Starts the agent and ends it: `run` is what `freezeframe agent` calls."""

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.engines import choose_engine
from agent.server import make_server
from compiler.ir.errors import BadInput, CannotNow

TOKEN_VARIABLE = "FREEZEFRAME_AGENT_TOKEN"
SHORTEST_TOKEN = 16


def run(
    *,
    host: str = "127.0.0.1",
    port: int = 7431,
    token_file: Path | None = None,
    engine: str = "ebpf",
    armed_s: int = 30,
    environment: Mapping[str, str] = os.environ,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Says `ready {"address": ...}` once it listens; port 0 takes a free one."""
    token = read_token(token_file, environment)
    server = make_server(host, port, token, lambda: choose_engine(engine), armed_s=armed_s)
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    thread = threading.Thread(target=server.serve_forever, name="agent")
    thread.start()
    try:
        address = f"{server.server_name}:{server.server_port}"
        ready = {"address": address, "engine": server.captures.engine.name, "pid": os.getpid()}
        (announce or _announce)("ready " + json.dumps(ready, sort_keys=True))
        stop.wait()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for number, old in before.items():
            signal.signal(number, old)


def read_token(file: Path | None, environment: Mapping[str, str]) -> str:
    """The token out of the file, or out of the environment where none is named."""
    if file is not None:
        try:
            token = file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise CannotNow(f"the token file cannot be read: {reason}", where=str(file)) from None
    else:
        token = environment.get(TOKEN_VARIABLE, "").strip()
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise BadInput(
            f"the agent needs a token of at least {SHORTEST_TOKEN} printable characters",
            where=str(file) if file is not None else TOKEN_VARIABLE,
            remedy="make one with: openssl rand -hex 32",
        )
    return token


def _announce(line: str) -> None:
    print(line, flush=True)
