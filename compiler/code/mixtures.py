"""Variables of several words of which one has a new value while debug info still has another where the old one left it.

Go's compiler writes down where each word of an interface, string or slice is. A word that is a constant is kept nowhere, and nobody
writes down that it took the place of what was there before. Of

    w = wrap(w)   // of an interface, what a function returns that returns *wrapper
    wait()
    w.Close()

debug info says during the wait that the type is where it was and the pointer is the new one: an object would be read as one of
another type. So it is with the length of `s = read()[:8]`.
"""

from collections.abc import Collection, Iterator, Mapping

from compiler.code.stays import Stays
from compiler.code.x86 import Step
from compiler.dwarf.locations import PlaceFinder, Where, words_in
from compiler.ir.program import Piece


class Mixtures:
    """Where words of one variable are of different values, though they are said to be together."""

    def __init__(self, stays: Stays, finder: PlaceFinder, together: Collection[tuple[int, int]]) -> None:
        """`together`: (one, other) for words of which the other has a new value wherever the one has."""
        self._stays, self._finder = stays, finder
        self._stale: dict[tuple[int, Where], frozenset[int]] = {}
        """By word and where it is, the instructions at which what is there is of an older value than another word."""
        for one, other in together:
            spots = beside_several(finder, one, other)
            ahead = self._ahead(one, other) if spots else set()
            for spot in spots:
                known = self._stale.get((other, spot), frozenset())
                self._stale[other, spot] = known | self._behind(one, other, spot, ahead)

    def edges(self) -> set[int]:
        """PCs at which an answer may change."""
        return {edge for pcs in self._stale.values() for edge in self._stays.edges_of(pcs)}

    def mixed(self, pieces: tuple[Piece, ...], pc: int) -> bool:
        """Whether these pieces, at `pc` or during the call there, are of different values."""
        at = self._stays.instruction(pc)
        return any(at in self._stale.get(each, ()) for each in words_in(pieces).items())

    def _behind(self, one: int, other: int, spot: Where, ahead: set[int]) -> frozenset[int]:
        """The instructions behind which the one has another value, and the other is where it was."""
        steps, found = self._stays.steps, set[int]()
        writers = self._stays.writers(spot[1])
        open_ = [pc for pc in self._renewals(one, other, spot, ahead) if self._finder.words(pc).get(other) == spot]
        while open_:
            pc = open_.pop()
            if pc in found or pc not in steps or self._finder.words(pc).get(other) != spot:
                continue
            found.add(pc)
            open_ += () if pc in writers else steps[pc].following
        return frozenset(found)

    def _renewals(self, one: int, other: int, spot: Where, ahead: set[int]) -> Iterator[int]:
        """PCs at which the one has left its place on the stack. Debug info tells that before all registers it is in, too: it
        leaves it only for another value."""
        steps = self._stays.steps
        kept = self._stays.writers(spot[1]) | ahead
        entry = min(steps, default=0)  # what asked for more stack comes back to it
        for step, here in self._beside(one, other):
            if here[other] == spot and not here[one][0] and step.pc not in kept:
                for following in step.following:
                    if following != entry and self._finder.words(following).get(one) != here[one]:
                        yield following

    def _beside(self, one: int, other: int) -> Iterator[tuple[Step, Mapping[int, Where]]]:
        """The instructions at which both words are somewhere, and where."""
        for each in self._finder.ranges:
            here = self._finder.words_of(each.location)
            if one in here and other in here:
                alone = not self._finder.overlap
                inside = self._stays.between(each.lo, each.hi)
                yield from ((step, here) for step in inside if alone or self._finder.words(step.pc) is here)

    def _ahead(self, one: int, other: int) -> set[int]:
        """The instructions at which the other has a value already that the one is going to have: debug info tells it of each as
        it is put on the stack, which is before the next call."""
        steps, found, open_ = self._stays.steps, set[int](), list[int]()
        for step, here in self._beside(one, other):
            if not here[other][0]:
                open_ += [f for f in step.following if self._left(other, one, here, self._finder.words(f))]
        while open_:
            pc = open_.pop()
            if pc not in found and pc in steps:
                found.add(pc)
                stays, calls = self._finder.words(pc).get(one), steps[pc].does.flow == "call"
                open_ += () if calls else [f for f in steps[pc].following if self._finder.words(f).get(one) == stays]
        return found

    def _left(self, word: int, beside: int, here: Mapping[int, Where], there: Mapping[int, Where]) -> bool:
        """Whether the word goes to another place while the one beside it stays."""
        return there.get(word) not in (None, here[word]) and there.get(beside) == here[beside]


def beside_several(finder: PlaceFinder, one: int, other: int) -> set[Where]:
    """Where on the stack the other word is while the one is at several places, some of them on the stack, too."""
    beside: dict[Where, set[Where]] = {}
    for each in () if finder.constant else finder.ranges:
        here = finder.words_of(each.location)
        if one in here and other in here and not here[other][0]:
            beside.setdefault(here[other], set()).add(here[one])
    return {spot for spot, places in beside.items() if len(places) > 1 and not all(place[0] for place in places)}
