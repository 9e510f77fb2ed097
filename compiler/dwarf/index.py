"""The index of a binary's names: functions, types, globals and runtime types to the offsets of their DIEs.

A unit is read when something in it is asked for, by one regular expression an abbreviation table (compiler.dwarf.scanner);
one that the expression does not fit to its last byte is read DIE by DIE. All types are in units of one package, where Go's
linker puts them. What describes a function or global may be in any unit, but it spells the name: so the text is searched,
and the units are read in which the name is. For whoever wants every name, all units are read into one table.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import islice
from typing import Protocol

from compiler.dwarf.executable import BadBinary
from compiler.dwarf.linked import split_name, unescaped
from compiler.dwarf.names import MAX_SOUGHT, Names, Sought
from compiler.dwarf.scanner import GO_RUNTIME_TYPE, Scanned, Scanner, kind_of
from compiler.dwarf.table import Table
from compiler.dwarf.units import DebugInfo, Unit, number

RUNTIME = "runtime"
"""The package to which Go's linker moves all types (movetomodule in cmd/link/internal/ld/dwarf.go)."""
MAX_DIES = 16 << 20
"""Functions, types and globals of one binary (the largest known has 0.6 million); more is damage."""
MAX_ALIKE = 4096
"""Places at which the beginning of several names stands: to look at more takes longer than to look for each name."""
FEW = 16
"""Names of a unit that are compared one by one."""
MAX_SLOW = 4 << 20
"""DIEs that are read one by one: a minute's work."""


class Indexes(Protocol):
    """Where whole tables are kept, by build id, as bytes. What is not kept, or was damaged since, is None."""

    def index(self, build_id: str) -> bytes | None: ...
    def keep_index(self, build_id: str, packed: bytes) -> None: ...


class Index:
    """Names to DIE offsets in .debug_info. A name can have several DIEs (abstract, out of line, wrapper; same-named types)."""

    def __init__(self, info: DebugInfo, indexes: Indexes | None = None, table: Table | None = None) -> None:
        """`table`: all names, where they are known already."""
        self._info, self._indexes, self._given = info, indexes, table
        tables = {} if table is not None else {unit.abbrevs: unit for unit in info.units if info.is_go(unit)}
        self._scanners = {abbrevs: Scanner(info.abbrevs(unit)) for abbrevs, unit in tables.items()}
        self._scanned: dict[int, Scanned | None] = {}
        self._dies = self._slow_dies = 0
        self.took_ms = 0.0
        """How long it took so far to read units."""
        self.functions = Sought(partial(self._find, "function"), lambda: self.whole.functions)
        self.globals = Sought(partial(self._find, "global"), lambda: self.whole.globals)
        if table is None and not tables:
            raise self._bad("its debug info has no unit written by the Go compiler")

    def _bad(self, what: str) -> BadBinary:
        return BadBinary(what, where=str(self._info.executable.path))

    # ------------------------------------------------------------ what is asked for

    @property
    def types(self) -> Names:
        """Its types."""
        return self._with_types.types

    @property
    def runtime_types(self) -> dict[int, int]:
        """Offset from moduledata.types to the type's DIE."""
        return self._with_types.runtime_types

    @cached_property
    def _with_types(self) -> Table:
        """A table that has all types, if not all of the rest."""
        table = Table(self._info.section)
        for unit in self._info.units_of(RUNTIME) if self._searchable else ():
            table.add(self._scan(unit) or Scanned())
        return table if table.types.dies else self.whole

    def subprogram_before(self, offset: int) -> int | None:
        """The last subprogram DIE that begins before an offset in .debug_info, in the same unit."""
        unit = self._info.unit_at(offset)
        found = None if unit is None else self._scan(unit)
        place = 0 if found is None else bisect_right(found.subprograms, offset)
        return found.subprograms[place - 1] if found is not None and place else None

    @cached_property
    def whole(self) -> Table:
        """The table of all units, kept from an earlier run where there was one."""
        if self._given is not None:
            return self._given
        build_id = self._info.executable.identity.build_id
        packed = None if self._indexes is None else self._indexes.index(build_id)
        table = None if packed is None else Table.from_bytes(packed, self._info.section)
        if table is None:
            table = self._read_all()
            if self._indexes is not None:
                self._indexes.keep_index(build_id, table.to_bytes())
        return table

    # ------------------------------------------------------------ names in the text

    def description(self, function: str) -> int | None:
        """One of the DIEs of a function's name, whichever is found soonest; None where there is none."""
        found = self._at_home("function", function.encode("utf-8", "replace")) if self._searchable else set()
        return min(found or self.functions.get(function, []), default=None)

    def expect(self, functions: Iterable[str]) -> None:
        """Look for these functions, of those that begin alike (methods of one type) for all in one go."""
        wanted, stems = set(functions), dict[str, dict[bytes, str]]()
        for name in wanted if self._searchable and len(wanted) <= MAX_SOUGHT else ():
            stems.setdefault("".join(name.rpartition(".")[:2]), {})[name.encode("utf-8", "replace")] = name
        for stem, names in stems.items():
            if stem and len(names) > 1:
                self.functions.learn(self._begin(stem.encode("utf-8", "replace"), names))

    def _begin(self, stem: bytes, names: Mapping[bytes, str]) -> dict[str, list[int]]:
        """The DIEs of functions whose names begin with `stem`; none where that is a beginning of too many."""
        view, longest = self._info.bytes, max(map(len, names)) + 1
        found_at = (at for lo, hi in self._stretches("function") for at in self._info.section.find(stem, lo, hi))
        places = list(islice(found_at, MAX_ALIKE))
        found = {name: set(self._among_few("function", spelt)) for spelt, name in names.items()}
        for at in places if len(places) < MAX_ALIKE else ():
            spelt = bytes(view[at : at + longest]).partition(b"\0")[0]
            if spelt in names:
                found[names[spelt]].update(self._named("function", spelt, at))
        return {name: sorted(dies) for name, dies in found.items() if dies}

    def _find(self, kind: str, name: bytes) -> list[int] | None:
        """The DIEs of a name, by searching the text for it; None where that does not tell."""
        if not self._searchable:
            return None
        # Of a variable there is one DIE; of a function there may be one for each package that it is inlined in.
        own = self._at_home(kind, name) if kind == "global" else set()
        found = (die for lo, hi in self._stretches(kind) for die in self._spelled(kind, name, lo, hi))
        return sorted(own or {*self._among_few(kind, name), *found})

    def _few(self, kind: str, unit: Unit) -> Scanned | None:
        """What was read of the unit, if it has so few names of the kind that to look at them is quicker than a search."""
        scanned = self._scanned.get(unit.start)
        return scanned if scanned is not None and not scanned.slow and len(scanned.names[kind][0]) <= FEW else None

    def _among_few(self, kind: str, name: bytes) -> Iterator[int]:
        """The DIEs of a name in those of the runtime's units that `_stretches` leaves out."""
        few = filter(None, (self._few(kind, unit) for unit in self._info.units_of(RUNTIME)))
        return (die for scanned in few for die in _equal(scanned, kind, name, self._info.bytes))

    def _stretches(self, kind: str) -> list[tuple[int, int]]:
        """The offsets between which names of the kind are searched: functions not where all the types are, which is a fifth of
        the text, once that has been read."""
        found, begin = list[tuple[int, int]](), 0
        for unit in self._info.units_of(RUNTIME):
            if self._few(kind, unit) is not None:
                found.append((begin, unit.start))
                begin = unit.end
        return [*found, (begin, self._info.section.size)]

    def _at_home(self, kind: str, name: bytes) -> set[int]:
        """Those of the DIEs that are in units of the package that the name says: where most are."""
        found = set[int]()
        for unit in self._info.units_of(unescaped(split_name(name.decode("utf-8", "replace"))[0])):
            few = self._few(kind, unit)
            if few is None:
                found |= self._spelled(kind, name, unit.start, unit.end)
            else:
                found.update(_equal(few, kind, name, self._info.bytes))
        return found

    def _spelled(self, kind: str, name: bytes, lo: int, hi: int) -> set[int]:
        """The DIEs of a name between two offsets."""
        places = self._info.section.find_name(name, lo, hi)
        return {die for at in places for die in self._named(kind, name, at)}

    def _named(self, kind: str, name: bytes, at: int) -> Iterator[int]:
        """The DIEs that have the name which is spelled at an offset."""
        unit = self._info.unit_at(at)
        scanned = None if unit is None else self._scan(unit)
        return iter(()) if scanned is None else _spelled(scanned, kind, name, at)

    @cached_property
    def _searchable(self) -> bool:
        """Whether every Go unit spells the names that it gives."""
        return self._given is None and all(scanner.usable for scanner in self._scanners.values())

    # ------------------------------------------------------------ reading units

    def _read_all(self) -> Table:
        table = Table(self._info.section)
        for unit in self._info.units:
            found = self._scanned.get(unit.start) or self._read(unit)
            if found is not None:
                table.add(found)
        return table

    def _scan(self, unit: Unit) -> Scanned | None:
        """What a Go unit holds, read once; None of another."""
        if unit.start not in self._scanned:
            self._scanned[unit.start] = self._read(unit)
        return self._scanned[unit.start]

    def _read(self, unit: Unit) -> Scanned | None:
        scanner = self._scanners.get(unit.abbrevs)
        if scanner is None:
            return None
        with self._timed():
            found = scanner.scan(self._info.bytes, unit) if scanner.usable else None
            found = self._read_slowly(unit) if found is None else found
        self._dies += found.size
        if self._dies > MAX_DIES:
            raise self._bad(f"its debug info names more than {MAX_DIES} things")
        return found

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.took_ms += (time.perf_counter() - began) * 1e3

    def _read_slowly(self, unit: Unit) -> Scanned:
        """The unit DIE by DIE."""
        found = Scanned(slow=True)
        try:
            for depth, die in self._info.subtree(unit.dies):
                self._slow_dies += 1
                if self._slow_dies > MAX_SLOW:
                    raise ValueError(f"more than {MAX_SLOW} entries have to be read one by one")
                kind = kind_of(str(die.tag), set(die.attributes))
                if kind is None or depth != 1:
                    continue
                if kind == "function":
                    found.subprograms.append(die.offset)
                name = die.attributes.get("DW_AT_name")
                if name is not None and isinstance(name.value, bytes):
                    found.odd.setdefault(kind, []).append((name.value, die.offset))
                runtime_type = number(die, GO_RUNTIME_TYPE)
                if runtime_type:
                    found.runtime_types.append(runtime_type)
                    found.runtime_dies.append(die.offset)
        except Exception as error:  # noqa: BLE001 - elftools raises whatever its parsers meet in damaged bytes
            raise self._bad(f"a unit of its debug info is damaged: {error}") from None
        return found


def _spelled(scanned: Scanned, kind: str, name: bytes, at: int) -> Iterator[int]:
    """The DIEs of a unit that have this name: of those that begin with it, the one that spells it at this offset."""
    dies, ends = scanned.names[kind]
    place = bisect_left(dies, at - 1)
    if place < len(dies) and (dies[place], ends[place]) == (at - 1, at + len(name)):
        yield at - 1
    yield from (die for odd, die in scanned.odd.get(kind, ()) if odd == name)


def _equal(scanned: Scanned, kind: str, name: bytes, info: memoryview) -> Iterator[int]:
    """The DIEs of a unit that have this name, by looking at each."""
    return (die for die, end in zip(*scanned.names[kind], strict=True) if info[die + 1 : end] == name)
