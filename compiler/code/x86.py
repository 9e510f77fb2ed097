"""amd64 machine code as far as a variable's fate follows from it: what reads the stack, what computes, where it branches."""

from collections.abc import Iterator

from iced_x86 import (
    Decoder,
    FlowControl,
    Instruction,
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


def steps(code: bytes, pc: int) -> Iterator[Step]:
    """The instructions of `code`, which begins at `pc`."""
    factory = InstructionInfoFactory()
    for each in Decoder(64, code, ip=pc):
        yield _step(each, factory)


def _step(each: Instruction, factory: InstructionInfoFactory) -> Step:
    info = factory.info(each)
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
    return Step(
        each.ip,
        each.next_ip,
        flow,
        each.mnemonic in MOVES,
        frozenset(reads),
        frozenset(writes),
        tuple(slots),
        frozenset(through),
        tuple(stores),
        effect,
        each.near_branch_target if flow in ("if", "leave") else 0,
    )


def _flow(control: int) -> str:
    if control in CALLS:
        return "call"
    if control in LEAVES:
        return "leave"
    return "if" if control == FlowControl.CONDITIONAL_BRANCH else ""
