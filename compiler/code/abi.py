"""Where Go's calling convention keeps each argument, from their types alone (cmd/compile/abi-internal.md).

An argument comes in registers, if all of it fits in those that are left, or else on the stack. Behind those that came on the stack
are the results that are returned there, then a home for every argument that came in registers.
"""

from collections.abc import Iterable, Iterator, Sequence

from compiler.dwarf.gotypes import (
    KIND_ARRAY,
    KIND_COMPLEX64,
    KIND_COMPLEX128,
    KIND_INTERFACE,
    KIND_SLICE,
    KIND_STRING,
    KIND_STRUCT,
    GoTypes,
)
from compiler.ir.types import WORD

KIND_FLOAT32, KIND_FLOAT64 = 13, 14
REGISTERS = {"amd64": (9, 15), "arm64": (16, 16)}
"""How many registers there are for integers and for floats."""
REGISTERS_OF = {
    KIND_STRING: (2, 0), KIND_INTERFACE: (2, 0), KIND_SLICE: (3, 0), KIND_COMPLEX64: (0, 2), KIND_COMPLEX128: (0, 2),
    KIND_FLOAT32: (0, 1), KIND_FLOAT64: (0, 1),
}  # fmt: skip
"""How many a value of these kinds takes; of others one for integers."""


class Unsure(Exception):
    """A type of which the debug info does not tell what it takes."""


def places(
    types: GoTypes, arch: str, arguments: Sequence[int | None], results: Iterable[int]
) -> list[tuple[int, bool]]:
    """By argument (its type; None is a word that has none, a dictionary), where it is kept, from where arguments begin, and
    whether it came in registers."""
    in_registers = list(_assigned(types, arch, arguments))
    on_stack = [type_ for type_, fits in zip(arguments, in_registers, strict=True) if not fits]
    returned = list(results)
    returned = [type_ for type_, fits in zip(returned, _assigned(types, arch, returned), strict=True) if not fits]
    homes = [type_ for type_, fits in zip(arguments, in_registers, strict=True) if fits]
    end = 0
    laid: list[list[int]] = []
    for group in (on_stack, returned, homes):
        laid.append([])
        for type_ in group:
            begin = _up(end, _alignment(types, type_))
            laid[-1].append(begin)
            end = begin + _size(types, type_)
        end = _up(end, WORD)
    came, _, kept = map(iter, laid)
    return [(next(kept if fits else came), fits) for fits in in_registers]


def _assigned(types: GoTypes, arch: str, wanted: Iterable[int | None]) -> Iterator[bool]:
    """Whether each comes in registers."""
    integers, floats = REGISTERS[arch]
    for type_ in wanted:
        needs = _registers(types, type_)
        fits = needs is not None and needs[0] <= integers and needs[1] <= floats
        if needs is not None and fits:
            integers, floats = integers - needs[0], floats - needs[1]
        yield fits


def _registers(types: GoTypes, type_: int | None) -> tuple[int, int] | None:
    """How many registers for integers and for floats a value takes; None for what is never in any."""
    if type_ is None:
        return 1, 0
    kind = types.kind(type_)
    if not kind:
        raise Unsure
    if kind not in (KIND_STRUCT, KIND_ARRAY):
        return REGISTERS_OF.get(kind, (1, 0))
    if not types.size(type_):
        return None
    if kind == KIND_ARRAY:
        elem, count = types.array(type_)
        return _registers(types, elem) if count == 1 else None
    integers = floats = 0
    for member in types.members(type_):
        if member.name == "_":
            raise Unsure
        needs = _registers(types, member.type)
        if needs is None and types.size(member.type):
            return None
        integers, floats = integers + (needs or (0, 0))[0], floats + (needs or (0, 0))[1]
    return integers, floats


def _size(types: GoTypes, type_: int | None) -> int:
    return WORD if type_ is None else types.size(type_)


def _alignment(types: GoTypes, type_: int | None) -> int:
    kind = 0 if type_ is None else types.kind(type_)
    if type_ is None or kind in (KIND_STRING, KIND_INTERFACE, KIND_SLICE):
        return WORD
    if kind == KIND_STRUCT:
        return max((_alignment(types, member.type) for member in types.members(type_)), default=1)
    if kind == KIND_ARRAY:
        elem, _ = types.array(type_)
        return 1 if elem is None else _alignment(types, elem)
    size = types.size(type_)
    return max(1, size // 2 if kind in (KIND_COMPLEX64, KIND_COMPLEX128) else min(size, WORD))


def _up(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
