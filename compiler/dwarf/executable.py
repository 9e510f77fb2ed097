"""One ELF executable, read-only: sections, symbols, and what its data will hold once loaded. Runs nothing, writes nothing."""

import mmap
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from compiler.dwarf.columns import column_of, numbers_of
from compiler.dwarf.debugfile import DebugFile, DebugFiles
from compiler.dwarf.elf import Segment, read_headers
from compiler.dwarf.machine import MACHINES, Machine
from compiler.dwarf.sections import BadSection, Reading, Section, read_section
from compiler.ir.access_check import ADDRESS_END
from compiler.ir.build_id import UNPACK, BinaryIdentity, read_identity
from compiler.ir.errors import BadInput
from compiler.ir.files import open_regular

SYMBOL = struct.Struct("<IBBHQQ")
RELA = struct.Struct("<QQq")
DYNAMIC = struct.Struct("<qQ")
DT_TEXTREL, DT_FLAGS, DF_TEXTREL = 22, 30, 4
"""Marks of a file of which the loader changes read-only data, too."""
R_X86_64_RELATIVE = 8
R_AARCH64_RELATIVE = 1027
MAX_SPELLINGS = 256
"""Places in a string table that may be a symbol's name."""
AHEAD = (".debug_info", ".debug_loclists", ".debug_loc", ".debug_rnglists", ".debug_ranges", ".debug_addr")
"""What compiling a spec needs of debug info, what it needs first and what is largest first."""
GNU_ID_AT = 16
"""In .note.gnu.build-id, behind the note's head and name."""
BROKEN = (
    ValueError,
    KeyError,
    OverflowError,
    struct.error,
    IndexError,
    zlib.error,
    RecursionError,
)
"""What reading damaged ELF and DWARF raises."""


class BadBinary(BadInput):
    """A file that is no Go executable we can read."""


def _not_go(path: Path) -> BadBinary:
    what = "this is not a Go program (it has no Go build information)"
    return BadBinary(what, where=str(path), remedy="name a Go executable")


def _headless(path: Path) -> BadBinary:
    what = "its section headers are lost, and with them the places of Go's tables"
    return BadBinary(what, where=str(path), remedy="name it as the Go linker or strip left it")


def _packed(path: Path) -> BadBinary:
    return BadBinary("it is packed by UPX", where=str(path), remedy=UNPACK)


class Executable:
    """An ELF executable mapped from a file; close it, or use it as a context manager."""

    def __init__(self, path: Path, debug_files: DebugFiles | None = None) -> None:
        """`debug_files`: where the debug info may be that was stripped off."""
        self.path = path
        self._mapped: dict[str, Section] = {}
        self._ahead: dict[str, Reading] = {}
        self._debug_file: DebugFile | None = None
        try:
            self._file: BinaryIO = open_regular(path)
        except OSError as error:
            raise BadBinary(
                f"cannot open it: {error.strerror}", where=str(path), remedy="name a readable Go executable"
            ) from None
        try:
            self.identity: BinaryIdentity = read_identity(self._file)
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            self._file.close()
            raise BadBinary(f"cannot read it: {error}", where=str(path), remedy="name a Go executable") from None
        except BadInput as error:
            self._file.close()
            raise BadBinary(error.what, where=str(path), remedy=error.remedy) from None
        if self.identity.packed or not self.identity.is_go:
            self.close()
            raise _packed(path) if self.identity.packed else _not_go(path)
        try:
            self._elf = read_headers(self._map)
            self._headers = self._elf.sections
        except BROKEN as error:
            self.close()
            raise BadBinary(
                f"its ELF structure is damaged: {error}", where=str(path), remedy="copy the executable again"
            ) from None
        if not self._headers:
            self.close()
            raise _headless(path)
        if self.identity.load_address >= ADDRESS_END:
            self.close()
            what = f"its ELF structure is damaged: its first segment is loaded at {self.identity.load_address:#x}"
            raise BadBinary(what, where=str(path), remedy="copy the executable again")
        if debug_files is not None and not self.identity.debug_info:
            try:
                self._find_debug_info(debug_files)
            except BaseException:
                self.close()
                raise

    def _find_debug_info(self, files: DebugFiles) -> None:
        """Take from another file what this one lacks, if there is one."""
        note, link = self.section(".note.gnu.build-id"), self.section(".gnu_debuglink") or b""
        gnu_id = "" if note is None else note[GNU_ID_AT:].hex()
        found = files.find(self.identity, gnu_id, link.partition(b"\0")[0].decode("utf-8", "replace"))
        if found is None:
            return
        try:
            self._debug_file = DebugFile(found)
        except (OSError, *BROKEN) as error:
            raise BadBinary(f"cannot read it: {error}", where=str(found), remedy="copy it again") from None
        self.identity = self.identity._replace(debug_info=True)

    def __enter__(self) -> "Executable":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unmap and close the file."""
        for reading in self._ahead.values():
            reading.join()
        for section in self._mapped.values():
            section.close()
        if self._debug_file is not None:
            self._debug_file.close()
        if hasattr(self, "_map"):
            self._map.close()
        self._file.close()

    @contextmanager
    def reading_debug_info(self) -> Iterator[None]:
        """Whatever is raised meanwhile by damaged debug info is told as a BadBinary."""
        try:
            yield
        except BROKEN as error:
            what = f"its debug info is damaged: {error}"
            raise BadBinary(what, where=str(self.path), remedy="build it again") from None

    @property
    def arch(self) -> str:
        """ "amd64" or "arm64"; other machines are refused."""
        return self.machine.arch

    @cached_property
    def machine(self) -> Machine:
        """What it was compiled for."""
        machine = MACHINES.get(self._elf.machine)
        if machine is None:
            raise BadBinary(
                f"it is for ELF machine {self._elf.machine}",
                where=str(self.path),
                remedy="amd64 and arm64 are supported",
            )
        return machine

    def unpack_ahead(self) -> None:
        """Begin to unpack the debug info that is compressed: another processor does it while this one goes on."""
        before: Reading | None = None
        for name in AHEAD:
            header = self._headers.get(name)
            if header is not None and header.packed and name not in self._mapped and name not in self._ahead:
                before = self._ahead[name] = Reading(self._file, header.flags, header.offset, header.size, before)

    def mapped(self, name: str) -> Section | None:
        """The section, decompressed, mapped where it lies plain in the file; None where there is none of the name."""
        if name not in self._mapped:
            header = self._headers.get(name)
            try:
                if name in self._ahead:
                    found: Section | None = self._ahead[name].result()
                elif header is not None and header.in_file:
                    found = read_section(self._file, header.flags, header.offset, header.size)
                else:
                    found = None if self._debug_file is None else self._debug_file.section(name)
                if found is None:
                    return None
                self._mapped[name] = found
            except BadSection as error:
                what = f"its section {name} {error.what}"
                raise BadBinary(what, where=str(self.path), remedy=error.remedy or "build it again") from None
        return self._mapped[name]

    def section(self, name: str) -> bytes | None:
        """A copy of the section's bytes, decompressed; None where there is none of the name."""
        mapped = self.mapped(name)
        return None if mapped is None else bytes(mapped.view)

    def section_address(self, name: str) -> int | None:
        """The section's link-time address."""
        header = self._headers.get(name)
        return None if header is None else header.address

    @property
    def _segments(self) -> tuple[Segment, ...]:
        """Every PT_LOAD."""
        return self._elf.loaded

    @property
    def load_address(self) -> int:
        """Page-aligned link-time address of the first PT_LOAD segment."""
        if not self._segments:
            raise BadBinary(
                "it has nothing to load", where=str(self.path), remedy="name an executable, not an object file"
            )
        return self._segments[0][0] & ~0xFFF

    def read(self, address: int, size: int) -> bytes | None:
        """`size` bytes that the file puts at a link-time address (zeros in .bss), relocations not applied."""
        for start, file_size, memory_size, offset, _ in self._segments:
            if start <= address and address + size <= start + memory_size:
                at = address - start
                stored = self._map[offset + at : offset + min(at + size, file_size)] if at < file_size else b""
                return stored + bytes(size - len(stored))
        return None

    def read_up_to(self, address: int, size: int) -> bytes:
        """As many of `size` bytes as the file puts from a link-time address on."""
        for start, file_size, _, offset, _ in self._segments:
            if start <= address < start + file_size:
                at = offset + address - start
                return self._map[at : min(at + size, offset + file_size)]
        return b""

    @cached_property
    def _constant(self) -> tuple[Segment, ...]:
        """What is loaded as it is in the file and never written: neither by the program nor by whatever loads it."""
        dynamic = memoryview(self.section(".dynamic") or b"")
        entries = DYNAMIC.iter_unpack(dynamic[: len(dynamic) // DYNAMIC.size * DYNAMIC.size])
        if any(tag == DT_TEXTREL or (tag == DT_FLAGS and value & DF_TEXTREL) for tag, value in entries):
            return ()
        return tuple(each for each in self._segments if not each.writable)

    def constant(self, address: int, size: int) -> bytes | None:
        """`size` bytes of read-only data at a link-time address, as they are in every process; None where they are not all that."""
        for start, file_size, _, offset, _ in self._constant:
            if start <= address and address + size <= start + file_size:
                at = offset + address - start
                return self._map[at : at + size]
        return None

    @cached_property
    def _relocated(self) -> dict[int, int]:
        """Address to link-time value of the pointers that a position-independent executable has relocated at start."""
        tables = [self.section(name) or b"" for name in (".rela.dyn", ".rela")]
        return {
            address: addend
            for table in tables
            for address, kind, addend in RELA.iter_unpack(table[: len(table) // RELA.size * RELA.size])
            if kind & 0xFFFFFFFF in (R_X86_64_RELATIVE, R_AARCH64_RELATIVE)
        }

    def pointer(self, address: int) -> int | None:
        """The 8-byte link-time pointer at `address`."""
        if address in self._relocated:
            return self._relocated[address]
        data = self.read(address, 8)
        return None if data is None else int.from_bytes(data, "little")

    def words(self, address: int, count: int) -> list[int]:
        """As many of `count` link-time words from an address on as the file has, each as `pointer` reads it."""
        data = self.read_up_to(address, 8 * count)
        found = memoryview(data[: len(data) // 8 * 8]).cast("Q").tolist()
        if not self._relocated:
            return found
        return [self._relocated.get(address + 8 * at, word) for at, word in enumerate(found)]

    @cached_property
    def _loaded(self) -> list[tuple[int, bytes]]:
        """(link-time address, bytes of the file) of every PT_LOAD; for searching, which mmap does byte by byte."""
        return [(start, self._map[offset : offset + size]) for start, size, _, offset, _ in self._segments]

    def find(self, wanted: bytes, lo: int = 0) -> Iterator[int]:
        """Link-time addresses from `lo` on at which the file puts these bytes, relocations not applied."""
        for start, data in self._loaded:
            at = data.find(wanted, max(lo - start, 0))
            while at >= 0:
                yield start + at
                at = data.find(wanted, at + 1)

    def pointers_to(self, address: int) -> list[int]:
        """Where a link-time pointer to `address` is kept, ascending."""
        written = {at for at in self.find(address.to_bytes(8, "little")) if at % 8 == 0 and at not in self._relocated}
        return sorted(written | {at for at, value in self._relocated.items() if value == address})

    def string(self, address: int) -> str | None:
        """The Go string whose header is at `address`."""
        pointer, length = self.pointer(address), self.read(address + 8, 8)
        if pointer is None or length is None or int.from_bytes(length, "little") > 1 << 16:
            return None
        text = self.read(pointer, int.from_bytes(length, "little"))
        return None if text is None else text.decode("utf-8", "replace")

    @lru_cache(maxsize=256)  # noqa: B019 - a handful of symbols an executable, as long as the executable
    def symbol(self, name: str) -> tuple[int, int] | None:
        """(address, size) of a symbol of .symtab; None where there is none, as in a stripped binary."""
        table, names = self.mapped(".symtab"), self.mapped(".strtab")
        if table is None or names is None:
            return None
        # A linker may let a name share the end of a longer one.
        for spelled in islice(names.find_name(name.encode(), 0, names.size), MAX_SPELLINGS):
            for number in numbers_of(spelled, self._symbol_names):
                _, _, _, _, address, size = SYMBOL.unpack_from(table.view, number * SYMBOL.size)
                if address:
                    return address, size
        return None

    @cached_property
    def _symbol_names(self) -> bytes:
        """Of every symbol by its number, a word: where its name is."""
        table = self.mapped(".symtab")
        return b"" if table is None else column_of(table.view, SYMBOL.size)
