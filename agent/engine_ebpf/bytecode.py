"""From compiled functions to one program that the kernel takes. Pure: bytes in, bytes out.

BCC drops the relocation of a function's address, so bpf_loop's callbacks are compiled as functions of their own and
referred to by marked constants (layout.MARK_...). Here they are appended to the main function and the marks replaced:
by pseudo references to a map's value or to a function (linux/bpf.h, BPF_PSEUDO_...), or by plain numbers.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from agent.engine_ebpf.layout import CALLBACKS, MAIN, MARK_CALLBACK, MARK_MAP, MARK_MASK

INSN = struct.Struct("<BBhi")
LD_IMM64 = 0x18
PSEUDO_MAP_VALUE = 2
PSEUDO_FUNC = 4
CONTEXT_FIRST = INSN.pack(0xBF, 0x21, 0, 0)
"""r1 = r2: a callback gets (round, context), but BCC compiles functions of one parameter only."""

BTF_HEADER = struct.Struct("<HBBIIIII")
BTF_MAGIC = 0xEB9F
KIND_INT, KIND_PTR, KIND_FUNC, KIND_FUNC_PROTO = 1, 2, 12, 13
STATIC, GLOBAL = 0, 1
INT_ID, POINTER_ID, MAIN_PROTO_ID, CALLBACK_PROTO_ID, MAIN_ID = 1, 2, 3, 4, 5
"""Ids in our BTF; the callbacks follow MAIN_ID in their order."""


@dataclass(frozen=True, slots=True)
class MapReference:
    """A map that the code may use: its file descriptor and the number of its rows, a power of two."""

    fd: int
    rows: int


@dataclass(frozen=True, slots=True)
class Linked:
    """Instructions, and what BTF says of the functions in them: (instruction, type id) each."""

    instructions: bytes
    functions: bytes
    function_count: int


def link(compiled: Mapping[str, bytes], maps: tuple[MapReference, ...]) -> Linked:
    """The main function and its callbacks as one program that uses `maps` (in the order of layout.MAPS)."""
    parts = [compiled[MAIN], *(CONTEXT_FIRST + compiled[name] for name in CALLBACKS)]
    starts = [sum(len(part) for part in parts[:number]) // INSN.size for number in range(len(parts))]
    code = bytearray(b"".join(parts))
    at = 0
    while at < len(code):
        opcode, registers, _, low = INSN.unpack_from(code, at)
        if opcode != LD_IMM64:
            at += INSN.size
            continue
        high = INSN.unpack_from(code, at + INSN.size)[3]
        kind, first, second = _resolve(high & 0xFFFFFFFF, low, at // INSN.size, maps, starts)
        if kind is not None:
            INSN.pack_into(code, at, opcode, registers & 0x0F | kind << 4, 0, first)
            INSN.pack_into(code, at + INSN.size, 0, 0, 0, second)
        at += 2 * INSN.size
    functions = [struct.pack("<II", start, MAIN_ID + number) for number, start in enumerate(starts)]
    return Linked(bytes(code), b"".join(functions), len(functions))


def _resolve(
    mark: int, number: int, position: int, maps: tuple[MapReference, ...], starts: list[int]
) -> tuple[int | None, int, int]:
    """What a marked constant becomes: (source register, first and second immediate); None for one that is no mark."""
    if mark == MARK_MAP:
        return PSEUDO_MAP_VALUE, maps[number].fd, 0
    if mark == MARK_MASK:
        return 0, maps[number].rows - 1, 0
    if mark == MARK_CALLBACK:
        return PSEUDO_FUNC, starts[1 + number] - position - 1, 0
    return None, 0, 0


def btf() -> bytes:
    """BTF of our functions, as the kernel demands it of a program with callbacks: main global, the others static."""
    strings = bytearray(b"\0")

    def name(text: str) -> int:
        offset = len(strings)
        strings.extend(text.encode() + b"\0")
        return offset

    types = [
        struct.pack("<IIII", name("int"), KIND_INT << 24, 4, 1 << 24 | 32),
        struct.pack("<III", 0, KIND_PTR << 24, 0),
        struct.pack("<IIIII", 0, KIND_FUNC_PROTO << 24 | 1, INT_ID, name("context"), POINTER_ID),
        struct.pack(
            "<IIIIIII", 0, KIND_FUNC_PROTO << 24 | 2, INT_ID, name("round"), INT_ID, name("shared"), POINTER_ID
        ),
        struct.pack("<III", name(MAIN), KIND_FUNC << 24 | GLOBAL, MAIN_PROTO_ID),
        *(struct.pack("<III", name(each), KIND_FUNC << 24 | STATIC, CALLBACK_PROTO_ID) for each in CALLBACKS),
    ]
    body = b"".join(types)
    header = BTF_HEADER.pack(BTF_MAGIC, 1, 0, BTF_HEADER.size, 0, len(body), len(body), len(strings))
    return header + body + bytes(strings)
