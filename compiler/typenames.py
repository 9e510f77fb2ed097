"""Types by the names that people write: packages by their last path element, or by as much of the path as tells them apart."""

import re

from compiler.dwarf.gotypes import SHAPE, printed_type
from compiler.dwarf.index import Index
from compiler.nearest import nearest

ALIASES = {"byte": "uint8", "rune": "int32", "any": "interface {}"}
ALIAS = re.compile(r"(?<![\w.])(byte|rune|any)(?![\w.])")
LAST_WORD = re.compile(r"(\w+)\W*$")
MOST_COMPARED = 4000
"""Names that are compared to find the nearest: those that share the wanted one's package or name."""


class TypeNames:
    """Looks types up in one binary's index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._found: dict[str, tuple[tuple[str, int], ...]] = {}

    def find(self, written: str) -> tuple[tuple[str, int], ...]:
        """(linked name, DIE offset) of every type that may be meant, one for each name, sorted."""
        if written not in self._found:
            self._found[written] = tuple(self._look_up(spelt(written)))
        return self._found[written]

    def _look_up(self, text: str) -> list[tuple[str, int]]:
        types = self._index.types
        if text in types and "/" in text:
            return [(text, types[text][0])]
        word = LAST_WORD.search(text)
        ending = text[word.start() :] if word else text
        stars = len(text) - len(text.lstrip("*"))
        path = "/" + text[stars:]
        return sorted(
            (name, offsets[0])
            for name, offsets in types.items()
            if name.endswith(ending)
            and not name.startswith(SHAPE)
            and (
                name == text
                or printed_type(name) == text
                or (name.endswith(path) and name[:stars] == text[:stars] != name[: stars + 1])
            )
        )

    def nearest(self, written: str) -> tuple[str, ...]:
        """Names close to one that no type has."""
        text = spelt(written)
        package, _, word = text.lstrip("*").rpartition(".")
        near = {printed_type(name) for name in self._index.types if _close(name, package, word)}
        return nearest(text, sorted(near)[:MOST_COMPARED])


def spelt(written: str) -> str:
    """As DWARF spells it: aliases by what they stand for, one blank where Go prints one."""
    text = ALIAS.sub(lambda match: ALIASES[match[1]], " ".join(written.split()))
    return text.replace("interface{}", "interface {}")


def _close(name: str, package: str, word: str) -> bool:
    own, _, last = name.lstrip("*").rpartition(".")
    return bool(own) and (last.lower() == word.lower() or own.rpartition("/")[2] == package.rpartition("/")[2])
