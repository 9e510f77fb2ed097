"""From a Program's sites to what an engine needs while it walks: for a PC, the roots to copy there.

Sites overlap (a function and one inlined into it may both be in the spec); here the PCs are cut into disjoint
intervals, each with the union of its roots.
"""

from bisect import bisect_right
from itertools import pairwise

from compiler.ir.chase import Follow, FollowInterface
from compiler.ir.frozen import frozen
from compiler.ir.program import Access, AtCfa, ByDictionary, Located, Program, Select, Site
from compiler.ir.types import NetAddr

MARGIN = 256
"""Bytes of a stack above the last frame's CFA that belong to its image, at least: that frame's arguments and results."""


@frozen
class Interval:
    """Link-time PCs [lo, hi) at which the same roots are copied."""

    lo: int
    hi: int
    roots: tuple[Located, ...]


def words(program: Program) -> tuple[int, ...]:
    """Link-time addresses of words by which values are told, and to which none of them leads: copied once a capture."""
    return tuple(sorted({kind.ipv4 for kind in program.types if isinstance(kind, NetAddr) and kind.ipv4 is not None}))


def bytes_above(program: Program) -> int:
    """How many bytes above a frame's CFA its columns may begin with, MARGIN at least."""
    places = (place for site in program.sites for place in site.places if isinstance(place, Located))
    pieces = (piece for place in places for piece in place.pieces)
    return max([MARGIN, *(piece.offset + piece.size for piece in pieces if isinstance(piece, AtCfa))])


def intervals(program: Program, *, exact: bool) -> tuple[Interval, ...]:
    """Disjoint intervals of the sites for exact PCs, or for call sites, by ascending PC; none where nothing is to be copied."""
    sites = [site for site in program.sites if site.exact is exact]
    edges = sorted({edge for site in sites for edge in (site.lo, site.hi)})
    starts = sorted(sites, key=lambda site: site.lo)
    found: list[Interval] = []
    live: list[Site] = []
    next_start = 0
    for lo, hi in pairwise(edges):
        live = [site for site in live if site.hi > lo]
        while next_start < len(starts) and starts[next_start].lo <= lo:
            live.append(starts[next_start])
            next_start += 1
        places = (place for site in live for place in site.places)
        roots = dict.fromkeys(place for place in places if isinstance(place, Located) and place.pieces)
        if roots:
            found.append(Interval(lo, hi, tuple(roots)))
    return tuple(found)


@frozen
class Way:
    """An access that an engine takes from a root. With a `dictionary` (link-time) only where its address is found `at` bytes
    behind the root's beginning."""

    access: Access
    at: int = 0
    dictionary: int | None = None


def ways(root: Located, program: Program, own: tuple[tuple[Follow, ...], ...]) -> tuple[Way, ...]:
    """The accesses by which an engine goes on from a root. `own`: what a value of each type leads to (chase.follows)."""
    access = program.accesses[root.access]
    if isinstance(access, ByDictionary):
        chosen = [(program.accesses[each.access], each.dictionary) for each in access.choices]
        found = [Way(each, access.at, dictionary) for each, dictionary in chosen if isinstance(each, Access)]
    else:
        found = [Way(access)]
    return tuple(way for way in found if goes_on(root, way.access, own[way.access.type]))


def goes_on(root: Located, access: Access, own: tuple[Follow, ...]) -> bool:
    """Whether an engine goes on from a root that was copied. `own`: what a value of the access's type leads to.

    It does not through a pointer that nothing keeps alive: what is there by now may be anything, and the decoder shows none of it.
    """
    at = 0
    for step in access.steps if root.dead else ():
        if not isinstance(step, Select):
            return at not in root.dead
        at += step.offset
    words = [at + follow.at + 8 * isinstance(follow, FollowInterface) for follow in own]
    return not root.dead or not all(word in root.dead for word in words)


class IntervalIndex:
    """Finds the interval of a PC."""

    def __init__(self, found: tuple[Interval, ...]) -> None:
        self._intervals = found
        self._los = [interval.lo for interval in found]

    def at(self, pc: int) -> Interval | None:
        """The interval that contains `pc`, if any."""
        index = bisect_right(self._los, pc) - 1
        if index < 0 or pc >= self._intervals[index].hi:
            return None
        return self._intervals[index]
