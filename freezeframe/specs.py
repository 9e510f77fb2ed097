"""Reads spec files for the command line."""

from pathlib import Path

from compiler.spec import Spec, read_spec
from freezeframe.spec_text import read_spec_text


def load_spec(path: Path) -> Spec:
    """The spec in a file; BadInput where it cannot be read or is wrong."""
    spec = read_spec(read_spec_text(path), str(path))
    if spec.tables or any(function.extra for function in spec.functions):
        from datasource.store.derive import rehearse  # reading SQL is a large part of starting

        rehearse(spec)
    return spec
