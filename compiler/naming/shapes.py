"""Which compiled shape of a generic function a type argument of the source is part of.

Go compiles a generic function once for each *shape* of its type arguments: for their underlying types, and for all
pointers alike where the constraint has no methods or types of its own that say otherwise. See shapify in
go/src/cmd/compile/internal/noder/reader.go. The shape's name is that of the underlying type, behind `go.shape.`.
"""

import re

from compiler.dwarf.gotypes import (
    KIND_ARRAY,
    KIND_POINTER,
    KIND_STRING,
    KIND_STRUCT,
    KIND_UNSAFE_POINTER,
    SHAPE,
    GoTypes,
    printed_type,
)
from compiler.dwarf.index import Index
from compiler.dwarf.linked import unescaped

ANY_POINTER = "*uint8"
"""The shape of every pointer, where the constraint allows it."""
ALIASES = {"any": "interface {}", "byte": "uint8", "rune": "int32"}
ALIAS = re.compile(r"(?<![\w.])(any|byte|rune)(?![\w.])")
BASIC = (
    "", "bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr",
    "float32", "float64", "complex64", "complex128",
)  # fmt: skip
"""By reflect.Kind."""


class Shapes:
    """Compares type arguments in one binary."""

    def __init__(self, index: Index, types: GoTypes) -> None:
        self._index, self._types = index, types
        self._named: dict[str, tuple[int, ...]] = {}

    def is_shape_of(self, shape: str, written: str) -> bool:
        """Whether the function that was compiled for `shape` ("go.shape.int") serves the type argument `written` ("main.ID").

        Named function, interface and channel types are told apart by their kind only: then it may serve others too.
        """
        linked, wanted = spelt(shape), spelt(written)
        if self._is(shape, wanted):
            return True
        if wanted.startswith("*"):
            return linked == ANY_POINTER
        return any(self._is_underlying(linked, shape, offset) for offset in self._find(wanted))

    def _find(self, written: str) -> tuple[int, ...]:
        """Types by the names that `_is` says."""
        if written not in self._named:
            ending = written.rpartition("/")[2].rpartition(".")[2]
            self._named[written] = tuple(
                offsets[0]
                for name, offsets in self._index.types.items()
                if name.endswith(ending) and self._is(name, written)
            )
        return self._named[written]

    def _is(self, linked: str, written: str) -> bool:
        """Whether a type may be written so: by its full name, as Go prints it, or by the last element of its package's path."""
        full = spelt(linked)
        return written in (full, printed_type(full)) or spelt(self._types.printed_name(linked)) == written

    def _is_underlying(self, linked: str, shape: str, offset: int) -> bool:
        """By the shape's own description where there is one (long names of shapes are hashed), else by its name."""
        described = self._index.types.get(shape, [])
        if described:
            return any(self._structure(each) == self._structure(offset) for each in described)
        kind = self._types.kind(offset)
        return linked == self._underlying(offset) or (kind == KIND_POINTER and linked == ANY_POINTER)

    def _structure(self, offset: int) -> tuple[object, ...]:
        """What two types have in common if and only if their underlying types are one, as far as debug info tells."""
        types, kind = self._types, self._types.kind(offset)
        if kind == KIND_STRUCT:
            members = types.members(offset)
            return kind, *((m.name, m.offset, spelt(types.name(m.type)), m.embedded) for m in members)
        parts = [types.elem(offset), types.key(offset)]
        count = 0
        if kind == KIND_ARRAY:
            item, count = types.array(offset)
            parts = [item]
        elif kind == KIND_POINTER:
            parts = [types.pointee(offset)]
        return kind, count, *(None if part is None else spelt(types.name(part)) for part in parts)

    def _underlying(self, offset: int) -> str | None:
        """The name of the underlying type, of those that the linker leaves without a description of their shape."""
        kind = self._types.kind(offset)
        if 0 < kind < len(BASIC):
            return BASIC[kind]
        return {KIND_STRING: "string", KIND_UNSAFE_POINTER: "unsafe.Pointer"}.get(kind)


def spelt(name: str) -> str:
    """A type's name with one spelling for one type: aliases and shapes by what they stand for, paths as they are imported."""
    text = " ".join(unescaped(name).replace(SHAPE, "").split()).replace("interface{}", "interface {}")
    return ALIAS.sub(lambda match: ALIASES[match[1]], text)
