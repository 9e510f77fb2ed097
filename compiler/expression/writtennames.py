"""Types and package variables by the names that people write: packages by their own name, or by enough of the path."""

import re
from collections.abc import Mapping
from functools import cached_property

from compiler.dwarf.gotypes import SHAPE, GoTypes, printed_type
from compiler.naming.nearest import COUNT, nearest

ALIASES = {"byte": "uint8", "rune": "int32", "any": "interface {}"}
ALIAS = re.compile(r"(?<![\w.])(byte|rune|any)(?![\w.])")
LAST_WORD = re.compile(r"\w+\W*$")
MOST_COMPARED = 4000
"""Names that are compared to find the nearest: those that share the wanted one's package or name."""


class WrittenNames:
    """Looks linked names of one kind up in a binary's index."""

    def __init__(self, names: Mapping[str, list[int]], types: GoTypes) -> None:
        self._names, self._types = names, types
        self._found: dict[str, tuple[tuple[str, int], ...]] = {}

    def find(self, written: str) -> tuple[tuple[str, int], ...]:
        """(linked name, DIE offset) of everything that may be meant, one for each name, sorted."""
        if written not in self._found:
            self._found[written] = tuple((name, self._names[name][0]) for name in self._meant(spelt(written)))
        return self._found[written]

    def _meant(self, text: str) -> list[str]:
        if text in self._names and not text.startswith(SHAPE):
            return [text]  # its linked name means nothing else
        word = LAST_WORD.search(text)
        ending = text if word is None else word[0]
        near = [match[0][1:] for match in re.finditer(rf"\n[^\n]*{re.escape(ending)}(?:·\d+)?(?=\n)", self._lines)]
        return sorted(name for name in near if not name.startswith(SHAPE) and self._is(name, text))

    def _is(self, name: str, text: str) -> bool:
        """Whether a linked name may be written so: as Go prints it, by the last element of its path, or by more of that."""
        stars = len(text) - len(text.lstrip("*"))
        whole = name.replace("%2e", ".")
        return (
            self._types.printed_name(name) == text
            or printed_type(name) == text
            or whole == text
            or (whole.endswith("/" + text[stars:]) and _is_path(whole[: -len(text) + stars], stars))
        )

    @cached_property
    def _lines(self) -> str:
        """All linked names, each between line feeds."""
        return "\n" + "\n".join(self._names) + "\n"

    def nearest(self, written: str) -> tuple[str, ...]:
        """Names close to one that is not there."""
        text = spelt(written)
        package, _, word = text.lstrip("*").rpartition(".")
        package = package.rpartition("/")[2]
        near = (
            set(re.findall(rf"(?i)(?<=\n)\*?[^\n]*\.{re.escape(word)}(?:·\d+)?(?=\n)", self._lines)) if word else set()
        )
        if package:
            near |= set(re.findall(rf"(?<=\n)\*?(?:[^\n]*/)?{re.escape(package)}\.\w+(?:·\d+)?(?=\n)", self._lines))
        printed = set(map(self._types.printed_name, sorted(near)[:MOST_COMPARED]))
        names = sorted(printed, key=lambda each: (len(each), each))
        return nearest(text, names) or tuple(name for name in names if name.endswith(f".{word}"))[:COUNT]


def _is_path(text: str, stars: int) -> bool:
    """Whether it is so many stars and then nothing but a part of an import path."""
    return re.fullmatch(rf"\*{{{stars}}}[\w~+\-][\w.~+\-/]*/", text) is not None


def spelt(written: str) -> str:
    """As DWARF spells it: aliases by what they stand for, one blank where Go prints one."""
    text = ALIAS.sub(lambda match: ALIASES[match[1]], " ".join(written.split()))
    return text.replace("interface{}", "interface {}")
