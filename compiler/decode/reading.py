"""The state of reading one cell: what is left of its bounds, what is missing so far, which objects are open."""

from collections.abc import Mapping
from typing import Final, Protocol

from compiler.decode.image import LOWEST, Image, Window
from compiler.decode.texts import Json, Marked, Path, path_text, signed, text_or_base64, whole_characters
from compiler.ir.chase import key_depths
from compiler.ir.frames import GONE, Absence
from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits
from compiler.ir.program import DynamicType, Program
from compiler.ir.symbols import Symbols
from compiler.ir.types import Type, TypeId

MAX_NODES: Final = 200_000
"""Values of one cell; what comes after is absent ("budget")."""
MAX_CAPTURE_NODES: Final = 20_000_000
"""Values of one capture, all cells together (some 20 seconds); cells after that are absent ("budget")."""
MAX_NESTING: Final = 240
"""Values within each other: three calls each, of the 1000 that the interpreter has. Twice what limits.depth allows, and
a chain of 60 contexts."""
MAX_LENGTH: Final = 1 << 47
NODE_BYTES: Final = 256
"""Bytes that cost as much as one value."""


class Missed(Exception):
    """The value is missing, and why."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Picker(Protocol):
    """Takes an access's steps from an object in hand."""

    def pick(self, access: int, window: Window, at: int) -> "Pick":
        """Where they lead; Missed where they do not."""


@frozen
class Pick:
    """A value in hand, its type and limits, and how many levels of depth the way to it took."""

    window: Window
    type: TypeId
    limits: Limits
    cost: int


class Reading:
    """One capture's memory, and the cell that is being read."""

    def __init__(
        self,
        program: Program,
        image: Image,
        symbols: Symbols,
        *,
        bias: int,
        types_base: int,
        goroutines: Mapping[int, int] | None = None,
        max_nodes: int = MAX_CAPTURE_NODES,
    ) -> None:
        self._types = program.types
        self._key_depth = key_depths(program.types)
        self._image, self._symbols = image, symbols
        self._bias, self._types_base = bias, types_base
        self._goroutines = goroutines or {}
        """Ids by the address of the runtime.g."""
        self._dynamic: Mapping[int, DynamicType] = {each.offset: each for each in program.dynamic_types}
        self._limits = program.limits
        self.unknown_types: set[int] = set()
        """Runtime types met that the program does not describe, as offsets from moduledata.types."""
        self._absences: list[Absence] = []
        self._open: set[tuple[int, TypeId]] = set()
        self._capture_left = max_nodes
        self._left = self._began = 0
        self._nesting = 0
        self._in_key = 0
        self.picker: Picker | None = None
        """Whoever knows the ways to what is collected of a type."""

    @property
    def types(self) -> tuple[Type, ...]:
        """The program's types."""
        return self._types

    def offset_of(self, runtime_type: int) -> int:
        """A runtime type's offset from moduledata.types."""
        return runtime_type - self._types_base

    def dynamic(self, offset: int) -> DynamicType | None:
        """What an interface holds by the offset of its runtime type. One that the program does not describe is noted."""
        found = self._dynamic.get(offset)
        if found is None and 0 < offset < 1 << 32:
            self.unknown_types.add(offset)
        return found

    def _begin(self, limits: Limits) -> None:
        self._limits, self._left, self._nesting, self._in_key = limits, min(MAX_NODES, self._capture_left), 0, 0
        self._absences, self._open = [], set()
        self._began = self._left

    def _end(self) -> None:
        self._capture_left = max(self._capture_left - (self._began - self._left), 0)

    def _value(self, window: Window, at: int, type_id: TypeId, depth: int, path: Path) -> Json:
        raise NotImplementedError

    def _absent(self, path: Path, reason: str, detail: str = "", address: int | None = None) -> Marked:
        """The mark of a missing value; its row says the same, with the address where only that is known."""
        known = detail or (f"at {address:#x}" if address is not None else "")
        self._absences.append(Absence(path_text(path), reason, known))
        marked = Marked({"$absent": reason})
        if address is not None:
            marked["$addr"] = f"{address:#x}"
        return marked

    def _lost(self, window: Window, at: int, size: int, path: Path) -> Marked | None:
        """The mark for a value of which words are missing in its window."""
        gap = window.missing(at, size) if window.gaps else None
        return None if gap is None else self._absent(path, gap.reason, gap.detail)

    def _gone(self, window: Window, at: int, path: Path, length: int | None = None) -> Marked | None:
        """The mark of a pointer that nothing keeps alive: its address and a length beside it, not what it leads to."""
        if at not in window.dead:
            return None
        address = window.word(at)
        marked = self._absent(path, "optimized out", f"{GONE} (it was at {address:#x})", address)
        if length is not None:
            marked["$len"] = length
        return marked

    def _object(self, address: int, size: int) -> Window | None:
        self._left -= size // NODE_BYTES
        return self._image.window(address, size) if self._left >= 0 else None

    def _why(self, address: int, size: int) -> str:
        return "budget" if self._left < 0 else self._image.why(address, size)

    def _text(self, address: int, length: int, path: Path) -> Json:
        """A string's or []byte's contents, cut where the limit is."""
        if length >= MAX_LENGTH or address < LOWEST:
            return self._absent(path, "torn", f"length {signed(length)} at {address:#x}")
        size = min(length, self._limits.string_bytes)
        self._left -= size // NODE_BYTES
        found = self._image.read(address, size) if self._left >= 0 else None
        if found is None:
            return self._absent(path, self._why(address, size), f"length {length}")
        if size == length:
            return text_or_base64(found)
        self._absences.append(Absence(path_text(path), "cut", f"length {length}"))
        return Marked({"$value": text_or_base64(whole_characters(found)), "$len": length})

    def _cut(self, value: Json, path: Path, reason: str, length: int) -> Marked:
        self._absences.append(Absence(path_text(path), reason, f"length {length}"))
        return Marked({"$value": value, "$len": length})
