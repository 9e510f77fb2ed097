"""Speaks with agents over HTTP: which processes there are, their binaries, captures. Home of requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.program_codec import program_to_bytes
from compiler.ir.raw import RawCapture
from compiler.ir.wire import ArmedCapture, Processes

CONNECT_S = 5
READ_S = 120
CHUNK = 1 << 20
MAX_BINARY = 4 << 30
"""Bytes of one executable."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: where it listens and the token that it asks for."""

    url: str
    token: str

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
    def armed(self, pid: int, program: Program) -> Iterator[str]:
        """Arm a capture of a process; yields its number, and releases it at the end."""
        answer = self._call("POST", "/v1/captures", params={"pid": pid}, data=program_to_bytes(program))
        number = ArmedCapture.from_json(answer.content).capture
        try:
            yield number
        finally:
            self._release(number)

    def fire(self, number: str) -> RawCapture:
        """Fire an armed capture."""
        return RawCapture.from_bytes(self._call("POST", f"/v1/captures/{number}/fire").content)

    def _release(self, number: str) -> None:
        try:
            self._call("DELETE", f"/v1/captures/{number}")
        except (BadInput, CannotNow):
            return  # it was released by itself, or the agent is gone; its time limit does the rest

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            answer = requests.request(
                method,
                self.url.rstrip("/") + path,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                **options,
            )
        except requests.RequestException as error:
            raise CannotNow(f"the agent does not answer: {_reason(error)}", where=self.url, remedy="start it") from None
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


def _reason(error: requests.RequestException) -> str:
    match error:
        case requests.ConnectTimeout() | requests.ReadTimeout():
            return "it took too long"
        case requests.ConnectionError():
            return "connection refused or lost"
        case _:
            return type(error).__name__
