"""Where arguments are kept by their types alone, held against Go's own tables and code in a real program."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.copycode import Code
from compiler.dwarf.functions import Instance

PACKAGES = ("main.", "net/http.", "encoding/json.", "strconv.", "fmt.", "math/big.", "reflect.", "time.")


@pytest.fixture(scope="module")
def program(querydb: Path) -> Iterator[Binary]:
    with Binary(querydb) as opened:
        yield opened


def _instances(program: Binary) -> list[Instance]:
    """Every third function of some packages."""
    names = [name for name in map(bytes.decode, program.pclntab.names()) if name.startswith(PACKAGES)][::3]
    program.functions.prepare(names)
    return [each for name in names for each in program.functions.instances(name) if not each.level]


def _homes(program: Binary, instance: Instance) -> list[int]:
    return Code(program, instance).filled.homes


def test_the_calling_convention_agrees_with_the_tracebacks_table_and_with_the_code(program: Binary) -> None:
    confirmed = beyond = saved = unsure = 0
    for instance in _instances(program):
        slots = program.arguments.slots(instance)
        if not slots:
            continue
        passed = program.arguments.passed(instance, slots, tuple)
        unsure += not passed
        if not passed:
            continue
        for of, theirs in slots.items():
            assert {slot.offset for slot in theirs} <= passed[of], instance.name
        confirmed += 1
        beyond += len(passed) > len(slots)
        # Nothing is told of the table: what the function saves when it asks for more stack has to do.
        saved += bool(program.arguments.passed(instance, {}, partial(_homes, program, instance)))
    assert confirmed > 200
    assert beyond > 2
    assert saved > confirmed / 2
    assert unsure < confirmed / 100


def test_what_nothing_confirms_is_not_told(program: Binary) -> None:
    wrong = 0
    for instance in _instances(program):
        slots = program.arguments.slots(instance)
        if slots:
            assert not program.arguments.passed(instance, {}, tuple)
            assert not program.arguments.passed(instance, {}, lambda: [8, 1 << 20])
            wrong += 1
    assert wrong
