"""The variables of one name in one copy of a function's code: which of them the name means at a PC."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from compiler.candidates import Candidate
from compiler.copycode import Code
from compiler.dwarf.functions import Variable
from compiler.escapes import Escapes

if TYPE_CHECKING:
    from compiler.binary import Binary


class Named:
    """What all columns share that begin with one name."""

    def __init__(self, binary: "Binary", variables: Sequence[Variable], code: Code) -> None:
        self.candidates = [Candidate(binary, each, code.of(each), variables) for each in variables]
        self._escapes = Escapes(self.candidates, code.lines)
        self._meant: dict[int, list[Candidate]] = {}

    @cached_property
    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        return self._escapes.edges().union(*(candidate.edges for candidate in self.candidates))

    def meant(self, pc: int) -> list[Candidate]:
        """Those that the name means at `pc`: of the innermost block, and there of the latest declaration. Of a parameter there
        may be two, itself and the pointer to it."""
        if pc not in self._meant:
            declared = [each for each in self.candidates if each.visible(pc) and not self._escapes.untrue(each, pc)]
            last = max(map(_depth, declared), default=None)
            self._meant[pc] = sorted((e for e in declared if _depth(e) == last), key=lambda e: e.variable.escaped)
        return self._meant[pc]


def _depth(candidate: Candidate) -> tuple[int, int]:
    return candidate.variable.nesting, candidate.variable.line
