"""One Go executable with all its readers: the index is built on first use, everything else as it is asked for."""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache, partial
from pathlib import Path

from compiler.code.arginfo import Arguments
from compiler.code.functable import is_obfuscated
from compiler.code.itabs import implementers
from compiler.code.moduledata import NAME as MODULE_DATA
from compiler.code.moduledata import ModuleData, read_module
from compiler.code.pclntab import Pclntab
from compiler.code.stackmaps import StackMaps
from compiler.code.stackobjects import StackObjects
from compiler.code.sunk import decoded
from compiler.code.x86 import Step
from compiler.dwarf.constants import Constant, constants_of
from compiler.dwarf.debugfile import DebugFiles
from compiler.dwarf.dictionaries import Dictionaries
from compiler.dwarf.executable import SYMBOL, BadBinary, Executable
from compiler.dwarf.functions import Functions, Variable
from compiler.dwarf.gotypes import GoTypes
from compiler.dwarf.index import Index, Indexes
from compiler.dwarf.locations import Known, PlaceFinder, read_locations
from compiler.dwarf.table import Table
from compiler.dwarf.units import DebugInfo, number
from compiler.ir.program import AtAddress
from compiler.naming.names import FunctionNames
from compiler.naming.shapes import Shapes
from compiler.stripped import StrippedFunctions

MAX_DECODED = 64
"""Functions of which is kept what their instructions are."""
MAX_PLACES = 1 << 14
"""Variables of which is kept where they are."""
SHARED = "no Go runtime of its own (linked with -linkshared): it cannot be captured; build it without -linkshared"


def _c_string(section: bytes) -> str:
    return section.partition(b"\0")[0].decode("utf-8", "replace")


class Binary:
    """A Go executable opened for compiling; close it, or use it as a context manager."""

    def __init__(
        self, file: Path | Executable, indexes: Indexes | None = None, debug_files: DebugFiles | None = None
    ) -> None:
        """`file`: a path, or what has been opened already, with whatever debug files it needs."""
        self.executable = file if isinstance(file, Executable) else Executable(file, debug_files)
        self._indexes = indexes

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
        """Its debug info; without units where it was stripped."""
        return DebugInfo(self.executable)

    @cached_property
    def no_debug_info(self) -> str | None:
        """Why nothing is known of its variables; None where it has Go debug info."""
        with self.executable.reading_debug_info():
            has_go = self.info.has_go
        if has_go:
            return None
        if self._runtime_elsewhere:
            return SHARED
        if is_obfuscated(self.executable):
            what = "no debug info, and made up names of functions, as garble leaves them: stacks only, by these names"
            return f"{what}; garble reverse translates them, and building without garble tells all"
        if self.executable.section_address(".zdebug_info") is not None:
            what = "its debug info is compressed in the old way (.zdebug_info): stacks only"
            return f"{what}; unpack it with: objcopy --decompress-debug-sections"
        link = self.executable.section(".gnu_debuglink")
        moved = f" (moved to {_c_string(link)})" if link else " (stripped, or linked with -ldflags=-w)"
        return f"no debug info{moved}: stacks only; give the file that has it (--debug), or build without -s and -w"

    @cached_property
    def _runtime_elsewhere(self) -> bool:
        """Whether it takes the functions of Go's runtime from a shared library."""
        symbols, names = self.executable.section(".dynsym") or b"", self.executable.section(".dynstr") or b""
        whole = symbols[: len(symbols) // SYMBOL.size * SYMBOL.size]
        undefined = [name for name, _, _, section, _, _ in SYMBOL.iter_unpack(whole) if not section]
        return any(names.startswith(b"runtime.", name) for name in undefined)

    @cached_property
    def index(self) -> Index:
        """The names in its debug info; without any, its functions' names alone."""
        if not self.no_debug_info:
            with self.executable.reading_debug_info():
                return Index(self.info, self._indexes)
        table = Table(self.info.section)
        table.functions.odd = [(name, 0) for name in self.pclntab.names()]
        return Index(self.info, table=table)

    @property
    def index_ms(self) -> float:
        """How long reading the names in its debug info took so far."""
        return self.index.took_ms if "index" in vars(self) else 0.0

    @cached_property
    def types(self) -> GoTypes:
        """Its type DIEs."""
        return GoTypes(self.info)

    @cached_property
    def constants(self) -> Callable[[int], tuple[Constant, ...]]:
        """The constants of the type at an offset; each type is looked for once."""
        return lru_cache(maxsize=None)(partial(constants_of, self.info))

    @cached_property
    def functions(self) -> Functions | StrippedFunctions:
        """Its functions and their copies."""
        if self.no_debug_info:
            return self.stripped_functions
        dictionaries = Dictionaries(self.executable, self.index, self.types)
        return Functions(self.info, self.index, dictionaries, lambda pc: self.pclntab.index_of(pc) is not None)

    @cached_property
    def stripped_functions(self) -> StrippedFunctions:
        """The same by Go's own function table, whether it has debug info or not."""
        return StrippedFunctions(self.executable, self.pclntab)

    @cached_property
    def names(self) -> FunctionNames:
        """Its functions by the names that a spec writes."""
        return FunctionNames(self.index, self.functions, Shapes(self.index, self.types))

    @cached_property
    def pclntab(self) -> Pclntab:
        """Its function table."""
        return Pclntab(self.executable, self._module_field)

    def _module_field(self, address: int, name: str) -> int | None:
        """The offset of a field of the moduledata at an address."""
        if self.no_debug_info:
            module = self._described_module(address)
            return None if module is None else module.offsets.get(name)
        found = self.index.types.get(MODULE_DATA)
        member = self.types.member(found[0], name) if found else None
        return None if member is None else member.offset

    @cached_property
    def _described_module(self) -> Callable[[int], ModuleData | None]:
        return lru_cache(maxsize=1)(partial(read_module, self.executable))

    @cached_property
    def module(self) -> ModuleData:
        """Its moduledata as its own type descriptor tells it; BadBinary where that is not to be found."""
        address = self.pclntab.module
        module = None if address is None else self._described_module(address)
        if module is None and self._runtime_elsewhere:
            raise BadBinary(f"it has {SHARED}", where=str(self.executable.path))
        if module is None:
            raise BadBinary(
                "it has no debug info, and Go's own tables of types were not found in it",
                where=str(self.executable.path),
                remedy="build it without -s and -w",
            )
        return module

    @cached_property
    def implementers(self) -> Mapping[int, tuple[int, ...]]:
        """The types that its code converts to each interface, both by the offset of their runtime types."""
        module = self.pclntab.module
        types = None if module is None else self._module_field(module, "types")
        if module is None or types is None:
            return {}

        def field(name: str) -> int | None:
            offset = self._module_field(module, name)
            return None if offset is None else module + offset

        return implementers(self.executable, field, self.executable.pointer(module + types) or 0)

    @cached_property
    def places(self) -> Callable[[Variable], PlaceFinder]:
        """Where debug info says that a variable is, by PC; read once of each."""
        kept = lru_cache(maxsize=MAX_PLACES)(self._find_places)

        def places(variable: Variable) -> PlaceFinder:
            returned = variable.result and not variable.inlined and not variable.escaped
            return kept(variable.die.offset, variable.type, returned)

        return places

    def _find_places(self, offset: int, type_offset: int, returned: bool) -> PlaceFinder:
        """`returned`: it is a result, which is in memory where the function defers calls, for these to see."""
        shape, objects = self.types.shape(type_offset), self.stack_objects

        def in_memory(pc: int, slot: int) -> bool:
            return objects.is_one(pc, slot, shape.size) or (returned and self.pclntab.defer_return(pc) is not None)

        return PlaceFinder(read_locations(self.info, self.info.die(offset), shape, in_memory))

    @cached_property
    def steps(self) -> Callable[[int], Mapping[int, Step]]:
        """The instructions by PC of the function around an address, inlined calls and all; none of a very large one."""
        return lru_cache(maxsize=MAX_DECODED)(self._decode)

    def _decode(self, address: int) -> Mapping[int, Step]:
        entry, end = self.pclntab.entry(address), self.pclntab.code_end(address)
        return decoded(self.executable, entry, end) if entry is not None else {}

    @cached_property
    def stack_maps(self) -> StackMaps:
        """Its stack maps."""
        return StackMaps(self.executable, self.pclntab, self.types)

    @cached_property
    def stack_objects(self) -> StackObjects:
        """Which of its variables on the stack are used by their addresses."""
        return StackObjects(self.executable, self.pclntab)

    @cached_property
    def arguments(self) -> Arguments:
        """Where its functions' arguments are kept."""
        return Arguments(self.executable, self.pclntab, self.types)

    def global_at(self, name: str) -> tuple[int, int] | None:
        """(link-time address, type) of a package variable, "runtime.allglen"."""
        for offset in self.index.globals.get(name, []):
            die = self.info.die(offset)
            type_offset = number(die, "DW_AT_type")
            if type_offset is None:
                continue
            ranges = read_locations(self.info, die, self.types.shape(type_offset)).ranges
            for each in ranges:
                match each.location:
                    case Known(pieces=(AtAddress(address=address), *_)):
                        return address, type_offset
                    case _:
                        continue
        return None
