"""Whatever the bytes are, decoding ends soon, with a Capture or with BadRaw."""

import contextlib
import time
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.decode import decode
from compiler.ir.frames import REASONS, Capture
from compiler.ir.limits import Limits
from compiler.ir.program import Access, AtCfa, DynamicType, FunctionTable, Located, Program, Site
from compiler.ir.raw import BadRaw, RawCapture
from compiler.ir.types import Array, Big, Field, Opaque, Sync, Type, Word, Wrapper
from tests.compiler.decode.address_space import (
    BIAS,
    BP,
    CFA,
    GOEXIT,
    HEAP,
    MAIN_F,
    SP,
    SYMBOLS,
    TYPES_BASE,
    WAITING,
    Memory,
    go_runtime,
    goroutine_record,
    header,
    stack_record,
    words,
)
from tests.compiler.decode.shapes import (
    ANY,
    BOOL,
    COMPLEX128,
    DURATION,
    ERROR,
    FLOAT32,
    FUNC,
    INT,
    STRING,
    TIME,
    UINT8,
    UINT64,
    chan_of,
    hash_map,
    pointer,
    slice_of,
    struct_of,
    swiss_map,
)

ROOT = 376
KITCHEN_SINK = struct_of(
    "main.All", ROOT,
    ("Ok", 0, 0), ("F", 4, 5), ("N", 8, 1), ("S", 16, 3), ("D", 32, 4), ("T", 40, 7), ("Fn", 64, 8), ("P", 72, 9),
    ("Sl", 80, 10), ("B", 104, 11), ("M", 128, 12), ("H", 136, 13), ("C", 144, 14), ("I", 152, 15), ("E", 168, 16),
    ("X", 184, 17), ("W", 192, 19), ("A", 200, 18), ("O", 216, 20),
    ("Mu", 224, 22), ("Co", 232, 23), ("Bi", 264, 24), ("Ra", 296, 25), ("Fl", 336, 26),
)  # fmt: skip
TYPES: tuple[Type, ...] = (
    BOOL, INT, UINT8, STRING, DURATION, FLOAT32, COMPLEX128, TIME, FUNC, pointer(21, "*main.All"), slice_of(21, ROOT),
    slice_of(2, 1), swiss_map(3, 16, 15, 16), hash_map(1, 8, 9, 8),
    replace(chan_of(15, 16), receivers=64, senders=80, waiter_size=16, waiter_g=0, waiter_next=8), ANY, ERROR, pointer(None),
    Array("[2]int", 16, 1, 8, 2), Wrapper("atomic.Pointer", 8, 0, 9), Opaque("odd", 8, "unsupported"), KITCHEN_SINK,
    Sync("sync.RWMutex", 8, "RWMutex", (Word(0, 2), Word(2, 4), Word(6, 2))),
    Sync("sync.Cond", 32, "Cond", (Word(16, 4), Word(20, 4)), (Field("L", 0, 16),)),
    Big("big.Int", 32, 27, 0, (8,)), Big("big.Rat", 40, 27, 0, (8, 16)),
    Big("big.Float", 40, 27, 0, (8,), (Word(32, 4), Word(0, 4), Word(6, 1))), UINT64,
)  # fmt: skip
DYNAMIC = tuple(DynamicType(0x10 * (number + 1), number, number in (8, 9, 12, 13, 14, 17)) for number in range(28))
POINTERS = st.one_of(
    st.integers(0, 512).map(lambda n: HEAP + 8 * n),
    st.sampled_from([each.offset + TYPES_BASE for each in DYNAMIC]),
    st.integers(0, 9),
    st.sampled_from([CFA, SP, MAIN_F + BIAS, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 0x8080808080808080]),
    st.integers(0, (1 << 64) - 1),
)
WORDS = st.lists(POINTERS, min_size=64, max_size=512).map(lambda found: words(*found))


def program(type_id: int = 21, limits: Limits | None = None) -> Program:
    place = Located(0, (AtCfa(0, ROOT, -ROOT),))
    return Program(
        build_id="b", go_version="go1.26", arch="amd64", runtime=go_runtime(), limits=Limits(), types=TYPES,
        dynamic_types=DYNAMIC, accesses=(Access(ROOT, (), type_id, limits or Limits(), "v"),),
        tables=(FunctionTable("t", "main.f", ("v",)),),
        sites=tuple(Site(MAIN_F, MAIN_F + 0x80, exact, 0, 0, (place,)) for exact in (False, True)),
    )  # fmt: skip


def check(capture: Capture) -> None:
    for goroutine in capture.goroutines:
        for frame in goroutine.frames:
            for row in frame.rows:
                assert all(each.reason in REASONS for cell in row.cells for each in cell.absences)


@settings(max_examples=150, deadline=None)
@given(WORDS, st.integers(1, 64), st.integers(1, 1 << 20))
def test_random_memory_never_raises_and_ends(memory: bytes, depth: int, items: int) -> None:
    written = Memory()
    written.at(HEAP, memory)
    written.at(CFA - ROOT, memory[:ROOT])
    limits = Limits(depth=depth, slice_items=items, map_entries=items, string_bytes=items)
    began = time.process_time()
    raw = RawCapture(header(), goroutine_record() + WAITING + written.records())
    check(decode(program(limits=limits), raw, SYMBOLS))
    assert time.process_time() - began < 20


@given(st.binary(max_size=400))
def test_random_records_give_bad_raw_or_a_capture(records: bytes) -> None:
    with contextlib.suppress(BadRaw):
        check(decode(program(), RawCapture(header(), records), SYMBOLS))


@given(st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(-(1 << 40), 1 << 40)), max_size=20), st.integers(0, 12))
def test_random_chains_end(chain: list[tuple[int, int]], status: int) -> None:
    records = goroutine_record(status=status, source=status % 3) + stack_record(*chain)
    check(decode(program(), RawCapture(header(), records), SYMBOLS))


def small_capture() -> RawCapture:
    memory = Memory()
    memory.at(CFA - ROOT, words(*range(1, ROOT // 8 + 1)))
    chain = stack_record((MAIN_F + 8, BP - SP), (GOEXIT + 1, 0))
    return RawCapture(header(), memory.records() + chain + goroutine_record(goid=3) + goroutine_record(goid=5))


def test_a_capture_cut_after_every_byte_is_bad_or_has_fewer_goroutines() -> None:
    whole = small_capture().to_bytes()
    ids = []
    for size in range(len(whole)):
        try:
            found = decode(program(), RawCapture.from_bytes(whole[:size]), SYMBOLS)
        except BadRaw:
            continue
        check(found)
        ids.append(tuple(each.goroutine_id for each in found.goroutines))
    assert set(ids) == {(), (3,)}
    assert len(decode(program(), RawCapture.from_bytes(whole), SYMBOLS).goroutines) == 2


def test_a_long_chain_of_headers_does_not_outgrow_the_interpreter() -> None:
    types: tuple[Type, ...] = (slice_of(0, 24, "main.S"),)
    memory = Memory()
    memory.at(HEAP, b"".join(words(HEAP + 24 * (number + 1), 1, 1) for number in range(5000)))
    memory.at(CFA - 24, words(HEAP, 1, 1))
    place = Located(0, (AtCfa(0, 24, -24),))
    nested = Program(
        build_id="b", go_version="go1.26", arch="amd64", runtime=go_runtime(), limits=Limits(), types=types,
        accesses=(Access(24, (), 0, Limits(), "v"),), tables=(FunctionTable("t", "main.f", ("v",)),),
        sites=(Site(MAIN_F, MAIN_F + 0x80, False, 0, 0, (place,)),),
    )  # fmt: skip
    raw = RawCapture(header(), goroutine_record() + WAITING + memory.records())
    cell = decode(nested, raw, SYMBOLS).goroutines[0].frames[0].rows[0].cells[0]
    assert [each.reason for each in cell.absences] == ["depth"]
