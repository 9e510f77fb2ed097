"""Steps to a value that the bytes decide on: elements, ranges, keys, what interfaces and contexts hold. Hostile ones too."""

from dataclasses import replace
from typing import Any

import pytest

from compiler.decode import decode
from compiler.ir.frames import GONE, Absence, Cell
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AnyAccess,
    AtCfa,
    Branch,
    ByDictionary,
    Choice,
    ContextValue,
    Count,
    Deref,
    DynamicType,
    Element,
    Located,
    Lookup,
    Range,
    Select,
    Tail,
    Unbox,
)
from compiler.ir.program_check import problem
from compiler.ir.raw import RawCapture
from compiler.ir.types import Address, Box, Interface, Opaque, Sought, TwoMaps, Type
from tests.compiler.decode.address_space import (
    BIAS,
    BP,
    CFA,
    SP,
    SYMBOLS,
    TYPES_BASE,
    WAITING,
    Memory,
    goroutine_record,
    header,
    one_column_program,
    words,
)
from tests.compiler.decode.shapes import (
    ANY,
    BOOL,
    INT,
    STRING,
    UINT8,
    hash_map,
    pointer,
    slice_of,
    struct_of,
    swiss_map,
)
from tests.compiler.decode.test_maps import group, small
from tests.compiler.decode.test_syncmaps import TRIE, entry, map_of, node, two

CONTEXT = Interface("context.Context", 16, False, 8, True)
TYPES: tuple[Type, ...] = (
    INT, STRING, UINT8, slice_of(0, 8, "[]int"), swiss_map(0, 8, 0, 8), Sought("map[int]int", 8, 4, 1000, 0, 8, 7),
    ANY, struct_of("main.T", 16, ("A", 0, 0), ("B", 8, 0)), pointer(7, "*main.T"), CONTEXT,
    struct_of("context.valueCtx", 48, ("Context", 0, 9), ("key", 16, 6), ("val", 32, 6)), pointer(10, "*context.valueCtx"),
    struct_of("context.cancelCtx", 24, ("Context", 0, 9)), struct_of("context.backgroundCtx", 0), Address("address", 8),
    hash_map(1, 16, 0, 8), Sought("map[string]int", 8, 15, 2, 8, 8, 1), pointer(12, "*context.cancelCtx"),
    Opaque("", 0, "its fields are not in the debug info"),
    TRIE[1], Sought("sync.Map", 8, 19, 3, 0, 0, 0),
    Box("*any", 8, 6), Box("*entry", 8, 21), swiss_map(0, 8, 22, 8), Sought("sync.Map", 8, 23, 3, 0, 0, 0), BOOL,
    struct_of("readOnly", 16, ("m", 0, 24), ("amended", 8, 25)), TwoMaps("sync.Map", 16, 24, 0, 26, 0, 8, 8),
)  # fmt: skip
DYNAMIC = tuple(
    DynamicType(0x100 * (number + 1), type_id, direct)
    for number, (type_id, direct) in enumerate(((0, False), (1, False), (8, True), (11, True), (17, True), (13, False)))
)
INT_AT, STRING_AT, T_AT, VALUE_AT, CANCEL_AT, BACKGROUND_AT = (each.offset for each in DYNAMIC)


def cell(
    root: bytes,
    memory: Memory | None = None,
    *,
    access: AnyAccess,
    dead: tuple[int, ...] = (),
    others: tuple[Access, ...] = (),
) -> Cell:
    """The one cell of a process in which the variable holds `root`. `others`: what the access may choose, by numbers from 1 on."""
    memory = memory or Memory()
    offset = 16 - (BP - SP)
    memory.at(CFA + offset, root)
    program = one_column_program(TYPES, access, Located(0, (AtCfa(0, len(root), offset),), dead), dynamic=DYNAMIC)
    program = replace(program, accesses=(access, *others), tails=TAILS)
    assert problem(program) is None
    found = decode(program, RawCapture(header(), goroutine_record() + WAITING + memory.records()), SYMBOLS)
    return found.goroutines[0].frames[0].rows[0].cells[0]


def steps(*found: Any, size: int = 24, type_id: int = 0, limits: Limits | None = None) -> Access:
    return Access(size, found, type_id, limits or Limits(), "x")


def tail(size: int, type_id: int, *found: Any, ends: int = 0) -> Access:
    return Access(size, (), type_id, Limits(), "x", Tail(found, ends))


def missing(found: Cell) -> tuple[str, str]:
    [absence] = found.absences
    assert absence.path == ""
    assert found.value is None
    return absence.reason, absence.detail


# ---------------------------------------------------------------- elements and ranges


def test_an_element() -> None:
    memory = Memory()
    root = memory.slice(words(5, 6, 7), 3)
    assert cell(root, memory, access=steps(Element(2, 8))) == Cell(7)


def test_an_element_beyond_the_length_is_missing_though_its_bytes_are_there() -> None:
    memory = Memory()
    root = words(memory.put(words(5, 6, 7)), 2, 3)
    assert missing(cell(root, memory, access=steps(Element(2, 8)))) == ("out of range", "length 2")
    assert missing(cell(words(0, 0, 0), access=steps(Element(0, 8)))) == ("out of range", "length 0")


@pytest.mark.parametrize("root", [words(0, 5, 5), words(17, 5, 5), words(0xC000, -1, 5)])
def test_a_header_that_cannot_be_is_torn(root: bytes) -> None:
    for access in (steps(Element(0, 8)), steps(Range(0, 2, 8, 0), type_id=3)):
        assert missing(cell(root, access=access))[0] == "torn"


def test_an_element_that_was_not_copied() -> None:
    root = words(0xC000700000, 5, 5)
    assert missing(cell(root, access=steps(Element(4, 8)))) == ("budget", "at 0xc000700020")


def test_ranges() -> None:
    memory = Memory()
    root = memory.slice(words(*range(10)), 10)

    def of(lo: int, hi: int | None, **how: Any) -> Any:
        return cell(root, memory, access=steps(Range(lo, hi, 8, 0), type_id=3, **how))

    assert of(2, 4) == Cell("[2,3]")
    assert of(8, 100) == Cell("[8,9]")
    assert of(10, 12) == of(50, None) == Cell("[]")
    assert of(0, 6, limits=Limits(slice_items=2)) == Cell("[0,1,2,3,4,5]")  # asked for by number
    cut = of(3, None, limits=Limits(slice_items=2))
    assert cut == Cell('{"$value":[3,4],"$len":7}', (Absence("", "cut", "length 7"),))
    assert cell(words(0, 0, 0), access=steps(Range(0, 2, 8, 0), type_id=3)) == Cell(None)  # Go's nil


def test_a_range_of_a_string() -> None:
    memory = Memory()
    root = memory.string("zażółć")
    assert cell(root, memory, access=steps(Range(0, 2, 1, None), size=16, type_id=1)) == Cell("za")
    assert cell(root, memory, access=steps(Range(4, 99, 1, None), size=16, type_id=1)) == Cell("żółć"[1:])


def test_the_length_of_a_nil_map_is_zero() -> None:
    access = steps(Deref(or_zero=True), Select(8), size=8)
    assert cell(words(0), access=access) == Cell(0)
    memory = Memory()
    assert cell(words(memory.put(words(1, 42))), memory, access=access) == Cell(42)
    assert missing(cell(words(12), access=access)) == ("torn", "a pointer to 0xc")


def test_an_address_is_text() -> None:
    assert cell(words(0xC000012340), access=steps(size=8, type_id=14)) == Cell("0xc000012340")
    assert cell(words(0), access=steps(size=8, type_id=14)) == Cell(None)


# ---------------------------------------------------------------- maps


def test_a_key_that_is_there_and_one_that_is_not() -> None:
    memory = Memory()
    root = small(memory, words(5, 50), words(7, 70))
    assert cell(root, memory, access=tail(8, 5, Lookup(5, 7))) == Cell(70)
    assert missing(cell(root, memory, access=tail(8, 5, Lookup(5, 8)))) == ("no such key", "2 entries")
    assert missing(cell(words(0), access=tail(8, 5, Lookup(5, 7)))) == ("no such key", "the map is nil")


def test_a_map_that_was_not_copied_whole_has_perhaps_the_key() -> None:
    memory = Memory()
    root = words(memory.put(words(9, 0, memory.put(group(words(5, 50)), captured=False), 0, 0, 0)))
    assert missing(cell(root, memory, access=tail(8, 5, Lookup(5, 7)))) == ("budget", "not all keys could be looked at")


def test_only_so_many_entries_are_looked_through() -> None:
    memory = Memory()
    texts = [memory.string("a"), memory.string("b"), memory.string("c")]
    bucket = (
        bytes([9, 9, 9, 0, 0, 0, 0, 0]) + b"".join(texts) + bytes(16 * 5) + words(1, 2, 3, 0, 0, 0, 0, 0) + words(0)
    )
    root = words(memory.put(words(3, 0, memory.put(bucket), 0, 0, 0)))
    assert cell(root, memory, access=tail(8, 16, Lookup(16, "b"))) == Cell(2)
    reason, detail = missing(cell(root, memory, access=tail(8, 16, Lookup(16, "c"))))
    assert (reason, detail) == ("cut", "2 of 3 entries looked through (limits.map_scan)")


def test_a_key_whose_text_was_not_copied_may_be_the_one() -> None:
    memory = Memory()
    bucket = (
        bytes([9, 9, 0, 0, 0, 0, 0, 0])
        + words(0xC000700000, 1)
        + words(0xC000700000, 2)
        + bytes(16 * 6 + 64)
        + words(0)
    )
    root = words(memory.put(words(2, 0, memory.put(bucket), 0, 0, 0)))
    assert missing(cell(root, memory, access=tail(8, 16, Lookup(16, "x"))))[0] == "budget"
    assert missing(cell(root, memory, access=tail(8, 16, Lookup(16, "long"))))[0] == "no such key"


def test_keys_and_the_number_of_a_trie() -> None:
    memory = Memory()
    root = words(node(memory, entry(memory, 5, 50, entry(memory, 6, 60)), node(memory, 0, entry(memory, 7, 70))))
    assert cell(root, memory, access=tail(8, 20, Lookup(20, 7))) == Cell(70)
    assert cell(root, memory, access=tail(8, 20, Count(20))) == Cell(3)
    assert missing(cell(root, memory, access=tail(8, 20, Lookup(20, 8)))) == ("no such key", "3 entries")
    assert cell(words(0), access=tail(8, 20, Count(20))) == Cell(0)
    assert missing(cell(words(0), access=tail(8, 20, Lookup(20, 7)))) == ("no such key", "0 entries")


def test_only_so_many_entries_of_a_trie_are_looked_through() -> None:
    memory = Memory()
    root = words(node(memory, *(entry(memory, n, n) for n in range(4))))
    cut = "3 entries looked through, and there are more (limits.map_scan)"
    assert missing(cell(root, memory, access=tail(8, 20, Lookup(20, 9)))) == ("cut", cut)
    assert missing(cell(root, memory, access=tail(8, 20, Count(20)))) == (
        "cut",
        "more than 3 entries (limits.map_scan)",
    )


def test_a_trie_that_was_not_copied_whole_has_no_number() -> None:
    memory = Memory()
    root = words(node(memory, entry(memory, 5, 50), memory.put(words(1, 0, 7, 70), captured=False)))
    assert cell(root, memory, access=tail(8, 20, Lookup(20, 5))) == Cell(50)
    assert missing(cell(root, memory, access=tail(8, 20, Lookup(20, 7)))) == (
        "budget",
        "not all keys could be looked at",
    )
    assert missing(cell(root, memory, access=tail(8, 20, Count(20)))) == ("budget", "1 entries and more")


def in_two_maps(memory: Memory) -> int:
    """An entry with 50."""
    return memory.put(words(memory.put(words(TYPES_BASE + INT_AT, memory.put(words(50))))))


def test_keys_and_the_number_of_two_maps() -> None:
    memory = Memory()
    root = two(memory, map_of(memory, {5: in_two_maps(memory), 6: memory.put(words(0))}), 0, amended=False)
    found = cell(root, memory, access=tail(16, 27, Lookup(27, 5), ends=6))
    assert found.value == '{"$type":"int","$value":50}'
    assert cell(root, memory, access=tail(16, 27, Count(27))) == Cell(1)
    assert missing(cell(root, memory, access=tail(16, 27, Lookup(27, 6), ends=6))) == ("no such key", "1 entries")
    assert cell(words(0, 0), access=tail(16, 27, Count(27))) == Cell(0)


def test_an_entry_that_was_not_copied_may_be_deleted() -> None:
    memory = Memory()
    lost = memory.put(words(0), captured=False)
    dirty = map_of(memory, {5: in_two_maps(memory), 7: lost})
    root = two(memory, map_of(memory, {}), dirty, amended=True)
    found = cell(root, memory, access=tail(16, 27, Lookup(27, 5), ends=6))
    assert found.value == '{"$type":"int","$value":50}'
    for asked in (Lookup(27, 7), Count(27)):
        assert missing(cell(root, memory, access=tail(16, 27, asked, ends=6)))[0] == "budget"


def test_two_maps_in_the_midst_of_a_change_have_no_number() -> None:
    memory = Memory()
    nil = memory.put(words(memory.put(words(0, 0))))
    torn = two(memory, map_of(memory, {5: nil}), map_of(memory, {}), amended=False)
    assert missing(cell(torn, memory, access=tail(16, 27, Count(27)))) == ("torn", "0 entries and more")


def test_a_variable_of_generic_code_goes_on_by_its_dictionary() -> None:
    there = Memory().put(words(1, 2))
    choices = (Choice(0x5000, 1), Choice(0x6000, 2), Choice(0x6800, 3))
    chosen = (steps(Deref(), Select(8), size=8), steps(size=8, type_id=8), tail(8, 8, Deref(), Select(0)))

    def found(dictionary: int) -> Cell:
        memory = Memory()
        memory.at(there, words(1, 2))
        root = words(there, dictionary + BIAS)
        return cell(root, memory, access=ByDictionary(8, choices, "x"), others=chosen)

    assert found(0x5000) == Cell(2)
    assert found(0x6000).value == f'{{"$addr":"{there:#x}","A":1,"B":2}}'
    assert found(0x6800) == Cell(1)
    other = missing(found(0x7000))
    assert other == ("other type", "it fits no type argument that the call was passed (dictionary at 0x7000)")


# ---------------------------------------------------------------- interfaces

TAILS = Tail((Deref(), Select(8)), 0), Tail((), 18)
"""From a *T to its field B; to what is dark."""
FIELD_B = Unbox(6, 'a type with ".B"', (Branch(T_AT, True, 0),))


def test_a_field_of_a_dead_interface_of_which_nothing_was_copied() -> None:
    found = Unbox(9, 'a type with ".B"', (Branch(T_AT, True, 0),))
    root = words(0xC000700000, 0xC0DE00)
    detail = f"{GONE} (it was at 0xc0de00)"
    assert missing(cell(root, access=tail(16, 9, found), dead=(8,))) == ("optimized out", detail)


def test_what_an_interface_holds() -> None:
    memory = Memory()
    root = words(TYPES_BASE + T_AT, memory.put(words(1, 2)))
    assert cell(root, memory, access=tail(16, 6, FIELD_B)) == Cell(2)
    assert missing(cell(words(0, 0), access=tail(16, 6, FIELD_B))) == ("nil", "")
    assert missing(cell(words(TYPES_BASE + T_AT, 0), access=tail(16, 6, FIELD_B))) == ("nil", "")
    other = missing(cell(words(TYPES_BASE + INT_AT, 0xC000), access=tail(16, 6, FIELD_B)))
    assert other == ("other type", 'it holds int, not a type with ".B"')
    assert missing(cell(words(99, 99), access=tail(16, 6, FIELD_B)))[0] == "torn"


def test_of_a_type_without_debug_info_nobody_says_that_it_lacks_a_field() -> None:
    dark = Unbox(6, 'a type with ".B"', (Branch(T_AT, True, 1), Branch(INT_AT, False, 1)))
    unknown = ("unsupported", "its fields are not in the debug info")
    assert missing(cell(words(TYPES_BASE + T_AT, 0xC000), access=tail(16, 6, dark))) == unknown
    assert missing(cell(words(TYPES_BASE + INT_AT, 0xC000), access=tail(16, 6, dark))) == unknown


def test_a_type_that_is_not_described_is_noted_for_the_next_capture() -> None:
    offset = 16 - (BP - SP)
    memory = Memory()
    memory.at(CFA + offset, words(TYPES_BASE + 0x9900, 0xC000))
    program = one_column_program(TYPES, tail(16, 6, FIELD_B), Located(0, (AtCfa(0, 16, offset),)), dynamic=DYNAMIC)
    program = replace(program, tails=TAILS)
    found = decode(program, RawCapture(header(), goroutine_record() + WAITING + memory.records()), SYMBOLS)
    assert found.unknown_types == (0x9900,)
    assert missing(found.goroutines[0].frames[0].rows[0].cells[0]) == ("type unknown", "runtime type at 0x9900")


# ---------------------------------------------------------------- contexts


class Contexts:
    """Contexts within each other."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.top = self._context(BACKGROUND_AT, 0xC0DE00)

    def _context(self, offset: int, data: int) -> bytes:
        return words(self.memory.put(words(0, TYPES_BASE + offset)), data)

    def value(self, key_type: int, key: bytes, val: int) -> "Contexts":
        boxed = (
            words(TYPES_BASE + key_type, self.memory.put(key)),
            words(TYPES_BASE + INT_AT, self.memory.put(words(val))),
        )
        self.top = self._context(VALUE_AT, self.memory.put(self.top + b"".join(boxed)))
        return self

    def cancel(self) -> "Contexts":
        self.top = self._context(CANCEL_AT, self.memory.put(self.top + words(0)))
        return self

    def read(self, step: ContextValue) -> Cell:
        return cell(self.top, self.memory, access=tail(16, 9, step, ends=6))


def test_the_nearest_value_under_a_key() -> None:
    contexts = Contexts()
    text = contexts.memory.string("id")
    contexts.value(STRING_AT, text, 1).cancel().value(INT_AT, words(3), 2).value(STRING_AT, text, 4).cancel()
    assert contexts.read(ContextValue(9, STRING_AT, "id", None, False)).value == '{"$type":"int","$value":4}'
    assert contexts.read(ContextValue(9, INT_AT, 3, None, False)).value == '{"$type":"int","$value":2}'
    assert contexts.read(ContextValue(9, INT_AT, None, None, False)).value == '{"$type":"int","$value":2}'
    assert contexts.read(ContextValue(9, INT_AT, None, None, True)).value == '{"$type":"int","$value":4}'
    end = ("no such key", "the chain of contexts ends with a context.backgroundCtx")
    assert missing(contexts.read(ContextValue(9, INT_AT, 9, None, False))) == end
    assert missing(contexts.read(ContextValue(9, STRING_AT, "no", None, False))) == end


def test_a_key_that_is_a_pointer_is_told_by_its_address() -> None:
    contexts = Contexts()
    memory = contexts.memory
    for address in (0x5000, 0x6000):
        boxed = words(TYPES_BASE + T_AT, address + BIAS) + words(TYPES_BASE + INT_AT, memory.put(words(address)))
        contexts.top = contexts._context(VALUE_AT, memory.put(contexts.top + boxed))
    assert contexts.read(ContextValue(9, T_AT, None, 0x5000, False)).value == '{"$type":"int","$value":20480}'


def test_a_chain_without_an_end_ends() -> None:
    contexts = Contexts()
    itab, place = contexts.memory.put(words(0, TYPES_BASE + CANCEL_AT)), 0xC000500000
    contexts.memory.at(place, words(itab, place, 0))
    contexts.top = words(itab, place)
    torn = ("torn", "more than 10000 contexts within each other")
    assert missing(contexts.read(ContextValue(9, INT_AT, 9, None, False))) == torn
