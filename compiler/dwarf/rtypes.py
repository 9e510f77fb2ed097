"""Go's runtime type descriptors (internal/abi.Type), for types that the linker left out of the debug info.

An interface can hold such a type, and then only its descriptor tells what it is. Offsets as in internal/abi/type.go,
unchanged since Go 1.17 for what is read here.
"""

from collections.abc import Iterator

from compiler.dwarf.executable import Executable
from compiler.ir.frozen import frozen

TFLAG_AT, KIND_AT, NAME_AT, ELEM_AT = 20, 23, 40, 48
ARRAY_LENGTH_AT, FIELDS_AT, METHODS_AT = 64, 56, 56
PACKAGE_AT = 48
FIELD_SIZE = 24
EXTRA_STAR = 1 << 1
EMBEDDED = 1 << 3
KIND_MASK = 31
KIND_STRUCT = 25
DIRECT_INTERFACE = 1 << 5
"""abi.KindDirectIface up to Go 1.25, abi.TFlagDirectIface from 1.26 on; the other byte's bit is unused."""
MAX_FIELDS = 10_000
MAX_NAME = 1 << 16


@frozen
class RuntimeType:
    """A type by its descriptor's link-time address."""

    address: int


@frozen
class RuntimeField:
    """One field of a struct descriptor."""

    name: str
    type: RuntimeType
    offset: int
    embedded: bool


class RuntimeTypes:
    """Reads type descriptors out of an executable's data."""

    def __init__(self, executable: Executable, base: int) -> None:
        self._executable = executable
        self.base = base
        """moduledata.types, link-time."""

    def at(self, offset: int) -> RuntimeType | None:
        """The type whose descriptor is at an offset from moduledata.types; None where there is none."""
        found = RuntimeType(self.base + offset)
        return found if 1 <= self.kind(found) <= 26 and self.name(found) else None

    def kind(self, runtime_type: RuntimeType) -> int:
        """reflect.Kind."""
        return self._number(runtime_type.address + KIND_AT, 1) & KIND_MASK

    def is_direct(self, runtime_type: RuntimeType) -> bool:
        """Whether an interface holds a value of the type in its data word itself."""
        flags = [self._number(runtime_type.address + at, 1) for at in (TFLAG_AT, KIND_AT)]
        return any(each & DIRECT_INTERFACE for each in flags)

    def size(self, runtime_type: RuntimeType) -> int:
        """Bytes of one value."""
        return self._number(runtime_type.address, 8)

    def name(self, runtime_type: RuntimeType) -> str:
        """As reflect prints it: "main.KeepLast"."""
        address = self.base + self._number(runtime_type.address + NAME_AT, 4)
        name = self._text(address)
        star = self._number(runtime_type.address + TFLAG_AT, 1) & EXTRA_STAR
        return name[1:] if star else name

    def elem(self, runtime_type: RuntimeType) -> RuntimeType | None:
        """What a pointer, slice or array is of."""
        pointer = self._executable.pointer(runtime_type.address + ELEM_AT)
        return RuntimeType(pointer) if pointer else None

    def array_length(self, runtime_type: RuntimeType) -> int:
        """The number of an array's elements."""
        return self._number(runtime_type.address + ARRAY_LENGTH_AT, 8)

    def is_empty_interface(self, runtime_type: RuntimeType) -> bool:
        """Whether an interface has no methods."""
        return self._number(runtime_type.address + METHODS_AT + 8, 8) == 0

    def fields(self, runtime_type: RuntimeType) -> tuple[RuntimeField, ...]:
        """A struct's fields, in order."""
        first = self._executable.pointer(runtime_type.address + FIELDS_AT) or 0
        count = self._number(runtime_type.address + FIELDS_AT + 8, 8)
        found = []
        for at in range(first, first + FIELD_SIZE * min(count, MAX_FIELDS), FIELD_SIZE):
            name, kind = self._executable.pointer(at), self._executable.pointer(at + 8)
            if name and kind:
                embedded = bool(self._number(name, 1) & EMBEDDED)
                found.append(RuntimeField(self._text(name), RuntimeType(kind), self._number(at + 16, 8), embedded))
        return tuple(found)

    def structs(self, name: str, *, exported: bool = False) -> Iterator[RuntimeType]:
        """The descriptors of the structs of a name and package ("runtime.g"), with no table of types to ask. `exported`: all
        its fields are, and then its descriptor does not tell its package's path.

        A struct shares its name with the pointer to it (TFlagExtraStar), and refers to it by its offset from the base.
        """
        text, package = b"*" + name.encode(), "" if exported else name.rpartition(".")[0]
        executable = self._executable
        for at in executable.find(bytes([len(text)]) + text, self.base):
            offset = at - 1 - self.base
            if not 0 < offset < 1 << 31:
                continue
            for place in executable.find(offset.to_bytes(4, "little"), self.base):
                found = RuntimeType(place - NAME_AT)
                if self.is_struct(found, name) and self.package(found) == package:
                    yield found

    def with_field(self, name: str) -> Iterator[RuntimeType]:
        """The structs whose first or second field has the name; needs no base, for fields point to their names."""
        executable = self._executable
        for text in executable.find(bytes([len(name)]) + name.encode()):
            for field in executable.pointers_to(text - 1):
                for first in (field, field - FIELD_SIZE):
                    yield from (RuntimeType(at - FIELDS_AT) for at in executable.pointers_to(first))

    def is_struct(self, runtime_type: RuntimeType, name: str) -> bool:
        """Whether there is a struct's descriptor of the name."""
        aligned = runtime_type.address % 8 == 0
        return aligned and self.kind(runtime_type) == KIND_STRUCT and self.name(runtime_type) == name

    def package(self, runtime_type: RuntimeType) -> str:
        """The path of the package that declared a struct's unexported fields."""
        return self._text(self._executable.pointer(runtime_type.address + PACKAGE_AT) or 0)

    def _number(self, address: int, size: int) -> int:
        data = self._executable.read(address, size)
        return 0 if data is None else int.from_bytes(data, "little")

    def _text(self, address: int) -> str:
        """An abi.Name: a byte of flags, the length as uvarint, the text."""
        length = shift = 0
        for at in range(address + 1, address + 4):
            byte = self._number(at, 1)
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                data = self._executable.read(at + 1, min(length, MAX_NAME))
                return "" if data is None else data.decode("utf-8", "replace")
        return ""
