"""Which types the code converts to which interfaces: the linker keeps an itab for every pair (go/src/runtime/iface.go).

Up to Go 1.26 moduledata has a slice of pointers to them, from then on they lie in a row behind the type descriptors.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from compiler.dwarf.executable import Executable
from compiler.dwarf.rtypes import METHODS_AT

Field = Callable[[str], int | None]
"""The address of a field of the moduledata; None where it has none of the name."""
INTER, TYPE, FUN = 0, 1, 3
"""Of an internal/abi.ITab: at which words its interface, its type and its methods are."""
MAX_BYTES = 1 << 26
MAX_ITABS = 1 << 18
MAX_METHODS = 1 << 12


def implementers(executable: Executable, field: Field, types: int) -> Mapping[int, tuple[int, ...]]:
    """Types that each interface is known to hold, both by the offset of their descriptors from `types` (moduledata.types)."""
    found: dict[int, list[int]] = defaultdict(list)
    for interface, held in _itabs(executable, field, types):
        if interface > types and held > types:
            found[interface - types].append(held - types)
    return {interface: tuple(sorted(held)) for interface, held in found.items()}


def _itabs(executable: Executable, field: Field, types: int) -> Iterator[tuple[int, int]]:
    """(descriptor of the interface, descriptor of the type) of each."""
    links, offset, size = field("itablinks"), field("itaboffset"), field("itabsize")
    if links is not None:
        first, count = executable.pointer(links) or 0, _number(executable, links + 8)
        itabs = executable.words(first, min(count, MAX_ITABS))
        begin = min(itabs, default=0)  # they lie close together: one reading for all
        words = executable.words(begin, min(max(itabs, default=0) - begin, MAX_BYTES) // 8 + FUN)
        for at in ((itab - begin) // 8 for itab in itabs):
            if at + TYPE < len(words):
                yield words[at + INTER], words[at + TYPE]
    elif offset is not None and size is not None:
        at, size = types + _number(executable, offset), _number(executable, size)
        yield from _in_a_row(executable, executable.words(at, min(size, MAX_BYTES) // 8))


def _in_a_row(executable: Executable, words: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each has room for as many methods as its interface has; one that is no implementation, for one."""

    @cache
    def methods(interface: int) -> int:
        return _number(executable, interface + METHODS_AT + 8) if interface else 0

    at = 0
    for _ in range(MAX_ITABS):
        if at + FUN >= len(words):
            return
        interface = words[at + INTER]
        yield interface, words[at + TYPE]
        count = methods(interface)
        if not 0 < count <= MAX_METHODS:
            return
        at += FUN + (count if words[at + FUN] else 1)


def _number(executable: Executable, address: int) -> int:
    data = executable.read(address, 8)
    return 0 if data is None else int.from_bytes(data, "little")
