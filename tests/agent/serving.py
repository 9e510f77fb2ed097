"""An agent for tests, in this process, asked over real sockets."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import Any

from agent.audit import Audit
from agent.config import AgentConfig
from agent.engine import Engine
from agent.engine_memory import MemoryEngine
from agent.server import AgentServer, make_server
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from compiler.ir.wire import ArmedCapture, Failure

TOKEN = "correct horse battery staple"
GOOD = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Agent:
    """A running agent and its audit lines."""

    server: AgentServer
    audit: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body."""
        connection = HTTPConnection("127.0.0.1", self.server.server_port, timeout=20)
        try:
            connection.request(method, path, body, GOOD if headers is None else headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def refusal(self, method: str, path: str, body: bytes | None = None, **options: Any) -> tuple[int, str]:
        """Status and sentence of an error."""
        status, answer = self.ask(method, path, body, **options)
        return status, Failure.from_json(answer).message

    def arm(self, pid: int, program: Program) -> ArmedCapture:
        status, answer = self.ask("POST", f"/v1/captures?pid={pid}", program_to_bytes(program))
        assert status == 201, answer
        return ArmedCapture.from_json(answer)

    def audited(self) -> list[dict[str, Any]]:
        return [json.loads(line.removeprefix("capture ")) for line in self.audit]


@contextmanager
def serving(
    config: AgentConfig | None = None, engine: Callable[[], Engine] = MemoryEngine, **options: Any
) -> Iterator[Agent]:
    """An agent in this process; it listens at any free port."""
    audit: list[str] = []
    config = replace(config or AgentConfig(), port=0)
    keep = Audit(audit.append) if config.audit_file is None else None
    server = make_server(config, TOKEN, engine, audit=keep, **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Agent(server, audit)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
