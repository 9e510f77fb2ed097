"""The functions of one binary by the names that a spec writes: which of them are meant, and which are near a misspelt one.

Nothing here reads a DIE but of types that are type arguments; a binary may have hundreds of thousands of functions.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

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
MOST_COMPARED = 5000
"""Names that are compared to find the nearest."""


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
        packages = self._packages
        near = [package] if package in packages else nearest(package, packages)
        pool = {name for each in near for name in self._of_package(each)}
        last = rest.rpartition(".")[2].removesuffix("-fm")
        if last:
            elsewhere = rf"\n[^\n]*\.{re.escape(last)}(?=\n)"
            pool |= set(self._visible(re.finditer(elsewhere, self._lines, re.IGNORECASE)))
        bare = {name.replace(f"[{ANY_ARGUMENTS}]", ""): name for name in sorted(pool)[:MOST_COMPARED]}
        found = [bare[name] for name in nearest(wanted.replace(f"[{ANY_ARGUMENTS}]", ""), bare)]
        namesakes = sorted(name for name in pool if name.endswith(f".{last}") and split_name(name)[0] in near)
        return tuple(dict.fromkeys([*found, *namesakes]))[:COUNT]

    @cached_property
    def _packages(self) -> dict[str, str]:
        """Packages as they are imported, to the linked spelling."""
        heads = {match[1] for match in re.finditer(r"\n((?:[^\n\[(/]*/)*[^\n\[(/.]*)\.", self._lines)}
        return {written_name(head): head for head in heads}

    def _of_package(self, package: str) -> Iterator[str]:
        start = re.escape(self._packages[package])
        return self._visible(re.finditer(rf"\n{start}\.[^\n]*(?=\n)", self._lines))

    def _visible(self, matches: Iterable["re.Match[str]"]) -> Iterator[str]:
        """The functions that a traceback shows, as a spec would write them."""
        names = (match[0][1:] for match in matches)
        return (written_name(name) for name in names if not self._functions.is_wrapper(name))
