"""What is wrong with a spec, and where in its text."""

from compiler.ir.errors import BadInput


class SpecError(BadInput):
    """A spec that is refused: `line` (from 1; 0: no one line) of `origin`, the `item` there, what, and the remedy."""

    def __init__(self, what: str, *, origin: str, line: int = 0, item: str = "", remedy: str = "") -> None:
        place = f"{origin}:{line}" if line else origin
        super().__init__(what, where=f"{place}: {item}" if item else place, remedy=remedy)
        self.origin = origin
        self.line = line
        self.item = item
