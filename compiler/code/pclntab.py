"""What Go's own table of functions says of a PC: its function, file and line, the calls inlined there, the frame's size.

Also where what the garbage collector and tracebacks ask for is. Names are formed as runtime/traceback.go prints them.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache

from compiler.code.functable import FunctionTable, ModuleField
from compiler.code.pcvalues import PcValues
from compiler.dwarf.executable import Executable
from compiler.dwarf.linked import pieces
from compiler.ir.symbols import SymbolFrame

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
    return "[...]".join(pieces(name)[::2])


class Pclntab(FunctionTable):
    """The function table of one executable, asked by link-time PC; implements compiler.ir.symbols.Symbols."""

    def __init__(self, executable: Executable, module_field: ModuleField) -> None:
        super().__init__(executable, module_field)
        self._tables = PcValues(self._data, self._pctab, self._quantum)
        self._value = self._tables.at
        self._stack_maps = lru_cache(maxsize=4096)(self._find_stack_maps)
        self._inline_trees = lru_cache(maxsize=4096)(self._find_inline_tree)
        self._inlined_call = lru_cache(maxsize=65536)(self._read_inlined_call)
        self._running = lru_cache(maxsize=65536)(self._find_running)
        self._paths = lru_cache(maxsize=65536)(self._find_path)

    def code_end(self, pc: int) -> int:
        """Where the code of the function around `pc` ends; padding follows before the next."""
        index = self.index_of(pc)
        if index is None:
            return pc
        tables = self.values(index, "pcsp") or self.values(index, "pcln")
        return max((hi for _, hi, _ in tables), default=pc)

    # ------------------------------------------------------------ tables by PC

    def values(self, index: int, which: str) -> list[tuple[int, int, int]]:
        """(lo, hi, value) PC ranges of a function's "pcsp" or "pcln" table."""
        table = self._func(index)[{"pcsp": 4, "pcln": 6}[which]]
        return self._tables.ranges(table, self.text + self._entries[index])

    def pcdata(self, pc: int, which: int) -> list[tuple[int, int, int]]:
        """(lo, hi, value) PC ranges of one of the tables by PC of the function around `pc` (PCDATA_ in internal/abi/symtab.go)."""
        index = self.index_of(pc)
        if index is None or self._func(index)[7] <= which:
            return []
        return self._tables.ranges(self._extra(index, which), self.text + self._entries[index])

    def funcdata(self, pc: int, which: int) -> int | None:
        """Address of one of the tables that go with the function around `pc` (FUNCDATA_ in internal/abi/symtab.go)."""
        index = self.index_of(pc)
        if index is None or self._gofunc is None:
            return None
        func = self._func(index)
        offset = NONE if func[12] <= which else self._extra(index, func[7] + which)
        return None if offset == NONE else self._gofunc + offset

    def funcdata_of_all(self, which: int) -> Iterator[tuple[int, int]]:
        """(the first PC, the address of one such table) of every function that has code and the table."""
        if self._gofunc is None:
            return
        for index, (entry, end) in enumerate(zip(self._entries, [*self._entries[1:], self._end], strict=True)):
            func = self._func(index)
            offset = self._extra(index, func[7] + which) if which < func[12] and entry < end else NONE
            if offset != NONE:
                yield self.text + entry, self._gofunc + offset

    def defer_return(self, pc: int) -> int | None:
        """Where the function around `pc` goes on after a recovered panic; None where it defers nothing."""
        index = self.index_of(pc)
        offset = 0 if index is None else self._func(index)[3]
        return None if index is None or not offset else self.text + self._entries[index] + offset

    # ------------------------------------------------------------ stack maps

    def stack_map_indexes(self, pc: int) -> list[tuple[int, int, int]]:
        """(lo, hi, number) PC ranges of the function around `pc` and the numbers of their stack maps."""
        return self.pcdata(pc, PCDATA_STACK_MAP_INDEX)

    def stack_map(self, pc: int, *, arguments: bool) -> tuple[int, int] | None:
        """(address of the runtime.stackmap, number of the map in it) for the call at `pc`; None where none is known."""
        index = self.index_of(pc)
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

    # ------------------------------------------------------------ Symbols

    def entry(self, pc: int) -> int | None:
        index = self.index_of(pc)
        return None if index is None else self.text + self._entries[index]

    def frame_size(self, pc: int) -> int | None:
        index = self.index_of(pc)
        if index is None:
            return None
        size = self._value(self._func(index)[4], self.text + self._entries[index], pc)
        return size if size >= 0 else None

    def function(self, pc: int) -> SymbolFrame | None:
        index = self.index_of(pc)
        if index is None:
            return None
        func, entry = self._func(index), self.text + self._entries[index]
        name = self._shown(self._names + func[1])
        file, line = self._file_line(func, entry, pc)
        return SymbolFrame(printed_name(name), name, file, line, inlined=False, level=0)

    def frames(self, pc: int) -> tuple[SymbolFrame, ...]:
        index = self.index_of(pc)
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
        index = self.index_of(pc)
        return 0 if index is None else self._line(index, self._func(index), pc, level)

    def lines(self, lo: int, hi: int, level: int) -> Iterator[tuple[int, int, int]]:
        """[lo, hi) of a function by its lines, as (lo, hi, line): those that `line` tells."""
        index = self.index_of(lo)
        if index is None:
            return
        func, entry = self._func(index), self.text + self._entries[index]
        for start, end, line in self.values(index, "pcln"):
            first, last = max(start, lo), min(end, hi)
            if first < last:
                own = level == 0 and self._inlined_at(index, first) < 0
                in_file = own and func[10] != self._wrapper_id and self._value(func[5], entry, first) >= 0
                yield first, last, (max(line, 0) if in_file else 0) if own else self._line(index, func, first, level)

    def inlined(self, lo: int, hi: int) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        """What is inlined in [lo, hi) of a function, as (lo, hi, PCs that it was called from, innermost first)."""
        index = self.index_of(lo)
        for start, end, number in () if index is None else self.pcdata(lo, PCDATA_INLINE_INDEX):
            first, last = max(start, lo), min(end, hi)
            if number >= 0 and first < last and index is not None:
                yield first, last, tuple(pc for _, _, pc in self._running(index, number)[2])

    def calls(self, pc: int) -> tuple[tuple[int, str], ...]:
        """The calls that are inlined at `pc`, outermost first: which of its function's, and what it calls by linked name."""
        index = self.index_of(pc)
        number = -1 if index is None else self._inlined_at(index, pc)
        return () if number < 0 or index is None else self._paths(index, number)

    def _find_path(self, index: int, number: int) -> tuple[tuple[int, str], ...]:
        _, name, around = self._running(index, number)
        inner = [(number, name)] if around else []
        outer = [(self._inlined_at(index, at), name_offset) for _, name_offset, at in around[:-1]]
        return tuple((which, self._shown(self._names + offset)) for which, offset in reversed(inner + outer))

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
