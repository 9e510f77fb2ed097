"""Numbers of any length, as DWARF writes them (LEB128: DWARF 5, section 7.6)."""

MAX_BYTES = 20
"""Of one number; 64 bits take ten."""


def unsigned(data: memoryview, at: int) -> tuple[int, int]:
    """The number at an offset, and where it ends; IndexError or ValueError where it does not."""
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    for end in range(at + 1, at + MAX_BYTES):
        byte = data[end]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, end + 1
        shift += 7
    raise ValueError("a number without an end")


def signed(data: memoryview, at: int) -> tuple[int, int]:
    """The same of a number with a sign."""
    value, end = unsigned(data, at)
    bits = 7 * (end - at)
    return value - (1 << bits) if value >> bits - 1 else value, end
