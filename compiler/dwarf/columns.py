"""One word of each of many records, one behind the other: what is searched in a fraction of the time that the records take."""

from array import array
from collections.abc import Iterator

WORD = 4


def column_of(records: memoryview, size: int) -> bytes:
    """The first word of each record of `size` bytes, a multiple of a word's."""
    words = array("I")
    words.frombytes(records[: len(records) // size * size])
    return words[:: size // WORD].tobytes()


def numbers_of(wanted: int, words: bytes) -> Iterator[int]:
    """The numbers of the records that have this word, ascending."""
    spelt = wanted.to_bytes(WORD, "little")
    at = words.find(spelt)
    while at >= 0:
        if at % WORD == 0:
            yield at // WORD
        at = words.find(spelt, at + 1)
