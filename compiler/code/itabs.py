"""Which types the code converts to which interfaces: the linker keeps an itab for every pair (go/src/runtime/iface.go).

Up to Go 1.26 moduledata has a slice of pointers to them, from then on they lie in a row behind the type descriptors.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from compiler.dwarf.executable import Executable
from compiler.dwarf.rtypes import METHODS_AT

Field = Callable[[str], int | None]
"""The address of a field of the moduledata; None where it has none of the name."""
INTER_AT, TYPE_AT, FUN_AT = 0, 8, 24
"""Of an internal/abi.ITab."""
MAX_ITABS = 1 << 18
MAX_METHODS = 1 << 12


def implementers(executable: Executable, field: Field, types: int) -> Mapping[int, tuple[int, ...]]:
    """Types that each interface is known to hold, both by the offset of their descriptors from `types` (moduledata.types)."""
    found: dict[int, list[int]] = defaultdict(list)
    for itab in _itabs(executable, field, types):
        interface, held = executable.pointer(itab + INTER_AT), executable.pointer(itab + TYPE_AT)
        if interface and held and interface > types and held > types:
            found[interface - types].append(held - types)
    return {interface: tuple(sorted(held)) for interface, held in found.items()}


def _itabs(executable: Executable, field: Field, types: int) -> Iterator[int]:
    links, offset, size = field("itablinks"), field("itaboffset"), field("itabsize")
    if links is not None:
        first, count = executable.pointer(links) or 0, _number(executable, links + 8)
        for at in range(first, first + 8 * min(count, MAX_ITABS), 8):
            yield executable.pointer(at) or 0
    elif offset is not None and size is not None:
        yield from _in_a_row(executable, types + _number(executable, offset), _number(executable, size))


def _in_a_row(executable: Executable, at: int, size: int) -> Iterator[int]:
    """Each has room for as many methods as its interface has; one that is no implementation, for one."""
    end = at + size
    for _ in range(MAX_ITABS):
        if at + FUN_AT + 8 > end:
            return
        yield at
        interface = executable.pointer(at + INTER_AT)
        methods = _number(executable, interface + METHODS_AT + 8) if interface else 0
        if not 0 < methods <= MAX_METHODS:
            return
        at += FUN_AT + 8 * (methods if executable.pointer(at + FUN_AT) else 1)


def _number(executable: Executable, address: int) -> int:
    data = executable.read(address, 8)
    return 0 if data is None else int.from_bytes(data, "little")
