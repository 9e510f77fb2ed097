"""A sync.Map of either kind out of memory: whole, cut, torn, and in the midst of a change."""

from compiler.ir.frames import Absence
from compiler.ir.limits import Limits
from compiler.ir.program import DynamicType
from compiler.ir.types import Box, Field, Struct, Trie, TwoMaps, Type
from tests.compiler.decode.address_space import TYPES_BASE, Memory, cell, words
from tests.compiler.decode.shapes import ANY, BOOL, INT, swiss_map

TRIE: tuple[Type, ...] = (INT, Trie("trie", 16, 0, 0, 8, 0, 40, 8, 4, 32, 8, 16, 24))
"""Nodes of four children; entries of an int and an int."""


def node(memory: Memory, *children: int) -> int:
    return memory.put(words(0, *children, *[0] * (4 - len(children))))


def entry(memory: Memory, key: int, value: int, overflow: int = 0) -> int:
    return memory.put(words(1, overflow, key, value))


def root(address: int) -> bytes:
    return words(0, address)


def test_entries_at_any_level_and_of_one_hash() -> None:
    memory = Memory()
    deep = node(memory, 0, entry(memory, 3, 30))
    same = entry(memory, 1, 10, entry(memory, 4, 40, entry(memory, 2, 20)))
    top = node(memory, same, deep, 0, entry(memory, -5, 50))
    read = cell(TRIE, root(top), memory)
    assert (read.value, read.absences) == ('{"-5":50,"1":10,"2":20,"3":30,"4":40}', ())


def test_one_that_was_never_used_is_empty() -> None:
    assert cell(TRIE, root(0)).value == "{}"


def test_nobody_knows_how_many_entries_a_cut_one_has() -> None:
    memory = Memory()
    top = node(memory, *(entry(memory, n, n) for n in range(4)))
    read = cell(TRIE, root(top), memory, limits=Limits(map_entries=3))
    assert read.value == '{"$value":{"0":0,"1":1,"2":2},"$len":null}'
    assert read.absences == (Absence("", "cut", "a sync.Map does not know how many more"),)
    assert cell(TRIE, root(top), memory, limits=Limits(map_entries=4)).value == '{"0":0,"1":1,"2":2,"3":3}'


def test_a_part_that_is_not_there_is_told() -> None:
    memory = Memory()
    read = cell(TRIE, root(node(memory, entry(memory, 1, 1), memory.put(words(1, 0, 2, 2), captured=False))), memory)
    assert read.value == '{"$value":{"1":1},"$len":null}'
    assert [absence.path for absence in read.absences] == [""]
    assert read.absences[0].detail == "1 entries and more"


def test_garbage_ends() -> None:
    memory = Memory()
    around, loop = 0x7000_0000, 0x7000_1000
    memory.at(around, words(0, around, around, around, around))
    read = cell(TRIE, root(around), memory)
    assert read.value == '{"$value":{},"$len":null}'
    memory.at(loop, words(1, loop, 7, 7))
    looping = cell(TRIE, root(node(memory, loop)), memory, limits=Limits(map_entries=2))
    assert looping.value == '{"$value":{"7":7,"7#2":7},"$len":null}'


MAPS: tuple[Type, ...] = (
    INT, ANY, Box("*any", 8, 1), Box("*entry", 8, 2), swiss_map(0, 8, 3, 8), BOOL,
    Struct("readOnly", 16, (Field("m", 0, 4), Field("amended", 8, 5))), TwoMaps("sync.Map", 16, 4, 0, 6, 0, 8, 8),
)  # fmt: skip
"""Of keys that are ints; its values are pointers to pointers to anys."""
INT_TYPE = 0x40


def map_of(memory: Memory, entries: dict[int, int]) -> int:
    slots = b"".join(words(key, at) for key, at in entries.items()).ljust(8 * 16, b"\0")
    group = memory.put(bytes([7] * len(entries)).ljust(8, b"\x80") + slots)
    return memory.put(words(len(entries), 0, group, 0, 0, 0))


def held(memory: Memory, value: int | None) -> int:
    """An entry with an int; with nil where there is none."""
    any_ = words(0, 0) if value is None else words(TYPES_BASE + INT_TYPE, memory.put(words(value)))
    return memory.put(words(memory.put(any_)))


def two(memory: Memory, read: int, dirty: int, *, amended: bool) -> bytes:
    return words(memory.put(words(read, int(amended))), dirty)


def plain(memory: Memory, value: bytes) -> tuple[object, tuple[Absence, ...]]:
    found = cell(MAPS, value, memory, dynamic=(DynamicType(INT_TYPE, 0, False),))
    return found.value, found.absences


def test_the_map_that_has_all_is_shown() -> None:
    memory = Memory()
    one, two_, gone = held(memory, 1), held(memory, 2), memory.put(words(0))
    read, dirty = map_of(memory, {1: one, 3: gone}), map_of(memory, {1: one, 2: two_, 3: gone})
    first, second = '"1":{"$type":"int","$value":1}', '"2":{"$type":"int","$value":2}'
    assert plain(memory, two(memory, read, 0, amended=False)) == (f"{{{first}}}", ())
    assert plain(memory, two(memory, read, dirty, amended=True)) == (f"{{{first},{second}}}", ())
    assert plain(memory, words(0, 0)) == ("{}", ())


def test_what_may_be_deleted_or_nil_is_not_shown_as_nil() -> None:
    """While the second map is being made, the first has entries that were deleted: they point to one nil of their own."""
    memory = Memory()
    entries = {1: held(memory, 1), 2: held(memory, None)}
    whole = plain(memory, two(memory, map_of(memory, entries), 0, amended=False))
    assert whole == ('{"1":{"$type":"int","$value":1},"2":null}', ())
    value, absences = plain(memory, two(memory, map_of(memory, entries), map_of(memory, {}), amended=False))
    assert value == '{"$value":{"1":{"$type":"int","$value":1}},"$len":null}'
    assert [absence.reason for absence in absences] == ["torn"]
