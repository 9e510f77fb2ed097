"""Of a compiled Program: in each copy of each function, which lines have which column where. Needs no debug info."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from compiler.code.calls import call_ends
from compiler.code.pclntab import PCDATA_INLINE_INDEX
from compiler.ir.frozen import frozen
from compiler.ir.program import AnyAccess, FunctionTable, Missing, Place, Program, Site, Tail
from compiler.ir.symbols import SymbolFrame
from compiler.naming.patterns import written_name
from compiler.words import place_in_words

if TYPE_CHECKING:
    from compiler.binary import Binary

Range = tuple[int, int]


@frozen
class Where:
    """The same place at several PC ranges. `lines`: source lines of the function there, first to last of each run."""

    words: str
    reason: str
    """Why it is nowhere, one of compiler.ir.frames.REASONS; "" where it is somewhere."""
    lines: tuple[Range, ...]
    pcs: tuple[Range, ...]


@frozen
class ExplainedColumn:
    """All places of one column in one copy of a function, by the first PC of each; none where nothing can stand in it."""

    column: str
    places: tuple[Where, ...]


@frozen
class Copy:
    """One copy of a function's code, and from which line to which a goroutine can stand in it. `inlined`: the calls around
    it, innermost first, as "main.serve at server.go:120"."""

    function: str
    file: str
    lines: Range
    pcs: tuple[Range, ...]
    inlined: tuple[str, ...]
    columns: tuple[ExplainedColumn, ...]


@frozen
class ExplainedTable:
    """One function of the spec with all copies of its code, by address."""

    table: str
    copies: tuple[Copy, ...]


def explain(program: Program, binary: "Binary", *, exact: bool = False) -> tuple[ExplainedTable, ...]:
    """Where each column's value comes from: at calls (for goroutines that wait, and callers), or with `exact` at every
    instruction (for goroutines on a CPU, and those that a signal interrupted)."""
    with binary.executable.reading_debug_info():
        return explain_sites(program.tables, program.sites, program.accesses, binary, tails=program.tails, exact=exact)


def explain_sites(
    tables: Sequence[FunctionTable],
    sites: Iterable[Site],
    accesses: Sequence[AnyAccess],
    binary: "Binary",
    *,
    tails: Sequence[Tail] = (),
    exact: bool = False,
) -> tuple[ExplainedTable, ...]:
    """The same of parts of a Program."""

    def in_words(place: Place) -> str:
        return place_in_words(place, accesses, tails, binary.executable.arch)

    code_at = lru_cache(maxsize=256)(lambda entry: _Code(binary, entry, exact=exact))
    drafts: dict[tuple[int, int, int, str, tuple[str, ...]], _Draft] = {}
    for site in sites:
        entry = binary.pclntab.entry(site.lo) if site.exact is exact else None
        if entry is None:
            continue
        for row in code_at(entry).between(site.lo, site.hi):
            own = next((frame for frame in row.frames if frame.level == site.level), None)
            if own is not None:
                calls = (frame for frame in row.frames if frame.level < site.level)
                around = tuple(f"{written_name(each.name)} at {each.file}:{each.line}" for each in calls)
                key = (site.function, entry, site.level, own.name, around)
                drafts.setdefault(key, _Draft(in_words, own, around)).add(site, row, own.line)
    found: list[list[Copy]] = [[] for _ in tables]
    for (function, *_), draft in drafts.items():
        found[function].append(draft.copy(tables[function].columns))
    return tuple(
        ExplainedTable(table.table, tuple(sorted(copies, key=lambda each: each.pcs)))
        for table, copies in zip(tables, found, strict=True)
        if table.table  # the others are what the compiler itself wants to know
    )


@frozen
class _Row:
    """PCs [lo, hi) of one line, within the same inlined calls. `counts`: a goroutine of the wanted kind can stand there."""

    lo: int
    hi: int
    frames: tuple[SymbolFrame, ...]
    counts: bool


def callable_at(binary: "Binary", pc: int) -> bool:
    """Whether a function of Go's begins at an address, or C code and the linker's stubs may."""
    entry = binary.pclntab.entry(pc)
    return entry == pc or (entry is None and binary.executable.read(pc, 1) is not None)


class _Code:
    """The code of one function, cut where the line or the inlined calls change."""

    def __init__(self, binary: "Binary", entry: int, *, exact: bool) -> None:
        pclntab = binary.pclntab
        index = pclntab.index_of(entry)
        lines = [] if index is None else pclntab.values(index, "pcln")
        inlined = pclntab.pcdata(entry, PCDATA_INLINE_INDEX)
        self._edges = sorted({edge for lo, hi, _ in [*lines, *inlined] for edge in (lo, hi)})
        self._frames = [pclntab.frames(lo) for lo in self._edges[:-1]]
        code = binary.executable.read(entry, self._edges[-1] - entry) if self._edges and not exact else None
        self._calls = (
            None if code is None else call_ends(code, entry, binary.executable.arch, partial(callable_at, binary))
        )

    def between(self, lo: int, hi: int) -> Iterator[_Row]:
        """Its parts within [lo, hi)."""
        for number in range(max(0, bisect_right(self._edges, lo) - 1), len(self._frames)):
            start, end = max(self._edges[number], lo), min(self._edges[number + 1], hi)
            if start >= hi:
                return
            calls = self._calls
            counts = calls is None or bisect_left(calls, start) < bisect_left(calls, end)
            yield _Row(start, end, self._frames[number], counts)


@dataclass(slots=True)
class _Spot:
    lines: set[int] = field(default_factory=set)
    pcs: list[Range] = field(default_factory=list)

    def add(self, row: "_Row", line: int) -> None:
        self.pcs.append((row.lo, row.hi))
        if line:
            self.lines.add(line)


class _Draft:
    """One copy while its sites come in, by address."""

    def __init__(self, in_words: Callable[[Place], str], own: SymbolFrame, around: tuple[str, ...]) -> None:
        self._in_words, self._own, self._around = in_words, own, around
        self._code, self._counting = _Spot(), _Spot()
        self._columns: list[dict[tuple[str, str], _Spot]] = []

    def add(self, site: Site, row: _Row, line: int) -> None:
        """Take in a part of a site. What does not count only says where the code is."""
        self._columns = self._columns or [{} for _ in site.places]
        self._code.add(row, line)
        if row.counts:
            self._counting.add(row, line)
            for column, place in zip(self._columns, site.places, strict=True):
                reason = place.reason if isinstance(place, Missing) else ""
                column.setdefault((self._in_words(place), reason), _Spot()).add(row, line)

    def copy(self, names: tuple[str, ...]) -> Copy:
        counting = sorted(self._counting.lines)
        shown = counting or sorted(self._code.lines)  # what lies between calls may have lines of other functions
        return Copy(
            written_name(self._own.name),
            self._own.file,
            (shown[0], shown[-1]) if shown else (0, 0),
            _merged(self._code.pcs),
            self._around,
            tuple(
                ExplainedColumn(
                    name,
                    tuple(
                        Where(words, reason, _runs(spot.lines, counting), _merged(spot.pcs))
                        for (words, reason), spot in sorted(spots.items(), key=lambda item: item[1].pcs[0])
                    ),
                )
                for name, spots in zip(names, self._columns, strict=True)
            ),
        )


def _merged(pcs: Iterable[Range]) -> tuple[Range, ...]:
    """Neighbouring ranges as one."""
    found: list[Range] = []
    for lo, hi in sorted(pcs):
        if found and found[-1][1] >= lo:
            found[-1] = (found[-1][0], max(hi, found[-1][1]))
        else:
            found.append((lo, hi))
    return tuple(found)


def _runs(lines: set[int], code: list[int]) -> tuple[Range, ...]:
    """First and last line of each run of lines; only lines of `code` part two."""
    found: list[Range] = []
    before: int | None = None
    for line in code:
        if line in lines:
            if found and before in lines:
                found[-1] = (found[-1][0], line)
            else:
                found.append((line, line))
        before = line
    return tuple(found)
