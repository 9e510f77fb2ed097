"""Where the fields of the runtime's own structs are: as debug info tells it, else as Go's type descriptors do.

The runtime allocates its goroutines and threads with `new`, and for that their type descriptors are linked into every
executable, with the names of all fields. They say the same as debug info does.
"""

from typing import Protocol

from compiler.binary import Binary
from compiler.dwarf.executable import BadBinary
from compiler.dwarf.rtypes import RuntimeType, RuntimeTypes


class _Source(Protocol):
    """One struct by either source."""

    size: int

    def optional(self, *path: str) -> int | None: ...


class Layout:
    """Field offsets of one of the runtime's structs; BadBinary where the binary does not tell one that is needed."""

    def __init__(self, binary: Binary, name: str) -> None:
        self._binary, self._name = binary, name
        self._source: _Source = _described(binary, name) if binary.no_debug_info else _debug_info(binary, name)
        self.size = self._source.size
        """Bytes of the struct."""

    def optional(self, *path: str) -> int | None:
        """The offset of a field (of a field ...); None where this Go version has none of the name."""
        return self._source.optional(*path)

    def at(self, *path: str) -> int:
        """The same of a field that every Go version has."""
        found = self.optional(*path)
        if found is None:
            raise lacking(self._binary, f"field {self._name}.{'.'.join(path)}")
        return found


def lacking(binary: Binary, what: str) -> BadBinary:
    """The error for something of the runtime that the binary does not tell."""
    source = "type descriptors and code lack" if binary.no_debug_info else "debug info lacks"
    return BadBinary(
        f"its {source} the runtime's {what} ({binary.go_version})",
        where=str(binary.executable.path),
        remedy="Go 1.21 to 1.27 are supported",
    )


def _debug_info(binary: Binary, name: str) -> "_DebugInfoStruct":
    found = binary.index.types.get(name)
    if not found:
        raise lacking(binary, f"type {name}")
    return _DebugInfoStruct(binary, found[0])


class _DebugInfoStruct:
    def __init__(self, binary: Binary, offset: int) -> None:
        self._types, self._offset = binary.types, offset
        self.size = binary.types.size(offset)

    def optional(self, *path: str) -> int | None:
        offset, at = self._offset, 0
        for name in path:
            member = self._types.member(offset, name)
            if member is None:
                return None
            offset, at = member.type, at + member.offset
        return at


def _described(binary: Binary, name: str) -> "_DescribedStruct":
    types = binary.module.types
    found = list(types.structs(name))
    if len(found) != 1:
        raise lacking(binary, f"type {name}")
    return _DescribedStruct(types, found[0])


class _DescribedStruct:
    def __init__(self, types: RuntimeTypes, described: RuntimeType) -> None:
        self._types, self._described = types, described
        self.size = types.size(described)

    def optional(self, *path: str) -> int | None:
        described, at = self._described, 0
        for name in path:
            field = next((each for each in self._types.fields(described) if each.name == name), None)
            if field is None:
                return None
            described, at = field.type, at + field.offset
        return at
