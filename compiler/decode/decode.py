"""The pipeline: records, physical frames, logical frames with their rows, goroutines."""

from compiler.decode import goroutines
from compiler.decode.details import DetailReader
from compiler.decode.places import CellReader, FramePlace, Sites, absent
from compiler.decode.records import MASK, Records, unpack
from compiler.decode.stack import PhysicalFrame, Stacks
from compiler.decode.threads import SeenThreads
from compiler.decode.values import ValueReader
from compiler.ir.frames import Capture, Frame, Goroutine, Row
from compiler.ir.frozen import frozen
from compiler.ir.program import Program, Site
from compiler.ir.raw import SOURCE_THREAD, BadRaw, Loss, RawCapture, RawGoroutine
from compiler.ir.symbols import Constants, SymbolFrame, Symbols

DECODED = "amd64"
"""Where a frame ends is worked out by its rules (compiler.decode.stack)."""
OUTSIDE = (
    "frames are in code that is not the executable's (a Go plugin's, or made at run time): they have neither names nor variables, "
    "for only the executable's own tables and debug info are read"
)
FAULTED = absent("optimized out", "the frame faulted: which of its variables are still alive is not recorded")


def decode(program: Program, raw: RawCapture, symbols: Symbols, constants: Constants | None = None) -> Capture:
    """What a raw capture of the Program's binary says. BadRaw where its records are damaged; whatever the memory in it
    holds, decoding ends, and what cannot be is absent with its reason. `constants`: the executable's own read-only data."""
    records = unpack(raw, constants)
    if raw.header.build_id != program.build_id:
        raise BadRaw(
            f"the raw capture is of build {raw.header.build_id}, the program was compiled for {program.build_id}",
            remedy="decode it with the program that it was captured with",
        )
    if program.arch != DECODED:
        raise BadRaw(
            f"the program is for {program.arch}, and only captures of {DECODED} can be decoded",
            remedy="capture a process of an amd64 machine",
        )
    return _Decoder(program, raw, symbols, records).capture()


@frozen
class _Logical:
    """The logical frames of one physical one, with the sites that belong to each. `outside`: it is in nobody's code."""

    frames: tuple[tuple[SymbolFrame, tuple[Site, ...]], ...]
    rows: bool
    outside: bool


class _Decoder:
    """Decodes one capture; what depends on a PC alone is looked up once."""

    def __init__(self, program: Program, raw: RawCapture, symbols: Symbols, records: Records) -> None:
        header = raw.header
        self._runtime, self._header, self._symbols, self._records = program.runtime, header, symbols, records
        self._values = ValueReader(
            program,
            records.image,
            symbols,
            bias=header.bias,
            types_base=header.types_base,
            goroutines={each.g: each.goid for each in records.goroutines},
        )
        self._cells = CellReader(program, records.image, self._values, header.bias)
        self._stacks = Stacks(program.runtime, header.bias, symbols, records.image)
        self._sites = Sites(program)
        self._origins = goroutines.Origins(symbols, header.bias)
        self._details = DetailReader(program, records.image, self._values)
        self._threads = SeenThreads(header)
        self._waiting_in = frozenset(program.details.waiting_in if program.details else ())
        self._logical: dict[tuple[int, bool], _Logical] = {}
        self._bare_frames: dict[tuple[PhysicalFrame, ...], tuple[tuple[Frame, ...], int]] = {}
        self._outside = 0

    def capture(self) -> Capture:
        found = tuple(self._goroutine(each) for each in self._records.goroutines)
        outside = (Loss("code", self._outside, OUTSIDE),) if self._outside else ()
        losses = (*self._header.losses, *self._details.losses(), *outside)
        threads = self._threads.all_of(self._records.threads, found)
        return Capture(self._header, found, losses, tuple(sorted(self._values.unknown_types)), threads)

    def _goroutine(self, raw: RawGoroutine) -> Goroutine:
        physical = self._stacks.frames(raw, self._records.stacks)
        start, creator = self._origins.start(raw), self._origins.created_by(raw)
        reason, (frames, semaphore) = goroutines.wait_reason(raw, self._runtime), self._frames(raw, physical)
        return Goroutine(
            goroutine_id=raw.goid,
            status=goroutines.status(raw),
            wait_reason=reason,
            wait_since_ns=goroutines.wait_since_ns(raw, self._header),
            start_function="" if start is None else start.function,
            created_by="" if creator is None else creator.function,
            parent_goroutine_id=goroutines.parent(raw, self._runtime),
            system=goroutines.is_system(start, (f.name for each in physical for f, _ in self._at(each).frames)),
            frames=frames,
            created_by_file=None if creator is None else creator.file,
            created_by_line=None if creator is None else creator.line,
            m=raw.m_id if raw.m else None,
            tid=raw.tid or None,
            cpu=self._threads.cpu(raw.tid) if raw.tid else None,
            locked_tid=raw.locked_tid or None,
            labels=self._details.labels(raw),
            waits=self._details.waits(raw, reason, frames, semaphore),
        )

    def _frames(self, raw: RawGoroutine, physical: tuple[PhysicalFrame, ...]) -> tuple[tuple[Frame, ...], Row | None]:
        """The logical frames, and what the runtime's own say of a semaphore. Equal stacks that no row is asked of share them."""
        shared = self._bare_frames.get(physical)
        if shared is not None:
            frames, outside = shared
            self._outside += outside
            return frames, None
        registers = self._records.threads.get(raw.tid) if raw.source == SOURCE_THREAD else None
        found: list[Frame] = []
        rows, semaphore, outside = False, None, 0
        for position, each in enumerate(physical):
            logical = self._at(each)
            rows, outside = rows or logical.rows, outside + logical.outside
            place = FramePlace(raw.sp + each.cfa & MASK, None if position else registers)
            for symbol, sites in logical.frames:
                frame_rows = tuple([self._row(site, place, each) for site in sites]) if sites else ()
                if sites and self._waiting_in:
                    semaphore = next((row for row in frame_rows if row.table in self._waiting_in), semaphore)
                    frame_rows = tuple([row for row in frame_rows if row.table not in self._waiting_in])
                found.append(Frame(len(found), symbol.function, symbol.file, symbol.line, symbol.inlined, frame_rows))
        frames = tuple(found)
        self._outside += outside
        if not rows:
            self._bare_frames[physical] = frames, outside
        return frames, semaphore

    def _row(self, site: Site, place: FramePlace, physical: PhysicalFrame) -> Row:
        if physical.faulted:
            return Row(site.function, (FAULTED,) * len(site.places))
        return Row(site.function, tuple([self._cells.cell(each, place) for each in site.places]))

    def _at(self, physical: PhysicalFrame) -> _Logical:
        key = (physical.pc, physical.exact)
        found = self._logical.get(key)
        if found is None:
            found = self._logical[key] = self._look_up(physical)
        return found

    def _look_up(self, physical: PhysicalFrame) -> _Logical:
        pc = physical.pc
        symbols = self._symbols.frames(pc)
        outside = not symbols and self._symbols.function(pc) is None
        if outside:
            symbols = (SymbolFrame(f"unknown pc {pc & MASK:#x}", "", "", 0, inlined=False, level=0),)
        sites = self._sites.at(pc, exact=physical.exact)
        frames = tuple((each, tuple(site for site in sites if site.level == each.level)) for each in symbols)
        return _Logical(frames, any(belonging for _, belonging in frames), outside)
