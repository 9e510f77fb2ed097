"""Reads spec files for the command line."""

from pathlib import Path

from compiler.ir.errors import BadInput
from compiler.spec import Spec, read_spec
from datasource.store.derive import rehearse

MAX_BYTES = 1 << 20


def load_spec(path: Path) -> Spec:
    """The spec in a file; BadInput where it cannot be read or is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot read the spec: {error.strerror}"
        raise BadInput(what, where=str(path), remedy="name a readable YAML file") from None
    spec = read_spec(data, str(path))
    rehearse(spec)
    return spec
