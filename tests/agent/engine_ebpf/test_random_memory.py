"""Both engines on random types in random memory: whatever the bytes mean, they must copy the same."""

import random
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.engine_ebpf import EbpfEngine
from compiler.ir import program_check
from compiler.ir.limits import Limits
from compiler.ir.program import AtCfa, DynamicType, Program
from compiler.ir.types import (
    Array,
    Basic,
    Chan,
    Field,
    Func,
    HashMap,
    Interface,
    Pointer,
    Slice,
    String,
    Struct,
    SwissMap,
    Type,
    Wrapper,
)
from tests.agent.engine_ebpf.house import House, HousedProcess
from tests.agent.process import GOEXIT, HEAP, SITE, TYPES_BASE, program

HEAP_WORDS = 1 << 10
TYPES = 24
LIMITS = Limits(string_bytes=50, slice_items=5, map_entries=9, depth=2)
ROOT_SIZE = 24


class Types:
    """A random type table: values contain only types that come before them, pointers lead anywhere."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.found: list[Type] = [Basic("int", 8, "int"), Basic("uint8", 1, "uint"), String("string", 16)]
        makers: list[Callable[[], Type]] = [
            self._pointer, self._slice, self._array, self._struct, self._wrapper, self._interface, self._swiss,
            self._hash, self._chan, lambda: Func("func()", 8),
        ]  # fmt: skip
        while len(self.found) < TYPES:
            self.found.append(rng.choice(makers)())
        root = Struct("root", ROOT_SIZE, tuple(Field(str(at), at, self._of_size(8)) for at in range(0, ROOT_SIZE, 8)))
        self.found.append(root)

    def _any(self) -> int:
        return self._rng.randrange(TYPES)

    def _before(self) -> int:
        return self._rng.randrange(len(self.found))

    def _of_size(self, size: int) -> int:
        return self._rng.choice([number for number, kind in enumerate(self.found) if kind.size == size])

    def _pointer(self) -> Type:
        return Pointer("*", 8, self._any())

    def _slice(self) -> Type:
        elem = self._before()
        return Slice("[]", 24, elem, self.found[elem].size)

    def _array(self) -> Type:
        elem, count = self._before(), self._rng.choice([0, 1, 3, 7])
        return Array("[n]", self.found[elem].size * count, elem, self.found[elem].size, count)

    def _struct(self) -> Type:
        fields, size = [], 0
        for number in range(self._rng.randrange(5)):
            member = self._before()
            fields.append(Field(f"f{number}", size, member))
            size += (self.found[member].size + 7) & ~7
        return Struct("struct", size, tuple(fields))

    def _wrapper(self) -> Type:
        inner = self._before()
        return Wrapper("wrapper", self.found[inner].size + 8, 8, inner)

    def _interface(self) -> Type:
        return Interface("any", 16, self._rng.random() < 0.5, 8)

    def _small(self) -> int:
        return self._rng.choice([number for number, kind in enumerate(self.found) if kind.size <= 128])

    def _swiss(self) -> Type:
        key, value = self._small(), self._small()
        key_size, slot = self.found[key].size, (self.found[key].size + self.found[value].size + 7) & ~7
        return SwissMap("map", 8, key, value, 32, 0, 16, 24, 32, 16, 24, 8 + 8 * slot, 8, slot, 8 + key_size, slot)

    def _hash(self) -> Type:
        key, value = self._small(), self._small()
        key_size, value_size = self.found[key].size, self.found[value].size
        values_at = 8 + 8 * key_size
        bucket = (values_at + 8 * value_size + 7 & ~7) + 8
        return HashMap(
            "map", 8, key, value, 48, 0, 9, 16, 24, 32, 8, bucket, 8, key_size, values_at, value_size, bucket - 8
        )

    def _chan(self) -> Type:
        elem = self._before()
        return Chan("chan", 8, elem, self.found[elem].size, 48, 0, 8, 16, 32, 40)


def random_word(rng: random.Random) -> int:
    return rng.choices(
        [
            HEAP + 8 * rng.randrange(HEAP_WORDS),
            rng.randrange(20),
            TYPES_BASE + 0x20 * rng.randrange(TYPES + 2),
            rng.getrandbits(64),
            0,
        ],
        [60, 20, 10, 2, 8],
    )[0]


def made_up(rng: random.Random) -> Program:
    types = tuple(Types(rng).found)
    made = program(types, (AtCfa(0, ROOT_SIZE, -24 - ROOT_SIZE + 8),), root_size=ROOT_SIZE, limits=LIMITS)
    dynamic = [
        DynamicType(0x20 * number, number, isinstance(kind, Pointer | Chan | Func))
        for number, kind in enumerate(types[:TYPES])
    ]
    access = replace(made.accesses[0], type=TYPES)
    made = replace(made, dynamic_types=tuple(rng.sample(dynamic, 9)), accesses=(access,))
    made = replace(made, dynamic_types=tuple(sorted(made.dynamic_types, key=lambda each: each.offset)))
    assert program_check.problem(made) is None
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32))
def test_both_engines_copy_the_same(house: House, engine: EbpfEngine, seed: int) -> None:
    rng = random.Random(seed)
    process = HousedProcess(house, engine)
    process.memory.put(HEAP, struct.pack(f"<{HEAP_WORDS}Q", *(random_word(rng) for _ in range(HEAP_WORDS))))
    process.memory.put(HEAP + 8 * HEAP_WORDS, bytes(1 << 16))
    for goid in range(3):
        process.goroutine(goid, [SITE + 1, SITE + 2, GOEXIT], local=HEAP + 8 * rng.randrange(HEAP_WORDS))
    found = process.capture(made_up(rng))
    if any(loss.kind == "queue" for loss in found.losses):
        pytest.fail(f"the queue was full: {found.losses}")
