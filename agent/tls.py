"""The agent's side of TLS: its certificate, and with a CA for clients the proof of who asks. TLS 1.2 or later."""

import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.config import TlsFiles
from agent.config_file import read_private
from compiler.ir.errors import BadInput, FreezeframeError

Stamp = tuple[tuple[int, int], ...]
"""(inode, mtime in ns) of each file."""


class Tls:
    """Gives the context for each new connection; reads the files again when they were replaced, as short-lived ones are."""

    def __init__(self, files: TlsFiles, say: Callable[[str], None] | None = None) -> None:
        self._files = files
        self._say = say or (lambda line: print(line, file=sys.stderr, flush=True))
        self._lock = threading.Lock()
        self._stamp = self._now()
        self._context = server_context(files)

    def context(self) -> ssl.SSLContext:
        """The context of the files as they are now; of those before where the new ones are wrong."""
        with self._lock:
            stamp = self._now()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._context = server_context(self._files)
                except FreezeframeError as error:
                    self._say(f"freezeframe agent: the old certificate stays: {error}")
            return self._context

    def _now(self) -> Stamp:
        return tuple(_stamp(path) for path in (self._files.cert, self._files.key, self._files.client_ca) if path)


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """BadInput names the file that is wrong."""
    read_private(files.key, "key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.cert, files.key, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        what = f"the certificate or its key cannot be used: {_reason(error)}"
        remedy = f"give a certificate and its own key ({files.key}), both as PEM, the key without a password"
        raise BadInput(what, where=str(files.cert), remedy=remedy) from None
    if files.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(files.client_ca)
        except OSError as error:
            what = f"the CA of the clients cannot be used: {_reason(error)}"
            raise BadInput(what, where=str(files.client_ca), remedy="give certificates as PEM") from None
    return context


def subject(certificate: Any) -> str | None:
    """Whose certificate it is (`CN=grafana,O=acme`), of what `ssl.SSLSocket.getpeercert` tells; None where there is none."""
    names = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}
    parts = [f"{names.get(key, key)}={value}" for part in (certificate or {}).get("subject", ()) for key, value in part]
    return ",".join(parts) or None


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_ino, status.st_mtime_ns


def _no_password() -> str:
    raise OSError("the key has a password")


def _reason(error: OSError) -> str:
    return (getattr(error, "reason", None) or error.strerror or str(error)).replace("_", " ").lower()
