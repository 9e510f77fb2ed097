"""What only looks like a map costs next to nothing: no engine may spend the pause on it."""

from collections.abc import Sequence

from agent.containers import MAX_GROUPS, hash_entries, swiss_entries
from agent.reader import Reader
from tests.agent.fake_memory import FakeMemory
from tests.compiler.decode.address_space import words
from tests.compiler.decode.shapes import hash_map, swiss_map

HEADER, NOWHERE, ZEROS = 0x800000, 0x7FFF12340000, 0x900000
HASH, SWISS = hash_map(0, 8, 0, 8), swiss_map(0, 8, 0, 8)


class Counted(FakeMemory):
    """Counts what is read; from ZEROS on there are zeros without end."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def read_many(self, spans: Sequence[tuple[int, int]]) -> list[bytes | None]:
        self.reads += len(spans)
        return [bytes(size) if address >= ZEROS and address < NOWHERE else super(Counted, self).read_many([(address, size)])[0]
                for address, size in spans]  # fmt: skip


def hmap(count: int, shift: int, buckets: int) -> bytes:
    return words(count, shift << 8, buckets, 0, 0, 0)


def test_buckets_that_cannot_be_read_end_it() -> None:
    memory = Counted()
    memory.put(HEADER, hmap(1 << 60, 255, NOWHERE))
    assert list(hash_entries(Reader(memory, 1 << 30), HASH, HEADER, 100, lambda: False)) == []
    memory.put(HEADER, hmap(5, 30, NOWHERE))
    assert list(hash_entries(Reader(memory, 1 << 30), HASH, HEADER, 100, lambda: False)) == []
    assert memory.reads < 6


def test_so_many_empty_buckets_are_looked_at_and_no_more() -> None:
    memory = Counted()
    memory.put(HEADER, hmap(5, 32, ZEROS))
    assert list(hash_entries(Reader(memory, 1 << 40), HASH, HEADER, 100, lambda: False)) == []
    assert memory.reads <= MAX_GROUPS + 2


def test_no_more_entries_are_looked_for_than_the_map_says_it_has() -> None:
    memory = Counted()
    bucket = bytes([9, 0, 0, 0, 0, 0, 0, 0]) + words(7, *[0] * 7) + words(70, *[0] * 7) + words(0)
    memory.put(HEADER, hmap(1, 20, 0x810000))
    memory.put(0x810000, bucket)
    [(found, key, value)] = hash_entries(Reader(memory, 1 << 30), HASH, HEADER, 100, lambda: False)
    assert (found[key : key + 8], found[value : value + 8]) == (words(7), words(70))
    assert memory.reads == 2


def test_groups_that_cannot_be_read_end_it() -> None:
    memory = Counted()
    memory.put(HEADER, words(1 << 40, 0, HEADER + 0x100, 1, 0, 0))
    memory.put(HEADER + 0x100, words(HEADER + 0x200))
    memory.put(HEADER + 0x200, words(0, 0, NOWHERE, (1 << 39) - 1))
    assert list(swiss_entries(Reader(memory, 1 << 30), SWISS, HEADER, 100, lambda: False)) == []
    assert memory.reads < 6
