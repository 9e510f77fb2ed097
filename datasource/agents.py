"""Speaks with agents over HTTP: which processes there are, their binaries, captures. Home of requests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from compiler.ir.raw import RawCapture
from compiler.ir.wire import SPEC_HEADER, ArmedCapture, Processes, is_loopback

CONNECT_S = 5
READ_S = 120
CHUNK = 1 << 20
MAX_BINARY = 4 << 30
"""Bytes of one executable."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How agents and data source prove to each other who they are (TLS), each by PEM files."""

    ca: Path | None = None
    """The CA that signed the agents' certificates; without one, those that requests brings."""
    cert: Path | None = None
    key: Path | None = None
    """Our own certificate, where agents ask for one (mutual TLS), and its key."""

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise BadInput("a client certificate and its key belong together", remedy="give both of them, or none")
        for path in (self.ca, self.cert, self.key):
            if path is not None:
                _check_readable(path)


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: where it listens and the token that it asks for."""

    url: str
    token: str
    trust: Trust = Trust()

    def processes(self) -> Processes:
        """The Go processes of its machine."""
        return Processes.from_json(self._call("GET", "/v1/processes").content)

    def fetch_binary(self, build_id: str, to: Path) -> None:
        """Stream an executable into the file `to`."""
        answer = self._call("GET", "/v1/binaries", params={"build_id": build_id}, stream=True)
        size = 0
        with answer, to.open("wb") as file:
            for chunk in answer.iter_content(CHUNK):
                size += len(chunk)
                if size > MAX_BINARY:
                    raise CannotNow(f"the binary is larger than {MAX_BINARY} bytes", where=self.url)
                file.write(chunk)
        expected = answer.headers.get("Content-Length")
        if expected is not None and int(expected) != size:
            raise CannotNow(f"the binary ended after {size} of {expected} bytes", where=self.url, remedy="try again")

    @contextmanager
    def armed(self, pid: int, program: Program, spec: str | None = None) -> Iterator[str]:
        """Arm a capture of a process; yields its number, and releases it at the end.

        `spec`: SHA-256 of the spec, for the agent's audit."""
        headers = {} if spec is None else {SPEC_HEADER: spec}
        body = program_to_bytes(program)
        answer = self._call("POST", "/v1/captures", params={"pid": pid}, data=body, headers=headers)
        number = ArmedCapture.from_json(answer.content).capture
        try:
            yield number
        finally:
            self._release(number)

    def fire(self, number: str) -> RawCapture:
        """Fire an armed capture."""
        # Packing takes longer than the loopback does.
        headers = {"Accept-Encoding": "identity" if is_loopback(urlsplit(self.url).hostname or "") else "gzip"}
        return RawCapture.from_bytes(self._call("POST", f"/v1/captures/{number}/fire", headers=headers).content)

    def _release(self, number: str) -> None:
        try:
            self._call("DELETE", f"/v1/captures/{number}")
        except (BadInput, CannotNow):
            return  # it was released by itself, or the agent is gone; its time limit does the rest

    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response:
        try:
            answer = requests.request(
                method,
                self.url.rstrip("/") + path,
                headers={"Authorization": f"Bearer {self.token}", **(headers or {})},
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                verify=True if self.trust.ca is None else str(self.trust.ca),
                cert=None if self.trust.cert is None else (str(self.trust.cert), str(self.trust.key)),
                **options,
            )
        except (requests.RequestException, OSError) as error:
            what, remedy = _reason(error)
            raise CannotNow(f"the agent does not answer: {what}", where=self.url, remedy=remedy) from None
        if answer.status_code >= 400:
            raise self._refused(answer)
        return answer

    def _refused(self, answer: requests.Response) -> BadInput | CannotNow:
        try:
            body = answer.json()
            what, remedy = str(body.get("what") or body.get("message")), str(body.get("remedy") or "")
        except (ValueError, AttributeError):
            what, remedy = f"HTTP status {answer.status_code}", ""
        kind = BadInput if answer.status_code in (400, 403, 404, 413, 422) else CannotNow
        return kind(what, where=self.url, remedy=remedy)


def _reason(error: Exception) -> tuple[str, str]:
    """What went wrong, and what to do."""
    text = str(error)
    match error:
        case _ if "CERTIFICATE_REQUIRED" in text or "HANDSHAKE_FAILURE" in text:
            return "it asks for a certificate of ours", "give one of its client CA, with --agent-cert and --agent-key"
        case _ if "UNKNOWN_CA" in text or "BAD_CERTIFICATE" in text:
            return "it does not trust our certificate", "give one of its client CA, with --agent-cert and --agent-key"
        case _ if "WRONG_VERSION_NUMBER" in text:
            return "it does not speak TLS", "write http:// for an agent without [tls]"
        case requests.exceptions.SSLError() if "certificate verify failed" in text:
            return f"its certificate is not trusted: {_certificate_problem(text)}", "name its CA with --agent-ca"
        case requests.exceptions.SSLError():
            return "TLS failed", "see whether it asks for a certificate of ours (--agent-cert, --agent-key)"
        case requests.ConnectTimeout() | requests.ReadTimeout():
            return "it took too long", "start it"
        case requests.ConnectionError():
            return "connection refused or lost", "start it"
        case requests.RequestException():
            return type(error).__name__, "start it"
        case _:
            return text, "see to the files of --agent-ca, --agent-cert and --agent-key"


def _certificate_problem(text: str) -> str:
    """The sentence of OpenSSL within what requests, urllib3 and ssl say around it."""
    return text.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0]


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(path), remedy="name a PEM file") from None
