"""Assignments that are carried out later than they are written: until then, the variable's place has its old value.

Go's compiler computes what only later code needs behind the calls before it (calls come first in
cmd/compile/internal/ssa/schedule.go): of `n++; wait(); use(n)` the addition follows the call, and what the debug info says of n
during the call is where the n before the addition is. The debug info does not tell; the machine code does: behind the
call, an instruction of a line before it makes something new from what is in the variable's slot.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from compiler.dwarf.executable import Executable
from compiler.dwarf.functions import Instance, Variable
from compiler.ir.program import AtCfa, Piece
from compiler.pclntab import Pclntab
from compiler.x86 import Step, steps

MAX_CODE = 1 << 18
"""Bytes of a function that are looked at; in a larger one nothing is found."""
RETURN_ADDRESS = 8


Begins = Callable[[int], Collection[int]]
"""The variables (offsets of their DIEs) that debug info has at another place from a PC on."""


@dataclass(slots=True)
class Making:
    """An instruction that makes something new from a slot: the PC behind it, its line, and the slot from the CFA.

    `kept` is where the new value, or what becomes of it, is stored then: it is the value of what lives there.
    """

    after: int
    line: int
    slot: int
    kept: dict[int, int]


class Sunk:
    """What one copy of a function makes from the slots of its frame, by address."""

    def __init__(
        self, executable: Executable, pclntab: Pclntab, instance: Instance, line_at: Callable[[int], int]
    ) -> None:
        self._pclntab, self._line_at = pclntab, line_at
        self._makings: list[Making] = []
        self._branches: set[tuple[int, int]] = set()
        self._busy: set[int] = set()
        """Lines that do more than to make a value."""
        for lo, hi in instance.ranges if executable.arch == "amd64" else ():
            code = executable.read(lo, hi - lo) if hi - lo <= MAX_CODE else None
            self._read(steps(code or b"", lo))

    def assignments(self, variable: Variable, places: Iterable[Piece], begins: Begins) -> "Assignments":
        """What may be assignments to the variable, of which `places` are all places that it ever has."""
        slots = [(place.offset, place.offset + place.size) for place in places if isinstance(place, AtCfa)]
        found = [
            making
            for making in self._makings
            if making.line  # and where it is declared there, it is so, or that is the head of its loop
            and making.line != variable.line
            and any(lo <= making.slot < hi for lo, hi in slots)
            and not _is_of_another(making, variable.die.offset, begins)
        ]
        return Assignments(found, self._busy, self._branches, self._line_at)

    def _read(self, code: Iterator[Step]) -> None:
        held: dict[int, set[int]] = {}
        made: dict[int, list[Making]] = {}
        for step in code:
            line = self._line_at(step.pc)
            if step.effect:
                self._busy.add(line)
            if step.flow == "if":
                self._branches.add((step.pc, line))
            if step.flow in ("call", "leave"):
                held, made = {}, {}
                continue
            down = RETURN_ADDRESS + (self._pclntab.frame_size(step.pc) or 0) if step.slots or step.stores else 0
            plain = step.reads - step.through
            sources = {slot for register in plain for slot in held.get(register, ())}
            sources |= {slot - down for slot in step.slots}
            results = [making for register in plain for making in made.get(register, ())]
            for making in results:
                making.kept |= {slot - down: step.after for slot in step.stores}
            if sources and step.writes and not step.moves:
                results += [Making(step.after, line, slot, {}) for slot in sorted(sources)]
                self._makings += results[-len(sources) :]
            for register in step.writes:
                held[register], made[register] = (sources if step.moves else set()), results


class Assignments:
    """New values of one variable, and whether its place has them yet."""

    def __init__(
        self,
        makings: list[Making],
        busy: set[int],
        branches: Collection[tuple[int, int]],
        line_at: Callable[[int], int],
    ) -> None:
        self._makings, self._busy, self._line_at = makings, busy, line_at
        lines = {making.line for making in makings}
        self._branches = [(at, line) for at, line in branches if line in lines]

    def __bool__(self) -> bool:
        return bool(self._makings)

    def edges(self) -> set[int]:
        """PCs at which the answer may change, besides those at which the line does."""
        kept = {at for each in self._makings for at in each.kept.values()}
        return kept | {each.after for each in self._makings} | {at for at, _ in self._branches}

    def outdated(self, pc: int, pieces: tuple[Piece, ...]) -> bool:
        """Whether, at the call at `pc`, what these pieces have of the variable is what it was before an assignment."""
        slots = [(piece.offset, piece.offset + piece.size) for piece in pieces if isinstance(piece, AtCfa)]
        return any(
            any(lo <= making.slot < hi for lo, hi in slots)
            and (self._pending(making, pc) if making.after > pc else self._left(making, pc))
            for making in self._makings
        )

    def _pending(self, making: Making, pc: int) -> bool:
        """Whether it is written before `pc` and yet to come, not as the head of a loop that comes again."""
        return making.line < self._line_at(pc) and not any(
            at > pc and line == making.line for at, line in self._branches
        )

    def _left(self, making: Making, pc: int) -> bool:
        """Whether it is a statement of its own, and its slot has not got the new value by `pc`."""
        return making.line not in self._busy and not any(making.after <= at <= pc for at in making.kept.values())


def _is_of_another(making: Making, own: int, begins: Begins) -> bool:
    """Whether the new value is another variable's: one that comes to a place with it, or that has the slot it is kept in."""
    for slot, at in ((making.slot, making.after), *making.kept.items()):
        comes = begins(at)
        if comes and own not in comes:
            return True
        if not comes and slot != making.slot:
            return True
    return False
