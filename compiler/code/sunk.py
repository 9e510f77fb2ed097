"""Assignments that are carried out later than they are written: until then, the variable's place has its old value.

Go's compiler computes what only later code needs behind the calls before it (calls come first in
cmd/compile/internal/ssa/schedule.go): of `n++; wait(); use(n)` the addition follows the call, and what the debug info says of n
during the call is where the n before the addition is. The debug info does not tell; the machine code does: behind the
call, an instruction of a line before it makes something new from what is in the variable's slot.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from compiler.code.pclntab import Pclntab
from compiler.code.x86 import Step, steps
from compiler.dwarf.executable import Executable
from compiler.dwarf.functions import Instance, Variable
from compiler.ir.frozen import frozen
from compiler.ir.program import AtCfa, Piece

MAX_CODE = 1 << 18
"""Bytes of a function that are looked at; in a larger one nothing is found."""
RETURN_ADDRESS = 8


MAX_FOLLOWED = 48
"""Instructions that are looked at behind a branch."""
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
    loaded: int
    """The PC at which the slot was read."""


@frozen
class _Held:
    """What a register holds: copies of slots, by the PC at which they were read; and what was made of slots."""

    slots: dict[int, int]
    made: tuple[Making, ...]


_NONE = _Held({}, ())
_Known = dict[int, _Held]


class Sunk:
    """What one copy of a function makes from the slots of its frame, by address."""

    def __init__(
        self, executable: Executable, pclntab: Pclntab, instance: Instance, line_at: Callable[[int], int]
    ) -> None:
        self._pclntab, self._line_at = pclntab, line_at
        self._makings: list[Making] = []
        self._steps: dict[int, Step] = {}
        self._heads: set[int] = set()
        """Lines that branch: heads of loops, which come again."""
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
        return Assignments(found, self, self._busy, self._heads, self._line_at)

    def _read(self, code: Iterator[Step]) -> None:
        steps = list(code)
        at = {step.pc: number for number, step in enumerate(steps)}
        known: _Known = {}
        for step in steps:
            self._note_line(step)
            known = self._carry_out(step, known)
            if known and step.target in at:
                self._follow(steps, at, step.target, known)
            if step.flow in ("call", "leave"):
                known = {}
        self._steps |= {step.pc: step for step in steps}

    def _note_line(self, step: Step) -> None:
        if step.effect:
            line = self._line_at(step.pc)
            self._busy.add(line)
            if step.flow == "if":
                self._heads.add(line)

    def _follow(self, steps: list[Step], at: dict[int, int], target: int, known: "_Known") -> None:
        """A little way along a branch, with what the registers hold."""
        number = at[target]
        for _ in range(MAX_FOLLOWED):
            if number >= len(steps) or not known or steps[number].flow == "call":
                return
            step = steps[number]
            known = self._carry_out(step, known)
            if step.flow == "leave" and step.target not in at:
                return
            number = at[step.target] if step.flow == "leave" else number + 1

    def _carry_out(self, step: Step, known: "_Known") -> "_Known":
        """What registers hold after an instruction; what it makes of slots is noted."""
        if step.flow in ("call", "leave"):
            return known
        if not step.slots and known.keys().isdisjoint(step.reads):  # nothing comes of what is known
            lost = not known.keys().isdisjoint(step.writes)
            return (
                {register: each for register, each in known.items() if register not in step.writes} if lost else known
            )
        down = RETURN_ADDRESS + (self._pclntab.frame_size(step.pc) or 0) if step.slots or step.stores else 0
        plain = step.reads - step.through
        sources = {slot: loaded for register in plain for slot, loaded in known.get(register, _NONE).slots.items()}
        sources |= {slot - down: step.pc for slot in step.slots}
        results = [making for register in plain for making in known.get(register, _NONE).made]
        for making in results:
            making.kept |= {slot - down: step.after for slot in step.stores}
        if sources and step.writes and not step.moves:
            line = self._line_at(step.pc)
            new = [Making(step.after, line, slot, {}, loaded) for slot, loaded in sorted(sources.items())]
            results += new
            self._makings += new
        held = _Held(sources if step.moves else {}, tuple(results))
        changed = dict.fromkeys(step.writes, held) if held.slots or held.made else {}
        return {register: each for register, each in known.items() if register not in step.writes} | changed

    def precedes(self, making: Making, pc: int) -> bool:
        """Whether the code goes from there to `pc` in one turn of a loop: through no branch of a line before it."""
        seen: set[int] = set()
        open_ = [making.after]
        while open_:
            step = self._steps.get(open_.pop())
            if step is None or step.pc in seen:
                continue
            if step.flow in ("if", "leave") and 0 < self._line_at(step.pc) < making.line:
                continue
            seen.add(step.pc)
            if step.pc <= pc < step.after:
                return True
            open_ += [step.target] if step.target else []
            open_ += [step.after] if step.flow != "leave" else []
        return False


class Assignments:
    """New values of one variable, and whether its place has them yet."""

    def __init__(
        self, makings: list[Making], code: Sunk, busy: set[int], heads: set[int], line_at: Callable[[int], int]
    ) -> None:
        self._makings, self._code, self._busy, self._heads, self._line_at = makings, code, busy, heads, line_at

    def __bool__(self) -> bool:
        return bool(self._makings)

    def edges(self) -> set[int]:
        """PCs at which the answer may change, besides those at which the line does."""
        kept = {at for each in self._makings for at in each.kept.values()}
        return kept | {pc for each in self._makings for pc in (each.after, each.loaded)}

    def outdated(self, pc: int, pieces: tuple[Piece, ...]) -> bool:
        """Whether, at the call at `pc`, what these pieces have of the variable is what it was before an assignment."""
        slots = [(piece.offset, piece.offset + piece.size) for piece in pieces if isinstance(piece, AtCfa)]
        return any(
            any(lo <= making.slot < hi for lo, hi in slots)
            and (self._pending(making, pc) if making.loaded > pc else self._left(making, pc))
            for making in self._makings
        )

    def _pending(self, making: Making, pc: int) -> bool:
        """Whether it is written before `pc` and yet to come, not as the head of a loop that comes again."""
        if making.line >= self._line_at(pc) or making.line in self._heads:
            return False
        return making.after > pc or not self._code.precedes(making, pc)

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
