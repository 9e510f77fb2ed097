"""An executable robbed of its debug info and symbols, every other byte and address as it was."""

import struct
from pathlib import Path

SECTIONS_AT, SIZES_AT = 40, 58
OFFSET_AT, SECTION = 24, 64


def bare(binary: Path, robbed: Path, *, symbols: bool = False) -> Path:
    """A copy whose sections of debug info (and symbols, unless they may stay) go by names that nobody looks for."""
    found = bytearray(binary.read_bytes())
    (headers,) = struct.unpack_from("<Q", found, SECTIONS_AT)
    _, _, names = struct.unpack_from("<HHH", found, SIZES_AT)
    at, size = struct.unpack_from("<QQ", found, headers + SECTION * names + OFFSET_AT)
    table = bytes(found[at : at + size]).replace(b"\0.debug_", b"\0.xebug_")
    found[at : at + size] = table if symbols else table.replace(b"\0.symtab\0", b"\0.xymtab\0")
    robbed.write_bytes(found)
    return robbed
