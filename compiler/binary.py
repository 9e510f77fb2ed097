"""One Go executable with all its readers: the index is built on first use, everything else as it is asked for."""

import time
from functools import cached_property
from pathlib import Path

from compiler.arginfo import Arguments
from compiler.dwarf.executable import BROKEN, BadBinary, Executable
from compiler.dwarf.functions import Functions
from compiler.dwarf.gotypes import GoTypes
from compiler.dwarf.index import Index, build_index
from compiler.dwarf.locations import Known, read_locations
from compiler.dwarf.units import DebugInfo
from compiler.ir.program import AtAddress
from compiler.names import FunctionNames
from compiler.pclntab import Pclntab
from compiler.shapes import Shapes
from compiler.stackmaps import StackMaps


class Binary:
    """A Go executable opened for compiling; close it, or use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self.executable = Executable(path)
        self.index_ms = 0.0
        """How long building the index took; 0 until it was needed."""

    def __enter__(self) -> "Binary":
        return self

    def __exit__(self, *_: object) -> None:
        self.executable.close()

    @property
    def build_id(self) -> str:
        """Its identity, as the agent reads it too."""
        return self.executable.identity.build_id

    @property
    def go_version(self) -> str:
        """Such as "go1.27.3"."""
        return self.executable.identity.go_version or "unknown"

    @cached_property
    def info(self) -> DebugInfo:
        """Its debug info; BadBinary where it was stripped."""
        return DebugInfo(self.executable)

    @cached_property
    def index(self) -> Index:
        """The names in it."""
        began = time.perf_counter()
        try:
            index = build_index(self.info)
        except BROKEN as error:
            where = str(self.executable.path)
            raise BadBinary(f"its debug info is damaged: {error}", where=where, remedy="build it again") from None
        self.index_ms = (time.perf_counter() - began) * 1e3
        return index

    @cached_property
    def types(self) -> GoTypes:
        """Its type DIEs."""
        return GoTypes(self.info)

    @cached_property
    def functions(self) -> Functions:
        """Its function DIEs."""
        return Functions(self.info, self.index)

    @cached_property
    def names(self) -> FunctionNames:
        """Its functions by the names that a spec writes."""
        return FunctionNames(self.index, self.functions, Shapes(self.index, self.types))

    @cached_property
    def pclntab(self) -> Pclntab:
        """Its function table."""
        module = self.index.types.get("runtime.moduledata")
        gofunc = None if module is None else self.types.member(module[0], "gofunc")
        return Pclntab(self.executable, gofunc_offset=None if gofunc is None else gofunc.offset)

    @cached_property
    def stack_maps(self) -> StackMaps:
        """Its stack maps."""
        return StackMaps(self.executable, self.pclntab, self.types)

    @cached_property
    def arguments(self) -> Arguments:
        """Where its functions' arguments are kept."""
        return Arguments(self.executable, self.pclntab, self.types)

    def global_at(self, name: str) -> tuple[int, int] | None:
        """(link-time address, type) of a package variable, "runtime.allglen"."""
        for offset in self.index.globals.get(name, []):
            die = self.info.die(offset)
            type_offset = die.attributes.get("DW_AT_type")
            if type_offset is None:
                continue
            ranges = read_locations(self.info, die, self.types.shape(type_offset.value)).ranges
            for each in ranges:
                match each.location:
                    case Known(pieces=(AtAddress(address=address), *_)):
                        return address, type_offset.value
                    case _:
                        continue
        return None
