"""Where the machine code of a function calls another: the only places at which a goroutine that waits can stand in it.

Found by the instructions' own bytes, without decoding what lies between: it may see a call in the middle of another
instruction, and misses none that Go's compiler writes but into the middle of duffzero and duffcopy, where nobody waits.
For explanations only; nothing is captured by it.
"""

import re
import struct
from collections.abc import Callable, Iterator

RELATIVE = b"\xe8"
INDIRECT = re.compile(rb"\xff[\x10-\x17\x50-\x57\x90-\x97\xd0-\xd7]", re.DOTALL)
"""CALL through a register or memory: opcode FF with 2 in the middle bits of its ModRM byte (Intel SDM, volume 2, CALL)."""
BL, BL_MASK = 0x94000000, 0xFC000000
BLR, BLR_MASK = 0xD63F0000, 0xFFFFFC1F
"""Arm ARM, C6.2: branch with link, to an offset and to a register."""


def call_ends(code: bytes, start: int, arch: str, is_target: Callable[[int], bool]) -> list[int]:
    """Addresses of the last byte of each call in `code`, which lies at `start`; `is_target`: whether an address can be called."""
    if arch == "arm64":
        return list(_arm64(code, start))
    return sorted({*_relative(code, start, is_target), *_indirect(code, start)})


def _relative(code: bytes, start: int, is_target: Callable[[int], bool]) -> Iterator[int]:
    at = code.find(RELATIVE)
    while 0 <= at <= len(code) - 5:
        (distance,) = struct.unpack_from("<i", code, at + 1)
        target = start + at + 5 + distance
        if is_target(target):
            yield start + at + 4
        at = code.find(RELATIVE, at + 1)


def _indirect(code: bytes, start: int) -> Iterator[int]:
    for match in INDIRECT.finditer(code):
        mode, base = code[match.end() - 1] >> 6, code[match.end() - 1] & 7
        displacement = {0: 4 if base == 5 else 0, 1: 1, 2: 4, 3: 0}[mode]
        yield start + match.end() - 1 + displacement + (base == 4 and mode != 3)


def _arm64(code: bytes, start: int) -> Iterator[int]:
    for number, (word,) in enumerate(struct.iter_unpack("<I", code[: len(code) // 4 * 4])):
        if word & BL_MASK == BL or word & BLR_MASK == BLR:
            yield start + 4 * number + 3
