"""Compiling through the cache: what was compiled before is not compiled again."""

from collections.abc import Callable

from compiler.binary import Binary
from compiler.compiled import Compiled
from compiler.spec import Spec
from datasource.cache import Cache, hash_of


def compile_cached(cache: Cache, spec: Spec, binary: Binary, types: frozenset[int]) -> tuple[Compiled, bool]:
    """Compile, or take from the cache what compiling the same gave before; whether it came from there."""
    text_hash, name = hash_of(spec.text), binary.executable.identity.compiled_as
    kept = cache.program(name, text_hash, types)
    if kept is not None:
        return kept, True
    binary.executable.unpack_ahead()
    from compiler.compile import compile_spec

    compiled = compile_spec(spec, binary, types)
    cache.keep(name, text_hash, types, compiled)
    return compiled, False


def compiler_of(cache: Cache, spec: Spec, binary: Binary) -> Callable[[frozenset[int]], Compiled]:
    """`compile_cached` of one spec and binary."""
    return lambda types: compile_cached(cache, spec, binary, types)[0]
