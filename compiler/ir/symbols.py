"""What the decoder, which knows no binary, asks of one: the names of PCs, and data that is the same in every process."""

from typing import Protocol

from compiler.ir.frozen import frozen


@frozen
class SymbolFrame:
    """One logical frame at a PC. `function` as Go's traceback prints it ("main.Map[...]", "panic"), `name` as linked."""

    function: str
    name: str
    file: str
    line: int
    inlined: bool
    level: int
    """0 for the function whose code it is, k for code inlined at nesting depth k."""


class Symbols(Protocol):
    """Looks up link-time PCs."""

    def frames(self, pc: int) -> tuple[SymbolFrame, ...]:
        """The logical frames of the instruction that contains `pc`, innermost first, wrappers left out; () outside of Go code."""

    def function(self, pc: int) -> SymbolFrame | None:
        """The function whose code contains `pc`, nothing inlined."""

    def entry(self, pc: int) -> int | None:
        """The entry PC of the function whose code contains `pc`."""

    def frame_size(self, pc: int) -> int | None:
        """CFA - SP - 8 before the instruction at exactly `pc`; None where it is not known."""


class Constants(Protocol):
    """Reads what the executable's file has of link-time addresses."""

    def constant(self, address: int, size: int) -> bytes | None:
        """`size` bytes of read-only data; None where one of them may be written, or is not in the file."""
