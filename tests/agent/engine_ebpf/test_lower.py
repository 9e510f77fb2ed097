"""A Program as the probe's tables: small ones, written out."""

import struct
from dataclasses import replace

import pytest

from agent.engine import Target
from agent.engine_ebpf.lower import lower
from agent.engine_ebpf.lower_roots import FIRST_SPAN, ROW
from agent.engine_ebpf.numbers import NO_KEY, TAIL, Chunk, RootKind
from agent.engine_ebpf.sizes import OUT_CEILING, plan_sizes, power_of_two
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Access,
    AtCfa,
    ByDictionary,
    Choice,
    Deref,
    FunctionTable,
    InRegister,
    Located,
    Piece,
    Program,
    Select,
    Site,
    Step,
)
from compiler.ir.types import Basic, Pointer, String, Struct, Type
from tests.agent.process import BIAS, GOEXIT, INTERRUPT, SITE, TEXT, TYPES_BASE, program

TARGET = Target(1, BIAS, TYPES_BASE)
TYPES: tuple[Type, ...] = (Basic("int", 8, "int"), String("string", 16), Pointer("*int", 8, 0), Struct("big", 4096, ()))


def roots(*wanted: tuple[tuple[Piece, ...], int, tuple[Step, ...], int]) -> list[tuple[int, ...]]:
    """ROOTS of a Program with one site and such columns: (pieces, root size, steps, type)."""
    accesses = tuple(Access(size, steps, type_id, Limits(), "x") for _, size, steps, type_id in wanted)
    places = tuple(Located(number, pieces) for number, (pieces, *_) in enumerate(wanted))
    columns = tuple(f"c{number}" for number in range(len(wanted)))
    made = replace(
        program(TYPES),
        accesses=accesses,
        tables=(FunctionTable("f", "main.f", columns),),
        sites=(Site(SITE, SITE + 16, False, 0, 0, places),),
    )
    return list(ROW.iter_unpack(lower(made, TARGET).tables["ROOTS"]))


def test_a_value_in_the_frame_stays_where_it_is() -> None:
    assert roots(((AtCfa(0, 16, -24),), 16, (), 1)) == [
        (RootKind.WHOLE_STACK, 0, 16, 0, -24, 2, 0),
        (RootKind.VALUE, 0, 0, 1, 0, 2, 0),
    ]


def test_pieces_are_put_together_in_order() -> None:
    assert roots(((AtCfa(8, 8, -40), InRegister(0, 8, 3)), 16, (), 1)) == [
        (RootKind.BEGIN, 0, 0, 0, 0, 1, 0),
        (RootKind.REGISTER, 0, 8, 3, 0, 2, 0),
        (RootKind.STACK, 8, 8, 0, -40, 3, 0),
        (RootKind.VALUE, 0, 0, 1, 0, 4, 0),
    ]


def test_columns_of_one_variable_share_its_pointer_and_one_copy() -> None:
    pieces = (AtCfa(0, 8, -24),)
    near = (Deref(), Select(16))
    behind = (Deref(), Select(40), Deref())
    far = (Deref(), Select(1000), Select(24))
    assert roots(
        (pieces, 8, near, 1), (pieces, 8, behind, 0), (pieces, 8, far, 0), (pieces, 8, (Deref(), Select(8)), 3)
    ) == [
        (RootKind.WHOLE_STACK, 0, 8, 0, -24, 8, 0),
        (RootKind.DEREF, 0, 8, 0, 0, 8, 1),
        (RootKind.QUEUE, 8, 4096, 3, 0, 3, 1),
        (RootKind.SPAN, 16, 32, FIRST_SPAN + 1, 0, 7, 1),
        (RootKind.VALUE, 16, 0, 1, 0, 5, 1),
        (RootKind.DEREF, 40, 8, 0, 0, 7, 2),
        (RootKind.SPAN, 0, 8, FIRST_SPAN, 0, 7, 2),
        (RootKind.SPAN, 1024, 8, FIRST_SPAN + 2, 0, 8, 1),
    ]


def test_what_hangs_on_a_dictionary_is_behind_a_comparison() -> None:
    """Of each choice that leads anywhere. What is wanted of it is a tree as of any variable."""
    plain = tuple(Access(8, steps, type_id, Limits(), "x") for steps, type_id in (((), 2), ((Deref(),), 1), ((), 0)))
    chosen = ByDictionary(8, (Choice(0x500, 0), Choice(0x600, 1), Choice(0x700, 2)), "x")
    made = replace(
        program(TYPES),
        accesses=(*plain, chosen),
        tables=(FunctionTable("f", "main.f", ("x",)),),
        sites=(Site(SITE, SITE + 16, False, 0, 0, (Located(3, (AtCfa(8, 8, -8), AtCfa(0, 8, -24))),)),),
    )
    assert list(ROW.iter_unpack(lower(made, TARGET).tables["ROOTS"])) == [
        (RootKind.BEGIN, 0, 0, 0, 0, 1, 0),
        (RootKind.STACK, 0, 8, 0, -24, 2, 0),
        (RootKind.STACK, 8, 8, 0, -8, 3, 0),
        (RootKind.CHOICE, 8, 8, 0, 0x500 + BIAS, 5, 0),
        (RootKind.VALUE, 0, 0, 2, 0, 5, 0),
        (RootKind.CHOICE, 8, 8, 0, 0x600 + BIAS, 9, 0),
        (RootKind.DEREF, 0, 8, 0, 0, 9, 1),
        (RootKind.SPAN, 0, 16, FIRST_SPAN, 0, 9, 1),
        (RootKind.VALUE, 0, 0, 1, 0, 9, 1),
    ]


def test_text_is_marked_in_chunks_of_16_bytes() -> None:
    chunks = lower(program(TYPES, (AtCfa(0, 8, -24),)), TARGET).tables["CHUNKS"]
    marked = {TEXT + 16 * number: bits for number, bits in enumerate(chunks) if bits}
    assert marked == {
        GOEXIT: Chunk.OUTERMOST,
        SITE: Chunk.CALL,
        **{INTERRUPT + 16 * number: Chunk.INTERRUPT for number in range(4)},
    }


def test_searched_tables_are_powers_of_two() -> None:
    pieces = (AtCfa(0, 8, -24),)
    made = program(TYPES, pieces)
    sites = tuple(Site(SITE + 64 * n, SITE + 64 * n + 8, False, 0, 0, made.sites[0].places) for n in range(3))
    lowered = lower(replace(made, sites=sites), TARGET)
    keys = [key for (key,) in struct.iter_unpack("<Q", lowered.tables["KEYS"])]
    assert keys[:4] == [SITE + BIAS, SITE + BIAS + 64, SITE + BIAS + 128, NO_KEY]
    assert (lowered.config.calls_base, lowered.config.calls_half) == (0, 2)
    assert (lowered.config.exact_base, lowered.config.exact_half, keys[4]) == (4, 0, NO_KEY)


@pytest.mark.parametrize("process_bytes", [1, 1 << 20, 256 << 20, 2 << 30])
@pytest.mark.parametrize("goroutines", [0, 10_000, 1 << 22])
def test_sizes_keep_to_the_limits(process_bytes: int, goroutines: int) -> None:
    limits = Limits(process_bytes=process_bytes)
    sizes = plan_sizes(limits, {"TYPES": 5, "OPS": 0}, goroutines, 8, values=True)
    assert sizes.out_limit <= min(process_bytes, OUT_CEILING - TAIL)
    assert sizes.goroutines_limit > goroutines
    assert (sizes.rows["TYPES"], sizes.rows["OPS"]) == (8, 1)
    assert all(sizes.rows[name] == power_of_two(sizes.rows[name]) for name in ("OUT", "STACKS", "SEEN", "QUEUE"))


def test_a_program_without_values_needs_little_memory() -> None:
    made: Program = program()
    lowered = lower(made, TARGET)
    assert not lowered.config.has_values
    sizes = plan_sizes(made.limits, lowered.rows, 1000, 8, values=False)
    assert sizes.rows["OUT"] <= 4 << 20
