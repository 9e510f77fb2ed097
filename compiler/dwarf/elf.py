"""The headers of an ELF64 file: its machine, its sections by name, its segments. System V gABI, chapters 4 and 5."""

import mmap
import struct
from typing import NamedTuple

HEADER = struct.Struct("<16xHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SEGMENT = struct.Struct("<IIQQQQQQ")
SHT_NOBITS = 8
SHF_COMPRESSED = 0x800
SHN_XINDEX = 0xFFFF
PT_LOAD = 1
PF_W = 2


class SectionHeader(NamedTuple):
    """One section: what of it is in the file."""

    kind: int
    flags: int
    address: int
    offset: int
    size: int

    @property
    def in_file(self) -> bool:
        return self.kind != SHT_NOBITS

    @property
    def packed(self) -> bool:
        return self.in_file and bool(self.flags & SHF_COMPRESSED)


class Segment(NamedTuple):
    """What is loaded from the file."""

    address: int
    file_size: int
    memory_size: int
    offset: int
    writable: bool


class Headers(NamedTuple):
    """`machine` is ELF's number for it."""

    machine: int
    sections: dict[str, SectionHeader]
    loaded: tuple[Segment, ...]


def read_headers(file: mmap.mmap) -> Headers:
    """The headers of a file that is known for ELF64, little-endian; struct.error or ValueError where they are damaged."""
    _, machine, _, _, segments_at, sections_at, _, _, segment_size, segments, section_size, sections, names = (
        HEADER.unpack_from(file)
    )
    return Headers(
        machine,
        _sections(file, sections_at, section_size, sections, names) if sections_at else {},
        tuple(_loaded(file, segments_at, segment_size, segments)),
    )


def _sections(file: mmap.mmap, at: int, size: int, count: int, names: int) -> dict[str, SectionHeader]:
    if size != SECTION.size:
        raise ValueError(f"section headers of {size} bytes")
    first = SECTION.unpack_from(file, at)
    count, names = count or first[5], first[6] if names == SHN_XINDEX else names  # more than fit into the header
    rows = [SECTION.unpack_from(file, at + size * number) for number in range(count)]
    names_at = rows[names][4]
    return {_text(file, names_at + row[0]): SectionHeader(*row[1:6]) for row in rows}


def _text(file: mmap.mmap, at: int) -> str:
    end = file.find(b"\0", at) if at < len(file) else -1
    if end < 0:
        raise ValueError("a section's name that ends behind the file")
    return file[at:end].decode("utf-8", "replace")


def _loaded(file: mmap.mmap, at: int, size: int, count: int) -> list[Segment]:
    if size != SEGMENT.size:
        raise ValueError(f"program headers of {size} bytes")
    rows = [SEGMENT.unpack_from(file, at + size * number) for number in range(count)]
    return [Segment(row[3], row[5], row[6], row[2], bool(row[1] & PF_W)) for row in rows if row[0] == PT_LOAD]
