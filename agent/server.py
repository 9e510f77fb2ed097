"""Where the agent listens: on loopback unless told otherwise, with TLS where it is configured, for so many clients at once.

It is the standard library's server: fewest lines and imports in a program that has rights over every process.
"""

import contextlib
import platform
import socket
import socketserver
import ssl
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from http.server import ThreadingHTTPServer
from typing import Any, Final

from agent.allow import AllowList
from agent.audit import Audit, open_audit
from agent.captures import Captures
from agent.config import AgentConfig
from agent.engine import Engine
from agent.listing import Listing
from agent.metrics import Metrics
from agent.processes import Processes
from agent.rate import Rate
from agent.request import Request, Service
from agent.tls import Tls
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.wire import is_loopback

HANDSHAKE_S: Final = 10
FOREVER_S: Final = 86_400.0
LINGER_S: Final = 1
NO_ROOM_S: Final = 0.1
MAKE_ROOM_S: Final = 0.2
"""How long a new client waits for the thread of one that is let go for it."""
LINGER_READS: Final = 16
FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"


class AgentServer(ThreadingHTTPServer):
    """Listens; `serve_forever` until `shutdown`. Closing it releases every armed capture."""

    daemon_threads = True  # an idle client must not hold up the end; a pause under way ends by its own limit
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], service: Service, tls: Tls | None, connections: int) -> None:
        self.captures = service.captures
        self._metrics = service.captures.metrics
        self._tls = tls
        self._free = threading.BoundedSemaphore(connections)
        self.strangers = service.strangers
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            super().__init__(address, partial(Request, service))
        except OSError as error:
            raise CannotNow(
                f"cannot listen on {address[0]}:{address[1]}: {error.strerror or error}", remedy="choose another port"
            ) from None

    def server_bind(self) -> None:
        """Bind without asking a name server for our name, as HTTPServer would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def address(self) -> str:
        """host:port as a URL has it."""
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"{host}:{self.server_port}"

    def serve_forever(self, poll_interval: float = FOREVER_S) -> None:
        """Until `shutdown`. It sleeps until a client comes: nothing looks at anything in between."""
        super().serve_forever(poll_interval)

    def shutdown(self) -> None:
        """End `serve_forever`, and wait for its end."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes it up
        super().shutdown()

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next client. Where there is no room for one (no file left), not to try again and again at full speed."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(NO_ROOM_S)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for the client. Where none is free, one that has not shown the token goes; else this one, at once."""
        if not self._free.acquire(blocking=False):
            self._metrics.turned_away()
            if not (self.strangers.let_go() and self._free.acquire(timeout=MAKE_ROOM_S)):
                self._turn_away(request)
                return
        self.strangers.add(client_address, request)
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._gone(client_address)
            raise

    def _turn_away(self, request: Any) -> None:
        if self._tls is None:
            with contextlib.suppress(OSError):
                request.setblocking(False)
                request.send(FULL)
        self.shutdown_request(request)

    def _gone(self, client_address: Any) -> None:
        self.strangers.recognize(client_address)
        self._free.release()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._gone(client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """On the client's own thread: one that is silent in the handshake holds up nobody else."""
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(HANDSHAKE_S)
        context = self._tls.context()
        with context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secured:
            try:
                secured.do_handshake()
            except OSError:
                _linger(secured)
                raise
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that went away, or speaks no TLS, is no news; a bug is."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()

    def server_close(self) -> None:
        super().server_close()
        self.captures.close()


def make_server(
    config: AgentConfig,
    token: str,
    engine_factory: Callable[[], Engine],
    *,
    origin: str = "",
    audit: Audit | None = None,
) -> AgentServer:
    """An agent that listens where `config` says but does not serve yet. `origin` names the configuration in errors."""
    if not token:
        raise BadInput("the agent needs a token", remedy="write one into a file that only root can read")
    check_listening(config, origin)
    tls = None if config.tls is None else Tls(config.tls)
    listing = Listing(config.list_command_lines, config.list_environment)
    processes = Processes(allow=AllowList(config.allow, where=origin), listing=listing)
    audit = audit or open_audit(config.audit_file)
    engine = engine_factory()
    metrics = Metrics(engine.name, platform.node())
    captures = Captures(engine, processes, audit, config.limits, Rate(config.limits), metrics)
    metrics.watch_armed(lambda: captures.armed)
    service = Service(token.encode(), captures, config.metrics_without_token)
    return AgentServer((config.host, config.port), service, tls, config.limits.connections)


def check_listening(config: AgentConfig, origin: str) -> None:
    """BadInput where the token and the captures would travel beyond this machine for everyone to read."""
    if config.tls is None and not config.insecure and not is_loopback(config.host):
        raise BadInput(
            f"listening on {config.host} without TLS would send the token and every capture in the clear",
            where=f"{origin}: host" if origin else "",
            remedy="give cert and key under [tls], listen on 127.0.0.1, or write insecure = true, in the --config file",
        )


def _linger(client: ssl.SSLSocket) -> None:
    """Read on for a moment: closing upon unread bytes resets the connection, and the client would not see why."""
    client.settimeout(LINGER_S)
    client.shutdown(socket.SHUT_WR)  # from here on it is a plain socket
    for _ in range(LINGER_READS):
        if not client.recv(4096):
            return
