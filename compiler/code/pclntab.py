"""Go's own table of functions (.gopclntab): from a PC to functions, files, lines, inlined calls and frame sizes.

It is in every Go executable, stripped or not. Layout: go/src/runtime/symtab.go and cmd/link/internal/ld/pcln.go,
Go 1.20 and later (magic 0xfffffff1). Names are formed as runtime/traceback.go prints them.
"""

import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, lru_cache
from itertools import compress
from operator import itemgetter

from compiler.code.moduledata import find_module
from compiler.dwarf.columns import column, numbers_of
from compiler.dwarf.executable import BadBinary, Executable
from compiler.dwarf.sections import Buffer, Section, find_ended
from compiler.ir.symbols import SymbolFrame

SECTIONS = (".gopclntab", ".data.rel.ro.gopclntab")
SHARED_SECTION = ".data.rel.ro"
MAGIC = 0xFFFFFFF1
OLDER = (0xFFFFFFFB, 0xFFFFFFFA, 0xFFFFFFF0)
"""Of Go 1.2 to 1.19. Any other was made up by an obfuscator (garble), which leaves the rest of the table as it is."""
HEADER = struct.Struct("<IxxBBQQQQQQQQ")
FUNC = struct.Struct("<IiiIIIIIIiBBxB")
NAME_AT, ID_AT = 4, 40
"""In a FUNC: where its name is; its FuncID, and the flags behind it."""
INLINED_CALL = struct.Struct("<Bxxxiii")
PCDATA_STACK_MAP_INDEX = 1
PCDATA_INLINE_INDEX = 2
FUNCDATA_ARGS_POINTERS, FUNCDATA_LOCALS_POINTERS = 0, 1
FUNCDATA_INLINE_TREE = 3
NONE = 0xFFFFFFFF
MAX_INLINE_DEPTH = 256


def printed_name(name: str) -> str:
    """A function's name as Go's traceback prints it (funcNameForPrint in runtime/traceback.go)."""
    if name == "runtime.gopanic":
        return "panic"
    start, end = name.find("["), name.rfind("]")
    return name if start < 0 or end <= start else name[:start] + "[...]" + name[end + 1 :]


ModuleField = Callable[[int, str], int | None]
"""(address of a runtime.moduledata, field) -> offset of the field; None where that is not known."""


class Pclntab:
    """The function table of one executable; implements compiler.ir.symbols.Symbols for link-time PCs."""

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
        self._values = lru_cache(maxsize=65536)(self._decode_values)
        self._stack_maps = lru_cache(maxsize=4096)(self._find_stack_maps)
        self._inline_trees = lru_cache(maxsize=4096)(self._find_inline_tree)
        self._inlined_call = lru_cache(maxsize=65536)(self._read_inlined_call)
        self._running = lru_cache(maxsize=65536)(self._find_running)

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

    def _index(self, pc: int) -> int | None:
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
        numbers = [number for at in places for number in numbers_of(at + 1 - self._names, self._name_offsets)]
        ends = (self._entries[number + 1] if number + 1 < self.count else self._end for number in numbers)
        return sorted((self.text + self._entries[n], self.text + end) for n, end in zip(numbers, ends, strict=True))

    @property
    def _name_offsets(self) -> bytes:
        """Of every function by its number, a word: where its name is."""
        return self._columns[0]

    @property
    def _ids_and_flags(self) -> tuple[int, ...]:
        """Of every function by its number: its FuncID in the lowest byte, its flags in the next."""
        return self._columns[1]

    @cached_property
    def _columns(self) -> tuple[bytes, tuple[int, ...]]:
        # Hundreds of thousands of records, each at a multiple of its largest field's size: one call for a word of all.
        numbers = [offset >> 2 for offset in self._offsets]
        word = itemgetter(*numbers, numbers[0])  # of one alone it would give no tuple
        size = (len(self._data) - self._functions - ID_AT) & ~3
        with memoryview(self._data) as data:
            columns = []
            for at in (NAME_AT, ID_AT):
                start = self._functions + at
                with data[start : start + size] as rest, rest.cast("I") as words:
                    columns.append(word(words)[:-1])
        names, ids_and_flags = columns
        return column(names), ids_and_flags

    def names(self) -> list[bytes]:
        """Linked names of all functions, also of those that were inlined wherever they are called."""
        table = self._data[self._names : self._units]
        return [name for name in table.split(b"\0") if name]

    def name_offset(self, name: str) -> int | None:
        """Where the table keeps a linked name, from the beginning of all names; None for one that it does not have."""
        start = self._names
        at = next(find_ended(self._data, b"\0" + name.encode(), start - 1, self._units), None)
        return None if at is None else at + 1 - start

    def code_end(self, pc: int) -> int:
        """Where the code of the function around `pc` ends; padding follows before the next."""
        index = self._index(pc)
        if index is None:
            return pc
        tables = self.values(index, "pcsp") or self.values(index, "pcln")
        return max((hi for _, hi, _ in tables), default=pc)

    def is_wrapper(self, pc: int) -> bool:
        """Whether `pc` is in a function that the compiler made around another, which tracebacks leave out."""
        index = self._index(pc)
        return index is not None and self._func(index)[10] == self._wrapper_id

    @cached_property
    def _wrapper_id(self) -> int:
        """FuncIDWrapper is the last function id, whatever its number in this Go version (internal/abi/symtab.go)."""
        return max(each & 0xFF for each in set(self._ids_and_flags))

    def flagged(self, flag: int) -> list[tuple[int, int]]:
        """[lo, hi) link-time PCs of the functions that carry a flag (internal/abi/symtab.go, FuncFlag)."""
        ends = (*self._entries[1:], self._end)
        wanted = {each for each in set(self._ids_and_flags) if each >> 8 & flag}
        found = compress(range(self.count), map(wanted.__contains__, self._ids_and_flags))
        return [(self.text + self._entries[n], self.text + ends[n]) for n in found if self._entries[n] < ends[n]]

    # ------------------------------------------------------------ tables by PC

    def _decode_values(self, table: int, entry: int) -> tuple[list[int], list[int]]:
        """A pc-value table as (ends of its PC ranges, values), PCs link-time. A damaged one ends where the file does."""
        ends: list[int] = []
        values: list[int] = []
        with suppress(IndexError):
            self._read_values(self._pctab + table, entry, ends, values)
        return ends, values

    def _read_values(self, at: int, pc: int, ends: list[int], values: list[int]) -> None:
        data, quantum, value = self._data, self._quantum, -1
        while True:
            delta = data[at]
            if delta == 0 and ends:
                return
            delta, at = (delta, at + 1) if delta < 0x80 else _uvarint(data, at)  # most are of one byte
            value += -((delta + 1) >> 1) if delta & 1 else delta >> 1
            step = data[at]
            step, at = (step, at + 1) if step < 0x80 else _uvarint(data, at)
            pc += step * quantum
            ends.append(pc)
            values.append(value)

    def _value(self, table: int, entry: int, pc: int) -> int:
        if table == 0:
            return -1
        ends, values = self._values(table, entry)
        index = bisect_right(ends, pc)
        return values[index] if index < len(values) else -1

    def values(self, index: int, which: str) -> list[tuple[int, int, int]]:
        """(lo, hi, value) PC ranges of a function's "pcsp" or "pcln" table."""
        func, entry = self._func(index), self.text + self._entries[index]
        table = func[{"pcsp": 4, "pcln": 6}[which]]
        if table == 0:
            return []
        ends, values = self._values(table, entry)
        return list(zip([entry, *ends[:-1]], ends, values, strict=True))

    def index_of(self, pc: int) -> int | None:
        """The number of the function that contains `pc`."""
        return self._index(pc)

    def defer_return(self, pc: int) -> int | None:
        """Where the function around `pc` goes on after a recovered panic; None where it defers nothing."""
        index = self._index(pc)
        offset = 0 if index is None else self._func(index)[3]
        return None if index is None or not offset else self.text + self._entries[index] + offset

    # ------------------------------------------------------------ stack maps

    def stack_map_indexes(self, pc: int) -> list[tuple[int, int, int]]:
        """(lo, hi, number) PC ranges of the function around `pc` and the numbers of their stack maps."""
        return self.pcdata(pc, PCDATA_STACK_MAP_INDEX)

    def stack_map(self, pc: int, *, arguments: bool) -> tuple[int, int] | None:
        """(address of the runtime.stackmap, number of the map in it) for the call at `pc`; None where none is known."""
        index = self._index(pc)
        found = None if index is None else self._stack_maps(index, arguments)
        if index is None or found is None:
            return None
        address, table = found
        number = self._value(table, self.text + self._entries[index], pc)
        return None if number < 0 else (address, number)

    def _find_stack_maps(self, index: int, arguments: bool) -> tuple[int, int] | None:
        """(address of a function's runtime.stackmap, its table of which map holds where)."""
        func = self._func(index)
        wanted = FUNCDATA_ARGS_POINTERS if arguments else FUNCDATA_LOCALS_POINTERS
        if self._gofunc is None or func[7] <= PCDATA_STACK_MAP_INDEX or func[12] <= wanted:
            return None
        offset = self._extra(index, func[7] + wanted)
        return None if offset == NONE else (self._gofunc + offset, self._extra(index, PCDATA_STACK_MAP_INDEX))

    # ------------------------------------------------------------ arguments

    def funcdata(self, pc: int, which: int) -> int | None:
        """Address of one of the tables that go with the function around `pc` (FUNCDATA_ in internal/abi/symtab.go)."""
        index = self._index(pc)
        if index is None or self._gofunc is None:
            return None
        func = self._func(index)
        offset = NONE if func[12] <= which else self._extra(index, func[7] + which)
        return None if offset == NONE else self._gofunc + offset

    def pcdata(self, pc: int, which: int) -> list[tuple[int, int, int]]:
        """(lo, hi, value) PC ranges of one of the tables by PC of the function around `pc` (PCDATA_ in the same file)."""
        index = self._index(pc)
        if index is None or self._func(index)[7] <= which:
            return []
        entry = self.text + self._entries[index]
        table = self._extra(index, which)
        if table == 0:
            return []
        ends, values = self._values(table, entry)
        return list(zip([entry, *ends[:-1]], ends, values, strict=True))

    # ------------------------------------------------------------ Symbols

    def entry(self, pc: int) -> int | None:
        index = self._index(pc)
        return None if index is None else self.text + self._entries[index]

    def frame_size(self, pc: int) -> int | None:
        index = self._index(pc)
        if index is None:
            return None
        size = self._value(self._func(index)[4], self.text + self._entries[index], pc)
        return size if size >= 0 else None

    def function(self, pc: int) -> SymbolFrame | None:
        index = self._index(pc)
        if index is None:
            return None
        func, entry = self._func(index), self.text + self._entries[index]
        name = self._shown(self._names + func[1])
        file, line = self._file_line(func, entry, pc)
        return SymbolFrame(printed_name(name), name, file, line, inlined=False, level=0)

    def frames(self, pc: int) -> tuple[SymbolFrame, ...]:
        index = self._index(pc)
        if index is None:
            return ()
        func, entry = self._func(index), self.text + self._entries[index]
        chain = self._chain(index, pc)
        last = len(chain) - 1
        found = []
        for position, (func_id, name_offset, at) in enumerate(chain):
            if func_id != self._wrapper_id:
                name = self._shown(self._names + name_offset)
                place = self._file_line(func, entry, at)
                found.append(
                    SymbolFrame(printed_name(name), name, *place, inlined=position < last, level=last - position)
                )
        return tuple(found)

    def line(self, pc: int, level: int) -> int:
        """The line that runs at `pc` in the function around it (level 0), or in a call that is inlined there; 0 where no
        such call is."""
        index = self._index(pc)
        return 0 if index is None else self._line(index, self._func(index), pc, level)

    def lines(self, lo: int, hi: int, level: int) -> Iterator[tuple[int, int, int]]:
        """[lo, hi) of a function by its lines, as (lo, hi, line): those that `line` tells."""
        index = self._index(lo)
        if index is None:
            return
        func = self._func(index)
        for start, end, _ in self.values(index, "pcln"):
            first, last = max(start, lo), min(end, hi)
            if first < last:
                yield first, last, self._line(index, func, first, level)

    def inlined(self, lo: int, hi: int) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        """What is inlined in [lo, hi) of a function, as (lo, hi, PCs that it was called from, innermost first)."""
        index = self._index(lo)
        for start, end, number in () if index is None else self.pcdata(lo, PCDATA_INLINE_INDEX):
            first, last = max(start, lo), min(end, hi)
            if number >= 0 and first < last and index is not None:
                yield first, last, tuple(pc for _, _, pc in self._running(index, number)[2])

    def _line(self, index: int, func: tuple[int, ...], pc: int, level: int) -> int:
        func_id, _, around = self._running(index, self._inlined_at(index, pc))
        if level > len(around):
            return 0
        func_id, _, at = around[-1 - level] if level < len(around) else (func_id, 0, pc)
        entry = self.text + self._entries[index]
        in_file = func_id != self._wrapper_id and self._value(func[5], entry, at) >= 0
        return max(self._value(func[6], entry, at), 0) if in_file else 0

    def _chain(self, index: int, pc: int) -> list[tuple[int, int, int]]:
        """(FuncID, offset of the name, PC in it) of the calls inlined at `pc`, innermost first, and of the function itself."""
        func_id, name_offset, around = self._running(index, self._inlined_at(index, pc))
        return [(func_id, name_offset, pc), *around]

    def _inlined_at(self, index: int, pc: int) -> int:
        """Which of the calls inlined in a function runs at `pc`; below 0 for the function itself."""
        tree, table = self._inline_trees(index)
        return -1 if tree is None else self._value(table, self.text + self._entries[index], pc)

    def _find_running(self, index: int, number: int) -> tuple[int, int, tuple[tuple[int, int, int], ...]]:
        """(FuncID, offset of the name, the chain around it) of an inlined call of a function, or of the function itself."""
        func, entry = self._func(index), self.text + self._entries[index]
        tree, _ = self._inline_trees(index)
        chain: list[tuple[int, int, int]] = []
        pc = entry
        for _ in range(MAX_INLINE_DEPTH):
            record = None if number < 0 else self._inlined_call((tree or 0) + number * INLINED_CALL.size)
            if record is None:
                chain.append((func[10], func[1], pc))
                break
            func_id, name_offset, parent_pc, _ = record
            chain.append((func_id, name_offset, pc))
            pc = entry + parent_pc
            number = self._inlined_at(index, pc)
        return *chain[0][:2], tuple(chain[1:])

    def _find_inline_tree(self, index: int) -> tuple[int | None, int]:
        """The address of a function's tree of inlined calls, None where it has none, and its table of which runs where."""
        func = self._func(index)
        data_count, funcdata_count = func[7], func[12]
        if self._gofunc is None or funcdata_count <= FUNCDATA_INLINE_TREE or data_count <= PCDATA_INLINE_INDEX:
            return None, 0
        offset = self._extra(index, data_count + FUNCDATA_INLINE_TREE)
        return (None if offset == NONE else self._gofunc + offset), self._extra(index, PCDATA_INLINE_INDEX)

    def _extra(self, index: int, position: int) -> int:
        """A word behind a function's _func record: its PCDATA table offsets, then its FUNCDATA offsets."""
        at = self._functions + self._offsets[index] + FUNC.size + 4 * position
        return int.from_bytes(self._data[at : at + 4], "little")

    def _read_inlined_call(self, address: int) -> tuple[int, int, int, int] | None:
        record = self._executable.read(address, INLINED_CALL.size)
        return None if record is None else INLINED_CALL.unpack(record)

    def _file_line(self, func: tuple[int, ...], entry: int, pc: int) -> tuple[str, int]:
        file = self._value(func[5], entry, pc)
        line = self._value(func[6], entry, pc)
        if file < 0 or line < 0:
            return "?", 0
        at = self._units + 4 * (func[8] + file)
        offset = int.from_bytes(self._data[at : at + 4], "little")
        return ("?" if offset == NONE else self._shown(self._files + offset)), line


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


def _uvarint(data: Buffer, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
