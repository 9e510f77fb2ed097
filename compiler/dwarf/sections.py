"""The bytes of one ELF section: as they lie in the file, mapped and never copied, or unpacked where they are compressed."""

import io
import mmap
import os
import struct
from collections.abc import Iterable, Iterator
from threading import Thread
from typing import IO, Literal, cast

from isal import isal_zlib

from compiler.dwarf.elf import SHF_COMPRESSED
from compiler.ir.errors import BadInput

PAGE = mmap.ALLOCATIONGRANULARITY
COMPRESSION = struct.Struct("<IIQQ")
"""Elf64_Chdr: kind, reserved, unpacked size, alignment (System V gABI, section compression)."""
ZLIB, ZSTD = 1, 2
MAX_SECTION = 2 << 30
"""Bytes of one section, unpacked."""
MAX_INFLATION = 100
"""How many times its size a compressed section may unpack to; debug info does 2 to 5 times, a bomb 1000 times."""
MAX_WINDOW = 128 << 20
"""Bytes that zstd may look back: as many as its own command allows."""


Buffer = mmap.mmap | bytes


def find_ended(buffer: Buffer, wanted: bytes, start: int, end: int) -> Iterator[int]:
    """Where between two offsets a text stands that a zero ends, in order. To look for the zero, too, would take twice as long:
    a search looks at the last byte first, and nothing is as frequent."""
    at, size = buffer.find(wanted, start, end), len(wanted)
    while at >= 0:
        if at + size < end and not buffer[at + size]:
            yield at
        at = buffer.find(wanted, at + 1, end)


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

    def find(self, wanted: bytes, lo: int = 0, hi: int | None = None) -> Iterator[int]:
        """Where the bytes between two offsets are `wanted`, in order."""
        end = self.start + (self.size if hi is None else hi)
        at = self.buffer.find(wanted, self.start + lo, end)
        while at >= 0:
            yield at - self.start
            at = self.buffer.find(wanted, at + 1, end)

    def find_name(self, name: bytes, lo: int, hi: int) -> Iterator[int]:
        """Where `name` and a zero stand between two offsets, in order."""
        return (at - self.start for at in find_ended(self.buffer, name, self.start + lo, self.start + hi))

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


class Reading(Thread):
    """`read_section` on a thread of its own, as soon as the one before it has ended: several at once would leave no processor
    to who is going to need them. Unpacking lets other threads run."""

    def __init__(self, file: IO[bytes], flags: int, offset: int, size: int, before: "Reading | None" = None) -> None:
        super().__init__(name="unpacking", daemon=True)
        self._asked, self._before = (file, flags, offset, size), before
        self._found: Section | Exception | None = None
        self.start()

    def run(self) -> None:
        """Called by the thread."""
        if self._before is not None:
            self._before.join()
        try:
            self._found = read_section(*self._asked)
        except Exception as error:  # noqa: BLE001 - whoever asks for the section is told
            self._found = error

    def result(self) -> Section:
        """The section, once it is there; what `read_section` raises."""
        self.join()
        if not isinstance(self._found, Section):
            raise self._found or RuntimeError("the thread that unpacks has ended without a word")
        return self._found


def _unpack(packed: memoryview) -> bytes:
    if len(packed) < COMPRESSION.size:
        raise BadSection("is damaged: it ends within its compression header")
    kind, _, size, _ = COMPRESSION.unpack_from(packed)
    if kind not in (ZLIB, ZSTD):
        raise BadSection(f"is compressed in a way that is not known ({kind})")
    if size > MAX_SECTION:
        raise BadSection(f"is larger than {MAX_SECTION} bytes")
    if size > MAX_INFLATION * len(packed):
        raise BadSection(f"is damaged: {len(packed)} bytes cannot hold the {size} that they say they do")
    unpack = _unpack_zlib if kind == ZLIB else _unpack_zstd
    with packed[COMPRESSION.size :] as content:
        unpacked = unpack(content, size) if size else b""
    if unpacked is None:
        raise BadSection(f"is damaged: it does not unpack to the {size} bytes that it says it holds")
    return unpacked


def _unpack_zlib(packed: memoryview, size: int) -> bytes | None:
    """Exactly `size` bytes; None where it holds others."""
    unpacker = isal_zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(packed, size)
    except isal_zlib.error as error:  # type: ignore[misc] # its stub has it as an instance
        raise BadSection(f"is damaged: {error}") from None
    # Only where it ends is its checksum looked at.
    return unpacked if len(unpacked) == size and unpacker.eof else None


def _unpack_zstd(packed: memoryview, size: int) -> bytes | None:
    """The same of what objcopy and lld compress with zstd, in one frame or several; Go's linker never does."""
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    try:
        with unpacker.stream_reader(bytes(packed), read_across_frames=True) as stream:  # which would not let go of it
            unpacked = stream.read(size)
            return unpacked if len(unpacked) == size and not stream.read(1) else None
    except zstandard.ZstdError as error:
        raise BadSection(f"is damaged: {error}") from None
