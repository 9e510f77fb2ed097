"""One client's requests: a token on every one, bounded bodies, JSON errors.

GET    /v1/health
GET    /v1/processes
GET    /v1/binaries?build_id=ID       the executable, through /proc/PID/exe of a process that runs it
POST   /v1/captures?pid=N             body: a Program; answers {"capture": ...}: armed
POST   /v1/captures/ID/fire           a RawCapture; a large one as gzip where Accept-Encoding names it
DELETE /v1/captures/ID                whether it is still armed or not
GET    /v1/metrics                    for Prometheus
"""

import hmac
import io
import os
import platform
import re
import ssl
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qs, unquote, urlsplit

from agent.captures import Asking, Captures, NoSuchCapture
from agent.connection import Connection
from agent.metrics import CONTENT_TYPE
from agent.packing import packed, wanted
from agent.rate import TooMany
from agent.strangers import Strangers
from agent.tls import subject
from compiler.ir.build_id import read_identity
from compiler.ir.errors import BadInput, CannotNow, FreezeframeError
from compiler.ir.wire import PROTOCOL, SPEC_HEADER, Failure, Health
from compiler.ir.wire import Processes as ProcessList

MAX_PROGRAM: Final = 64 << 20
"""Bytes of a Program as it travels."""
MAX_DRAIN: Final = 1 << 20
"""Bytes of a refused body that are still read."""
JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
METRICS: Final = "/v1/metrics"
SHA256: Final = re.compile(r"[0-9a-f]{64}")
CAPTURE: Final = re.compile(r"/v1/captures/([0-9a-f]{32})(/fire)?")


class Unauthorized(BadInput):
    """No token, or a wrong one."""

    http_status = 401


class NotFound(BadInput):
    """No such resource."""

    http_status = 404


class TooLarge(BadInput):
    """A body beyond its limit."""

    http_status = 413


@dataclass(frozen=True, slots=True)
class Service:
    """What requests are about."""

    token: bytes
    captures: Captures
    open_metrics: bool = False
    """Whether /v1/metrics needs no token."""
    strangers: Strangers = field(default_factory=Strangers)


class Request(BaseHTTPRequestHandler):
    """One connection, from the first request to the last."""

    protocol_version = "HTTP/1.1"
    server_version = "freezeframe-agent"
    sys_version = ""
    _unread = 0

    def __init__(self, service: Service, *connection: Any) -> None:
        self.service = service
        super().__init__(*connection)

    def setup(self) -> None:
        """Read and write through a connection that has deadlines."""
        super().setup()
        self._client = Connection(self.connection)
        self.rfile = io.BufferedReader(self._client)
        self.wfile = self._client  # type: ignore[assignment]

    def handle_one_request(self) -> None:
        self._client.begin_head()
        super().handle_one_request()

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """No access log: captures have their audit lines."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What the standard library refuses by itself (a malformed request), as JSON like the rest."""
        what = message or HTTPStatus(code).phrase
        self.close_connection = True
        self._send(code, JSON, Failure(what, "", "", what).to_json())

    # ------------------------------------------------------------ the requests

    def _get(self) -> None:
        url = urlsplit(self.path)
        captures = self.service.captures
        if url.path == "/v1/health":
            machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
            health = Health(PROTOCOL, platform.node(), captures.engine.name, machine)
            self._send(200, JSON, health.to_json())
        elif url.path == "/v1/processes":
            found = ProcessList(platform.node(), captures.processes.list())
            captures.metrics.listed(len(found.processes))
            self._send(200, JSON, found.to_json())
        elif url.path == METRICS:
            self._send(200, CONTENT_TYPE, captures.metrics.text())
        elif url.path == "/v1/binaries" or url.path.startswith("/v1/binaries/"):
            self._binary(unquote(url.path.removeprefix("/v1/binaries").lstrip("/")) or self._query("build_id"))
        else:
            raise self._nothing()

    def _post(self) -> None:
        body = self._body()
        captures = self.service.captures
        if urlsplit(self.path).path == "/v1/captures":
            armed = captures.arm(self._pid(), body, self._asking())
            self._send(201, JSON, armed.to_json())
        elif (found := CAPTURE.fullmatch(self.path)) and found[2]:
            raw = captures.fire(found[1], self._asking())
            if wanted(self.headers.get("Accept-Encoding", ""), len(raw.records)):
                self._send(200, BYTES, packed((raw.head(), raw.records)), headers={"Content-Encoding": "gzip"})
            else:
                self._send(200, BYTES, raw.head(), raw.records)
        else:
            raise self._nothing()

    def _delete(self) -> None:
        found = CAPTURE.fullmatch(self.path)
        if not found or found[2]:
            raise self._nothing()
        with suppress(NoSuchCapture):  # fired, or its time was over: it is gone all the same
            self.service.captures.release(found[1])
        self._send(204, JSON, b"")

    def _binary(self, build_id: str) -> None:
        pid = self.service.captures.processes.holder(build_id)
        if pid is None:
            raise NotFound(f"no process runs a binary with build id {build_id}", remedy="ask for /v1/processes")
        try:
            with Path(f"/proc/{pid}/exe").open("rb") as file:
                if read_identity(file).build_id != build_id:
                    raise CannotNow(f"process {pid} has started another program meanwhile", remedy="ask again")
                self._stream(file)
        except (FileNotFoundError, ProcessLookupError):
            raise CannotNow(f"process {pid} has ended", remedy="ask again") from None

    def _stream(self, file: BinaryIO) -> None:
        size = os.fstat(file.fileno()).st_size
        self._head(200, BYTES, size)
        if self._client.send_file(file, size) != size:
            self.close_connection = True  # the file was cut under us: the client sees too few bytes

    # ------------------------------------------------------------ the frame around them

    def _answer(self, respond: Callable[[], None]) -> None:
        """Check the token, respond; whatever goes wrong is one JSON error, unless the client is gone."""
        length = self.headers.get("Content-Length", "0")
        self._unread = int(length) if length.isdecimal() and length.isascii() else 0
        if self._unread and self.command != "POST":
            self.close_connection = True  # a body that nobody reads
        try:
            try:
                self._authorize()
                respond()
            except FreezeframeError as error:
                headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else {}
                self._fail(error.http_status, Failure.of(error), headers)
            except (ConnectionError, TimeoutError):
                raise
            except Exception:  # noqa: BLE001  a bug must not end the agent; it is told to its log
                traceback.print_exc()
                what = "the agent has a bug: its log has the details"
                self._fail(500, Failure(what, "", "", what))
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _authorize(self) -> None:
        if self.service.open_metrics and (self.command, self.path) == ("GET", METRICS):
            return
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self.service.token) or scheme.lower() != "bearer":
            raise Unauthorized("the token is missing or wrong", remedy="send the agent's own as: Authorization: Bearer")
        self.service.strangers.recognize(self.client_address)

    def _body(self) -> bytes:
        if not self.headers.get("Content-Length", "").isdecimal():
            raise BadInput("the request has no Content-Length", remedy="send one (chunked bodies are not read)")
        if self._unread > MAX_PROGRAM:
            what = f"a body of {self._unread} bytes is too large"
            raise TooLarge(what, remedy=f"at most {MAX_PROGRAM} bytes are read")
        self._client.begin(self._unread)
        body = self.rfile.read(self._unread)
        if len(body) < self._unread:
            raise ConnectionResetError
        self._unread = 0
        return body

    def _query(self, name: str) -> str:
        values = parse_qs(urlsplit(self.path).query).get(name, [])
        if len(values) != 1:
            raise BadInput(f"the request must name one {name}", remedy=f"add ?{name}=... to the address")
        return values[0]

    def _pid(self) -> int:
        text = self._query("pid")
        if not (text.isdecimal() and text.isascii() and 0 < int(text) < 1 << 31):
            raise BadInput(f"pid {text!r} is no process id", remedy="use one that /v1/processes lists")
        return int(text)

    def _asking(self) -> Asking:
        spec = self.headers.get(SPEC_HEADER)
        if spec is not None and not SHA256.fullmatch(spec):
            raise BadInput(f"the header {SPEC_HEADER} is no SHA-256", remedy="send 64 hexadecimal digits, or none")
        certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        return Asking(str(self.client_address[0]), subject(certificate), spec)

    def _nothing(self) -> NotFound:
        return NotFound(
            f"there is no {self.command} {urlsplit(self.path).path}", remedy="see the agent's documentation"
        )

    def _fail(self, status: int, failure: Failure, headers: Mapping[str, str] | None = None) -> None:
        self.close_connection = True
        self.service.captures.metrics.failed(status)
        self._send(status, JSON, failure.to_json(), headers=headers)
        if self._unread:  # closing upon unread bytes resets the connection, and the client would not see why
            self.rfile.read(min(self._unread, MAX_DRAIN))

    def _send(
        self, status: int, kind: str, body: bytes, more: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self._head(status, kind, len(body) + len(more), headers)
        self.wfile.write(body)
        if more:
            self.wfile.write(more)

    def _head(self, status: int, kind: str, size: int, headers: Mapping[str, str] | None = None) -> None:
        self._client.begin(size)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
