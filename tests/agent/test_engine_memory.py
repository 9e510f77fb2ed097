"""The reference engine on a made-up process: which frames it walks, what it copies, and what it says was left out."""

import struct
from dataclasses import replace
from itertools import pairwise

from compiler.ir.limits import Limits
from compiler.ir.program import Access, AtCfa, ByDictionary, Choice, Deref, DynamicType, Located, Program, Select, Site
from compiler.ir.raw import (
    FLAG_FRAMES_CUT,
    FLAG_IMAGE,
    FLAG_NO_STACK,
    FLAG_STACK_FAULT,
    SOURCE_SCHED,
    SOURCE_SYSCALL,
    SOURCE_THREAD,
    Loss,
)
from compiler.ir.types import Basic, Chan, Field, Interface, Pointer, Slice, String, Struct, SwissMap, Type
from tests.agent.process import (
    BIAS,
    GOEXIT,
    HEAP,
    IN_FRAME,
    INTERRUPT,
    RUNTIME,
    SITE,
    TEXT,
    TYPES_BASE,
    Captured,
    FakeProcess,
    program,
)

WORK = TEXT + 0x2000
INT, STRING = Basic("int", 8, "int"), String("string", 16)


def captured(made: FakeProcess, types: tuple[Type, ...], *, limits: Limits | None = None) -> Captured:
    """A capture of a column of type 0 that lies in the frame."""
    size = types[0].size
    return made.capture(program(types, (AtCfa(0, size, -24),), root_size=size, limits=limits))


def test_chain_ends_at_goexit_and_equal_stacks_are_written_once() -> None:
    made = FakeProcess()
    made.goroutine(1, [WORK, WORK + 64, GOEXIT + 1, WORK])
    made.goroutine(2, [WORK, WORK + 64, GOEXIT + 1, WORK])
    made.goroutine(3, [WORK + 64, GOEXIT + 1])
    found = made.capture(program())
    assert found.pcs(1) == [WORK, WORK + 64, GOEXIT + 1]
    assert found.goroutines[1].stack_id == found.goroutines[2].stack_id
    assert len(found.stacks) == 2
    assert found.losses == ()


def test_dead_goroutines_are_none_and_a_moving_stack_is_not_walked() -> None:
    made = FakeProcess()
    for goid, status in enumerate((0, 1, 4, 6, 8, 9, 10, 11, 4 | 0x1000), 1):
        made.goroutine(goid, [WORK, GOEXIT], status=status)
    found = made.capture(program())
    assert sorted(found.goroutines) == [2, 3, 5, 6, 7, 9]
    assert found.goroutines[5].flags == FLAG_NO_STACK
    assert found.pcs(5) == []
    assert [loss.kind for loss in found.losses] == ["stacks"]


def test_system_call_starts_where_the_runtime_saved_it() -> None:
    made = FakeProcess()
    lo = made.goroutine(1, [WORK, WORK + 32, GOEXIT], status=3)
    second = lo + 0x100 + 48 + 64
    saved = {"syscallsp": second - 48, "syscallpc": WORK + 16 + BIAS, "syscallbp": second}
    made.goroutine(2, [WORK, WORK + 32, GOEXIT], status=3, **saved)
    found = made.capture(program())
    assert (found.goroutines[1].source, found.goroutines[2].source) == (SOURCE_SCHED, SOURCE_SYSCALL)
    assert found.goroutines[2].pc == WORK + 16 + BIAS


def test_system_call_up_to_go_1_22_has_its_frame_pointer_16_bytes_below_the_cfa() -> None:
    """There the runtime saves no frame pointer, and sched's is that of an older call."""
    made, size = FakeProcess(), 32
    pcs = [TEXT + 8, WORK + 32, GOEXIT]
    lo = made.goroutine(1, pcs, status=3)
    first = lo + 0x100 + 48
    saved = {"syscallsp": first + 16 - size - 8, "syscallpc": TEXT + 8 + BIAS, "sched_bp": first + 64}
    made.goroutine(
        2, pcs, status=3, **{name: value + 2 * 0x1000 * (name != "syscallpc") for name, value in saved.items()}
    )
    old = program()
    found = made.capture(replace(old, runtime=replace(old.runtime, g_syscallbp=None)))
    assert found.goroutines[2].source == SOURCE_SYSCALL
    assert found.pcs(2) == pcs


def test_running_goroutine_starts_at_its_thread_unless_that_is_elsewhere() -> None:
    made = FakeProcess()
    starts = [made.goroutine(goid, [WORK, GOEXIT], status=2, m=HEAP + 32 * goid) for goid in (1, 2, 3)]
    for goid in (1, 2, 3):
        made.memory.words(HEAP + 32 * goid, 0, 100 + goid)

    def registers(rsp: int, rip: int) -> tuple[int, ...]:
        return (*range(6), starts[0] + 0x130, rsp, *range(8), rip)

    threads = {
        101: registers(starts[0] + 0x108, WORK + 8 + BIAS),
        102: registers(0x1234, WORK + 8 + BIAS),
        103: registers(starts[2] + 0x108, 0x7FFF00000000),
    }
    found = made.capture(program(), threads)
    assert [found.goroutines[goid].source for goid in (1, 2, 3)] == [SOURCE_THREAD, SOURCE_SCHED, SOURCE_SCHED]
    assert found.pcs(1) == [WORK + 8, GOEXIT]
    assert found.goroutines[1].flags & FLAG_IMAGE
    assert found.goroutines[1].tid == 101


def test_goroutine_whose_thread_is_in_the_vdso_starts_where_it_called_from() -> None:
    made = FakeProcess()
    lo = made.goroutine(1, [WORK, GOEXIT], status=2, m=HEAP, sched_sp=0, sched_pc=0)
    frame = lo + 0x100 + 48  # of WORK; its callee saved this in its own frame, which ended at vdsoSP
    made.memory.words(HEAP + RUNTIME.m_procid, 101)
    made.memory.words(HEAP + RUNTIME.m_vdso_sp, lo + 0x100, WORK + 5 + BIAS)
    made.memory.words(lo + 0x100 - 16, frame)
    found = made.capture(program(), {101: (*range(6), 7, 0x1234, *range(8), 0x7FFF00000000)})
    assert found.goroutines[1].source == SOURCE_SCHED
    assert found.pcs(1) == [WORK + 5, GOEXIT]
    assert not found.losses


def test_goroutine_whose_thread_handles_a_signal_is_not_guessed_at() -> None:
    made = FakeProcess()
    made.goroutine(1, [WORK, GOEXIT], status=2, m=HEAP)  # what g.sched has is from another time
    signal = HEAP + 0x2000
    made.memory.words(HEAP + RUNTIME.m_procid, 101)
    made.memory.words(HEAP + RUNTIME.m_gsignal, signal, 0, 0)
    made.memory.words(signal + RUNTIME.g_stack_lo, 0x1000, 0x9000)
    found = made.capture(program(), {101: (*range(6), 7, 0x8000, *range(8), WORK + BIAS)})
    assert found.goroutines[1].flags & FLAG_NO_STACK
    assert [loss.kind for loss in found.losses] == ["stacks"]


def test_frames_beyond_the_limit_are_cut_and_counted() -> None:
    made = FakeProcess()
    made.goroutine(1, [WORK + 16 * number for number in range(20)])
    found = made.capture(program(limits=Limits(frames=7)))
    assert len(found.pcs(1)) == 7
    assert found.goroutines[1].flags & FLAG_FRAMES_CUT
    assert found.losses == (Loss("frames", 1, "stacks were cut at limits.frames"),)


def test_unreadable_stack_keeps_its_goroutine() -> None:
    made = FakeProcess()
    made.goroutine(1, [WORK, GOEXIT], stack_lo=0x1000, stack_hi=0x9000, sched_sp=0x2000, sched_bp=0x2100)
    found = made.capture(program())
    assert found.pcs(1) == [WORK]
    assert found.goroutines[1].flags & FLAG_STACK_FAULT


def test_pointers_are_followed_to_the_depth_limit_and_cycles_end() -> None:
    made = FakeProcess()
    node = Struct("main.Node", 24, (Field("Name", 0, 1), Field("Next", 16, 2)))
    types = (Pointer("*main.Node", 8, 3), STRING, Pointer("*main.Node", 8, 3), node)
    for number in range(6):  # a ring of six
        made.memory.words(HEAP + 64 * number, HEAP + 64 * number + 32, 5, HEAP + 64 * ((number + 1) % 6))
        made.memory.put(HEAP + 64 * number + 32, b"name%d" % number)
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=HEAP)
    found = captured(made, types, limits=Limits(depth=3))
    assert [found.bytes_at(HEAP + 64 * n + 32, 5) for n in range(4)] == [b"name0", b"name1", b"name2", None]
    everything = captured(made, types, limits=Limits(depth=64))
    assert everything.bytes_at(HEAP + 64 * 5 + 32, 5) == b"name5"
    assert everything.copied == 13  # six nodes, six names, the stack
    assert everything.goroutines[1].flags == FLAG_IMAGE


def test_strings_slices_and_channels_are_cut_at_their_limits() -> None:
    made = FakeProcess()
    text, items, chan = HEAP, HEAP + 0x1000, HEAP + 0x2000
    made.memory.put(text, b"x" * 64)
    made.memory.words(items, *range(64))
    made.memory.words(chan, 3, 5, chan + 256, 4, 0)  # three of five, from the fourth on
    made.memory.words(chan + 256, *range(5))
    fields = (Field("S", 0, 1), Field("L", 16, 2), Field("C", 40, 3))
    types = (
        Pointer("*main.All", 8, 5), STRING, Slice("[]int", 24, 4, 8),
        Chan("chan int", 8, 4, 8, 40, 0, 8, 16, 32, 24), INT, Struct("main.All", 48, fields),
    )  # fmt: skip
    made.memory.words(HEAP + 0x3000, text, 64, items, 64, 64, chan)
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=HEAP + 0x3000)
    found = captured(made, types, limits=Limits(string_bytes=11, slice_items=2))
    assert (found.bytes_at(text, 11), found.bytes_at(text, 12)) == (b"x" * 11, None)
    assert (found.bytes_at(items, 16) is None, found.bytes_at(items, 17)) == (False, None)
    assert found.bytes_at(chan + 256 + 32, 8) == struct.pack("<Q", 4)  # the oldest
    assert found.bytes_at(chan + 256, 8) == struct.pack("<Q", 0)  # and the next, past the ring's end
    assert found.bytes_at(chan + 256 + 8, 8) is None


def test_goroutines_that_wait_at_a_channel_are_copied_to_the_limit() -> None:
    made = FakeProcess()
    chan, waiters = HEAP, HEAP + 0x1000
    made.memory.words(chan, 0, 0, 0, 0, 0, waiters, waiters + 64)
    for number in range(10):  # at even places receivers, at odd ones senders
        made.memory.words(waiters + 64 * number, 0xABC, waiters + 64 * (number + 2))
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=chan)
    kind = Chan("chan int", 8, 1, 8, 56, 0, 8, 16, 32, 24, 40, 48, 16, 0, 8)
    found = captured(made, (kind, INT), limits=Limits(slice_items=3))
    copied = [found.bytes_at(waiters + 64 * number, 16) is not None for number in range(10)]
    assert copied == [True] * 6 + [False] * 4
    unknown = captured(made, (replace(kind, waiter_size=0), INT))
    assert unknown.bytes_at(waiters, 16) is None


def test_interface_is_followed_by_its_dynamic_type() -> None:
    made = FakeProcess()
    types: tuple[Type, ...] = (Pointer("*any", 8, 1), Interface("any", 16, True, 8), INT, Pointer("*int", 8, 2))
    dynamic = (DynamicType(0x100, 2, False), DynamicType(0x200, 3, True))
    for number, offset in enumerate((0x100, 0x200, 0x300)):
        made.memory.words(HEAP + 16 * number, TYPES_BASE + offset, HEAP + 0x100 * (number + 1))
        made.memory.words(HEAP + 0x100 * (number + 1), 7)
        made.goroutine(number, [WORK, SITE + 1, GOEXIT], local=HEAP + 16 * number)
    found = made.capture(replace(program(types, IN_FRAME), dynamic_types=dynamic))
    assert found.bytes_at(HEAP + 0x100, 8) is not None
    assert found.bytes_at(HEAP + 0x200, 8) is not None
    assert found.bytes_at(HEAP + 0x300, 8) is None  # a type that the Program does not describe


def test_few_elements_deep_and_many_shallow_do_not_stand_for_many_deep() -> None:
    made = FakeProcess()
    link = Struct("main.link", 48, (Field("Few", 0, 1), Field("Flat", 24, 2), Field("Err", 32, 3)))
    types: tuple[Type, ...] = (
        Pointer("*main.link", 8, 4), Slice("[]*int", 24, 5, 8), Pointer("*[]*int", 8, 1),
        Interface("error", 16, False, 8, free=True), link, Pointer("*int", 8, 6), INT,
    )  # fmt: skip
    first, second, items, numbers, itab, flat = (HEAP + 0x100 * number for number in range(6))
    made.memory.words(items, *(numbers + 8 * number for number in range(4)))
    made.memory.words(numbers, *range(4))
    made.memory.words(itab, 0, TYPES_BASE + 0x100)
    made.memory.words(flat, items, 4, 4)
    made.memory.words(first, items, 1, 1, flat, itab, second)
    made.memory.words(second, items, 4, 4, 0, 0, 0)
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=first)
    made_for = replace(program(types, IN_FRAME, limits=Limits(depth=2)), dynamic_types=(DynamicType(0x100, 0, True),))
    found = made.capture(made_for)
    assert found.bytes_at(numbers + 24, 8) == struct.pack("<Q", 3)


def test_chain_of_errors_costs_no_depth_and_a_closed_one_ends() -> None:
    made = FakeProcess()
    link = Struct("main.link", 24, (Field("Err", 0, 0), Field("Other", 16, 3)))
    types: tuple[Type, ...] = (
        Interface("error", 16, False, 8, free=True), link, Pointer("*main.link", 8, 1), Pointer("*main.link", 8, 1),
        Pointer("*error", 8, 0),
    )  # fmt: skip
    dynamic = (DynamicType(0x100, 2, True), DynamicType(0x200, 1, False))
    itabs = [HEAP - 64, HEAP - 32]
    for itab, offset in zip(itabs, (0x100, 0x200), strict=True):
        made.memory.words(itab, 0, TYPES_BASE + offset)
    beside = HEAP + 0x4000
    for number in range(70):  # *link and link in turn, each with a pointer to another chain
        at, other = HEAP + 32 * number, beside + 32 * number
        made.memory.words(at, itabs[number % 2], HEAP + 32 * ((number + 1) % 70), other)
        made.memory.words(other, 0, 0, other + 0x1000)
        made.memory.words(other + 0x1000, 0, 0, 0)
    made.memory.words(HEAP + 0x8000, itabs[0], HEAP)
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=HEAP + 0x8000)
    made_for = program(types, IN_FRAME, limits=Limits(depth=2))
    access = Access(8, (), 4, made_for.limits, "x")
    found = made.capture(replace(made_for, dynamic_types=dynamic, accesses=(access,)))
    assert all(found.bytes_at(HEAP + 32 * number, 24) for number in range(70))
    assert all(found.bytes_at(beside + 32 * number, 24) for number in range(70))
    assert not any(found.bytes_at(beside + 0x1000 + 32 * number, 24) for number in range(70))
    assert found.losses == ()


SWISS = SwissMap("map[string]any", 8, 1, 0, 40, 0, 16, 24, 34, 32, 16, 24, 8 + 8 * 24, 8, 24, 24, 24)
"""A map whose values are maps of its own type: used, seed, dirPtr, dirLen; slots of 16 bytes of key, 8 of value."""


def test_map_that_contains_itself_is_copied_once() -> None:
    made = FakeProcess()
    header, group, key = HEAP, HEAP + 0x100, HEAP + 0x400
    made.memory.words(header, 1, 0, group, 0, 0)
    made.memory.put(
        group, bytes([0x80, 0x80, 0x21, *[0x80] * 5]) + bytes(48) + struct.pack("<QQQ", key, 4, header) + bytes(120)
    )
    made.memory.put(key, b"self")
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=header)
    found = captured(made, (SWISS, STRING))
    assert found.bytes_at(key, 4) == b"self"
    assert found.copied == 4
    assert found.losses == ()


def test_keys_of_a_map_behind_the_last_pointer_are_copied() -> None:
    made = FakeProcess()
    map_, inner = (
        SwissMap("map[any]int", 8, 2, 3, 40, 0, 16, 24, 34, 32, 16, 24, 8 + 8 * 24, 8, 24, 24, 24),
        HEAP + 0x500,
    )
    types: tuple[Type, ...] = (
        Pointer("*main.t", 8, 4), map_, Interface("any", 16, True, 0), INT, Struct("main.t", 8, (Field("m", 0, 1),)), STRING,
        Struct("main.key", 16, (Field("v", 0, 2),)),
    )  # fmt: skip
    holder, header, group, boxed, text = (HEAP + 0x100 * number for number in range(5))
    made.memory.words(holder, header)
    made.memory.words(header, 2, 0, group, 0, 0)
    slots = struct.pack("<6Q", TYPES_BASE + 0x100, boxed, 1, TYPES_BASE + 0x200, boxed + 0x40, 2)
    made.memory.put(group, bytes([0x21, 0x22, *[0x80] * 6]) + slots + bytes(6 * 24))
    made.memory.words(boxed, text, 4)
    made.memory.words(boxed + 0x40, TYPES_BASE + 0x100, inner)  # a key within a key costs depth
    made.memory.put(text, b"text")
    made.memory.words(inner, text, 4)
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=holder)
    dynamic = (DynamicType(0x100, 5, False), DynamicType(0x200, 6, False))
    found = made.capture(replace(program(types, IN_FRAME, limits=Limits(depth=1)), dynamic_types=dynamic))
    assert found.bytes_at(text, 4) == b"text"
    assert found.bytes_at(boxed + 0x40, 16)
    assert not found.bytes_at(inner, 16)


def test_map_with_a_directory_visits_each_table_once_and_stops_at_the_limit() -> None:
    made = FakeProcess()
    header, directory, groups = HEAP, HEAP + 0x100, HEAP + 0x1000
    full = bytes([1] * 8) + struct.pack("<QQQ", HEAP + 0x200, 1, 0) * 8
    made.memory.put(HEAP + 0x200, b"k")
    made.memory.words(header, 128, 0, directory, 4, 0)
    tables = [HEAP + 0x300, HEAP + 0x300, HEAP + 0x340, HEAP + 0x340]
    made.memory.words(directory, *tables)
    for number, table in enumerate((HEAP + 0x300, HEAP + 0x340)):
        made.memory.words(table, 0, 0, groups + number * 0x2000, 7)
        made.memory.put(groups + number * 0x2000, full * 8)
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=header)
    few, all_of_it = (captured(made, (SWISS, STRING), limits=Limits(map_entries=n)) for n in (5, 128))
    assert few.bytes_at(groups, len(full)) == full
    assert few.bytes_at(groups + 0x2000, 1) is None
    assert all_of_it.bytes_at(groups + 0x2000, len(full) * 8) == full * 8


def test_steps_lead_to_a_field_behind_pointers_and_stop_at_nil() -> None:
    made = FakeProcess()
    made.memory.words(HEAP, 0, HEAP + 64)
    made.memory.words(HEAP + 64, 0, 0, 7)
    made.memory.words(HEAP + 512, 0, 0)
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=HEAP)
    made.goroutine(2, [WORK, SITE + 1, GOEXIT], local=HEAP + 512)
    steps = (Deref(), Select(8), Deref(), Select(16))
    found = made.capture(program((INT,), IN_FRAME, steps))
    assert found.bytes_at(HEAP + 64 + 16, 8) == struct.pack("<Q", 7)
    assert found.losses == ()


def by_dictionary() -> Program:
    """v is a *int, or a *main.far where dictionary 0x9000 was passed; of a *main.deep, what its far leads to is wanted."""
    types: tuple[Type, ...] = (
        INT, Pointer("*int", 8, 0), Struct("main.far", 16, (Field("Next", 8, 3),)), Pointer("*main.far", 8, 2),
    )  # fmt: skip
    limits = Limits(depth=3)
    made = program(types, (AtCfa(0, 8, -24), AtCfa(8, 8, -32)), limits=limits)
    choices = (Choice(0x8000, 1), Choice(0x9000, 2), Choice(0xA000, 3))
    accesses = (
        ByDictionary(8, choices, "v"), Access(8, (), 1, limits, "v"), Access(8, (), 3, limits, "v"),
        Access(8, (Deref(), Select(8), Deref()), 3, limits, "v"),
    )  # fmt: skip
    return replace(made, accesses=accesses)


def test_a_variable_of_generic_code_leads_only_where_its_dictionary_says() -> None:
    made, dictionaries = FakeProcess(), (0x8000, 0x9000, 0xA000, 0xB000)
    chains = [[HEAP + 0x1000 * number + 0x100 * link for link in range(5)] for number in range(4)]
    for number, (dictionary, chain) in enumerate(zip(dictionaries, chains, strict=True)):
        for at, following in pairwise((*chain, 0)):
            made.memory.words(at, following, following)
        made.goroutine(number + 1, [SITE + 1, GOEXIT], local=chain[0], below=dictionary + BIAS)
    found = made.capture(by_dictionary())
    copied = [[found.bytes_at(at, 8) is not None for at in chain] for chain in chains]
    assert copied[0] == [True, False, False, False, False]  # an int
    assert copied[1] == [True, True, True, False, False]  # as deep as the limit allows
    assert [found.bytes_at(at + 8, 8) is not None for at in chains[2]] == [True, False, True, True, True]
    assert copied[3] == [False] * 5  # passed another dictionary
    assert (found.faults, found.losses) == ([], ())


def test_what_nothing_keeps_alive_in_generic_code_leads_nowhere() -> None:
    made, made_for = FakeProcess(), by_dictionary()
    made.memory.words(HEAP, HEAP + 0x100, HEAP + 0x100)
    made.memory.words(HEAP + 0x100, 0, 0)
    made.goroutine(1, [SITE + 1, GOEXIT], local=HEAP, below=0x9000 + BIAS)
    dead = Site(SITE, SITE + 16, False, 0, 0, (Located(0, (AtCfa(0, 8, -24), AtCfa(8, 8, -32)), (0,)),))
    assert made.capture(made_for).bytes_at(HEAP, 16) is not None
    assert made.capture(replace(made_for, sites=(dead,))).bytes_at(HEAP, 16) is None


def of_a_slice(*places: Located) -> Program:
    """A []*int that is kept in two pieces, and columns of the same type in other places."""
    pieces = AtCfa(0, 8, -32), AtCfa(8, 16, -24)
    made = program((Slice("[]*int", 24, 1, 8), Pointer("*int", 8, 2), INT), pieces, root_size=24)
    table = replace(made.tables[0], columns=("x", *(f"y{number}" for number in range(len(places)))))
    site = replace(made.sites[0], places=(*made.sites[0].places, *places))
    return replace(made, tables=(table,), sites=(site,))


def test_what_is_not_kept_of_a_variable_is_not_taken_from_the_one_before() -> None:
    """Of a slice that the compiler took apart, only the pointer: how many elements there are is not known."""
    made = FakeProcess()
    made.memory.words(HEAP, *[HEAP + 0x1000] * 8)
    made.memory.words(HEAP + 0x100, *[HEAP + 0x2000] * 8)
    lo = made.goroutine(1, [SITE + 1, GOEXIT], below=HEAP, local=3)
    made.memory.words(lo + 0x100, HEAP + 0x100)
    found = made.capture(of_a_slice(Located(0, (AtCfa(0, 8, -64),))))
    assert found.bytes_at(HEAP, 24) is not None
    assert found.bytes_at(HEAP + 0x100, 8) is None


def test_a_pointer_that_nothing_keeps_alive_leads_nowhere_beside_one_that_something_does() -> None:
    made = FakeProcess()
    made.memory.words(HEAP, 7)
    made.memory.words(HEAP + 0x100, 8)
    made.goroutine(1, [SITE + 1, GOEXIT], below=HEAP, local=HEAP + 0x100)
    types = (Struct("pair", 16, (Field("a", 0, 1), Field("b", 8, 1))), Pointer("*int", 8, 2), INT)
    both = program(types, (AtCfa(0, 16, -32),), root_size=16)
    place = Located(0, (AtCfa(0, 16, -32),), (8,))
    found = made.capture(replace(both, sites=(replace(both.sites[0], places=(place,)),)))
    assert found.bytes_at(HEAP, 8) is not None
    assert found.bytes_at(HEAP + 0x100, 8) is None


def test_frame_below_an_interrupt_is_looked_up_exactly_and_its_caller_is_guessed() -> None:
    made = FakeProcess()
    made.memory.words(HEAP, 7)
    made.goroutine(1, [INTERRUPT + 8, WORK, SITE + 1, GOEXIT], local=HEAP)
    found = made.capture(program((Pointer("*int", 8, 1), INT), IN_FRAME))
    assert found.bytes_at(HEAP, 8) is not None
    assert found.goroutines[1].flags & FLAG_IMAGE


def test_a_spent_budget_and_a_spent_pause_cost_values_and_are_told() -> None:
    made = FakeProcess()
    made.memory.put(HEAP, bytes(2000))
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=HEAP)
    types: tuple[Type, ...] = (Pointer("*main.Big", 8, 1), Struct("main.Big", 2000, ()))
    small = captured(made, types, limits=Limits(process_bytes=1500))
    assert small.pcs(1) == [WORK, SITE + 1, GOEXIT]
    assert [loss.kind for loss in small.losses] == ["budget"]
    late = made.capture(program(types, IN_FRAME), seconds=0)
    assert late.losses == (Loss("pause", 1, "goroutines were not reached: limits.pause_ms was over"),)


def test_garbage_pointers_are_faults_and_nothing_else() -> None:
    made = FakeProcess()
    made.goroutine(1, [WORK, SITE + 1, GOEXIT], local=0xDEADBEEFDEADBEEF)
    found = captured(made, (Pointer("*int", 8, 1), INT))
    assert found.losses == ()  # an engine follows guesses too; a value that is missed is absent, with its address
    assert found.faults == [0xDEADBEEFDEADBEEF]
