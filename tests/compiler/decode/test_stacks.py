"""Which frames a goroutine has, where they are, and what is said of the goroutine besides."""

from dataclasses import replace

import pytest

from compiler.decode import decode
from compiler.ir.frames import Frame, Goroutine
from compiler.ir.limits import Limits
from compiler.ir.program import Access, AtCfa, InRegister, Located, Place
from compiler.ir.raw import (
    FLAG_NO_STACK,
    KIND_STACK,
    SOURCE_SYSCALL,
    SOURCE_THREAD,
    STACK,
    BadRaw,
    Loss,
    RawCapture,
    record,
)
from tests.compiler.decode.address_space import (
    ASYNC_PREEMPT,
    BIAS,
    BP,
    GOEXIT,
    LEAF,
    MAIN_F,
    MAIN_G,
    SP,
    SYMBOLS,
    WAITING,
    FakeSymbols,
    Function,
    Memory,
    goroutine_record,
    header,
    one_column_program,
    stack_record,
    thread_record,
    words,
)
from tests.compiler.decode.shapes import INT

ON_STACK = Located(0, (AtCfa(0, 8, -8),))
THREAD_REGISTERS = (11, 12, 13, 14)


def goroutine(*records: bytes, place: Place = ON_STACK, symbols: FakeSymbols = SYMBOLS, **head: object) -> Goroutine:
    program = one_column_program((INT,), Access(8, (), 0, Limits(), "v"), place)
    return decode(program, RawCapture(header(**head), b"".join(records)), symbols).goroutines[0]


def functions(found: Goroutine) -> list[str]:
    return [frame.function for frame in found.frames]


def columns(frame: Frame) -> list[object]:
    return [cell.value for row in frame.rows for cell in row.cells]


def test_a_parked_goroutine_is_its_chain() -> None:
    chain = stack_record((MAIN_F + 0x90, BP - SP), (MAIN_G + 0x20, BP - SP + 64), (GOEXIT + 1, 0))
    found = goroutine(goroutine_record(), chain)
    assert functions(found) == ["main.inl", "main.f", "main.g", "runtime.goexit"]
    assert [frame.depth for frame in found.frames] == [0, 1, 2, 3]
    assert [frame.inlined for frame in found.frames] == [True, False, False, False]
    assert found.frames[1].line == 0x8F
    assert found.frames[3].line == 0


def test_a_frame_that_is_not_set_up_gets_its_caller_from_the_stack() -> None:
    memory = Memory()
    memory.at(SP, words(MAIN_F + BIAS + 8))
    memory.at(BP + 8, words(77))
    thread = goroutine_record(status=2, source=SOURCE_THREAD, tid=9)
    chain = stack_record((LEAF + 4, BP - SP), (GOEXIT + 1, 0))
    found = goroutine(thread, chain, thread_record(9), memory.records())
    assert functions(found) == ["main.leaf", "main.f", "runtime.goexit"]
    assert columns(found.frames[1]) == [77]
    assert found.frames[0].line == 4
    assert found.frames[1].line == 7


def test_a_caller_that_is_no_code_is_not_believed() -> None:
    memory = Memory()
    memory.at(SP, words(0xDEAD))
    chain = stack_record((LEAF + 4, BP - SP), (GOEXIT + 1, 0))
    assert functions(goroutine(goroutine_record(status=1), chain, memory.records())) == ["main.leaf", "runtime.goexit"]


def test_a_goroutine_that_never_ran_stands_at_its_functions_entry() -> None:
    memory = Memory()
    memory.at(SP, words(GOEXIT + BIAS + 1))
    symbols = FakeSymbols({**SYMBOLS.functions, MAIN_F: Function("main.f", 0)})
    found = goroutine(
        goroutine_record(status=1, bp=0), stack_record((MAIN_F, -SP)), memory.records(), symbols=symbols
    )  # fmt: skip
    assert functions(found) == ["main.f", "runtime.goexit"]
    assert found.frames[0].line == 0


def test_a_frame_pointer_into_a_stack_that_was_left_is_not_followed() -> None:
    """What a function saved that faulted leads nowhere, so the chain ends with its caller."""
    memory = Memory()
    sp_below = BP + 16  # main.g has a frame of 0x100 bytes, main.f one of 0x108
    own, caller = sp_below + 0x108, sp_below + 0x108 + 0x110
    memory.at(caller - 16, words(caller + 0x100, GOEXIT + BIAS + 1))
    chain = stack_record((ASYNC_PREEMPT + 0x40, BP - SP), (MAIN_G + 3, own - 16 - SP), (MAIN_F + 9, 0x123456789))
    found = goroutine(goroutine_record(status=9), chain, memory.records())
    assert functions(found) == ["runtime.asyncPreempt", "main.g", "main.f", "runtime.goexit"]


def test_the_frame_below_an_interrupt_is_exact_and_may_lack_its_caller() -> None:
    memory = Memory()
    sp_below = BP + 16
    memory.at(sp_below, words(MAIN_G + BIAS + 9))
    chain = stack_record((ASYNC_PREEMPT + 0x40, BP - SP), (LEAF + 3, BP - SP + 0x80), (GOEXIT + 1, 0))
    found = goroutine(goroutine_record(status=9), chain, memory.records())
    assert functions(found) == ["runtime.asyncPreempt", "main.leaf", "main.g", "runtime.goexit"]
    assert [frame.line for frame in found.frames[1:3]] == [3, 8]


def test_registers_count_only_where_they_are_the_frames_own() -> None:
    place = Located(0, (InRegister(0, 8, 3),))
    running = goroutine_record(status=2, source=SOURCE_THREAD, tid=9)
    threads = thread_record(9, *THREAD_REGISTERS)
    found = goroutine(running, stack_record((MAIN_F + 8, BP - SP), (MAIN_F + 9, 0)), threads, place=place)
    assert columns(found.frames[0]) == [14]
    assert columns(found.frames[1]) == [None]
    assert found.frames[1].rows[0].cells[0].absences[0].reason == "in register"
    parked = goroutine(goroutine_record(tid=9), WAITING, threads, place=place)
    assert columns(parked.frames[0]) == [None]


def test_without_a_stack_there_are_no_frames() -> None:
    found = goroutine(goroutine_record(flags=FLAG_NO_STACK, status=8, stack_id=5))
    assert (found.frames, found.status) == ((), "copystack")


def test_a_pc_outside_of_go_is_said_to_be() -> None:
    chain = stack_record((0x40000, BP - SP), (GOEXIT + 1, 0))
    assert functions(goroutine(goroutine_record(), chain)) == ["unknown pc 0x3ffff", "runtime.goexit"]
    raw = b"".join((goroutine_record(), goroutine_record(), chain))
    program = one_column_program((INT,), Access(8, (), 0, Limits(), "v"), ON_STACK)
    [loss] = decode(program, RawCapture(header(), raw), SYMBOLS).losses
    assert (loss.kind, loss.count) == ("code", 2)
    assert "not the executable's (a Go plugin's" in loss.detail


@pytest.mark.parametrize(
    ("status", "word", "reason"),
    [(1, "runnable", None), (2, "running", None), (3, "syscall", None), (4, "waiting", "chan receive"),
     (0x1004, "waiting", "chan receive"), (9, "preempted", None), (10, "leaked", "chan receive"), (77, "unknown", None)],
)  # fmt: skip
def test_status_and_wait_reason(status: int, word: str, reason: str | None) -> None:
    found = goroutine(goroutine_record(status=status, source=SOURCE_SYSCALL), WAITING)
    assert (found.status, found.wait_reason) == (word, reason)


def test_wait_reasons_come_from_the_binary() -> None:
    assert goroutine(goroutine_record(waitreason=0), WAITING).wait_reason is None
    assert goroutine(goroutine_record(waitreason=99), WAITING).wait_reason == "unknown wait reason"


def test_where_a_goroutine_comes_from() -> None:
    found = goroutine(goroutine_record(waitsince=400_000), WAITING)
    assert (found.start_function, found.created_by, found.parent_goroutine_id) == ("main.f", "main.g", 1)
    assert (found.wait_since_ns, found.system) == (4_400_000, False)
    first = goroutine(goroutine_record(goid=1, parent_goid=0), WAITING)
    assert (first.created_by, first.parent_goroutine_id, first.wait_since_ns) == ("", None, None)
    nowhere = goroutine(goroutine_record(gopc=3, startpc=0, waitsince=2_000_000), WAITING)
    assert (nowhere.created_by, nowhere.start_function, nowhere.wait_since_ns) == ("", "", None)


@pytest.mark.parametrize(
    ("start", "on_stack", "system"),
    [("runtime.bgsweep", "runtime.gopark", True), ("runtime.main", "main.f", False), ("main.run", "main.f", False),
     ("runtime.handleAsyncEvent", "main.f", False), ("runtime.runFinalizers", "runtime.gopark", True),
     ("runtime.runFinalizers", "main.finalize", False)],
)  # fmt: skip
def test_the_runtimes_own_goroutines(start: str, on_stack: str, *, system: bool) -> None:
    symbols = FakeSymbols({**SYMBOLS.functions, MAIN_F: Function(on_stack, 0x108), MAIN_G: Function(start)})
    found = goroutine(goroutine_record(startpc=MAIN_G + BIAS), WAITING, symbols=symbols)
    assert found.system is system


def test_goroutines_are_sorted_and_losses_kept() -> None:
    program = one_column_program((INT,), Access(8, (), 0, Limits(), "v"), ON_STACK)
    losses = (Loss("pause", 3, "time was over"),)
    records = goroutine_record(goid=20) + WAITING + goroutine_record(goid=3)
    read = decode(program, RawCapture(header(losses=losses), records), SYMBOLS)
    assert ([each.goroutine_id for each in read.goroutines], read.losses) == ([3, 20], losses)


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (goroutine_record(), "the raw capture lacks the stack of goroutine 17; capture again"),
        (record(KIND_STACK, STACK.pack(1, 2)), "stack 1 of the raw capture does not have its 2 entries"),
        (record(1, b"abc"), "the raw capture has a GOROUTINE record of 3 bytes"),
        (record(99, b""), "the raw capture has a record of unknown kind 99"),
        (goroutine_record(goid=1 << 63) + WAITING, "a goroutine with the id 9223372036854775808"),
    ],
)
def test_damaged_records_are_bad_input(records: bytes, text: str) -> None:
    with pytest.raises(BadRaw) as raised:
        goroutine(records)
    assert text in str(raised.value)


def test_a_capture_of_another_build_is_refused() -> None:
    with pytest.raises(BadRaw, match="the raw capture is of build other, the program was compiled for b"):
        goroutine(goroutine_record(), WAITING, build_id="other")
    with pytest.raises(BadRaw, match="the header of the raw capture has bias 'x'"):
        goroutine(goroutine_record(), WAITING, bias="x")


def test_a_capture_for_another_machine_is_refused() -> None:
    program = one_column_program((INT,), Access(8, (), 0, Limits(), "v"), ON_STACK)
    with pytest.raises(BadRaw, match="the program is for arm64, and only captures of amd64 can be decoded"):
        decode(replace(program, arch="arm64"), RawCapture(header(), b""), SYMBOLS)
