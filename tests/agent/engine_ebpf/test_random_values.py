"""Both engines on random values of random types: they must copy the same."""

import random
from dataclasses import replace

import pytest

from agent.engine_ebpf import EbpfEngine
from compiler.ir import program_check
from compiler.ir.limits import Limits
from compiler.ir.program import AtCfa, Deref, DynamicType, Program
from compiler.ir.types import Type
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
from tests.agent.process import GOEXIT, SITE, program

SLOT = -40
"""Where the variable is, from the CFA on; it ends below the frame pointer."""


def made_up(rng: random.Random, types: tuple[Type, ...], *, pointed_to: bool) -> Program:
    """A column of type ROOT, in the frame or pointed to from there; a few dynamic types are not known."""
    limits = Limits(string_bytes=50, slice_items=5, map_entries=1000, depth=rng.randrange(1, 6))
    size = 8 if pointed_to else ROOT_SIZE
    made = program(types, (AtCfa(0, size, SLOT),), (Deref(),) if pointed_to else (), root_size=size, limits=limits)
    dynamic = [DynamicType(RUNTIME_TYPE * n, n, is_direct(kind)) for n, kind in enumerate(types[:TYPES])]
    known = sorted(rng.sample(dynamic, TYPES - 5), key=lambda each: each.offset)
    made = replace(made, dynamic_types=tuple(known), accesses=(replace(made.accesses[0], type=ROOT),))
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
