"""Every limit and every reason: what the value says, and what the row in `absences` says."""

import json
from collections.abc import Callable

import pytest

from compiler.decode import decode
from compiler.decode.image import Image, Window
from compiler.decode.reading import MAX_NODES
from compiler.decode.values import ValueReader
from compiler.ir.frames import GONE, REASONS, Absence, Cell
from compiler.ir.limits import Limits
from compiler.ir.program import Access, AtAddress, AtCfa, Deref, DynamicType, InRegister, Missing, Select
from compiler.ir.raw import RawCapture
from compiler.ir.types import Array, Type
from tests.compiler.decode.address_space import (
    BIAS,
    BP,
    MAIN_F,
    SP,
    SYMBOLS,
    WAITING,
    Memory,
    ReadOnly,
    cell,
    goroutine_record,
    header,
    one_column_program,
    words,
)
from tests.compiler.decode.shapes import (
    ANY,
    ERROR,
    FUNC,
    INT,
    STRING,
    UINT8,
    chan_of,
    pointer,
    slice_of,
    struct_of,
    swiss_map,
)

NODE = struct_of("main.Node", 24, ("Name", 0, 1), ("Next", 16, 3))
LIST: tuple[Type, ...] = (INT, STRING, NODE, pointer(2, "*main.Node"))
FRAME = 16 - (BP - SP)


def test_depth_is_counted_in_pointers() -> None:
    memory = Memory()
    last = memory.put(memory.string("c") + words(0))
    middle = memory.put(memory.string("b") + words(last))
    first = memory.put(memory.string("a") + words(middle))
    read = cell(LIST, words(first), memory, limits=Limits(depth=2))
    assert json.loads(str(read.value))["Next"]["Next"] == {"$absent": "depth", "$addr": hex(last)}
    assert read.absences == (Absence(".Next.Next", "depth", f"at {last:#x}"),)
    assert cell(LIST, words(first), memory).absences == ()


def test_an_interface_costs_depth_too() -> None:
    types = (ANY, slice_of(0, 16), pointer(1))
    memory = Memory()
    root = words(memory.put(memory.slice(words(0x700100, 0xC0DE), 1)))
    read = cell(types, root, memory, limits=Limits(depth=1))
    assert read.value == '[{"$absent":"depth","$addr":"0xc0de"}]'
    assert read.absences == (Absence("[0]", "depth", "at 0xc0de"),)


def test_a_typed_nil_in_an_interface_costs_none() -> None:
    """There is nothing to follow: it is shown wherever its type is known, and a type is not learnt for it alone."""
    types = (ANY, slice_of(0, 16), pointer(1), INT, pointer(3, "*int"))
    memory = Memory()
    root = words(memory.put(memory.slice(words(0x700100, 0), 1)))
    known = (DynamicType(0x100, 4, direct=True),)
    read = cell(types, root, memory, type_id=2, dynamic=known, limits=Limits(depth=1))
    assert read == Cell('[{"$type":"*int","$value":null}]')
    read = cell(types, root, memory, type_id=2, limits=Limits(depth=1))
    assert read.absences == (Absence("[0]", "depth", "at 0x0"),)


def test_a_cut_text_is_its_prefix_with_its_length_apart() -> None:
    memory = Memory()
    root = memory.string("aé" * 10)
    limits = Limits(string_bytes=5)
    assert cell((STRING,), root, memory, limits=limits) == Cell("aéa", (Absence("", "cut", "length 30"),))
    assert cell((STRING,), root, memory, limits=Limits(string_bytes=6)).value == "aéaé"
    inside = cell((STRING, struct_of("S", 16, ("s", 0, 0))), root, memory, limits=limits)
    assert inside == Cell('{"s":{"$value":"aéa","$len":30}}', (Absence(".s", "cut", "length 30"),))
    raw = memory.slice(b"\xff" * 9, 9)
    cut_bytes = cell((UINT8, slice_of(0, 1)), raw, memory, limits=Limits(string_bytes=2))
    assert cut_bytes == Cell('{"$base64":"//8="}', (Absence("", "cut", "length 9"),))


def test_cut_slices_and_arrays() -> None:
    memory = Memory()
    limits = Limits(slice_items=2)
    read = cell((INT, slice_of(0, 8)), memory.slice(words(1, 2, 3), 3), memory, limits=limits)
    assert read == Cell('{"$value":[1,2],"$len":3}', (Absence("", "cut", "length 3"),))
    array = cell((INT, Array("[3]int", 24, 0, 8, 3)), words(1, 2, 3), limits=limits)
    assert array == read


def test_what_was_not_captured_and_what_could_not_be_read() -> None:
    memory = Memory()
    gone = memory.put(words(1, 2, 3), captured=False)
    assert cell((INT, pointer(0)), words(gone), memory).absences == (Absence("", "budget", f"at {gone:#x}"),)
    assert cell((STRING,), words(gone, 3), memory).absences == (Absence("", "budget", "length 3"),)
    memory.faults.append((gone & ~0xFFF, 4096))
    assert cell((INT, pointer(0)), words(gone), memory).absences == (Absence("", "unreadable", f"at {gone:#x}"),)
    assert cell((FUNC,), words(gone), memory).absences[0].reason == "unreadable"
    assert cell((INT, chan_of(0, 8)), words(gone), memory).absences[0].reason == "unreadable"
    assert cell((INT, swiss_map(0, 8, 0, 8)), words(gone), memory).absences[0].reason == "unreadable"


def test_a_half_captured_object_keeps_its_half() -> None:
    memory = Memory()
    here = memory.put(words(1))
    types = (INT, struct_of("P", 16, ("X", 0, 0), ("Y", 8, 0)), pointer(1), slice_of(0, 8))
    read = cell(types, words(here), memory, type_id=2)
    assert read.value == f'{{"$addr":"{here:#x}","X":1,"Y":{{"$absent":"budget"}}}}'
    assert read.absences == (Absence(".Y", "budget"),)
    items = cell(types, words(here, 3, 3), memory)
    assert items.value == '[1,{"$absent":"budget"},{"$absent":"budget"}]'
    assert [each.path for each in items.absences] == ["[1]", "[2]"]


TORN: list[tuple[tuple[Type, ...], bytes]] = [
    ((STRING,), words(0xC000, -1)),
    ((STRING,), words(5, 3)),
    ((STRING,), words(0, 3)),
    ((INT, slice_of(0, 8)), words(0xC000, -1, 8)),
    ((INT, slice_of(0, 8)), words(0xC000, 9, 8)),
    ((INT, slice_of(0, 8)), words(0, 1, 1)),
    ((INT, slice_of(0, 8)), words(8, 1, 1)),
    ((UINT8, slice_of(0, 1)), words(0xC000, 1 << 50, 1 << 51)),
    ((INT, pointer(0)), words(1)),
    ((INT, swiss_map(0, 8, 0, 8)), words(4095)),
    ((ANY,), words(7, 7)),
]


@pytest.mark.parametrize(("types", "root"), TORN)
def test_headers_that_cannot_be_are_torn(types: tuple[Type, ...], root: bytes) -> None:
    read = cell(types, root)
    assert (read.value, [each.reason for each in read.absences]) == (None, ["torn"])


def test_a_channel_that_cannot_be_is_torn() -> None:
    memory = Memory()
    for header_words in ((5, 4), (1, 1 << 60)):
        root = words(memory.put(words(*header_words) + bytes(80)))
        assert cell((INT, chan_of(0, 8)), root, memory).absences[0].reason == "torn"


def test_words_that_are_nowhere() -> None:
    whole, tail = AtCfa(0, 16, FRAME), AtCfa(8, 8, FRAME + 8)
    root = words(0xC000, 3)
    assert cell((STRING,), root, pieces=(tail,)).absences == (Absence("", "partial", "optimized out"),)
    assert cell((STRING,), root, pieces=(InRegister(0, 8, 0), tail)).absences[0].detail == "in register"
    registers = (InRegister(0, 8, 0), InRegister(8, 8, 3))
    assert cell((STRING,), root, pieces=registers) == Cell(None, (Absence("", "in register"),))
    types = (INT, STRING, struct_of("S", 32, ("A", 0, 0), ("B", 8, 1), ("C", 24, 0)))
    read = cell(types, words(1, 0xC000, 3, 4), pieces=(AtCfa(0, 8, FRAME), AtCfa(16, 8, FRAME + 16)))
    assert read.value == '{"A":1,"B":{"$absent":"partial"},"C":{"$absent":"optimized out"}}'
    assert read.absences == (Absence(".B", "partial", "optimized out"), Absence(".C", "optimized out"))
    assert cell((STRING,), words(0, 0), pieces=(whole,)).value == ""


def test_a_slice_needs_no_capacity_to_be_shown() -> None:
    memory = Memory()
    root = memory.slice(words(1, 2), 2)
    assert cell((INT, slice_of(0, 8)), root, memory, pieces=(AtCfa(0, 16, FRAME),)) == Cell("[1,2]", ())


def test_a_variable_of_the_package_is_at_its_address() -> None:
    memory = Memory()
    memory.at(0x5000 + BIAS, words(77))
    assert cell((INT,), words(0), memory, pieces=(AtAddress(0, 8, 0x5000),)).value == 77
    assert cell((INT,), words(0), pieces=(AtAddress(0, 8, 0x5000),)).absences == (Absence("", "budget"),)


@pytest.mark.parametrize("reason", ["optimized out", "not declared", "issue"])
def test_what_the_compiler_found_missing_stays_missing(reason: str) -> None:
    access = Access(8, (), 0, Limits(), "v")
    program = one_column_program((INT,), access, Missing(reason, "why"))
    read = decode(program, RawCapture(header(), goroutine_record() + WAITING), SYMBOLS)
    assert read.goroutines[0].frames[0].rows[0].cells == (Cell(None, (Absence("", reason, "why"),)),)
    assert reason in REASONS


def test_a_pointer_to_what_is_not_described() -> None:
    read = cell((pointer(None),), words(0xC000))
    assert read == Cell(
        '{"$absent":"unsupported","$addr":"0xc000"}',
        (Absence("", "unsupported", "what a *T points to is not in the debug info; at 0xc000"),),
    )
    argument = cell((pointer(None, "go.shape.*uint8"),), words(0xC000)).absences[0]
    assert argument.detail == "what a type argument of generic code points to is not in the debug info; at 0xc000"


GONE_ROOTS: dict[str, tuple[tuple[Type, ...], Callable[[Memory], bytes], str]] = {
    "a struct": ((INT, STRING, NODE, pointer(2)), lambda m: words(m.put(words(0, 0, 0))), "{}"),
    "a map": ((INT, swiss_map(0, 8, 0, 8)), lambda m: words(m.put(words(0, 0, 0, 0, 0, 0))), "{}"),
    "a channel": ((INT, chan_of(0, 8)), lambda m: words(m.put(bytes(96))), "{}"),
    "a func": ((FUNC,), lambda m: words(m.put(words(MAIN_F + BIAS))), "{}"),
    "a slice": ((INT, slice_of(0, 8)), lambda m: m.slice(words(1, 2), 2), '{,"$len":2}'),
}


@pytest.mark.parametrize("what", GONE_ROOTS)
def test_a_dead_pointer_is_an_address_and_not_followed(what: str) -> None:
    types, make, form = GONE_ROOTS[what]
    memory = Memory()
    root = make(memory)
    alive = cell(types, root, memory)
    assert alive.value is not None
    assert not alive.absences
    address = f"{int.from_bytes(root[:8], 'little'):#x}"
    read = cell(types, root, memory, dead=(0,))
    assert read.value == form.replace("{", f'{{"$absent":"optimized out","$addr":"{address}"')
    assert read.absences == (Absence("", "optimized out", f"{GONE} (it was at {address})"),)


def test_a_dead_pointer_costs_only_what_it_leads_to() -> None:
    memory = Memory()
    types = (INT, STRING, struct_of("main.T", 48, ("N", 0, 0), ("S", 8, 1), ("E", 24, 1), ("M", 40, 0)))
    root = words(7) + memory.string("text") + words(0, 0, 9)
    gone = f'{{"$absent":"optimized out","$addr":"{int.from_bytes(root[8:16], "little"):#x}","$len":4}}'
    assert cell(types, root, memory, dead=(8, 24)).value == f'{{"N":7,"S":{gone},"E":"","M":9}}'
    assert cell(types, root, memory, dead=(8,), type_id=0, steps=(Select(40),)).value == 9


def test_a_dead_pointer_on_the_way_ends_it() -> None:
    memory = Memory()
    root = words(memory.put(words(5, 6)))
    assert cell((INT,), root, memory, steps=(Deref(), Select(8))).value == 6
    read = cell((INT,), root, memory, steps=(Deref(), Select(8)), dead=(0,))
    address = f"{int.from_bytes(root, 'little'):#x}"
    assert read == Cell(None, (Absence("", "optimized out", f"{GONE} (it was at {address})"),))
    assert cell((INT,), words(0), memory, steps=(Deref(),), dead=(0,)).absences == (Absence("", "nil"),)


def test_of_a_dead_interface_not_even_the_type_may_have_been_copied() -> None:
    """The itab is a constant in the file only where the program is not position-independent."""
    read = cell((ERROR,), words(0xC000700000, 0xC0DE00), Memory(), dead=(8,))
    assert read.value == '{"$absent":"optimized out","$addr":"0xc0de00"}'
    assert read.absences == (Absence("", "optimized out", f"{GONE} (it was at 0xc0de00)"),)


def test_a_constant_is_never_somebody_elses() -> None:
    """Nothing keeps alive what is never freed: a literal is read where the executable has it."""
    constants = ReadOnly(0x5000, b"SELECT 1;")
    types = (STRING, struct_of("main.T", 32, ("S", 0, 0), ("Heap", 16, 0)))
    memory = Memory()
    on_heap = memory.string("text")
    root = words(0x5000 + BIAS, 8) + on_heap
    gone = f'{{"$absent":"optimized out","$addr":"{int.from_bytes(on_heap[:8], "little"):#x}","$len":4}}'
    read = cell(types, root, memory, dead=(0, 16), constants=constants)
    assert read.value == f'{{"S":"SELECT 1","Heap":{gone}}}'
    assert [(each.path, each.reason) for each in read.absences] == [(".Heap", "optimized out")]
    beyond = cell(types, words(0x5000 + BIAS, 10) + on_heap, memory, dead=(0, 16), constants=constants)
    assert beyond.value == f'{{"S":{{"$absent":"budget"}},"Heap":{gone}}}'


def test_a_constant_that_no_engine_copied_is_there() -> None:
    root = words(0x5002 + BIAS, 4)
    assert cell((STRING,), root, constants=ReadOnly(0x5000, b"a text")).value == "text"
    assert cell((STRING,), root).absences == (Absence("", "budget", "length 4"),)


def test_a_capture_has_a_bounded_number_of_values() -> None:
    memory = Memory()
    types = (INT, slice_of(0, 8))
    root = Window(memory.slice(words(1, 2, 3), 3))
    program = one_column_program(types, Access(24, (), 1, Limits(), "v"), Missing("issue"))
    image = Image([(address, memoryview(found)) for address, found in memory.written], [])
    values = ValueReader(program, image, SYMBOLS, bias=0, types_base=0, max_nodes=6)
    assert values.read(root, 0, 1, Limits()) == ([1, 2, 3], ())
    assert values.read(root, 0, 1, Limits()) == ({"$value": [1], "$len": 3}, (Absence("", "budget", "length 3"),))
    assert values.read(root, 0, 1, Limits())[1] == (Absence("", "budget", "more than 0 values"),)


def test_a_cell_has_a_bounded_number_of_values() -> None:
    memory = Memory()
    count = 3000
    types = (INT, slice_of(0, 8), slice_of(1, 24))
    inner = memory.slice(bytes(8 * count), count)
    root = memory.slice(inner * count, count)
    read = cell(types, root, memory, limits=Limits(slice_items=count))
    assert 0 < str(read.value).count("0") < 2 * MAX_NODES
    assert {each.reason for each in read.absences} == {"budget"}
    assert read.absences[-1] == Absence("", "budget", "length 3000")
