"""amd64 machine code as far as a variable's fate follows from it: what reads the stack, what computes, where it branches."""

from functools import lru_cache
from typing import NamedTuple

from compiler.code.alike import alike
from compiler.code.parts import parts_of

with parts_of("iced_x86"):
    from iced_x86 import FlowControl, Mnemonic, OpAccess, OpKind, Register
    from iced_x86._iced_x86_py import Decoder, Instruction, InstructionInfoFactory, RegisterExt

READS, WRITES = (
    frozenset(map(int, accesses))
    for accesses in (
        # What may not be written keeps its old value, which is then what CMOV makes.
        (OpAccess.READ, OpAccess.READ_WRITE, OpAccess.COND_READ, OpAccess.READ_COND_WRITE, OpAccess.COND_WRITE),
        (OpAccess.WRITE, OpAccess.READ_WRITE, OpAccess.COND_WRITE, OpAccess.READ_COND_WRITE),
    )
)
MOVES = {
    Mnemonic.MOV, Mnemonic.MOVZX, Mnemonic.MOVSX, Mnemonic.MOVSXD, Mnemonic.MOVSS, Mnemonic.MOVSD, Mnemonic.MOVUPS,
    Mnemonic.MOVAPS, Mnemonic.MOVD, Mnemonic.MOVQ, Mnemonic.MOVDQU, Mnemonic.MOVUPD, Mnemonic.MOVAPD, Mnemonic.XCHG,
}  # fmt: skip
LEAVES = (FlowControl.UNCONDITIONAL_BRANCH, FlowControl.RETURN, FlowControl.INDIRECT_BRANCH, FlowControl.INTERRUPT)
CALLS = (FlowControl.CALL, FlowControl.INDIRECT_CALL)
CALL = bytes.fromhex("e800000000")
"""CALL rel32 (Intel SDM, volume 2). Where it goes makes no difference to what it does."""
BRANCHES = ("if", "leave")
IMMEDIATE = {
    OpKind.IMMEDIATE8: 8, OpKind.IMMEDIATE16: 16, OpKind.IMMEDIATE32: 32,
    OpKind.IMMEDIATE8TO16: 64, OpKind.IMMEDIATE8TO32: 64, OpKind.IMMEDIATE8TO64: 64, OpKind.IMMEDIATE32TO64: 64,
}  # fmt: skip
"""Constants within instructions, and of how many bits iced has them."""
IN_FRAME = (int(Register.RSP), int(Register.NONE))
"""Base and index of a word of the frame."""

NUMBERED = tuple(
    int(RegisterExt.full_register(register))
    for register in (
        Register.RAX, Register.RDX, Register.RCX, Register.RBX, Register.RSI, Register.RDI, Register.RBP, Register.RSP,
        *range(Register.R8, Register.R15 + 1), Register.RIP, *range(Register.XMM0, Register.XMM15 + 1),
    )
)  # fmt: skip
"""Whole registers by their numbers in DWARF (figure 3.36 of the System V ABI for AMD64)."""


WORD_MASK = (1 << 64) - 1
MAX_KNOWN = 1 << 14
"""Instructions of which is remembered what they do."""
_infos = InstructionInfoFactory()
_new = tuple.__new__  # what a NamedTuple comes to, in half of its time


LASTING = frozenset(
    map(
        int,
        (
            Register.RSP,
            Register.RBP,
            Register.RIP,
            Register.R14,
            RegisterExt.full_register(Register.XMM15),
            Register.NONE,
        ),
    )
)
"""Whole registers that mean the same behind a call as before it: the frame's, g, and zero (abi-internal.md in cmd/compile)."""


class Effects(NamedTuple):
    """What an instruction does wherever it stands. Registers are whole ones, by number."""

    flow: str
    """ "call", "leave" (what follows is reached from elsewhere), "if", or "" for the next one."""
    moves: bool
    reads: frozenset[int]
    writes: frozenset[int]
    slots: tuple[int, ...]
    """Words of the frame that it reads, from SP."""
    through: frozenset[int]
    """Registers by which it reads other memory."""
    stores: tuple[int, ...]
    """Words of the frame that it writes, from SP."""
    points: tuple[int, ...]
    """Words of the frame, from SP, whose address it takes."""
    effect: bool
    """It calls, branches, or writes memory outside of the frame."""
    adds: int
    """The constant that it adds to what it reads; 0 where it does anything else."""


_known: dict[bytes, Effects] = {}


class Step(NamedTuple):
    """One instruction."""

    pc: int
    after: int
    target: int
    """Where a branch goes; 0 of what is none."""
    does: Effects
    callee: int = 0
    """What it calls by address; 0 where that is not written in it."""

    @property
    def following(self) -> list[int]:
        """Where the code may go on behind it."""
        if self.does.flow == "leave":
            return [self.target] if self.target else []
        return [self.target, self.after] if self.target else [self.after]


def steps(code: bytes, pc: int) -> dict[int, Step]:
    """The instructions of `code`, which begins at `pc`, by PC."""
    found: dict[int, Step] = {}
    known, new = _known.get, _new
    at, begin = pc, 0
    for each in Decoder(64, code, ip=pc):
        after = each.next_ip
        end = after - pc
        if code[begin] == CALL[0]:
            found[at] = new(Step, (at, after, 0, known(CALL) or _learn(CALL, each), each.near_branch_target))
        else:
            text = code[begin:end]
            does = known(text) or _learn(text, each)
            found[at] = new(Step, (at, after, each.near_branch_target if does[0] in BRANCHES else 0, does, 0))
        at, begin = after, end
    return found


def _learn(text: bytes, instruction: Instruction) -> Effects:
    """Note what an instruction of these bytes does; most stand in a program many times."""
    if len(_known) >= MAX_KNOWN:
        _known.clear()
    key, slot = alike(text)
    does = _known.get(key) or _known.setdefault(key, _effects(instruction))
    _known[text] = does = does if slot is None else _at_slot(does, slot)
    return does


def _at_slot(does: Effects, slot: int) -> Effects:
    """The same with another word of the frame, from SP."""
    word = (slot & WORD_MASK,)
    flow, moves, reads, writes, slots, through, stores, points, effect, adds = does
    told = (word if slots else (), through, word if stores else (), (slot,) if points else (), effect)
    return _new(Effects, (flow, moves, reads, writes, *told, slot if points else adds))


def _effects(each: Instruction) -> Effects:
    info = _infos.info(each)
    reads: set[int] = set()
    writes: set[int] = set()
    for used in info.used_registers():
        whole, access = _whole(used.register), used.access
        if access in READS:
            reads.add(whole)
        if access in WRITES:
            writes.add(whole)
    writes.discard(Register.RSP)
    slots: list[int] = []
    stores: list[int] = []
    through: set[int] = set()
    flow = _flow(each.flow_control)
    effect = bool(flow)
    for memory in info.used_memory():
        if (memory.base, memory.index) != IN_FRAME:
            through |= {_whole(memory.base), _whole(memory.index)}
            effect = effect or memory.access in WRITES
            continue
        if memory.access in READS:
            slots.append(memory.displacement)
        if memory.access in WRITES:
            stores.append(memory.displacement)
    moves = each.mnemonic in MOVES
    points = each.mnemonic == Mnemonic.LEA and each.memory_base == Register.RSP
    return Effects(
        flow,
        moves,
        frozenset(reads),
        frozenset(writes),
        tuple(slots),
        frozenset(through),
        tuple(stores),
        (_signed(each.memory_displacement, 64),) if points else (),
        effect,
        _added(each),
    )


def _added(instruction: Instruction) -> int:
    """What is added to a register or word by nothing but a constant; 0 where that is not so."""
    mnemonic = instruction.mnemonic
    if mnemonic in (Mnemonic.INC, Mnemonic.DEC):
        return 1 if mnemonic == Mnemonic.INC else -1
    if mnemonic in (Mnemonic.ADD, Mnemonic.SUB) and instruction.op1_kind in IMMEDIATE:
        number = _signed(instruction.immediate(1), IMMEDIATE[instruction.op1_kind])
        return number if mnemonic == Mnemonic.ADD else -number
    if mnemonic == Mnemonic.LEA and instruction.memory_index == Register.NONE:
        return 0 if instruction.is_ip_rel_memory_operand else _signed(instruction.memory_displacement, 64)
    return 0


def _signed(word: int, bits: int) -> int:
    """The number that a word of so many bits stands for."""
    return word - (1 << bits) if word >> (bits - 1) else word


_whole = lru_cache(maxsize=None)(RegisterExt.full_register)
"""The register that another is a part of."""


def _flow(control: int) -> str:
    if control in CALLS:
        return "call"
    if control in LEAVES:
        return "leave"
    return "if" if control == FlowControl.CONDITIONAL_BRANCH else ""
