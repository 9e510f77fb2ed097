"""Compiles a spec file for a binary, as a command that ends soon; without click, which takes long to import."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from compiler.ir.errors import FreezeframeError
from freezeframe.told import Told

if TYPE_CHECKING:
    from compiler.binary import Binary
    from compiler.compiled import Compiled


class Compiling(NamedTuple):
    """What compiling gave, what it told, and the binary, still open."""

    compiled: "Compiled"
    told: Told
    binary: "Binary"


@contextmanager
def compile_file(binary: Path, spec_file: Path, debug: Sequence[Path] = ()) -> Iterator[Compiling]:
    """Compile through the cache. `debug`: files and folders that may have debug info that was stripped off."""
    gc.disable()  # this ends soon: looking for cycles among young objects would be a tenth of its time
    from compiler.dwarf.debugfile import DebugFiles
    from compiler.dwarf.executable import Executable

    try:
        executable = Executable(binary, DebugFiles(debug))
    except FreezeframeError:
        from freezeframe.specs import load_spec

        load_spec(spec_file)  # what is wrong with the spec is told first
        raise
    with executable:
        executable.unpack_ahead()  # on another processor, while the rest is imported
        from compiler.binary import Binary
        from datasource.cache import Cache, cache_directory
        from datasource.compiling import compile_cached
        from freezeframe.specs import load_spec

        spec = load_spec(spec_file)
        cache = Cache(cache_directory())
        opened = Binary(executable, cache)
        known = cache.runtime_types(opened.build_id)
        compiled, cached = compile_cached(cache, spec, opened, known)
        told = Told(compiled.plain(), opened.build_id, opened.go_version, cached, opened.index_ms)
        yield Compiling(compiled, told, opened)
    gc.freeze()  # nor is there anything to be gained at the end
