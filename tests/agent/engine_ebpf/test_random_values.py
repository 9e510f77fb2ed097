"""Both engines on random values of random types: they must copy the same."""

import random
from dataclasses import replace

import pytest

from agent.engine_ebpf import EbpfEngine
from compiler.ir import program_check
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AtCfa,
    ByDictionary,
    Choice,
    Count,
    Deref,
    DynamicType,
    Element,
    FunctionTable,
    Located,
    Lookup,
    Program,
    Range,
    Select,
    Site,
    Step,
    Tail,
)
from compiler.ir.types import HashMap, Slice, Sought, String, SwissMap, Trie, Type
from tests.agent.engine_ebpf.house import House, HousedProcess
from tests.agent.engine_ebpf.random_values import (
    ROOT,
    ROOT_SIZE,
    RUNTIME_TYPE,
    TYPES,
    RandomValues,
    is_direct,
    random_types,
)
from tests.agent.process import BIAS, GOEXIT, SITE, program
from tests.compiler.decode.shapes import pointer, slice_of, struct_of

DICTIONARY = 0x450000
SLOT = -40
"""Where the variable is, from the CFA on; it ends below the frame pointer."""


def made_up(rng: random.Random, types: tuple[Type, ...], *, pointed_to: bool) -> Program:
    """A column of type ROOT, in the frame or pointed to from there; a few dynamic types are not known."""
    limits = Limits(string_bytes=50, slice_items=5, map_entries=1000, depth=rng.randrange(1, 6))
    size = 8 if pointed_to else ROOT_SIZE
    steps: tuple[Step, ...] = (Deref(),) if pointed_to else ()
    made = program(types, (AtCfa(0, size, SLOT),), limits=limits)
    dynamic = [DynamicType(RUNTIME_TYPE * n, n, is_direct(kind)) for n, kind in enumerate(types[:TYPES])]
    known = sorted(rng.sample(dynamic, TYPES - 5), key=lambda each: each.offset)
    made = replace(made, dynamic_types=tuple(known), accesses=(Access(size, steps, ROOT, limits, "x"),))
    assert program_check.problem(made) is None
    return made


@pytest.mark.parametrize("seed", range(60))
def test_both_engines_copy_the_same(house: House, engine: EbpfEngine, seed: int) -> None:
    rng = random.Random(seed)
    types, process = random_types(rng), HousedProcess(house, engine)
    values, pointed_to = RandomValues(rng, types, process.memory), rng.random() < 0.5
    for goid in range(1, 6):
        stack = process.goroutine(goid, [SITE + 1, SITE + 2, GOEXIT])
        for frame in range(2):
            content = values.value(ROOT)
            if pointed_to:
                content = values.place(content).to_bytes(8, "little")
            cfa = stack + 0x100 + 48 + 64 * frame + 16
            process.memory.put(cfa + SLOT, content)
    found = process.capture(made_up(rng, types, pointed_to=pointed_to))
    assert {loss.kind for loss in found.losses} == set()
    assert found.copied >= len(found.goroutines)


def by_dictionary(rng: random.Random, types: tuple[Type, ...]) -> tuple[Program, list[int]]:
    """A column that is a ROOT or one of two other structs of words, each with a dictionary; the types' ids. The first is wanted
    as a whole, of the others one word."""
    words = [number for number, kind in enumerate(types[:TYPES]) if kind.size == 8]
    roots = [ROOT, len(types), len(types) + 1]
    others = [struct_of("other", ROOT_SIZE, *((str(at), at, rng.choice(words)) for at in (0, 8, 16))) for _ in range(2)]
    limits = Limits(string_bytes=50, slice_items=5, map_entries=1000, depth=rng.randrange(1, 6))
    made = program((*types, *others), (AtCfa(0, ROOT_SIZE, SLOT), AtCfa(ROOT_SIZE, 8, SLOT - 8)), limits=limits)
    wanted = [(ROOT, ()), *((each.fields[1].type, (Select(8),)) for each in others)]
    chosen = tuple(Access(ROOT_SIZE, steps, end, limits, "x", None, rng.randrange(3)) for end, steps in wanted)
    choices = tuple(Choice(DICTIONARY + 64 * number, 1 + number) for number in range(3))
    dynamic = tuple(DynamicType(RUNTIME_TYPE * n, n, is_direct(kind)) for n, kind in enumerate(types[:TYPES]))
    made = replace(made, dynamic_types=dynamic, accesses=(ByDictionary(ROOT_SIZE, choices, "x"), *chosen))
    assert program_check.problem(made) is None
    return made, roots


@pytest.mark.parametrize("seed", range(40))
def test_both_engines_follow_what_the_dictionary_says(house: House, engine: EbpfEngine, seed: int) -> None:
    rng = random.Random(2000 + seed)
    types, process = random_types(rng), HousedProcess(house, engine)
    made, roots = by_dictionary(rng, types)
    values = RandomValues(rng, made.types, process.memory)
    for goid in range(1, 9):
        cfa = process.goroutine(goid, [SITE + 1, GOEXIT]) + 0x100 + 48 + 16
        number = rng.randrange(4)  # one is none of the choices
        process.memory.put(cfa + SLOT, values.value(roots[min(number, 2)]))
        process.memory.words(cfa + SLOT - 8, DICTIONARY + 64 * number + BIAS)
    found = process.capture(made)
    assert {loss.kind for loss in found.losses} == set()


def asked_for(rng: random.Random, types: tuple[Type, ...]) -> tuple[Program, tuple[int, ...]]:
    """Elements and ranges of slices and strings, and keys of maps: each column has its variable (of the type that is told)
    at a slot of its own, in the frame or behind a pointer there."""
    wanted = [
        number for number, kind in enumerate(types) if isinstance(kind, Slice | String | SwissMap | HashMap | Trie)
    ]
    roots = tuple(rng.choice(wanted) for _ in range(6))
    made, accesses, places = list(types), [], []
    for column, root in enumerate(roots):
        kind, behind = types[root], column % 2 == 1
        steps: tuple[Step, ...] = (Deref(),) if behind else ()
        end, tail = root, None
        match kind:
            case Slice(elem=elem, elem_size=stride) if rng.random() < 0.5:
                steps, end = (*steps, Element(rng.randrange(4), stride)), elem
            case Slice(elem=elem, elem_size=stride):
                lo, hi = rng.randrange(3), rng.choice([None, 3, 100])
                steps = (*steps, Range(lo, hi, stride, elem))
            case String():
                steps = (*steps, Range(rng.randrange(9), rng.choice([None, 30]), 1, None))
            case _:
                steps = (*steps, Select(kind.root)) if isinstance(kind, Trie) else steps
                made.append(Sought("map", 8, root, 1000, 0, rng.choice([0, 1]), 0))
                end = len(made) - 1
                tail = Tail((Lookup(end, 7) if rng.random() < 0.5 else Count(end),), 0)
        limits = Limits(string_bytes=50, slice_items=5, map_entries=2, depth=2)
        size = 8 if behind else kind.size
        accesses.append(Access(size, steps, end, limits, "x", tail, rng.randrange(3)))
        places.append(Located(column, (AtCfa(0, size, SLOT - 24 * column),)))
    dynamic = [DynamicType(RUNTIME_TYPE * n, n, is_direct(kind)) for n, kind in enumerate(types[:TYPES])]
    columns = tuple(f"c{column}" for column in range(len(roots)))
    base = program(tuple(made), limits=Limits(string_bytes=50, slice_items=5, map_entries=2, depth=2))
    asked = replace(
        base,
        accesses=tuple(accesses),
        dynamic_types=tuple(dynamic),
        tables=(FunctionTable("f", "main.f", columns),),
        sites=(Site(SITE, SITE + 16, False, 0, 0, tuple(places)),),
    )
    assert program_check.problem(asked) is None
    return asked, roots


@pytest.mark.parametrize("seed", range(60))
def test_both_engines_copy_what_is_asked_for(house: House, engine: EbpfEngine, seed: int) -> None:
    rng = random.Random(1000 + seed)
    types, process = random_types(rng), HousedProcess(house, engine)
    types = (*types, slice_of(2, 16), slice_of(0, 8), pointer(2))
    values = RandomValues(rng, types, process.memory)
    made, roots = asked_for(rng, types)
    for goid in range(1, 4):
        cfa = process.goroutine(goid, [SITE + 1, GOEXIT]) + 0x100 + 48 + 16
        for column, root in enumerate(roots):
            content = values.value(root)
            if column % 2:
                content = values.place(content).to_bytes(8, "little")
            process.memory.put(cfa + SLOT - 24 * column, content)
    found = process.capture(made)
    assert {loss.kind for loss in found.losses} == set()
    assert found.copied >= len(found.goroutines)
