"""Names of one kind in a binary, with the DIEs they name. Kept as offsets into .debug_info, where the text is anyway."""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import compress
from operator import ne, sub
from typing import Protocol

MAX_SOUGHT = 64
"""Names that are looked for one by one: so many searches take about as long as reading every unit."""


class Text(Protocol):
    """Where the names are spelled."""

    def cuts(self, starts: Iterable[int], ends: Iterable[int]) -> list[bytes]: ...


class Names(Mapping[str, list[int]]):
    """Name to the offsets of its DIEs, ascending. Nothing is read of the text before a name is asked for."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self.dies, self.ends = array("I"), array("I")
        """Of DIEs that begin with a code of one byte and then their name: where the DIE begins, where its name ends."""
        self._of_length: dict[int, dict[bytes, list[int]]] = {}
        self.odd: list[tuple[bytes, int]] = []
        """Names that are kept some other way, each with its DIE."""

    def __len__(self) -> int:
        return len(self._one)

    def __iter__(self) -> Iterator[str]:
        return (name.decode("utf-8", "replace") for name in self._one)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._look_up(name.encode("utf-8", "replace")))

    def __getitem__(self, name: str) -> list[int]:
        found = self._look_up(name.encode("utf-8", "replace"))
        if not found:
            raise KeyError(name)
        return found

    def _look_up(self, name: bytes) -> list[int]:
        """Until all names are wanted, only those are read that are as long as one that is asked for."""
        if "_sorted_out" in vars(self) or self.odd:
            return self._several.get(name) or [self._one[name]] if name in self._one else []
        if len(name) not in self._of_length:
            self._of_length[len(name)] = self._read(len(name))
        return self._of_length[len(name)].get(name, [])

    def _read(self, length: int) -> dict[bytes, list[int]]:
        """The names of a length, with their DIEs, and some of other lengths."""
        numbers = [match.start() for match in re.finditer(re.escape(bytes([(length + 1) & 0xFF])), self._lengths)]
        dies = [self.dies[number] for number in numbers]
        found: dict[bytes, list[int]] = {}
        names = self._text.cuts([die + 1 for die in dies], [self.ends[number] for number in numbers])
        for name, die in zip(names, dies, strict=True):
            found.setdefault(name, []).append(die)
        return found

    @cached_property
    def _lengths(self) -> bytes:
        """The lowest byte of how many each name takes with the code before it."""
        return array("I", map(sub, self.ends, self.dies)).tobytes()[::4]

    @cached_property
    def _one(self) -> dict[bytes, int]:
        """Every name and one of its DIEs."""
        return self._sorted_out[0]

    @cached_property
    def _several(self) -> dict[bytes, list[int]]:
        """The names that have more than one DIE, and all of those."""
        return self._sorted_out[1]

    @cached_property
    def _sorted_out(self) -> tuple[dict[bytes, int], dict[bytes, list[int]]]:
        # Hundreds of thousands of names: each step is one call for all of them.
        names = self._text.cuts(map((1).__add__, self.dies), self.ends)
        dies = self.dies.tolist()
        names += [name for name, _ in self.odd]
        dies += [die for _, die in self.odd]
        one: dict[bytes, int] = {}
        first = map(one.setdefault, names, dies)
        several: dict[bytes, list[int]] = {}
        for name, die in compress(zip(names, dies, strict=True), map(ne, first, dies)):
            several.setdefault(name, [one[name]]).append(die)
        if self.odd:  # their DIEs are among the others
            several = {name: sorted(found) for name, found in several.items()}
        return one, several


class Sought(Mapping[str, list[int]]):
    """The same without a table: a name is looked for when it is asked for, until all are wanted."""

    def __init__(self, find: Callable[[bytes], list[int] | None], every: Callable[[], Names]) -> None:
        """`find` gives the DIEs of one name, None where it cannot tell; `every` all names."""
        self._find, self._make_every = find, every
        self._found: dict[str, list[int]] = {}

    def learn(self, found: Mapping[str, list[int]]) -> None:
        """Take it that these names have these DIEs."""
        self._found |= found

    @cached_property
    def _every(self) -> Names:
        return self._make_every()

    def __len__(self) -> int:
        return len(self._every)

    def __iter__(self) -> Iterator[str]:
        return iter(self._every)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._look_up(name))

    def __getitem__(self, name: str) -> list[int]:
        found = self._look_up(name)
        if not found:
            raise KeyError(name)
        return found

    def _look_up(self, name: str) -> list[int]:
        if "_every" in vars(self) or len(self._found) >= MAX_SOUGHT:
            return self._every.get(name, [])
        if name not in self._found:
            found = self._find(name.encode("utf-8", "replace"))
            self._found[name] = self._every.get(name, []) if found is None else found
        return self._found[name]
