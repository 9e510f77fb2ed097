"""The compiled probe, kept in a file for the next start: compiling it takes a second of a processor, reading it nothing.

The file is named by what it was made from, has a checksum, and counts only where nobody but us could have written it; anything
else about it that is not right means that it is made anew. The kernel's verifier looks at it in any case.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from agent.engine_ebpf.compiling import HERE, compile_probe, probe_source

OTHERS_MAY_WRITE = 0o022


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """$CACHE_DIRECTORY (systemd gives it), $XDG_CACHE_HOME/freezeframe or ~/.cache/freezeframe; None without a home."""
    if environment.get("CACHE_DIRECTORY"):
        return Path(environment["CACHE_DIRECTORY"].partition(":")[0])
    base = environment.get("XDG_CACHE_HOME") or (environment.get("HOME") and environment["HOME"] + "/.cache")
    return Path(base) / "freezeframe" if base else None


def compiled_probe(folder: Path | None) -> Mapping[str, bytes]:
    """The probe's functions, from `folder` or compiled now."""
    if folder is None:
        return compile_probe().functions
    file = folder / f"probe-{_made_from()}.json"
    functions = _read(file)
    if functions is None:
        functions = compile_probe().functions
        _write(file, functions)
    return functions


def _made_from() -> str:
    digest = hashlib.sha256(probe_source().encode())
    for header in sorted((HERE / "headers").rglob("*.h")):
        digest.update(header.read_bytes())
    bcc = find_spec("bcc")  # finds it without loading it
    if bcc is not None and bcc.origin is not None:
        digest.update(Path(bcc.origin).with_name("version.py").read_bytes())
    return digest.hexdigest()


def _read(file: Path) -> Mapping[str, bytes] | None:
    try:
        for each in (file.parent, file):
            status = each.stat()
            if status.st_uid != os.geteuid() or status.st_mode & OTHERS_MAY_WRITE:
                return None
        checksum, _, body = file.read_text().partition("\n")
        if hashlib.sha256(body.encode()).hexdigest() != checksum:
            return None
        return {name: bytes.fromhex(code) for name, code in json.loads(body).items()}
    except (OSError, ValueError):
        return None


def _write(file: Path, functions: Mapping[str, bytes]) -> None:
    """Written aside and renamed; a full or read-only disk only means that the next start compiles again."""
    body = json.dumps({name: code.hex() for name, code in functions.items()})
    aside = None
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".probe-", delete=False) as new:
            aside = new.name
            new.write(hashlib.sha256(body.encode()).hexdigest() + "\n" + body)
        Path(aside).replace(file)
    except OSError:
        if aside is not None:
            Path(aside).unlink(missing_ok=True)
