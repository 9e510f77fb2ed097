"""The bytes of one ELF section: as they lie in the file, mapped and never copied, or unpacked where they are compressed."""

import io
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Literal, cast

from compiler.ir.errors import BadInput

PAGE = mmap.ALLOCATIONGRANULARITY
SHF_COMPRESSED = 0x800
COMPRESSION = struct.Struct("<IIQQ")
"""Elf64_Chdr: kind, reserved, unpacked size, alignment (System V gABI, section compression)."""
ZLIB, ZSTD = 1, 2
MAX_SECTION = 2 << 30
"""Bytes of one section, unpacked."""
MAX_INFLATION = 100
"""How many times its size a compressed section may unpack to; debug info does 2 to 5 times, a bomb 1000 times."""


Buffer = mmap.mmap | bytes


class BadSection(BadInput):
    """A section that cannot be read."""


class Section:
    """The bytes of one section. Offsets count from its beginning."""

    def __init__(self, buffer: Buffer, start: int, size: int) -> None:
        """`size` bytes of `buffer` from `start`, which end where the buffer ends."""
        self.buffer, self.start, self.size = buffer, start, size
        self.view = memoryview(buffer)[start : start + size]
        """The bytes, for whatever reads buffers."""

    def cuts(self, starts: Iterable[int], ends: Iterable[int]) -> list[bytes]:
        """The bytes between each start and its end."""
        buffer, shift = self.buffer, self.start.__add__
        return [buffer[start:end] for start, end in zip(map(shift, starts), map(shift, ends), strict=True)]

    def find(self, wanted: bytes) -> Iterator[int]:
        """Where the bytes are `wanted`, in order."""
        at = self.buffer.find(wanted, self.start, self.start + self.size)
        while at >= 0:
            yield at - self.start
            at = self.buffer.find(wanted, at + 1, self.start + self.size)

    def stream(self) -> IO[bytes]:
        """The bytes as a stream; one a section, for all share one position."""
        if isinstance(self.buffer, bytes):
            return io.BytesIO(self.buffer)  # which shares them
        return cast(IO[bytes], _Window(self.buffer, self.start))

    def close(self) -> None:
        """Let go of the file; what still looks at the view keeps it alive."""
        try:
            self.view.release()
            if isinstance(self.buffer, mmap.mmap):
                self.buffer.close()
        except BufferError:
            pass


class _Window:
    """As much of a stream over a mapped section as elftools uses: it reads from where the section begins to where it ends."""

    def __init__(self, buffer: mmap.mmap, start: int) -> None:
        self._map, self._start = buffer, start
        self.read = buffer.read
        self.seek(0)

    def seek(self, at: int, whence: Literal[0, 1, 2] = os.SEEK_SET) -> None:
        self._map.seek(at + self._start if whence == os.SEEK_SET else at, whence)  # the section ends where the map does

    def tell(self) -> int:
        return self._map.tell() - self._start


def read_section(file: IO[bytes], flags: int, offset: int, size: int) -> Section:
    """The section that a header describes (its sh_flags, sh_offset, sh_size); BadSection where it is not there."""
    if size == 0:
        return Section(b"", 0, 0)
    if size > MAX_SECTION:
        raise BadSection(f"is larger than {MAX_SECTION} bytes")
    if offset + size > os.fstat(file.fileno()).st_size:
        raise BadSection("is damaged: it ends behind the file's end")
    start = offset % PAGE
    mapped = mmap.mmap(file.fileno(), start + size, access=mmap.ACCESS_READ, offset=offset - start)
    if not flags & SHF_COMPRESSED:
        return Section(mapped, start, size)
    with mapped, memoryview(mapped)[start:] as packed:
        unpacked = _unpack(packed)
    return Section(unpacked, 0, len(unpacked))


def _unpack(packed: memoryview) -> bytes:
    if len(packed) < COMPRESSION.size:
        raise BadSection("is damaged: it ends within its compression header")
    kind, _, size, _ = COMPRESSION.unpack_from(packed)
    if kind == ZSTD:
        remedy = "unpack it: objcopy --decompress-debug-sections"
        raise BadSection("is compressed with zstd, and only zlib is supported", remedy=remedy)
    if kind != ZLIB:
        raise BadSection(f"is compressed in a way that is not known ({kind})")
    if size > MAX_SECTION:
        raise BadSection(f"is larger than {MAX_SECTION} bytes")
    if size > MAX_INFLATION * len(packed):
        raise BadSection(f"is damaged: {len(packed)} bytes cannot hold the {size} that they say they do")
    try:
        unpacked = zlib.decompressobj().decompress(packed[COMPRESSION.size :], size) if size else b""
    except zlib.error as error:
        raise BadSection(f"is damaged: {error}") from None
    if len(unpacked) != size:
        raise BadSection(f"is damaged: it unpacks to {len(unpacked)} bytes instead of {size}")
    return unpacked
