"""runtime.moduledata: the one record in which a Go executable says where its own parts are, debug info or not.

It is found by its first two words, which point into the function table. What its fields are is told by debug info or, in
a stripped executable, by Go's own type descriptor of it: runtime.modulesinit allocates a []*moduledata, so it is always
linked (go/src/runtime/symtab.go). A type's name is an offset from where moduledata says that the types are, so the
descriptor is found by a field, whose name it points to; by the offsets that it gives, its own name must then read right.
"""

from compiler.dwarf.executable import Executable
from compiler.dwarf.rtypes import RuntimeTypes
from compiler.ir.frozen import frozen

NAME = "runtime.moduledata"
PACKAGE, FIRST_FIELD = "runtime", "pcHeader"


def find_module(executable: Executable, header: int, names: int) -> int | None:
    """Address of runtime.firstmoduledata, by the addresses of the function table's header and names."""
    places = executable.pointers_to(header)
    return next((at for at in places if executable.pointer(at + 8) == names), None)


@frozen
class ModuleData:
    """The record at `address` as its own type descriptor tells it, and the reader of all descriptors."""

    address: int
    offsets: dict[str, int]
    types: RuntimeTypes
    executable: Executable

    def pointer(self, name: str) -> int | None:
        """The link-time pointer in a field; None where this Go version has no such field."""
        return None if name not in self.offsets else self.executable.pointer(self.address + self.offsets[name])

    def within(self, address: int, start: str, end: str) -> bool:
        """Whether an address lies between those of two fields ("bss", "ebss")."""
        lo, hi = self.pointer(start), self.pointer(end)
        return lo is not None and hi is not None and lo <= address < hi


def read_module(executable: Executable, address: int) -> ModuleData | None:
    """The module at `address`, told by its own type descriptor; None where there is none."""
    for described in RuntimeTypes(executable, 0).with_field(FIRST_FIELD):
        offsets = {field.name: field.offset for field in RuntimeTypes(executable, 0).fields(described)}
        types = RuntimeTypes(executable, executable.pointer(address + offsets.get("types", 0)) or 0)
        if offsets.get(FIRST_FIELD) == 0 and types.is_struct(described, NAME) and types.package(described) == PACKAGE:
            return ModuleData(address, offsets, types, executable)
    return None
