"""Maps of both layouts: entries sorted by key, none lost, and a reason for those that are missing."""

import json
import struct

import pytest

from compiler.ir.frames import Absence
from compiler.ir.limits import Limits
from compiler.ir.program import DynamicType
from compiler.ir.types import Array, Type
from tests.compiler.decode.address_space import TYPES_BASE, Memory, cell, words
from tests.compiler.decode.shapes import (
    ANY,
    BOOL,
    COMPLEX128,
    FLOAT64,
    INT,
    STRING,
    hash_map,
    pointer,
    struct_of,
    swiss_map,
)

INTS: tuple[Type, ...] = (INT, swiss_map(0, 8, 0, 8))


def group(*pairs: bytes, stride: int = 16) -> bytes:
    """A group whose first slots are full; a deleted one at the end."""
    controls = bytes([7] * len(pairs) + [0x80] * (7 - len(pairs)) + ([0xFE] if len(pairs) < 8 else []))
    return controls + b"".join(pairs) + bytes((8 - len(pairs)) * stride)


def small(memory: Memory, *pairs: bytes, used: int | None = None, stride: int = 16) -> bytes:
    one = memory.put(group(*pairs, stride=stride))
    return words(memory.put(words(len(pairs) if used is None else used, 0, one, 0, 0, 0)))


def table(memory: Memory, *groups: bytes) -> int:
    return memory.put(words(0, 0, memory.put(b"".join(groups)), len(groups) - 1))


def test_nil_and_empty_maps() -> None:
    assert cell(INTS, words(0)).value is None
    memory = Memory()
    assert cell(INTS, words(memory.put(words(0, 0, 0, 0, 0, 0))), memory).value == "{}"


def test_a_small_map_is_one_group_sorted_by_number() -> None:
    memory = Memory()
    assert cell(INTS, small(memory, words(10, 1), words(9, 2), words(-3, 3)), memory).value == '{"-3":3,"9":2,"10":1}'


def test_a_directory_may_name_a_table_twice() -> None:
    memory = Memory()
    first = table(memory, group(words(1, 1), words(2, 2)), group(words(3, 3)))
    second = table(memory, group(words(4, 4)))
    directory = memory.put(words(first, first, second, second))
    root = words(memory.put(words(4, 0, directory, 4, 0, 0)))
    read = cell(INTS, root, memory)
    assert (read.value, read.absences) == ('{"1":1,"2":2,"3":3,"4":4}', ())


def test_text_keys_are_sorted_and_paths_quote_them() -> None:
    memory = Memory()
    types = (STRING, INT, pointer(1), swiss_map(0, 16, 2, 8))
    root = small(memory, memory.string("b") + words(9), memory.string('a"') + words(0), stride=24)
    read = cell(types, root, memory)
    assert read.value == '{"a\\"":null,"b":{"$absent":"torn","$addr":"0x9"}}'
    assert read.absences == (Absence('["b"]', "torn", "at 0x9"),)


@pytest.mark.parametrize(
    ("kind", "size", "keys", "expected"),
    [
        (FLOAT64, 8, [struct.pack("<d", each) for each in (1.5, float("nan"), 1e21, float("nan"), -1.0)],
         ["NaN", "NaN#2", "-1", "1.5", "1e+21"]),
        (BOOL, 8, [words(1), words(0)], ["false", "true"]),
        (COMPLEX128, 16, [struct.pack("<dd", 1, 2)], ["(1+2i)"]),
        (struct_of("K", 16, ("A", 0, 1), ("B", 8, 1)), 16, [words(2, 3), words(1, 2)], ['{"A":1,"B":2}', '{"A":2,"B":3}']),
        (Array("[2]int", 16, 1, 8, 2), 16, [words(1, 2)], ["[1,2]"]),
        (pointer(1), 8, [words(0xC000, 0)[:8], words(0)], ["0xc000", "null"]),
    ],
)  # fmt: skip
def test_keys_that_are_no_text(kind: Type, size: int, keys: list[bytes], expected: list[str]) -> None:
    memory = Memory()
    types = (kind, INT, swiss_map(0, size, 1, 8))
    root = small(memory, *(key + words(number) for number, key in enumerate(keys)), stride=size + 8)
    read = cell(types, root, memory)
    assert (list(json.loads(str(read.value))), read.absences) == (expected, ())


def test_keys_in_interfaces_carry_their_type() -> None:
    memory = Memory()
    types = (INT, ANY, pointer(0, "*int"), swiss_map(1, 16, 0, 8))
    dynamic = (DynamicType(0x10, 0, False), DynamicType(0x20, 2, True))
    number = memory.put(words(5))
    pairs = (words(TYPES_BASE + 0x10, number, 1), words(TYPES_BASE + 0x20, number, 2))
    read = cell(types, small(memory, *pairs, stride=24), memory, dynamic=dynamic, limits=Limits(depth=1))
    keys = list(json.loads(str(read.value)))
    assert keys == [f'{{"$type":"*int","$addr":"{number:#x}"}}', '{"$type":"int","$value":5}']


def test_keys_behind_the_last_pointer_are_shown_and_keys_within_them_are_not() -> None:
    memory = Memory()
    key_type, holding = struct_of("main.key", 16, ("v", 0, 1)), struct_of("main.t", 8, ("m", 0, 3))
    types = (INT, ANY, key_type, swiss_map(1, 16, 0, 8), holding, pointer(4, "*main.t"))
    dynamic = (DynamicType(0x10, 0, False), DynamicType(0x20, 2, False))
    number = memory.put(words(5))
    key = memory.put(words(TYPES_BASE + 0x10, number))
    pairs = (words(TYPES_BASE + 0x10, number, 1), words(TYPES_BASE + 0x20, key, 2))
    holder = memory.put(small(memory, *pairs, stride=24))
    read = cell(types, words(holder), memory, dynamic=dynamic, limits=Limits(depth=1))
    within = f'{{"$type":"main.key","v":{{"$absent":"depth","$addr":"{number:#x}"}}}}'
    assert json.loads(str(read.value))["m"] == {within: 2, '{"$type":"int","$value":5}': 1}
    assert read.absences == (Absence(".m[key].v", "depth", f"at {number:#x}"),)
    whole = cell(types, words(holder), memory, dynamic=dynamic, limits=Limits(depth=3))
    assert whole.absences == ()


def test_a_cut_map_says_how_long_it_is() -> None:
    memory = Memory()
    read = cell(INTS, small(memory, words(2, 2), words(1, 1)), memory, limits=Limits(map_entries=1))
    assert read.value == '{"$value":{"2":2},"$len":2}'
    assert read.absences == (Absence("", "cut", "length 2"),)


def test_a_cut_key_says_how_long_it_is() -> None:
    """It is not the key that it looks like, and keys that begin alike are two."""
    memory = Memory()
    types = (STRING, INT, swiss_map(0, 16, 1, 8))
    root = small(memory, memory.string("abcd") + words(1), memory.string("abc") + words(2), stride=24)
    read = cell(types, root, memory, limits=Limits(string_bytes=3))
    assert json.loads(str(read.value)) == {"abc": 2, '{"$value":"abc","$len":4}': 1}
    assert read.absences == (Absence("[key]", "cut", "length 4"),)


def test_fewer_entries_than_it_says_is_torn_or_not_captured() -> None:
    memory = Memory()
    read = cell(INTS, small(memory, words(2, 2), used=3), memory)
    assert read.value == '{"$value":{"2":2},"$len":3}'
    assert read.absences == (Absence("", "torn", "1 of 3 entries"),)
    gone = words(memory.put(words(3, 0, memory.put(b"", captured=False), 0, 0, 0)))
    assert cell(INTS, gone, memory).absences == (Absence("", "budget", "0 of 3 entries"),)
    memory.faults.append((memory.free, 8))
    unreadable = words(memory.put(words(3, 0, memory.free, 0, 0, 0)))
    assert cell(INTS, words(memory.put(b"", captured=False)), memory).absences[0].reason in ("budget", "unreadable")
    assert cell(INTS, unreadable, memory).absences[0].detail == "0 of 3 entries"


@pytest.mark.parametrize("length", [3, 1 << 31, (1 << 64) - 1])
def test_a_directory_of_an_impossible_length_is_torn(length: int) -> None:
    memory = Memory()
    root = words(memory.put(words(3, 0, memory.put(words(1)), length, 0, 0)))
    assert cell(INTS, root, memory).absences == (Absence("", "torn", "0 of 3 entries"),)


def bucket(*pairs: tuple[int, int], overflow: int = 0, top: int = 9) -> bytes:
    keys = b"".join(words(key) for key, _ in pairs)
    values = b"".join(words(value) for _, value in pairs)
    rest = bytes(8 * (8 - len(pairs)))
    return bytes([top] * len(pairs) + [1] * (8 - len(pairs))) + keys + rest + values + rest + words(overflow)


def old_map(memory: Memory, count: int, shift: int, buckets: bytes, old: bytes = b"", flags: int = 0) -> bytes:
    before = memory.put(old) if old else 0
    head = words(count) + bytes([flags, shift]) + bytes(6) + words(memory.put(buckets), before, 0, 0)
    return words(memory.put(head))


def test_a_map_of_buckets_with_overflow() -> None:
    memory = Memory()
    types = (INT, hash_map(0, 8, 0, 8))
    more = memory.put(bucket((5, 50)))
    root = old_map(memory, 3, 1, bucket((1, 10), overflow=more) + bucket((2, 20)))
    read = cell(types, root, memory)
    assert (read.value, read.absences) == ('{"1":10,"2":20,"5":50}', ())


def test_a_growing_map_is_in_both_arrays() -> None:
    memory = Memory()
    types = (INT, hash_map(0, 8, 0, 8))
    new, old = bucket((1, 10)) + bucket() + bucket() + bucket(), bucket((1, 99), top=3) + bucket((2, 20))
    assert cell(types, old_map(memory, 2, 2, new, old), memory).value == '{"1":10,"2":20}'
    same_size = old_map(memory, 2, 1, bucket((1, 10)) + bucket(), old, flags=8)
    assert cell(types, same_size, memory).value == '{"1":10,"2":20}'


def test_a_bucket_array_of_an_impossible_size_is_torn() -> None:
    memory = Memory()
    types = (INT, hash_map(0, 8, 0, 8))
    assert cell(types, old_map(memory, 2, 200, bucket()), memory).absences == (Absence("", "torn", "0 of 2 entries"),)
    nowhere = words(memory.put(words(2, 0, 0, 0, 0, 0)))
    assert cell(types, nowhere, memory).absences[0].reason == "torn"


@pytest.mark.parametrize("layout", ["swiss", "buckets"])
def test_a_map_in_the_midst_of_a_write_is_torn(layout: str) -> None:
    """What is in it is not shown: of an entry that is deleted the value may be gone already."""
    memory = Memory()
    if layout == "swiss":
        header, types = words(1, 0, memory.put(group(words(1, 10))), 0, 1 << 16, 0), INTS
    else:
        header, types = words(1, 4, memory.put(bucket((1, 10))), 0, 0, 0), (INT, hash_map(0, 8, 0, 8))
    read = cell(types, words(memory.put(header)), memory)
    assert (read.value, read.absences) == (None, (Absence("", "torn", "a goroutine is writing to it"),))
