"""A Program as text to be read and compared: names instead of numbers, PCs from their function's entry on, one line a fact.

Whatever the vocabulary gains is printed by its own field names, so that only what a Program says changes a golden.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from elftools.elf.elffile import ELFFile

from compiler.binary import Binary
from compiler.compile import Compiled
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AnyAccess,
    AtAddress,
    AtCfa,
    ByDictionary,
    InRegister,
    Located,
    Missing,
    Place,
    Program,
    Site,
)
from compiler.ir.types import Type

REGISTERS = [
    "rax",
    "rdx",
    "rcx",
    "rbx",
    "rsi",
    "rdi",
    "rbp",
    "rsp",
    "r8",
    "r9",
    "r10",
    "r11",
    "r12",
    "r13",
    "r14",
    "r15",
]
TYPE_FIELDS = frozenset({"type", "elem", "key", "value", "map", "interface", "sought"})
"""Fields of types and steps that hold the number of a type, if they hold a number."""


class Golden:
    """The text of one compiled spec."""

    def __init__(self, compiled: Compiled, binary: Binary) -> None:
        self._compiled, self._binary = compiled, binary
        self._program: Program = compiled.program

    def text(self) -> str:
        """All of it."""
        return (
            "\n".join(
                [*self._runtime(), "", *self._functions(), *self._accesses(), "", *self._types(), "", *self._issues()]
            )
            + "\n"
        )

    # ------------------------------------------------------------ the runtime

    def _runtime(self) -> Iterator[str]:
        runtime = self._program.runtime
        yield f"{self._program.go_version} {self._program.arch}"
        offsets = [(getattr(runtime, f.name), f.name) for f in fields(runtime) if f.name.startswith(("g_", "m_"))]
        yield from (f"runtime {name} {'not there' if value is None else value}" for value, name in offsets)
        for name in ("allglen", "allgptr", "types_base"):
            yield f"runtime {name} at {self._data(getattr(runtime, name))}"
        for name in ("interrupts", "outermost"):
            yield f"runtime {name}: {', '.join(sorted({self._function_at(r.lo)[0] for r in getattr(runtime, name)}))}"
        yield f"runtime frame sizes for system calls: {'some' if runtime.syscall_frames else 'not needed'}"
        yield f"runtime wait reasons: {len(runtime.wait_reasons)}, {', '.join(runtime.wait_reasons[1:4])}, ..."

        yield from self._details()

    def _details(self) -> Iterator[str]:
        details, types = self._program.details, self._program.types
        if details is None:
            yield "details of goroutines: none"
            return
        yield f"labels {'none' if details.labels is None else self._described(types[details.labels])}"
        yield from (f"waiter {self._described(types[each])}" for each in (details.waiter, details.selecting))
        yield f"selects {', '.join(self._program.runtime.wait_reasons[each] for each in details.selects)}"
        yield f"semaphores {', '.join(f'{each.what} +{each.offset}' for each in details.semaphores)}"

    # ------------------------------------------------------------ functions

    def _functions(self) -> Iterator[str]:
        for number, table in enumerate(self._program.tables):
            yield f"function {table.function} -> {table.table}"
            sites = [site for site in self._program.sites if site.function == number]
            for exact in (False, True):
                yield from self._sites([site for site in sites if site.exact is exact], table.columns)
            yield ""

    def _sites(self, sites: list[Site], columns: tuple[str, ...]) -> Iterator[str]:
        """For each copy of the function and each column, where it is from PC to PC; neighbours of one place are one line."""
        by_copy = sorted(sites, key=lambda site: (self._function_at(site.lo)[0], site.level, site.lo))
        for (function, level), found in groupby(by_copy, key=lambda s: (self._function_at(s.lo)[0], s.level)):
            copy = list(found)
            when = "exact PCs" if copy[0].exact else "calls"
            yield f"  {function}{f', inlined at depth {level}' if level else ''}, {when}"
            for position, column in enumerate(columns):
                for lo, hi, place in self._merged([(s.lo, s.hi, s.places[position]) for s in copy]):
                    yield f"    {column} +{lo:#x}-{hi:#x} {self._place(place)}"

    def _merged(self, found: list[tuple[int, int, Place]]) -> Iterator[tuple[int, int, Place]]:
        """PCs from the function's entry."""
        _, entry = self._function_at(found[0][0])
        for _, same in groupby(_chained(found), key=lambda each: each[0]):
            run = [each[1] for each in same]
            yield run[0][0] - entry, run[-1][1] - entry, run[0][2]

    def _function_at(self, pc: int) -> tuple[str, int]:
        found, entry = self._binary.pclntab.function(pc), self._binary.pclntab.entry(pc)
        assert found is not None
        assert entry is not None
        return found.name, entry

    def _place(self, place: Place) -> str:
        match place:
            case Missing(reason=reason, detail=detail):
                return f"absent: {reason}{f' ({detail})' if detail else ''}"
            case Located(access=access, pieces=pieces):
                where = ", ".join(f"{self._piece(piece)} [{piece.at}:{piece.at + piece.size}]" for piece in pieces)
                more = "".join(
                    f"; {f.name} {getattr(place, f.name)}" for f in fields(place)[2:] if getattr(place, f.name)
                )
                return f"{where}{more} -> {self._program.accesses[access].text}"

    def _piece(self, piece: Any) -> str:
        match piece:
            case AtCfa(offset=offset):
                return f"CFA{offset:+#x}"
            case InRegister(number=number) if self._program.arch == "amd64" and number < len(REGISTERS):
                return REGISTERS[number]
            case AtAddress(address=address):
                return self._data(address)
            case _:
                return self._words(piece)

    # ------------------------------------------------------------ data

    @cached_property
    def _symbols(self) -> list[tuple[int, int, str]]:
        """(address, size, name) of everything that is data or code."""
        with self._binary.executable.path.open("rb") as file:
            table: Any = ELFFile(file).get_section_by_name(".symtab")
            found = [(each["st_value"], each["st_size"], each.name) for each in table.iter_symbols()]
        return sorted(each for each in found if each[1])

    def _data(self, address: int) -> str:
        """The package variable that an address lies in."""
        index = bisect_right(self._symbols, (address, 1 << 64, "")) - 1
        start, size, name = self._symbols[index]
        assert start <= address < start + size, hex(address)
        return name if start == address else f"{name}+{address - start:#x}"

    # ------------------------------------------------------------ accesses and types

    def _accesses(self) -> Iterator[str]:
        usual = self._program.limits
        yield f"limits {_limits(usual)}"
        for access in self._program.accesses:
            own = access.limits if isinstance(access, Access) else usual
            limits = "" if own == usual else f", limits {_limits(own)}"
            yield f"access {self._access(access)}{limits}"

    def _access(self, access: AnyAccess) -> str:
        if isinstance(access, ByDictionary):
            chosen = [(self._data(each.dictionary), self._program.accesses[each.access]) for each in access.choices]
            ways = ", ".join(f"{symbol} {self._access(each)}" for symbol, each in chosen)
            return f"{access.text}: {access.root_size} bytes, by the dictionary at {access.at}: {ways}"
        steps = "".join(f" {self._words(step)}" for step in access.steps)
        more = "".join(
            f", {f.name} {self._words(getattr(access, f.name))}" for f in fields(access)[5:] if getattr(access, f.name)
        )
        return f"{access.text}: {access.root_size} bytes{steps} -> {self._type(access.type)}{more}"

    def _types(self) -> Iterator[str]:
        """Those that the spec's own values are made of; what interfaces may hold besides is only named."""
        names = sorted({self._type(each.type) for each in self._program.dynamic_types})
        yield f"interfaces may hold {', '.join(names)}"
        yield from sorted({self._described(self._program.types[number]) for number in self._reached()})

    def _reached(self) -> set[int]:
        reached: set[int] = set()
        waiting = [access.type for access in self._program.accesses if isinstance(access, Access)]
        while waiting:
            number = waiting.pop()
            if number not in reached:
                reached.add(number)
                waiting += _numbers(self._program.types[number])
        return reached

    def _described(self, kind: Type) -> str:
        said = [(name, value) for name, value in _said(kind) if name not in ("name", "size")]
        inner = " ".join(f"{name} {self._field(name, value)}" for name, value in said)
        return f"type {kind.name or '(indirect)'} {type(kind).__name__} of {kind.size} bytes{f': {inner}' if inner else ''}"

    def _type(self, number: int) -> str:
        return self._program.types[number].name or "(indirect)"

    def _field(self, name: str, value: Any) -> str:
        if name in TYPE_FIELDS and type(value) is int:
            return self._type(value)
        if name == "tail" and type(value) is int:
            return self._words(self._program.tails[value])
        return self._words(value)

    def _words(self, value: Any) -> str:
        if is_dataclass(value) and not isinstance(value, type):
            inner = " ".join(f"{name} {self._field(name, each)}" for name, each in _said(value))
            return f"{type(value).__name__}({inner})"
        if isinstance(value, tuple):
            return f"[{'; '.join(map(self._words, value))}]"
        return str(value)

    def _issues(self) -> Iterator[str]:
        for issue in self._compiled.issues:
            near = f"; nearest {', '.join(issue.nearest)}" if issue.nearest else ""
            yield f"issue {issue.item}: {issue.message}{near}"


def _chained(found: list[tuple[int, int, Place]]) -> Iterator[tuple[int, tuple[int, int, Place]]]:
    """Each with the number of its run: ranges that follow each other and have the same place are one run."""
    run, before = 0, None
    for each in found:
        if before is not None and (before[1] != each[0] or before[2] != each[2]):
            run += 1
        yield run, each
        before = each


def _said(value: Any) -> list[tuple[str, Any]]:
    """Names and values of the fields that are not at their default."""
    found = [(each.name, getattr(value, each.name), each.default) for each in fields(value)]
    return [(name, held) for name, held, default in found if held != default]


def _limits(limits: Limits) -> str:
    return ", ".join(f"{name} {value}" for name, value in _said(limits)) or "as they are by default"


def _numbers(value: Any) -> Iterator[int]:
    """The types that a type refers to."""
    for each in fields(value):
        inner = getattr(value, each.name)
        if each.name in TYPE_FIELDS and type(inner) is int:
            yield inner
        elif isinstance(inner, tuple):
            for item in inner:
                if is_dataclass(item):
                    yield from _numbers(item)
