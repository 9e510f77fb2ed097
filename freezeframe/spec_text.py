"""Reads the text of a spec file. Judges nothing."""

from pathlib import Path

from compiler.ir.errors import BadInput
from compiler.ir.files import open_text, read_text

MAX_BYTES = 1 << 20


def read_spec_text(path: Path) -> bytes:
    """The file's bytes, up to one more than a spec may have; BadInput where it cannot be read."""
    try:
        with open_text(path) as file:
            return read_text(file, MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot read the spec: {error.strerror}"
        raise BadInput(what, where=str(path), remedy="name a readable YAML file") from None
