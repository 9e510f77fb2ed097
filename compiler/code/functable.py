"""Go's own table of functions (.gopclntab): where it is, and which functions there are, by number, PC, name and flag.

It is in every Go executable, stripped or not. Layout: go/src/runtime/symtab.go and cmd/link/internal/ld/pcln.go,
Go 1.20 and later (magic 0xfffffff1).
"""

import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from operator import itemgetter

from compiler.code.moduledata import find_module
from compiler.dwarf.executable import BadBinary, Executable
from compiler.dwarf.sections import Section, find_ended

SECTIONS = (".gopclntab", ".data.rel.ro.gopclntab")
SHARED_SECTION = ".data.rel.ro"
MAGIC = 0xFFFFFFF1
OLDER = (0xFFFFFFFB, 0xFFFFFFFA, 0xFFFFFFF0)
"""Of Go 1.2 to 1.19. Any other was made up by an obfuscator (garble), which leaves the rest of the table as it is."""
HEADER = struct.Struct("<IxxBBQQQQQQQQ")
FUNC = struct.Struct("<IiiIIIIIIiBBxB")
NAME_AT, ID_AT = 4, 40
"""In a FUNC: where its name is; its FuncID, and the flags behind it."""

ModuleField = Callable[[int, str], int | None]
"""(address of a runtime.moduledata, field) -> offset of the field; None where that is not known."""


class FunctionTable:
    """The functions of one executable."""

    def __init__(self, executable: Executable, module_field: ModuleField) -> None:
        """`module_field` tells the offset of a field of the moduledata at an address; it is asked where no symbol tells."""
        self._executable, self._module_field = executable, module_field
        found = next(_tables(executable), None)
        if found is None:
            if executable.section_address(".text") is not None and executable.mapped(".text") is None:
                raise self._bad("it is a debug file (objcopy --only-keep-debug), whose code is elsewhere")
            raise self._bad("it has no Go function table (.gopclntab)")
        section, offset, self._address = found
        address, data, start = self._address, section.buffer, section.start + offset
        self._data = data
        magic, self._quantum, pointer_size, count, _, _, *offsets = HEADER.unpack_from(data, start)
        self.count = int(count)
        self._names_address = address + offsets[0]
        if (magic != MAGIC and not self._is_made_up(magic)) or pointer_size != 8:
            raise self._bad(f"its Go function table has magic {magic:#x}; Go 1.20 and later are supported")
        self._names, self._units, self._files, self._pctab, self._functions = (start + each for each in offsets)
        rows = data[self._functions : self._functions + 8 * self.count + 4]
        if self.count < 1 or len(rows) < 8 * self.count + 4:
            raise self._bad("its Go function table is cut")
        words = array("I", rows[: 8 * self.count])
        self._entries, self._offsets = words[0::2].tolist(), words[1::2]  # a list is quicker to search
        if self._functions + max(self._offsets) + FUNC.size > len(data):
            raise self._bad("its Go function table is damaged: a function is described behind its end")
        self._end = int.from_bytes(rows[-4:], "little")
        self.text = self._text_start()
        self._gofunc = self._find_gofunc()

    def _is_made_up(self, magic: int) -> bool:
        """Whether an obfuscator put this mark at the beginning of a table that the moduledata has as it is."""
        return magic not in OLDER and find_module(self._executable, self._address, self._names_address) is not None

    def _bad(self, what: str) -> BadBinary:
        return BadBinary(
            what, where=str(self._executable.path), remedy="name a Go executable built with Go 1.20 or later"
        )

    @property
    def text_end(self) -> int:
        """Link-time address after the last function."""
        return self.text + self._end

    # ------------------------------------------------------------ where things are

    @cached_property
    def module(self) -> int | None:
        """Address of runtime.firstmoduledata."""
        symbol = self._executable.symbol("runtime.firstmoduledata")
        if symbol is not None:
            return symbol[0]
        return find_module(self._executable, self._address, self._names_address)

    def _in_module(self, field: str) -> int | None:
        """The link-time pointer in a field of the moduledata."""
        offset = None if self.module is None else self._module_field(self.module, field)
        return None if self.module is None or offset is None else self._executable.pointer(self.module + offset)

    def _text_start(self) -> int:
        symbol = self._executable.symbol("runtime.text")
        found = symbol[0] if symbol is not None else self._in_module("text")
        if not found:
            raise self._bad("where its Go code begins is not known")
        return found

    def _find_gofunc(self) -> int | None:
        symbol = self._executable.symbol("go:func.*")
        return symbol[0] if symbol is not None else self._in_module("gofunc")

    # ------------------------------------------------------------ functions

    def index_of(self, pc: int) -> int | None:
        """The number of the function that contains `pc`."""
        offset = pc - self.text
        if not 0 <= offset < self._end:
            return None
        index = bisect_right(self._entries, offset) - 1
        return index if index >= 0 else None

    def _func(self, index: int) -> tuple[int, ...]:
        return FUNC.unpack_from(self._data, self._functions + self._offsets[index])

    def _text_at(self, at: int) -> str:
        end = self._data.find(b"\0", at)
        if end < 0:
            raise ValueError("a name without an end in its Go function table")
        return self._data[at:end].decode("utf-8", "replace")

    def _shown(self, at: int) -> str:
        """The same to be shown; "?" of a damaged table, as tracebacks have it."""
        try:
            return self._text_at(at)
        except ValueError:
            return "?"

    def name_at(self, index: int) -> str:
        """The linked name of function number `index`."""
        return self._text_at(self._names + self._func(index)[1])

    @lru_cache(maxsize=1)  # noqa: B019 - one table an executable, as long as the executable
    def functions(self) -> dict[str, list[tuple[int, int]]]:
        """Linked name to [lo, hi) link-time PCs of each function of that name."""
        found: dict[str, list[tuple[int, int]]] = {}
        ends = [*self._entries[1:], self._end]
        for index, (entry, end) in enumerate(zip(self._entries, ends, strict=True)):
            found.setdefault(self.name_at(index), []).append((self.text + entry, self.text + end))
        return found

    def named(self, name: str) -> list[tuple[int, int]]:
        """[lo, hi) link-time PCs of each function of one linked name; nothing is read of the others."""
        places = find_ended(self._data, b"\0" + name.encode(), self._names - 1, self._units)
        return sorted(self._range(number) for at in places for number in self._named_at(at + 1 - self._names))

    def _named_at(self, offset: int) -> Iterator[int]:
        """The numbers of the functions whose name begins at an offset from the beginning of all names."""
        word = offset.to_bytes(4, "little")
        for number in _numbers(self._columns[0], word[:1]):
            at = self._functions + self._offsets[number] + NAME_AT
            if self._data[at : at + 4] == word:
                yield number

    def _range(self, number: int) -> tuple[int, int]:
        """[lo, hi) link-time PCs of a function."""
        end = self._entries[number + 1] if number + 1 < self.count else self._end
        return self.text + self._entries[number], self.text + end

    @cached_property
    def _columns(self) -> tuple[bytes, bytes, bytes]:
        """Of every function by its number: the lowest byte of where its name is, its FuncID, its flags."""
        pick = itemgetter(*self._offsets, self._offsets[0])  # of one alone it would give no tuple
        columns = []
        with memoryview(self._data) as data:  # hundreds of thousands of records: one call for a byte of all
            for at in (NAME_AT, ID_AT, ID_AT + 1):
                with data[self._functions + at :] as rest:
                    columns.append(bytes(pick(rest)[:-1]))
        names, ids, flags = columns
        return names, ids, flags

    def names(self) -> list[bytes]:
        """Linked names of all functions, also of those that were inlined wherever they are called."""
        table = self._data[self._names : self._units]
        return [name for name in table.split(b"\0") if name]

    def name_offset(self, name: str) -> int | None:
        """Where the table keeps a linked name, from the beginning of all names; None for one that it does not have."""
        start = self._names
        at = next(find_ended(self._data, b"\0" + name.encode(), start - 1, self._units), None)
        return None if at is None else at + 1 - start

    def is_wrapper(self, pc: int) -> bool:
        """Whether `pc` is in a function that the compiler made around another, which tracebacks leave out."""
        index = self.index_of(pc)
        return index is not None and self._func(index)[10] == self._wrapper_id

    @cached_property
    def _wrapper_id(self) -> int:
        """FuncIDWrapper is the last function id, whatever its number in this Go version (internal/abi/symtab.go)."""
        return max(set(self._columns[1]))

    def flagged(self, flag: int) -> list[tuple[int, int]]:
        """[lo, hi) link-time PCs of the functions that carry a flag (internal/abi/symtab.go, FuncFlag)."""
        flags = self._columns[2]
        wanted = bytes(each for each in set(flags) if each & flag)
        return [(lo, hi) for lo, hi in map(self._range, _numbers(flags, wanted)) if lo < hi]

    def _extra(self, index: int, position: int) -> int:
        """A word behind a function's _func record: its PCDATA table offsets, then its FUNCDATA offsets."""
        at = self._functions + self._offsets[index] + FUNC.size + 4 * position
        return int.from_bytes(self._data[at : at + 4], "little")


def _numbers(column: bytes, wanted: bytes) -> Iterator[int]:
    """The numbers of the functions that have one of these bytes in a column, ascending."""
    if wanted:
        yield from (match.start() for match in re.finditer(b"[" + re.escape(wanted) + b"]", column, re.DOTALL))


def is_obfuscated(executable: Executable) -> bool:
    """Whether an obfuscator made its names up, and the mark at the beginning of its function table, too."""
    found = next(_tables(executable), None)
    if found is None:
        return False
    section, offset, _ = found
    return int.from_bytes(section.view[offset : offset + 4], "little") not in (MAGIC, *OLDER)


def _tables(executable: Executable) -> Iterator[tuple[Section, int, int]]:
    """(section, offset in it, address) of the function table: a section of its own, but in what an external linker made of
    Go up to 1.22 or so and -buildmode=pie, which puts it among other data. There it is known by its header, and by the
    moduledata that points to that."""
    for name in SECTIONS:
        section, address = executable.mapped(name), executable.section_address(name)
        if section is not None and address is not None and section.size >= HEADER.size:
            yield section, 0, address
            return
    section, address = executable.mapped(SHARED_SECTION), executable.section_address(SHARED_SECTION)
    if section is None or address is None:
        return
    for at in section.find(MAGIC.to_bytes(4, "little") + bytes(2)):
        if at % 8 == 0 and at + HEADER.size <= section.size:
            names = HEADER.unpack_from(section.view, at)[6]
            if find_module(executable, address + at, address + at + names) is not None:
                yield section, at, address + at
