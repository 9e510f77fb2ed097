"""Errors within errors, contexts within contexts: shown whole at any depth, and ended where they have no end."""

import json
from typing import Any

from compiler.ir.frames import Cell
from compiler.ir.limits import Limits
from compiler.ir.program import DynamicType
from compiler.ir.types import Type
from tests.compiler.decode.address_space import TYPES_BASE, Memory, cell, words
from tests.compiler.decode.shapes import ANY, ERROR, INT, chan_of, pointer, slice_of, struct_of

LINK = struct_of("main.link", 40, ("Err", 0, 0), ("Detail", 16, 3), ("Next", 24, 4))
MANY = struct_of("main.many", 24, ("Errs", 0, 6))
CHAIN: tuple[Type, ...] = (
    ERROR, LINK, pointer(1, "*main.link"), pointer(7, "*int"), ANY, struct_of("main.value", 24, ("Err", 0, 0), ("P", 16, 3)),
    slice_of(0, 16, "[]error"), INT, struct_of("main.only", 8, ("P", 0, 3)), chan_of(0, 16, "main.Errors"),
    MANY, pointer(10, "*main.many"),
)  # fmt: skip
DYNAMIC = (DynamicType(0x100, 2, True), DynamicType(0x200, 5, False), DynamicType(0x300, 8, True),
           DynamicType(0x400, 9, True), DynamicType(0x500, 11, True))  # fmt: skip


def error(memory: Memory, offset: int, data: int) -> bytes:
    return words(memory.put(words(0, TYPES_BASE + offset)), data)


def read(memory: Memory, root: bytes, depth: int) -> tuple[Any, Cell]:
    found = cell(CHAIN, root, memory, type_id=0, dynamic=DYNAMIC, limits=Limits(depth=depth))
    return json.loads(str(found.value)), found


def linked(memory: Memory, length: int) -> bytes:
    """*link -> *link -> ..., each with a pointer to its number."""
    err = words(0, 0)
    for number in range(length):
        detail = memory.put(words(number))
        err = error(memory, 0x100, memory.put(err + words(detail, 0, 0)))
    return err


def links(value: Any) -> list[Any]:
    found = []
    while value is not None and "$absent" not in value:
        found.append(value)
        value = value["Err"]
    return found


def test_a_chain_of_sixty_is_whole_and_each_link_has_the_depth_of_the_first() -> None:
    memory = Memory()
    value, found = read(memory, linked(memory, 60), 1)
    assert [each["Detail"] for each in links(value)] == list(range(59, -1, -1))
    assert found.absences == ()


def test_what_else_a_link_points_to_costs_depth() -> None:
    memory = Memory()
    inner = linked(memory, 1)
    number = memory.put(words(7))
    root = error(memory, 0x100, memory.put(inner + words(number) + words(TYPES_BASE + 0x100, memory.put(bytes(40)))))
    value, found = read(memory, root, 1)
    assert (value["Detail"], value["Err"]["Detail"]) == (7, 0)
    assert value["Next"]["$absent"] == "depth"
    assert [each.reason for each in found.absences] == ["depth"]


def test_a_link_by_value_costs_nothing_and_its_pointers_cost_as_usual() -> None:
    memory = Memory()
    number = memory.put(words(5))
    boxed = memory.put(linked(memory, 1) + words(number))
    value, _ = read(memory, error(memory, 0x200, boxed), 1)
    assert value == {"$type": "main.value", "Err": value["Err"], "P": 5}
    assert value["Err"]["Detail"] == 0


def test_a_struct_of_one_pointer_is_as_good_as_the_pointer() -> None:
    memory = Memory()
    value, found = read(memory, error(memory, 0x300, memory.put(words(6))), 1)
    assert (value, found.absences) == ({"$type": "main.only", "P": 6}, ())


def test_joined_errors_are_shown_each_with_its_chain() -> None:
    memory = Memory()
    errors = memory.slice(linked(memory, 3) + linked(memory, 2), 2)
    value, _ = read(memory, error(memory, 0x500, memory.put(errors)), 1)
    assert [len(links(each)) for each in value["Errs"]] == [3, 2]


def test_a_chain_that_closes_refers_to_its_beginning() -> None:
    memory = Memory()
    place = memory.free + 40
    err = error(memory, 0x100, place)
    memory.at(place, err + words(0, 0, 0))
    value, found = read(memory, err, 1)
    assert (value["Err"], found.absences) == ({"$type": "*main.link", "$ref": hex(place)}, ())


def test_a_value_that_holds_itself_ends() -> None:
    memory = Memory()
    place = memory.free + 40
    err = error(memory, 0x200, place)
    memory.at(place, err + words(0))
    _, found = read(memory, err, 3)
    assert {each.reason for each in found.absences} == {"depth"}
    assert "values within each other" in found.absences[0].detail


def test_a_direct_value_that_is_no_pointer_gains_no_depth_on_its_way_round() -> None:
    """A channel of errors in which it is itself."""
    memory = Memory()
    header = bytearray(96)
    place = memory.free + 200
    item = error(memory, 0x400, place)
    header[0:24] = words(1, 1, memory.put(item))
    memory.at(place, bytes(header))
    value, _ = read(memory, item, 1)
    assert value["items"] == [{"$type": "main.Errors", "$ref": hex(place)}]


def test_a_chain_without_end_is_cut_and_says_so() -> None:
    memory = Memory()
    value, found = read(memory, linked(memory, 500), 1)
    assert 60 < len(links(value)) < 500
    assert {each.reason for each in found.absences} == {"depth"}
