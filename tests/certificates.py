"""Certificates for tests, made by the openssl command: a CA, and what it signs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    cert: Path
    key: Path


def make_ca(folder: Path, name: str) -> Pair:
    """A CA of its own."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    _openssl("req", "-x509", *_NEW_KEY, "-days", "2", "-subj", f"/CN={name}", "-keyout", pair.key, "-out", pair.cert)
    return pair


def sign(ca: Pair, folder: Path, name: str, *names: str) -> Pair:
    """A certificate of the CA, for the organisation "acme" and the subject `name`, good for `names` ("IP:127.0.0.1")."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    more = ["-addext", "subjectAltName=" + ",".join(names)] if names else []
    signer = ["-CA", ca.cert, "-CAkey", ca.key]
    subject = ["-subj", f"/O=acme/CN={name}", "-addext", "basicConstraints=critical,CA:FALSE"]
    _openssl("req", "-x509", *signer, *_NEW_KEY, "-days", "2", *subject, *more, "-keyout", pair.key, "-out", pair.cert)
    return pair


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
