"""A whole installation for tests: two querydb processes, an agent, and the data source, each a process of its own."""

import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.programs import Target, running

ROOT = Path(__file__).resolve().parent.parent
FREEZEFRAME = ROOT / ".venv/bin/freezeframe"
SPEC = ROOT / "examples/querydb/querydb.yaml"
ACCESS = "an-access-token-for-the-tests"


@dataclass(frozen=True)
class House:
    """Where the data source listens, what it serves, and the processes behind it."""

    url: str
    spec: Path
    snapshots: Path
    targets: tuple[Target, ...]
    agent: str
    token: str

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)[1]

    def post(self, path: str, body: object) -> Any:
        status, answer = self._call("POST", path, json.dumps(body).encode())
        assert status == 200, answer
        return answer

    def refused(self, method: str, path: str, body: object | bytes, token: str = ACCESS) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = self._call(method, path, data, token)
        assert status >= 400, answer
        return status, answer

    def _call(self, method: str, path: str, body: bytes | None, token: str = ACCESS) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error.read())


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data


def _end(source: Target) -> None:
    """Let it end its worker itself; a kill would leave that behind for a moment."""
    source.process.terminate()
    source.process.wait(30)


@contextmanager
def standing(querydb: Path, folder: Path) -> Iterator[House]:
    """Started once: 5 and 3 queries in two processes of one binary."""
    token, access = folder / "token", folder / "access"
    token.touch(0o600)
    token.write_text(secrets.token_hex(16))
    access.write_text(ACCESS)
    spec = folder / "querydb.yaml"
    spec.write_text(SPEC.read_text().replace('"*/querydb"', json.dumps(str(querydb.resolve()))))
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    with ExitStack() as stack:
        few = ["-load", "-transactions", 2, "-blocked", 1, "-idle", 1, "-background", 1]
        targets = tuple(stack.enter_context(running(querydb, *few, "-sessions", count)) for count in (5, 3))
        agent = stack.enter_context(running(FREEZEFRAME, "agent", "--port", 0, "--token-file", token))
        agent_url = f"http://{agent.ready['address']}"
        arguments = ["--port", 0, "--agent", agent_url, "--token-file", token, "--spec", spec]
        arguments += ["--data", folder / "snapshots", "--access-token-file", access]
        source = stack.enter_context(running(FREEZEFRAME, "serve", *arguments, env=environment))
        stack.callback(_end, source)
        yield House(source.ready["url"], spec, folder / "snapshots", targets, agent_url, token.read_text())
