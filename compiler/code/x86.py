"""amd64 machine code as far as a variable's fate follows from it: what reads the stack, what computes, where it branches."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from iced_x86 import (
    Decoder,
    FlowControl,
    Instruction,
    InstructionInfo,
    InstructionInfoFactory,
    Mnemonic,
    OpAccess,
    Register,
    RegisterExt,
)

from compiler.ir.frozen import frozen

READS = (OpAccess.READ, OpAccess.READ_WRITE, OpAccess.COND_READ, OpAccess.READ_COND_WRITE)
WRITES = (OpAccess.WRITE, OpAccess.READ_WRITE, OpAccess.COND_WRITE, OpAccess.READ_COND_WRITE)
MOVES = {
    Mnemonic.MOV, Mnemonic.MOVZX, Mnemonic.MOVSX, Mnemonic.MOVSXD, Mnemonic.MOVSS, Mnemonic.MOVSD, Mnemonic.MOVUPS,
    Mnemonic.MOVAPS, Mnemonic.MOVD, Mnemonic.MOVQ, Mnemonic.MOVDQU, Mnemonic.MOVUPD, Mnemonic.MOVAPD, Mnemonic.XCHG,
}  # fmt: skip
LEAVES = (FlowControl.UNCONDITIONAL_BRANCH, FlowControl.RETURN, FlowControl.INDIRECT_BRANCH, FlowControl.INTERRUPT)
CALLS = (FlowControl.CALL, FlowControl.INDIRECT_CALL)


@frozen
class Step:
    """One instruction. `slots` are the words that it reads of the frame, from SP; registers are whole ones, by number.

    `flow`: "call", "leave" (what follows is reached from elsewhere), "if", or "" for the next one.
    """

    pc: int
    after: int
    flow: str
    moves: bool
    reads: frozenset[int]
    writes: frozenset[int]
    slots: tuple[int, ...]
    through: frozenset[int]
    """Registers by which it reads other memory."""
    stores: tuple[int, ...]
    """Words of the frame that it writes, from SP."""
    effect: bool
    """It calls, branches, or writes memory outside of the frame."""
    target: int
    """Where a branch goes; 0 of what is none."""


class _Effects(NamedTuple):
    """What an instruction does wherever it stands; as in a Step."""

    flow: str
    moves: bool
    reads: frozenset[int]
    writes: frozenset[int]
    slots: tuple[int, ...]
    through: frozenset[int]
    stores: tuple[int, ...]
    effect: bool


def steps(code: bytes, pc: int) -> Iterator[Step]:
    """The instructions of `code`, which begins at `pc`."""
    for each in Decoder(64, code, ip=pc):
        effects = _effects(code[each.ip - pc : each.next_ip - pc])
        target = each.near_branch_target if effects.flow in ("if", "leave") else 0
        yield Step(each.ip, each.next_ip, *effects, target)


@lru_cache(maxsize=1 << 14)
def _effects(code: bytes) -> _Effects:
    """Of one instruction; most stand in a program many times."""
    each, info = _decoded(code)
    reads: set[int] = set()
    writes: set[int] = set()
    for used in info.used_registers():
        whole = RegisterExt.full_register(used.register)
        if used.access in READS:
            reads.add(whole)
        if used.access in WRITES:
            writes.add(whole)
    writes.discard(Register.RSP)
    slots: list[int] = []
    stores: list[int] = []
    through: set[int] = set()
    flow = _flow(each.flow_control)
    effect = bool(flow)
    for memory in info.used_memory():
        if (int(memory.base), int(memory.index)) != (int(Register.RSP), int(Register.NONE)):
            through |= {RegisterExt.full_register(register) for register in (memory.base, memory.index)}
            effect = effect or memory.access in WRITES
            continue
        if memory.access in READS:
            slots.append(memory.displacement)
        if memory.access in WRITES:
            stores.append(memory.displacement)
    moves = each.mnemonic in MOVES
    return _Effects(
        flow, moves, frozenset(reads), frozenset(writes), tuple(slots), frozenset(through), tuple(stores), effect
    )


def _decoded(code: bytes) -> tuple[Instruction, InstructionInfo]:
    instruction = Decoder(64, code).decode()
    return instruction, InstructionInfoFactory().info(instruction)


def _flow(control: int) -> str:
    if control in CALLS:
        return "call"
    if control in LEAVES:
        return "leave"
    return "if" if control == FlowControl.CONDITIONAL_BRANCH else ""
