"""Which instructions do the same, but for how far they reach or for the constants in them: one is learnt for all.

A key is the beginning of an instruction that says all that matters. No instruction consists of it alone, so that it is the
text of none. Encodings: Intel SDM, volume 2, chapter 2 and appendix A.
"""

JUMPS = {0xE9, 0xEB, *range(0x70, 0x80)}
"""JMP, and Jcc rel8."""
PREFIXES = {0x66, 0xF2, 0xF3}
ESCAPE = 0x0F
LEA = 0x8D
PLAIN = {0x39, 0x3B, 0x63, 0x85, 0x87, 0x88, 0x89, 0x8A, 0x8B, LEA}
"""CMP, MOVSXD, TEST, XCHG, MOV, LEA: of a register and what a ModRM byte says, without any constant."""
ESCAPED = {0x10, 0x11, 0x28, 0x29, 0x6E, 0x6F, 0x7E, 0x7F, 0xB6, 0xB7, 0xBE, 0xBF}
"""The same behind 0F: MOVUPS and its like, MOVAPS, MOVQ, MOVDQU, MOVZX, MOVSX."""
WITH_CONSTANT = {0xC6: 0, 0xC7: 0, 0xF6: 0, 0xF7: 0, 0x80: 7, 0x81: 7, 0x83: 7}
"""MOV, TEST and CMP of what a ModRM byte says and a constant, which makes no difference; the number in that byte."""
LOADS = range(0xB8, 0xC0)
"""MOV of a constant into a register."""
ON_STACK = 0x24
"""The SIB byte of what is at a distance from RSP, where no prefix extends it."""


def alike(text: bytes) -> tuple[bytes, int | None]:
    """The key of an instruction's text, which is the text where nothing is left out; and the distance from RSP that was."""
    first = text[0]
    if first in JUMPS:
        return text[:1], None
    if first == ESCAPE and text[1] & 0xF0 == 0x80:  # Jcc rel32
        return text[:2], None
    at = 1 if first in PREFIXES else 0
    extended = text[at] & 0xF0 == 0x40
    bits = text[at] & 3 if extended else 0  # of REX: X and B
    at += extended
    code = text[at]
    if code in LOADS:
        return text[: at + 1], None
    if code == ESCAPE:
        at += 1
        plain = text[at] in ESCAPED
    else:
        plain = code in PLAIN
    if not plain and (at + 1 >= len(text) or WITH_CONSTANT.get(code) != text[at + 1] >> 3 & 7):
        return text, None
    return _reaching(text, at + 1, bits, code if plain else None)


def _reaching(text: bytes, at: int, bits: int, plain: int | None) -> tuple[bytes, int | None]:
    """The same of one whose ModRM byte is at an offset. `plain`: its code, where no constant is behind that."""
    mode, base = text[at] >> 6, text[at] & 7
    if mode == 3:
        return (text if plain else text[: at + 1]), None
    if base == 4:
        if text[at + 1] != ON_STACK or bits or (plain and not mode):
            return text, None
        size = (0, 1, 4)[mode]
        return text[: at + 2], int.from_bytes(text[at + 2 : at + 2 + size], "little", signed=True)
    from_itself = mode == 0 and base == 5
    if not plain or from_itself or (mode and plain != LEA):
        return text[: at + 1], None
    return text, None
