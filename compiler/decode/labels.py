"""A goroutine's profiler labels (runtime/pprof.Do): the keys and values behind g.labels."""

from collections.abc import Iterator

from compiler.decode.image import Image
from compiler.decode.texts import Json
from compiler.decode.values import ValueReader
from compiler.ir.limits import Limits
from compiler.ir.types import TypeId

Labels = tuple[tuple[str, str], ...]


class LabelReader:
    """Reads the labels of one capture; many goroutines share them."""

    def __init__(self, type_id: TypeId, image: Image, values: ValueReader, limits: Limits) -> None:
        self._type, self._image, self._values, self._limits = type_id, image, values, limits
        self._size = values.types[type_id].size
        self._known: dict[int, Labels | None] = {}

    def at(self, address: int) -> Labels | None:
        """The labels at an address, by key; None where a part of them is missing."""
        if address not in self._known:
            self._known[address] = self._read(address)
        return self._known[address]

    def _read(self, address: int) -> Labels | None:
        window = self._image.window(address, self._size)
        if window is None:
            return None
        value, absences = self._values.read(window, 0, self._type, self._limits)
        pairs = None if absences else _pairs(value)
        return None if pairs is None else tuple(sorted(dict(pairs).items()))


def _pairs(value: Json) -> list[tuple[str, str]] | None:
    """(key, value) of a map of texts, or of the list of pairs that a struct has in it; None where it is neither."""
    if value is None:
        return []
    if isinstance(value, list):
        found = [tuple(_texts(each)) for each in value]
        return [(pair[0], pair[1]) for pair in found] if all(len(pair) == 2 for pair in found) else None
    if (
        isinstance(value, dict)
        and len(value) == 1
        and isinstance(inner := next(iter(value.values())), dict | list | None)
    ):
        return _pairs(inner)
    texts = list(_texts(value))
    return list(zip(value, texts, strict=True)) if isinstance(value, dict) and len(texts) == len(value) else None


def _texts(value: Json) -> Iterator[str]:
    for each in value.values() if isinstance(value, dict) else ():
        if isinstance(each, str):
            yield each
