"""Variables of several words of which one has a new value while debug info still has another where the old one left it.

Go's compiler writes down where each word of an interface, string or slice is. A word that is a constant is kept nowhere, and nobody
writes down that it took the place of what was there before. Of

    w = wrap(w)   // of an interface, what a function returns that returns *wrapper
    wait()
    w.Close()

debug info says during the wait that the type is where it was and the pointer is the new one: an object would be read as one of
another type. So it is with the length of `s = read()[:8]`.
"""

from collections.abc import Collection, Iterator

from compiler.code.stays import Stays
from compiler.dwarf.locations import Known, PlaceFinder
from compiler.ir.program import AtCfa, InRegister, Piece

WORD = 8
Spot = tuple[bool, int]
"""In a register or not: which, or where from the CFA."""


class Mixtures:
    """Where words of one variable are of different values, though they are said to be together."""

    def __init__(self, stays: Stays, finder: PlaceFinder, together: Collection[tuple[int, int]]) -> None:
        """`together`: (one, other) for words of which the other has a new value wherever the one has."""
        self._stays, self._finder = stays, finder
        self._stale: dict[tuple[int, Spot], frozenset[int]] = {}
        """By word and where it is, the instructions at which what is there is of an older value than another word."""
        self._spots: dict[int, dict[int, Spot]] = {}
        for one, other in together:
            spots = beside_several(finder, one, other)
            ahead = self._ahead(one, other) if spots else set()
            for spot in spots:
                known = self._stale.get((other, spot), frozenset())
                self._stale[other, spot] = known | self._behind(one, other, spot, ahead)
        self._spots.clear()

    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        return {edge for pcs in self._stale.values() for edge in self._stays.edges_of(pcs)}

    def mixed(self, pieces: tuple[Piece, ...], pc: int) -> bool:
        """Whether these pieces, at `pc` or during the call there, are of different values."""
        at = self._stays.instruction(pc)
        return any(at in self._stale.get(each, ()) for each in _spots(pieces).items())

    def _behind(self, one: int, other: int, spot: Spot, ahead: set[int]) -> frozenset[int]:
        """The instructions behind which the one has another value, and the other is where it was."""
        steps, found = self._stays.steps, set[int]()
        writers = self._stays.writers(spot[1])
        open_ = [pc for pc in self._renewals(one, other, spot, ahead) if self._at(pc).get(other) == spot]
        while open_:
            pc = open_.pop()
            if pc in found or pc not in steps or self._at(pc).get(other) != spot:
                continue
            found.add(pc)
            open_ += () if pc in writers else steps[pc].following
        return frozenset(found)

    def _renewals(self, one: int, other: int, spot: Spot, ahead: set[int]) -> Iterator[int]:
        """PCs at which the one has left its place on the stack. Debug info tells that before all registers it is in, too: it
        leaves it only for another value."""
        steps = self._stays.steps
        kept = self._stays.writers(spot[1]) | ahead
        entry = min(steps, default=0)  # what asked for more stack comes back to it
        for pc, step in steps.items():
            here = self._at(pc)
            if here.get(other) == spot and one in here and not here[one][0] and pc not in kept:
                for following in step.following:
                    if following != entry and self._at(following).get(one) != here[one]:
                        yield following

    def _ahead(self, one: int, other: int) -> set[int]:
        """The instructions at which the other has a value already that the one is going to have: debug info tells it of each as
        it is put on the stack, which is before the next call."""
        steps, found, open_ = self._stays.steps, set[int](), list[int]()
        for pc, step in steps.items():
            here = self._at(pc)
            if other in here and not here[other][0] and one in here:
                open_ += [f for f in step.following if self._left(other, one, here, self._at(f))]
        while open_:
            pc = open_.pop()
            if pc not in found and pc in steps:
                found.add(pc)
                stays, calls = self._at(pc).get(one), steps[pc].does.flow == "call"
                open_ += () if calls else [f for f in steps[pc].following if self._at(f).get(one) == stays]
        return found

    def _left(self, word: int, beside: int, here: dict[int, Spot], there: dict[int, Spot]) -> bool:
        """Whether the word goes to another place while the one beside it stays."""
        return there.get(word) not in (None, here[word]) and there.get(beside) == here[beside]

    def _at(self, pc: int) -> dict[int, Spot]:
        found = self._spots.get(pc)
        if found is None:
            location = self._finder.exact(pc)
            found = self._spots[pc] = _spots(location.pieces) if isinstance(location, Known) else {}
        return found


def beside_several(finder: PlaceFinder, one: int, other: int) -> set[Spot]:
    """Where on the stack the other word is while the one is at several places, some of them on the stack, too."""
    beside: dict[Spot, set[Spot]] = {}
    for each in () if finder.constant else finder.ranges:
        here = _spots(each.location.pieces) if isinstance(each.location, Known) else {}
        if one in here and other in here and not here[other][0]:
            beside.setdefault(here[other], set()).add(here[one])
    return {spot for spot, places in beside.items() if len(places) > 1 and not all(place[0] for place in places)}


def _spots(pieces: tuple[Piece, ...]) -> dict[int, Spot]:
    """By word, where it is."""
    found: dict[int, Spot] = {}
    for piece in pieces:
        if isinstance(piece, AtCfa):
            found |= {piece.at + at: (False, piece.offset + at) for at in range(0, piece.size, WORD)}
        elif isinstance(piece, InRegister):
            found[piece.at] = (True, piece.number)
    return found
