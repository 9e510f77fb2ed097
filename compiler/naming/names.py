"""The functions of one binary by the names that a spec writes: which of them are meant, and which are near a misspelt one.

Nothing here reads a DIE but of types that are type arguments; a binary may have hundreds of thousands of functions.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from compiler.dwarf.functions import Functions
from compiler.dwarf.index import Index
from compiler.dwarf.linked import split_name
from compiler.ir.frozen import frozen
from compiler.naming.nearest import COUNT, nearest
from compiler.naming.patterns import (
    ANY_ARGUMENTS,
    Pattern,
    bracketed,
    given_arguments,
    parse_pattern,
    written_name,
)
from compiler.naming.shapes import Shapes
from compiler.stripped import StrippedFunctions

PANIC = "runtime.gopanic"
MOST_LOOKED_AT = 50
"""Of the names nearest to one that is not there, those of which it is asked whether a traceback shows them."""


@frozen
class Meant:
    """What a spec's function stands for: linked names, sorted. `hidden`: wrappers among them, whose frames Go does not show."""

    names: tuple[str, ...]
    hidden: tuple[str, ...]


class FunctionNames:
    """Looks functions up in one binary's index."""

    def __init__(self, index: Index, functions: Functions | StrippedFunctions, shapes: Shapes) -> None:
        self._index, self._functions, self._shapes = index, functions, shapes

    def meant(self, written: str) -> Meant:
        """The functions that a name or pattern of a spec stands for. A linked name stands for itself alone."""
        pattern = parse_pattern(written)
        hidden: list[str] = []
        for names in self._readings(pattern):
            found = [name for name in dict.fromkeys(names) if not self._functions.is_wrapper(name)]
            if found:
                return Meant(tuple(sorted(found)), ())
            hidden += names
        return Meant((), tuple(sorted(set(hidden))))

    def _readings(self, pattern: Pattern) -> Iterator[list[str]]:
        """Linked names by each way to read a pattern, the narrowest first."""
        known = self._index.functions
        if pattern.several:
            yield self.matching(pattern)
            return
        yield [pattern.text] if pattern.text in known else []
        if pattern.plain:
            yield [name for name in pattern.spellings()[1:] if name in known]
        else:
            yield self.matching(pattern)
        if pattern.text == "panic":  # funcNameForPrint in go/src/runtime/traceback.go
            yield [PANIC]

    def matching(self, pattern: Pattern) -> list[str]:
        """Linked names that the pattern fits, wrappers included."""
        found = [match[0][1:] for match in re.finditer(pattern.expression(), self._lines)]
        if pattern.arguments in ((), (ANY_ARGUMENTS,)):
            return found
        return [name for name in found if self._fits(pattern.arguments, bracketed(name))]

    def containing(self, part: str) -> list[str]:
        """Linked names that have `part` in them in whatever case, escapes undone; ".Serve" is in ").Serve" as well."""
        spelt = [r"\)?(?:\.|%2e)" if character == "." else re.escape(character) for character in part]
        return [match[0][1:] for match in re.finditer(rf"\n[^\n]*?{''.join(spelt)}[^\n]*", self._lines, re.IGNORECASE)]

    def _fits(self, wanted: tuple[str, ...], linked: tuple[str, ...]) -> bool:
        """Whether the type arguments between brackets are those that were written, pair by pair."""
        if len(wanted) != len(linked):
            return False
        for written, actual in zip(wanted, linked, strict=True):
            if written != ANY_ARGUMENTS:
                ours, theirs = given_arguments(written), given_arguments(actual)
                if len(ours) != len(theirs) or not all(map(self._shapes.is_shape_of, theirs, ours)):
                    return False
        return True

    @cached_property
    def _lines(self) -> str:
        """All linked names, each between line feeds."""
        return "\n" + "\n".join(self._index.functions) + "\n"

    # ------------------------------------------------------------ near ones

    def nearest(self, written: str) -> tuple[str, ...]:
        """Names that look like one that no function has, as a spec would write them."""
        parts = written.replace("*", "") if parse_pattern(written).several else written
        wanted = written_name(parts)
        package, rest = split_name(wanted)
        near = [package] if package in self._packages else nearest(package, self._packages)
        last = rest.rpartition(".")[2].removesuffix("-fm")
        namesakes = self._ending(f".{last}") if last else []
        linked = [name for each in near for name in self._of_package(each)] + namesakes
        pool: dict[str, list[str]] = {}
        for name in linked:
            pool.setdefault(written_name(name), []).append(name)
        bare = {name.replace(f"[{ANY_ARGUMENTS}]", ""): name for name in pool}
        found = [bare[name] for name in nearest(wanted.replace(f"[{ANY_ARGUMENTS}]", ""), bare, MOST_LOOKED_AT)]
        found += sorted(name for name in map(written_name, namesakes) if split_name(name)[0] in near)
        shown = (name for name in dict.fromkeys(found) if not all(map(self._functions.is_wrapper, pool[name])))
        return tuple(islice(shown, COUNT))

    @cached_property
    def _packages(self) -> dict[str, str]:
        """Packages as they are imported, to the linked spelling."""
        heads = set(re.findall(r"\n((?:[^\n\[(/]*/)*[^\n\[(/.]*)\.", self._lines))
        return {written_name(head): head for head in heads}

    def _of_package(self, package: str) -> list[str]:
        """The linked names of a package's functions."""
        start, lines = f"\n{self._packages[package]}.", self._lines
        return [lines[at + 1 : lines.index("\n", at + 1)] for at in positions(lines, start)]

    def _ending(self, end: str) -> list[str]:
        """The linked names that end so, in whatever case."""
        lines = self._lines
        return [
            lines[lines.rindex("\n", 0, at) + 1 : at + len(end)] for at in positions(self._folded, f"{end.lower()}\n")
        ]

    @cached_property
    def _folded(self) -> str:
        """The lines in lower case, each where it is there; as they are where that would not be so."""
        folded = self._lines.lower()
        return folded if len(folded) == len(self._lines) else self._lines


def positions(text: str, wanted: str) -> Iterator[int]:
    """Where in `text` another stands, in order, overlapping ones too."""
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)
