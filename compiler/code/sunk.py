"""Assignments that are carried out later than they are written: until then, the variable's place has its old value.

Go's compiler computes what only later code needs behind the calls before it (calls come first in
cmd/compile/internal/ssa/schedule.go): of `n++; wait(); use(n)` the addition follows the call, and what the debug info says of n
during the call is where the n before the addition is. The debug info does not tell; the machine code does: behind the
call, an instruction of a line before it makes something new from what is in the variable's slot.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property

from compiler.code.frame import Frame
from compiler.code.lines import Lines, Spot, is_before
from compiler.code.pclntab import Pclntab
from compiler.code.stays import Stays
from compiler.code.x86 import Step, steps
from compiler.dwarf.executable import Executable
from compiler.dwarf.functions import Instance, Variable
from compiler.ir.frozen import frozen
from compiler.ir.program import AtCfa, Piece

MAX_CODE = 1 << 18
"""Bytes of a function that are looked at; in a larger one nothing is found."""
MAX_FOLLOWED = 48
"""Instructions that are looked at behind a branch."""
Begins = Callable[[int], Collection[int]]
"""The variables (offsets of their DIEs) that debug info has at another place from a PC on."""


@frozen
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
    spent: set[int]
    """Lines that write it, or to where it points, outside of the frame. On its own one it need not be a variable's value."""

    @property
    def at(self) -> int:
        """A PC within the instruction."""
        return self.after - 1


@frozen
class _Held:
    """What a register holds: copies of slots, by the PC at which they were read; and what was made of slots."""

    slots: dict[int, int]
    made: tuple[Making, ...]


_NONE = _Held({}, ())
_Known = dict[int, _Held]


def decoded(executable: Executable, lo: int, hi: int) -> dict[int, Step]:
    """The instructions in [lo, hi) by PC; none of more than MAX_CODE bytes, nor of another machine than amd64."""
    code = executable.read(lo, hi - lo) if hi - lo <= MAX_CODE and executable.arch == "amd64" else None
    return steps(code or b"", lo)


class Sunk:
    """What one copy of a function makes from the slots of its frame, by address."""

    def __init__(self, executable: Executable, pclntab: Pclntab, instance: Instance, lines: Lines) -> None:
        self.spot = lines.spot
        stretches = [decoded(executable, lo, hi) for lo, hi in instance.ranges]
        self._steps = (
            stretches[0] if len(stretches) == 1 else {pc: each for some in stretches for pc, each in some.items()}
        )
        self._traces = [
            _Trace([*stretch.values()], Frame(pclntab, lo), lines.at)
            for (lo, _), stretch in zip(instance.ranges, stretches, strict=True)
        ]

    @property
    def steps(self) -> Mapping[int, Step]:
        """The instructions by PC."""
        return self._steps

    def assignments(
        self,
        variable: Variable,
        places: Iterable[Piece],
        begins: Begins,
        held: Callable[[int], Collection[int]],
        named: Callable[[int], bool],
        stays: Stays,
    ) -> "Assignments":
        """What may be assignments to the variable: `places` are all places that it ever has, `held` the slots at a PC, `named`
        whether it is said to be in what the instruction at a PC has made, where the code goes on."""
        own: list[Making] = []
        copies: list[Making] = []
        doubled: list[tuple[Making, frozenset[int]]] = []
        for each in self.of(places):
            if each.line in (0, variable.line):  # where it is declared, it is so, or that is the head of its loop
                continue
            if _is_of_another(each, variable.die.offset, begins) and not _is_put_back(each, held):
                nameless = _nameless(each, begins, stays)
                if nameless and self.only_makes(each):
                    doubled.append((each, nameless))
            elif not _is_a_copy(each, begins) or named(each.at):
                own.append(each)
            elif self.only_makes(each):
                copies.append(each)
        return Assignments(own, copies, doubled, self, stays)

    def of(self, places: Iterable[Piece]) -> list[Making]:
        """What is made of these places."""
        slots = {(place.offset, place.offset + place.size) for place in places if isinstance(place, AtCfa)}
        return [
            making
            for trace in self._traces
            if slots
            for making in trace.makings(lambda slot: any(lo <= slot < hi for lo, hi in slots))
        ]

    def only_makes(self, making: Making) -> bool:
        """Whether its line is there for nothing but the new value. What is written elsewhere and has nothing to do with that
        does not count: with -cover every line counts how often it was run."""
        return making.line not in making.spent and self.spot(making.at) not in self._busy

    @cached_property
    def _busy(self) -> set[Spot]:
        """Lines that call or branch."""
        return {self.spot(step.pc) for step in self._steps.values() if step.does.flow}

    @cached_property
    def heads(self) -> set[Spot]:
        """Lines that branch: heads of loops, which come again."""
        return {self.spot(step.pc) for step in self._steps.values() if step.does.flow == "if"}

    def precedes(self, making: Making, pc: int) -> bool:
        """Whether the code goes from there to `pc` in one turn of a loop: through no branch of a line before it."""
        seen: set[int] = set()
        open_ = [making.after]
        spot = self.spot(making.at)
        while open_:
            step = self._steps.get(open_.pop())
            if step is None or step.pc in seen:
                continue
            flow = step.does.flow
            if flow in ("if", "leave") and self.spot(step.pc)[0] and is_before(self.spot(step.pc), spot):
                continue
            seen.add(step.pc)
            if step.pc <= pc < step.after:
                return True
            open_ += step.following
        return False


class _Trace:
    """What instructions that follow each other make from the slots of their frame."""

    def __init__(self, stretch: list[Step], frame: Frame, line_at: Callable[[int], int]) -> None:
        self._stretch, self._frame, self._line_at = stretch, frame, line_at
        self._pcs = [step.pc for step in stretch]
        self._made: list[Making] = []
        self._wanted: frozenset[int] = frozenset()

    @cached_property
    def _reading(self) -> dict[int, list[int]]:
        """By slot, the numbers of the instructions that read it, ascending."""
        found: dict[int, list[int]] = {}
        for number, (pc, _, _, does, _) in enumerate(self._stretch):
            if does.slots:
                down = self._frame.below_cfa(pc)
                for slot in does.slots:
                    found.setdefault(slot - down, []).append(number)
        return found

    def _number(self, pc: int) -> int | None:
        """Of the instruction that begins at `pc`."""
        number = bisect_left(self._pcs, pc)
        return number if number < len(self._pcs) and self._pcs[number] == pc else None

    def makings(self, is_wanted: Callable[[int], bool]) -> list[Making]:
        """What is made from the wanted slots: from one instruction to the next, and a little way along every branch."""
        self._made, self._wanted = [], frozenset(filter(is_wanted, self._reading))
        behind = 0
        for start in sorted(number for slot in self._wanted for number in self._reading[slot]):
            if start >= behind:
                behind = self._go_on(start)
        return self._made

    def _go_on(self, start: int) -> int:
        """As long as a register holds anything of a slot; the number of the first instruction that was not looked at."""
        known: _Known = {}
        for number in range(start, len(self._stretch)):
            step = self._stretch[number]
            known = self._carry_out(step, known)
            if known and step.target:
                self._follow(self._number(step.target), known)
            if not known or step.does.flow in ("call", "leave"):
                return number + 1
        return len(self._stretch)

    def _follow(self, number: int | None, known: _Known) -> None:
        """A little way along a branch, with what the registers hold; out of a loop where it comes round."""
        stretch = self._stretch
        exits: list[tuple[int | None, _Known]] = []
        seen: set[int] = set()
        while len(seen) < MAX_FOLLOWED:
            while number in seen and exits:
                number, known = exits.pop()
            if number is None or number in seen or number >= len(stretch) or not known:
                return
            step = stretch[number]
            if step.does.flow == "call":
                return
            seen.add(number)
            known = self._carry_out(step, known)
            target = self._number(step.target) if step.target else None
            if step.does.flow == "if":
                exits.append((target, known))
            number = target if step.does.flow == "leave" else number + 1

    def _carry_out(self, step: Step, known: _Known) -> _Known:
        """What registers hold after an instruction; what it makes of slots is noted."""
        flow, moves, reads, writes, slots, through, stores, *_ = step.does
        if flow in ("call", "leave"):
            return known
        down = self._frame.below_cfa(step.pc) if slots or stores else 0
        read = [slot - down for slot in slots if slot - down in self._wanted]
        if not read and known.keys().isdisjoint(reads):  # nothing comes of what is known
            return known if known.keys().isdisjoint(writes) else _without(known, writes)
        if step.does.effect and not flow:
            for making in [each for register in reads for each in known.get(register, _NONE).made]:
                making.spent.add(self._line_at(step.pc))
        plain = reads - through
        sources = {slot: loaded for register in plain for slot, loaded in known.get(register, _NONE).slots.items()}
        sources |= dict.fromkeys(read, step.pc)
        results = [making for register in plain for making in known.get(register, _NONE).made]
        for making in results:
            making.kept.update({slot - down: step.after for slot in stores})
        if sources and writes and not moves:
            line = self._line_at(step.pc)
            new = [Making(step.after, line, slot, {}, loaded, set()) for slot, loaded in sorted(sources.items())]
            results += new
            self._made += new
        held = _Held(sources if moves else {}, tuple(results))
        return _without(known, writes) | (dict.fromkeys(writes, held) if held.slots or held.made else {})


def _without(known: _Known, registers: frozenset[int]) -> _Known:
    return {register: each for register, each in known.items() if register not in registers}


class Assignments:
    """New values of one variable, and whether its place has them yet.

    `copies` are those that only a nameless slot gets, on a line that does nothing else; `doubled` those that another variable's
    place gets, and on such a line nameless slots, too, which are listed: of `n++; first, last := pair(n)` that may be n.
    """

    def __init__(
        self,
        makings: list[Making],
        copies: list[Making],
        doubled: Sequence[tuple[Making, frozenset[int]]],
        code: Sunk,
        stays: Stays,
    ) -> None:
        self._makings, self._copies, self._doubled, self._code, self._stays = makings, copies, doubled, code, stays

    def __bool__(self) -> bool:
        return bool(self._makings or self._copies or self._doubled)

    def edges(self) -> set[int]:
        """PCs at which the answer may change, besides those at which the line does."""
        every = (*self._makings, *self._copies, *(making for making, _ in self._doubled))
        kept = {at for each in every for at in each.kept.values()}
        needed = {slot for making, nameless in self._doubled for slot in (making.slot, *nameless)}
        return kept | {pc for each in every for pc in (each.after, each.loaded)} | self._stays.edges(needed)

    def outdated(self, pc: int, pieces: tuple[Piece, ...]) -> bool:
        """Whether, at the call at `pc`, what these pieces have of the variable is what it was before an assignment."""
        slots = [(piece.offset, piece.offset + piece.size) for piece in pieces if isinstance(piece, AtCfa)]

        def concerns(making: Making) -> bool:
            return any(lo <= making.slot < hi for lo, hi in slots)

        return (
            any(
                concerns(making) and (self._pending(making, pc) if making.loaded > pc else self._left(making, pc))
                for making in self._makings
            )
            or any(concerns(copy) and copy.loaded > pc and self._pending(copy, pc) for copy in self._copies)
            or any(concerns(making) and self._only_in(nameless, making, pc) for making, nameless in self._doubled)
        )

    def _pending(self, making: Making, pc: int) -> bool:
        """Whether it is written before `pc` and yet to come, not as the head of a loop that comes again."""
        spot = self._code.spot(making.at)
        if not is_before(spot, self._code.spot(pc)) or spot in self._code.heads:
            return False
        return making.after > pc or not self._code.precedes(making, pc)

    def _only_in(self, nameless: Collection[int], making: Making, pc: int) -> bool:
        """Whether behind the call at `pc` not the variable's slot is needed but the new value, in one of these."""
        if not making.after <= pc or self._stays.reads(pc, (making.slot,), exact=False):
            return False
        return self._stays.reads(pc, nameless, exact=False) and self._code.precedes(making, pc)

    def _left(self, making: Making, pc: int) -> bool:
        """Whether it is a statement of its own, and its slot has not got the new value by `pc`."""
        return self._code.only_makes(making) and not any(making.after <= at <= pc for at in making.kept.values())


def _is_of_another(making: Making, own: int, begins: Begins) -> bool:
    """Whether the new value is another variable's: one that comes to a place with it, or to where it is kept."""
    kept = [begins(at) for at in making.kept.values()]
    if any(own in comes for comes in kept):
        return False  # its own, whoever gets a copy of it
    return any(comes and own not in comes for comes in (begins(making.after), *kept))


def _nameless(making: Making, begins: Begins, stays: Stays) -> frozenset[int]:
    """The slots to which the new value is put without a variable coming there, and in which nothing but the code itself looks."""
    return frozenset(
        slot
        for slot, at in making.kept.items()
        if slot < 0 and slot != making.slot and not begins(at) and slot not in stays.pointed
    )


def _is_put_back(making: Making, held: Callable[[int], Collection[int]]) -> bool:
    """Whether the variable's own slot gets the new value, and goes on to be its place."""
    at = making.kept.get(making.slot)
    return at is not None and making.slot in held(at)


def _is_a_copy(making: Making, begins: Begins) -> bool:
    """Whether the new value is kept where no variable comes to, as for an interface or an argument."""
    return not any(begins(at) for at in making.kept.values()) and any(slot != making.slot for slot in making.kept)
