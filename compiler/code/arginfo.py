"""Where a function's arguments are kept for Go's own traceback: FUNCDATA_ArgInfo and ArgLiveInfo by PC.

An argument that came in registers has a home slot in the caller's frame, and nothing else is ever kept there. The
traceback prints the slot, with "?" until something was stored in it. Debug info often loses sight of an argument that
is still there. Written by EmitArgInfo in cmd/compile/internal/ssagen and by cmd/compile/internal/liveness/arg.go, read by
printArgs in runtime/traceback.go. Arguments of inlined calls are not in it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from compiler.code.abi import Unsure, places
from compiler.code.pclntab import Pclntab
from compiler.dwarf.executable import Executable
from compiler.dwarf.functions import Instance, Variable
from compiler.dwarf.gotypes import (
    KIND_ARRAY,
    KIND_COMPLEX64,
    KIND_COMPLEX128,
    KIND_INTERFACE,
    KIND_SLICE,
    KIND_STRING,
    KIND_STRUCT,
    GoTypes,
)
from compiler.dwarf.linked import dictionary_position
from compiler.ir.frozen import frozen
from compiler.ir.types import WORD

FUNCDATA_ARG_INFO, FUNCDATA_ARG_LIVE_INFO = 5, 6
PCDATA_ARG_LIVE_INDEX = 3
END, OPEN, CLOSE, MORE, TOO_FAR = 0xFF, 0xFE, 0xFD, 0xFC, 0xFB
SLOT = 0
FIRST_SIGN = 0xF0
"""Bytes from here on are signs like these; below, offsets of slots."""
MAX_PRINTED = 10
MAX_DEPTH = 5
MAX_INFO = (MAX_DEPTH * 3 + 2) * MAX_PRINTED + 1
MAX_ELEMENTS = 1 << 12
BLANKS_SINCE = (1, 23)
"""Before, DWARF left out parameters without a name (cmd/compile/internal/ir/func.go, declareParams)."""
ALL_LIVE = -1
DICTIONARY = ".dict"
WORDS = {KIND_STRING: 2, KIND_INTERFACE: 2, KIND_SLICE: 3, KIND_COMPLEX64: 2, KIND_COMPLEX128: 2}
"""How many parts a traceback prints of a value of these kinds."""


Saved = Callable[[], Collection[int]]
"""The slots (from the CFA) in which a function saves its arguments when it asks for more stack."""


@frozen
class Token:
    """One sign of the table, or a slot: its offset among the arguments and its size."""

    sign: int
    offset: int = 0
    size: int = 0


@frozen
class Slot:
    """`size` bytes of a parameter, from `at` on, are kept at the CFA + `offset`; `order`: how many slots precede it."""

    at: int
    size: int
    offset: int
    order: int


class Arguments:
    """Answers for the functions of one executable."""

    def __init__(self, executable: Executable, pclntab: Pclntab, types: GoTypes) -> None:
        self._executable, self._pclntab, self._types = executable, pclntab, types
        version = re.match(r"go(\d+)\.(\d+)", executable.identity.go_version or "")
        self._knows_blanks = version is not None and (int(version[1]), int(version[2])) >= BLANKS_SINCE

    def edges(self, pc: int) -> set[int]:
        """PCs of the function around `pc` at which other slots begin to count."""
        return {lo for lo, _, _ in self._pclntab.pcdata(pc, PCDATA_ARG_LIVE_INDEX)}

    def slots(self, instance: Instance) -> dict[int, tuple[Slot, ...]]:
        """Of the parameters of a function's own code (by their DIEs' offsets), the slots that the traceback knows."""
        if instance.level:
            return {}
        entry = instance.ranges[0][0]
        printed, cut = self._printed(entry)
        parameters = _parameters(instance)
        unprinted = 0
        skipped = 0
        if "[" in instance.name:  # what comes first is taken for the dictionary
            # A closure has none, and of a method the receiver comes first, so that the dictionary is printed.
            position = dictionary_position(instance.name)
            skipped = int(position == 1)
            unprinted = sum(1 for _ in self._leaves(parameters[0].type)) if position != 0 and parameters else 1
            parameters = parameters[1:] if position != 0 else parameters
        offsets = [token.offset for tokens in printed for token in tokens if token.sign == SLOT]
        printed = printed[skipped:]
        if not printed or len(parameters) < len(printed) or (len(parameters) > len(printed) and not cut):
            return {}
        if cut and not self._knows_blanks:
            return {}
        first = self._first_tracked(entry)
        tracked = [offset for offset in offsets if first is not None and offset >= first]
        shift = unprinted if first not in offsets else 0
        start = self._executable.machine.arguments_start
        found: dict[int, tuple[Slot, ...]] = {}
        for variable, tokens in zip(parameters, printed, strict=False):
            places = self._matched(variable.type, tokens)
            if places is None:
                return {}  # the table is of other parameters: none of it can be trusted
            found[variable.die.offset] = tuple(
                Slot(at, size, offset + start, shift + sum(each < offset for each in tracked))
                for at, size, offset in places
            )
        return found

    def passed(
        self, instance: Instance, known: Mapping[int, tuple[Slot, ...]], saved: Saved
    ) -> dict[int, frozenset[int]]:
        """Where from the CFA on the parts of every parameter (by its DIE's offset) are kept, also of those that the table is cut
        before. None where the calling convention does not confirm what is `known` from the table, or else which slots the
        function has `saved` its registers in when it asks for more stack."""
        machine, parameters = self._executable.machine, _parameters(instance)
        arguments: list[int | None] = [each.type for each in parameters]
        dictionary = dictionary_position(instance.name)
        if dictionary is not None:
            arguments.insert(dictionary, None)  # behind a receiver
        results = {each.name: each.type for each in instance.variables if each.result}  # some are described twice
        try:
            found = places(self._types, machine.arch, arguments, results.values())
        except Unsure:
            return {}
        starts = [at + machine.arguments_start for at, _ in found]
        parts = [
            frozenset(start + at for at in ((0,) if type_ is None else self._leaves(type_)))
            for start, type_ in zip(starts, arguments, strict=True)
        ]
        homes = frozenset[int]().union(*(each for each, (_, fits) in zip(parts, found, strict=True) if fits))
        if dictionary is not None:
            del starts[dictionary], parts[dictionary]
        said = {each.die.offset: start for each, start in zip(parameters, starts, strict=True)}
        if known:
            told = all(said[of] == slot.offset - slot.at for of, slots in known.items() for slot in slots[:1])
        else:
            told = bool(homes) and homes == frozenset(saved())
        return dict(zip(said, parts, strict=True)) if told else {}

    def dictionary(self, instance: Instance) -> Slot | None:
        """Where a call of a generic function or method keeps the dictionary that it was passed, once `live` says so. None
        where it has none, or where that is not known."""
        position = dictionary_position(instance.name)
        first = self._first_tracked(instance.ranges[0][0])
        if instance.level or position is None:
            return None
        start = self._executable.machine.arguments_start
        if position == 0:  # it is the first argument of all
            return None if first is None else Slot(0, WORD, first + start, 0)
        printed, _ = self._printed(instance.ranges[0][0])
        parameters = _parameters(instance)
        if not printed or not parameters or (len(printed[0]), printed[0][0].sign, printed[0][0].size) != (1, SLOT, 8):
            return None  # behind the receiver, which is not printed
        offset = printed[0][0].offset
        order = 0 if offset == first else sum(1 for _ in self._leaves(parameters[0].type))
        return Slot(0, WORD, offset + start, order) if first is None or offset >= first else None

    def stored_first(self, pc: int) -> bool:
        """Whether the function around `pc` stores all its arguments in their slots first thing, as with -N."""
        known = self._pclntab.funcdata(pc, FUNCDATA_ARG_INFO) is not None
        return known and self._pclntab.funcdata(pc, FUNCDATA_ARG_LIVE_INFO) is None

    def live(self, pc: int, slot: Slot) -> bool:
        """Whether the slot holds its part of the argument during the call at `pc`."""
        table = self._pclntab.funcdata(pc, FUNCDATA_ARG_LIVE_INFO)
        first = self._first_tracked(pc)
        if table is None or (first is not None and slot.offset - self._executable.machine.arguments_start < first):
            return True  # it came on the stack, or is stored there first thing
        number = next((n for lo, hi, n in self._pclntab.pcdata(pc, PCDATA_ARG_LIVE_INDEX) if lo <= pc < hi), 0)
        if number <= 0:
            return number == ALL_LIVE
        bits = self._executable.read(table + number + slot.order // 8, 1)
        return slot.order < MAX_PRINTED and bits is not None and bool(bits[0] >> slot.order % 8 & 1)

    def _first_tracked(self, pc: int) -> int | None:
        """Slots before this offset are always live."""
        table = self._pclntab.funcdata(pc, FUNCDATA_ARG_LIVE_INFO)
        first = None if table is None else self._executable.read(table, 1)
        return None if first is None else first[0]

    # ------------------------------------------------------------ the table

    def _printed(self, pc: int) -> tuple[list[tuple[Token, ...]], bool]:
        """The arguments that a traceback prints, and whether there are more."""
        table = self._pclntab.funcdata(pc, FUNCDATA_ARG_INFO)
        sizes = () if table is None else (MAX_INFO, MAX_INFO // 4, MAX_INFO // 16)  # it may be the last in its segment
        data = next((data for size in sizes if (data := self._executable.read(table or 0, size)) is not None), b"")
        found: list[tuple[Token, ...]] = []
        current: list[Token] = []
        depth = 0
        for token in _tokens(data):
            if token.sign == MORE and not depth:
                return found, True
            depth += (token.sign == OPEN) - (token.sign == CLOSE)
            current.append(token)
            if not depth:
                found.append(tuple(current))
                current = []
        return found, False

    def _matched(self, type_offset: int, tokens: tuple[Token, ...]) -> list[tuple[int, int, int]] | None:
        """(at, size, offset among the arguments) of each part of an argument; None where it is none of this type."""
        expected = self._visit(type_offset, 0, 0)
        found: list[tuple[int, int, int]] = []
        for token in tokens:
            sign, at, size = next(expected, (END, 0, 0))
            if token.sign == MORE and sign != MORE:
                break  # as many as are printed
            if token.sign == TOO_FAR and sign == SLOT:
                continue
            if token.sign != sign or (sign == SLOT and token.size != size):
                return None
            if sign == SLOT:
                found.append((at, size, token.offset))
        return found if len({offset - at for at, _, offset in found}) <= 1 else None

    def _visit(self, type_offset: int, at: int, depth: int) -> Iterator[tuple[int, int, int]]:
        """(sign, at, size) as the compiler writes them of a type, were there no end to what is printed (visitType)."""
        types, kind = self._types, self._types.kind(type_offset)
        if kind not in WORDS and kind not in (KIND_ARRAY, KIND_STRUCT):
            yield SLOT, at, types.size(type_offset)
            return
        yield OPEN, 0, 0
        if depth + 1 >= MAX_DEPTH:
            yield MORE, 0, 0
        elif kind in WORDS:
            size = types.size(type_offset) // WORDS[kind]
            yield from ((SLOT, at + size * word, size) for word in range(WORDS[kind]))
        elif kind == KIND_ARRAY:
            elem, count = types.array(type_offset)
            for index in range(min(count, MAX_ELEMENTS) if elem is not None else 0):
                assert elem is not None
                yield from self._visit(elem, at + index * types.size(elem), depth + 1)
        else:
            for member in types.members(type_offset):
                yield from self._visit(member.type, at + member.offset, depth + 1)
        yield CLOSE, 0, 0

    def _leaves(self, type_offset: int) -> Iterator[int]:
        """The parts of a type, one for each register that it takes."""
        return (at for sign, at, _ in self._visit(type_offset, 0, 0) if sign == SLOT)


def _parameters(instance: Instance) -> list[Variable]:
    """In the order in which they are passed."""
    return [v for v in instance.variables if v.parameter and not v.result and v.name != DICTIONARY]


def _tokens(data: bytes) -> Iterator[Token]:
    """Up to the end; nothing behind what is cut."""
    at = 0
    while at < len(data) and data[at] != END:
        if data[at] >= FIRST_SIGN:
            yield Token(data[at])
            at += 1
        else:
            yield Token(SLOT, data[at], data[at + 1] if at + 1 < len(data) else 0)
            at += 2
