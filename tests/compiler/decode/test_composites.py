"""Structs, pointers, slices, arrays, interfaces, functions and channels as JSON."""

import json
from dataclasses import replace
from typing import Any

from compiler.ir.frames import Absence, Cell
from compiler.ir.limits import Limits
from compiler.ir.program import Deref, DynamicType, Select
from compiler.ir.types import Array, Interface, Type
from tests.compiler.decode.address_space import BIAS, MAIN_G, TYPES_BASE, Memory, capture, cell, words
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
)

POINT = struct_of("main.Point", 16, ("X", 0, 0), ("_", 0, 0), ("Y", 8, 0))


def test_a_struct_by_value_has_its_fields_in_order_without_blank_ones() -> None:
    assert cell((INT, POINT), words(1, 2)).value == '{"X":1,"Y":2}'


def test_a_struct_behind_a_pointer_carries_its_address_first() -> None:
    memory = Memory()
    address = memory.put(words(1, 2))
    assert cell((INT, POINT, pointer(1)), words(address), memory).value == f'{{"$addr":"{address:#x}","X":1,"Y":2}}'


def test_an_embedded_struct_is_under_its_types_name_and_an_empty_one_is_fine() -> None:
    types = (INT, struct_of("main.Base", 8, ("ID", 0, 0)), struct_of("main.None", 0),
             struct_of("main.Q", 8, ("Base", 0, 1), ("None", 8, 2)))  # fmt: skip
    assert cell(types, words(5)).value == '{"Base":{"ID":5},"None":{}}'
    assert cell((struct_of("main.None", 0), pointer(0)), words(0xC0DE0000)).value == '{"$addr":"0xc0de0000"}'


def test_nil_is_null_without_an_absence() -> None:
    nils: list[tuple[tuple[Type, ...], bytes]] = [
        ((INT, pointer(0)), words(0)),
        ((INT, slice_of(0, 8)), words(0, 0, 0)),
        ((ANY,), words(0, 0)),
        ((ERROR,), words(0, 0)),
        ((FUNC,), words(0)),
        ((INT, chan_of(0, 8)), words(0)),
    ]
    for types, root in nils:
        read = cell(types, root)
        assert (read.value, read.absences) == (None, ())


def test_slices_and_arrays_are_arrays() -> None:
    memory = Memory()
    assert cell((INT, slice_of(0, 8)), memory.slice(words(3, 5, 7), 3), memory).value == "[3,5,7]"
    assert cell((INT, slice_of(0, 8)), words(0xC000000000, 0, 4)).value == "[]"
    assert cell((UINT8, Array("[3]uint8", 3, 0, 1, 3)), b"\1\2\3").value == "[1,2,3]"
    assert cell((struct_of("struct {}", 0), slice_of(0, 0)), words(0xC000000000, 2, 2)).value == "[{},{}]"


def test_a_pointer_that_closes_a_cycle_refers_to_it() -> None:
    memory = Memory()
    types = (INT, struct_of("main.Node", 16, ("V", 0, 0), ("Next", 8, 2)), pointer(1, "*main.Node"))
    second = memory.free + 40
    first = memory.put(words(1, second))
    memory.at(second, words(2, first))
    expected = {"$addr": hex(first), "V": 1, "Next": {"$addr": hex(second), "V": 2, "Next": {"$ref": hex(first)}}}
    read = cell(types, words(first), memory)
    assert (json.loads(str(read.value)), read.absences) == (expected, ())


def test_a_slice_that_contains_itself_ends() -> None:
    memory = Memory()
    types = (slice_of(0, 24, "main.S"),)
    header = words(memory.free, 1, 1)
    address = memory.put(header)
    assert cell(types, header, memory).value == f'[{{"$ref":"{address:#x}"}}]'


DYNAMIC = (DynamicType(0x100, 0, False), DynamicType(0x200, 1, False), DynamicType(0x300, 2, True),
           DynamicType(0x400, 3, False), DynamicType(0x500, 4, False), DynamicType(0x600, 6, True),
           DynamicType(0x700, 7, True), DynamicType(0x800, 8, True))  # fmt: skip
HELD: tuple[Type, ...] = (
    INT, POINT, pointer(1, "*main.Point"), slice_of(0, 8, "[]int"), STRING, ANY, chan_of(0, 8, "main.Events"), FUNC,
    pointer(6, "*main.Events"), ERROR,
)  # fmt: skip


def held(memory: Memory, offset: int, data: int) -> object:
    read = cell(HELD, words(TYPES_BASE + offset, data), memory, type_id=5, dynamic=DYNAMIC)
    return None if read.value is None else json.loads(str(read.value))


def test_an_interface_marks_what_it_holds() -> None:
    memory = Memory()
    number, point = memory.put(words(7)), memory.put(words(1, 2))
    items, text = memory.put(memory.slice(words(4), 1)), memory.put(memory.string("hi"))
    assert held(memory, 0x100, number) == {"$type": "int", "$value": 7}
    assert held(memory, 0x200, point) == {"$type": "main.Point", "X": 1, "Y": 2}
    pointed = held(memory, 0x300, point)
    assert pointed == {"$type": "*main.Point", "$addr": hex(point), "X": 1, "Y": 2}
    assert isinstance(pointed, dict)
    assert list(pointed) == ["$type", "$addr", "X", "Y"]
    assert held(memory, 0x300, 0) == {"$type": "*main.Point", "$value": None}
    assert held(memory, 0x400, items) == {"$type": "[]int", "$value": [4]}
    assert held(memory, 0x500, text) == {"$type": "string", "$value": "hi"}
    code = memory.put(words(MAIN_G + BIAS))
    assert held(memory, 0x700, code) == {"$type": "func()", "$func": "main.g"}


def test_a_named_channel_in_an_interface_has_its_type_once() -> None:
    memory = Memory()
    channel = memory.put(bytes(96))
    shown = {"$type": "main.Events", "$len": 0, "$cap": 0, "$closed": False, "items": []}
    assert held(memory, 0x600, channel) == shown
    assert held(memory, 0x800, memory.put(words(channel))) == {"$type": "*main.Events", "$value": shown}


def test_an_interface_with_methods_has_its_type_in_the_itab() -> None:
    memory = Memory()
    point = memory.put(words(1, 2))
    itab = memory.put(words(0, TYPES_BASE + 0x300))
    read = cell(HELD, words(itab, point), memory, type_id=9, dynamic=DYNAMIC)
    assert read.value == f'{{"$type":"*main.Point","$addr":"{point:#x}","X":1,"Y":2}}'


def test_unknown_dynamic_types_are_collected() -> None:
    read = capture(HELD, words(TYPES_BASE + 0xABC, 1 << 20), type_id=5, dynamic=DYNAMIC)
    assert read.unknown_types == (0xABC,)
    found = read.goroutines[0].frames[0].rows[0].cells[0]
    assert (found.value, found.absences) == (None, (Absence("", "type unknown", "runtime type at 0xabc"),))
    types = (ANY, slice_of(0, 16))
    memory = Memory()
    many = memory.slice(words(TYPES_BASE + 0x20, 8192, TYPES_BASE + 0x10, 8192), 2)
    listed = capture(types, many, memory)
    assert listed.unknown_types == (0x10, 0x20)
    shown = listed.goroutines[0].frames[0].rows[0].cells[0]
    assert shown.value == '[{"$absent":"type unknown"},{"$absent":"type unknown"}]'
    assert [each.path for each in shown.absences] == ["[0]", "[1]"]


def test_a_func_is_its_name() -> None:
    memory = Memory()
    assert cell((FUNC,), words(memory.put(words(MAIN_G + BIAS))), memory).value == '{"$func":"main.g"}'
    assert cell((FUNC,), words(memory.put(words(0x99))), memory).absences[0].reason == "torn"


def ring(memory: Memory, count: int, capacity: int, received: int, items: tuple[int, ...]) -> bytes:
    buffer = memory.put(words(*items))
    header = bytearray(96)
    header[0:24] = words(count, capacity, buffer)
    header[28] = 1
    header[56:64] = words(received)
    return words(memory.put(bytes(header)))


def test_a_channels_items_are_in_the_order_of_the_queue() -> None:
    memory = Memory()
    root = ring(memory, 4, 5, 3, (30, 40, 0, 10, 20))
    read = cell((INT, chan_of(0, 8)), root, memory)
    assert read.value == '{"$type":"chan int","$len":4,"$cap":5,"$closed":true,"items":[10,20,30,40]}'
    cut = cell((INT, chan_of(0, 8)), root, memory, limits=Limits(slice_items=3))
    assert json.loads(str(cut.value))["items"] == [10, 20, 30]
    assert cut.absences == (Absence(".items", "cut", "length 4"),)


WAITED_AT = replace(chan_of(0, 8), receivers=64, senders=80, waiter_size=16, waiter_g=0, waiter_next=8)
"""A channel whose sudogs are {g, next}."""
G = 0xC000000000
"""The runtime.g of the one goroutine there is, number 17."""


def waited_at(memory: Memory, receivers: int = 0, senders: int = 0, limits: Limits | None = None) -> tuple[Any, Cell]:
    header = bytearray(96)
    header[64:72], header[80:88] = words(receivers), words(senders)
    read = cell((INT, WAITED_AT), words(memory.put(bytes(header))), memory, limits=limits or Limits())
    return json.loads(str(read.value)), read


def test_a_channel_names_the_goroutines_that_wait_at_it() -> None:
    memory = Memory()
    last = memory.put(words(G + 0x200, 0))
    first = memory.put(words(G, last))
    shown, read = waited_at(memory, receivers=first)
    assert (shown["receivers"], shown["senders"]) == ([17, {"$absent": "budget", "$addr": hex(G + 0x200)}], [])
    assert read.absences == (Absence(".receivers[1]", "budget", f"at {G + 0x200:#x}"),)


def test_waiting_goroutines_are_cut_at_the_limit_and_a_chain_that_closes_ends() -> None:
    memory = Memory()
    place = memory.free + 0x1000
    for number in range(5):
        memory.at(place + 16 * number, words(G, place + 16 * ((number + 1) % 5)))
    shown, read = waited_at(memory, senders=place)
    assert (shown["senders"], read.absences) == ([17] * 5, ())
    shown, read = waited_at(memory, senders=place, limits=Limits(slice_items=3))
    assert shown["senders"] == [17, 17, 17, {"$absent": "cut"}]
    assert read.absences == (Absence(".senders[3]", "cut", "more goroutines wait"),)


def test_a_waiter_that_was_not_copied_is_missing() -> None:
    memory = Memory()
    gone = memory.put(words(G, 0), captured=False)
    shown, read = waited_at(memory, receivers=gone)
    assert shown["receivers"] == [{"$absent": "budget", "$addr": hex(gone)}]
    assert [each.path for each in read.absences] == [".receivers[0]"]


def test_steps_lead_from_the_variable_to_the_value() -> None:
    memory = Memory()
    user = memory.put(memory.string("ada"))
    session = memory.put(words(0, user))
    types = (STRING,)
    steps = (Deref(), Select(8), Deref())
    assert cell(types, words(session), memory, steps=steps).value == "ada"
    assert cell(types, words(0), memory, steps=steps).absences == (Absence("", "nil"),)
    assert cell(types, words(memory.put(words(0, 0))), memory, steps=steps).absences == (Absence("", "nil"),)
    assert cell(types, words(9), memory, steps=steps).absences == (Absence("", "torn", "a pointer to 0x9"),)
    gone = memory.put(words(0, 0), captured=False)
    assert cell(types, words(gone), memory, steps=steps).absences == (Absence("", "budget", f"at {gone + 8:#x}"),)


def test_an_interface_type_may_be_named() -> None:
    named = Interface("main.Shape", 16, False, 8)
    assert cell((named,), words(0, 0)).value is None
