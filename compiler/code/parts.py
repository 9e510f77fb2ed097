"""Some modules of a package without the rest of it, where the rest takes long to import and is of no use here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType


@contextmanager
def parts_of(package: str) -> Iterator[None]:
    """Within, the package's modules can be imported, and what its `__init__` has is not there. Behind it whoever imports the
    package gets all of it, with the same modules."""
    found = None if package in sys.modules else find_spec(package)
    if found is None:  # it is there already, or it is missing, which the import tells
        yield
        return
    hollow = ModuleType(package)
    hollow.__path__ = list(found.submodule_search_locations or ())
    sys.modules[package] = hollow
    try:
        yield
    finally:
        del sys.modules[package]
