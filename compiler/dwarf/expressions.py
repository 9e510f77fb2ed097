"""Location expressions as operations: the few that Go's compiler writes; any other ends what can be read, by its name."""

import struct
from collections.abc import Iterator

from compiler.dwarf.leb import signed, unsigned

PLAIN = {0x22: "plus", 0x9C: "call_frame_cfa"}
UNSIGNED = {0x10: "constu", 0x23: "plus_uconst", 0x90: "regx", 0x93: "piece"}
SIGNED = {0x11: "consts", 0x91: "fbreg"}
ADDRESS = 0x03
REG0, REG31 = 0x50, 0x6F
"""Opcodes of DWARF 5, section 7.7.1."""
POINTER = struct.Struct("<Q")


def operations(expression: bytes) -> Iterator[tuple[str, int]]:
    """(name without DW_OP_, operand) of each."""
    data, at = memoryview(expression), 0
    while at < len(data):
        code, operand = data[at], 0
        at += 1
        if code in SIGNED:
            operand, at = signed(data, at)
            yield SIGNED[code], operand
        elif REG0 <= code <= REG31:
            yield "regx", code - REG0
        elif code in UNSIGNED:
            operand, at = unsigned(data, at)
            yield UNSIGNED[code], operand
        elif code in PLAIN:
            yield PLAIN[code], 0
        elif code == ADDRESS:
            (operand,) = POINTER.unpack_from(data, at)
            at += POINTER.size
            yield "addr", operand
        else:
            yield _name(code), 0
            return


def _name(code: int) -> str:
    from elftools.dwarf.dwarf_expr import DW_OP_opcode2name  # no expression that Go writes needs it

    return DW_OP_opcode2name.get(code, f"{code:#x}").removeprefix("DW_OP_")
