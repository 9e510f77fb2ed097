"""A NATS server on loopback, and a client for it."""

import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Client:
    """A NATS client that speaks just enough of the protocol."""

    def __init__(self, port: int, number: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._lines = self._socket.makefile("rb")
        assert self._lines.readline().startswith(b"INFO ")
        self.name = f"client {number}"
        options = {"verbose": False, "name": self.name, "lang": "python", "version": f"0.{number}"}
        self.send(f"CONNECT {json.dumps(options)}")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def send(self, line: str, payload: str | None = None) -> None:
        text = f"{line}\r\n" + ("" if payload is None else f"{payload}\r\n")
        self._socket.sendall(text.encode())

    def settle(self) -> list[bytes]:
        """Whatever came in until the server has answered a PING: what was sent before has been worked off by then."""
        self.send("PING")
        found = []
        while (line := self._lines.readline()) != b"PONG\r\n":
            assert line, "the server closed the connection"
            found.append(line.strip())
        return found

    def request(self, subject: str, payload: object) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        self.send("SUB answers 99")
        text = json.dumps(payload)
        self.send(f"PUB {subject} answers {len(text)}", text)
        while not self._lines.readline().startswith(b"MSG answers "):
            pass
        answer = json.loads(self._lines.readline())
        self.send("UNSUB 99")
        assert "error" not in answer, answer
        assert isinstance(answer, dict)
        return answer


@contextmanager
def serving(binary: Path, folder: Path) -> Iterator[tuple[int, int, int, int]]:
    """(pid, client port, monitoring port, profiling port) of a server on loopback, on ports of its own choice."""
    command = [
        str(binary),
        "-a",
        "127.0.0.1",
        "-p",
        "-1",
        "-m",
        "-1",
        "--profile",
        "-1",
        "-js",
        "-sd",
        str(folder / "js"),
    ]
    log = folder / "log"
    process = subprocess.Popen([*command, "-l", str(log)], stdin=subprocess.DEVNULL)
    try:
        texts = (
            r"client connections on 127\.0\.0\.1:(\d+)",
            r"http monitor on 127\.0\.0\.1:(\d+)",
            r"profiling port: (\d+)",
        )
        deadline = time.monotonic() + 60
        while True:
            text = log.read_text() if log.exists() else ""
            found = [re.search(each, text) for each in texts]
            if "Server is ready" in text and all(found):
                break
            assert time.monotonic() < deadline, text
            assert process.poll() is None, text
            time.sleep(0.05)
        client, monitor, profile = (int(each[1]) for each in found if each)
        yield process.pid, client, monitor, profile
    finally:
        process.kill()
        process.wait()


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return str(answer.read().decode())
