"""An ELF file as regions that damage can aim at, and the damage itself. Written apart from the reader that it is to break."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

SECTION = struct.Struct("<IIQQQQIIQQ")
SECTION_SIZE_AT = 32
COMPRESSION = struct.Struct("<IIQQ")
"""Elf64_Chdr: type (1 is zlib), reserved, size and alignment of what is inside."""
FLAG_COMPRESSED = 0x800
INTERESTING = (
    0, 1, 2, 7, 8, 127, 128, 255, 256, 4096, 65535, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, 1 << 62,
    (1 << 63) - 1, 1 << 63, (1 << 64) - 16, (1 << 64) - 1,
)  # fmt: skip
"""Sizes, counts and offsets that are at the edge of something."""


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes [start, end) of the file; `header_at` is where the section's header lies, if it is a section."""

    start: int
    end: int
    header_at: int | None = None


def regions(data: bytes) -> dict[str, Region]:
    """The file's headers, and its sections by name."""
    (program_at, section_at) = struct.unpack_from("<QQ", data, 32)
    program_size, programs, section_size, sections, names = struct.unpack_from("<5H", data, 54)
    found = {
        "ELF header": Region(0, 64),
        "program headers": Region(program_at, program_at + program_size * programs),
        "section headers": Region(section_at, section_at + section_size * sections),
    }
    rows = [SECTION.unpack_from(data, section_at + section_size * number) for number in range(sections)]
    for number, (name_at, kind, _, _, offset, size, *_) in enumerate(rows):
        at = rows[names][4] + name_at
        name = data[at : data.index(b"\0", at)].decode()
        if kind not in (0, 8) and size:  # neither nothing nor .bss
            found[name] = Region(offset, offset + size, section_at + section_size * number)
    return found


Damage = Callable[[bytearray], None]


@dataclass(frozen=True, slots=True)
class Cut:
    """The file ends at `size`."""

    size: int

    def __call__(self, data: bytearray) -> None:
        del data[self.size :]


@dataclass(frozen=True, slots=True)
class Flip:
    """One bit changes."""

    at: int
    bit: int

    def __call__(self, data: bytearray) -> None:
        data[self.at % len(data)] ^= 1 << self.bit


@dataclass(frozen=True, slots=True)
class Put:
    """Other bytes stand at `at`."""

    at: int
    content: bytes

    def __call__(self, data: bytearray) -> None:
        end = min(self.at + len(self.content), len(data))
        if self.at < end:
            data[self.at : end] = self.content[: end - self.at]


@dataclass(frozen=True, slots=True)
class Copy:
    """`size` bytes are those from elsewhere."""

    source: int
    at: int
    size: int

    def __call__(self, data: bytearray) -> None:
        Put(self.at, bytes(data[self.source : self.source + self.size]))(data)


@cache
def _packed_zeros(size: int) -> bytes:
    packer, chunk = zlib.compressobj(9), bytes(1 << 20)
    return b"".join(packer.compress(chunk) for _ in range(size >> 20)) + packer.flush()


@dataclass(frozen=True, slots=True)
class Compressed:
    """A section becomes a compressed one that says it holds `said` bytes and holds `held` zeros."""

    region: Region
    said: int
    held: int

    def __call__(self, data: bytearray) -> None:
        content = COMPRESSION.pack(1, 0, self.said, 1) + _packed_zeros(self.held)
        at = self.region.header_at
        if at is None or at + SECTION.size > len(data):
            return
        name, kind, flags, address, *_, link, info, align, each = SECTION.unpack_from(data, at)
        row = (name, kind, flags | FLAG_COMPRESSED, address, len(data), len(content), link, info, align, each)
        SECTION.pack_into(data, at, *row)
        data += content


WORDS = st.tuples(st.sampled_from(INTERESTING), st.sampled_from((1, 2, 4, 8))).map(
    lambda found: (found[0] % (1 << 8 * found[1])).to_bytes(found[1], "little")
)
CONTENTS = st.one_of(
    WORDS, st.binary(min_size=1, max_size=64), st.integers(0, 255).map(lambda byte: bytes([byte]) * 4096)
)
SAID = (0, 1, 1 << 20, 1 << 30, 3 << 30, 1 << 40, (1 << 64) - 1)


def damages(found: Mapping[str, Region], size: int) -> st.SearchStrategy[tuple[Damage, ...]]:
    """One to eight damages, most of them in the regions that a reader looks at."""

    def within(region: Region) -> st.SearchStrategy[Damage]:
        at = st.integers(region.start, max(region.end - 1, region.start))
        return st.one_of(
            st.builds(Flip, at, st.integers(0, 7)),
            st.builds(Put, at, CONTENTS),
            st.builds(Copy, at, at, st.integers(1, 256)),
        )

    anywhere: st.SearchStrategy[Damage] = st.one_of(
        st.builds(Cut, st.integers(0, size)),
        st.builds(Copy, st.integers(0, size), st.integers(0, size), st.integers(1, 1 << 16)),
    )
    some = st.sampled_from(sorted(found)).flatmap(lambda name: within(found[name]))
    return st.lists(some | some | some | anywhere, min_size=1, max_size=8).map(tuple)


def applied(data: bytes, wanted: tuple[Damage, ...]) -> bytes:
    """The file with all the damage done to it."""
    damaged = bytearray(data)
    for damage in wanted:
        if damaged:
            damage(damaged)
    return bytes(damaged)
