"""Who an executable is: its build id, whether Go made it, with which version. Reads an ELF64 file; never runs it.

Only the headers, the notes and the Go build information are read (debug/buildinfo and cmd/internal/buildid of the Go
tree describe both), so this is quick on a binary of any size. Whatever the bytes are, time and memory stay bounded.
"""

import hashlib
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from compiler.ir.errors import BadInput

GO_MAGIC: Final = b"\xff Go buildinf:"
MACHINES: Final = {62: "amd64", 183: "arm64"}
MAX_NOTES: Final = 1 << 16
"""Bytes of one note segment that are looked through."""
MAX_SEARCH: Final = 16 << 20
"""Bytes of one segment that are searched for Go's build information when no section names it."""
MAX_TEXT: Final = 4096
"""Bytes of a version string or a build id."""
MAX_SETTINGS: Final = 1 << 20
"""Bytes of the list of modules and settings that a program was built of."""
ARCHIVE: Final = b"\nbuild\t-buildmode=c-archive\n"
HASH_DIGITS: Final = 40
"""Of the hash of all that it linked, which a C linker writes unless somebody chooses another id."""
MAX_SEGMENTS: Final = 1024
PACKED: Final = b"UPX!"
"""The mark of what UPX packed, right behind its program headers (l_info in upx/src/stub/src/include/linux.h)."""
UNPACK: Final = "unpack it (upx -d), or do not pack it"
MAX_HEADERS: Final = 4096
MAX_LOADED: Final = 4 << 30
"""Bytes that are hashed of a binary without a build id."""
CHUNK: Final = 1 << 20
PT_LOAD, PT_NOTE = 1, 4
CONTENT_ID: Final = re.compile(r"[\w-]{20}(/[\w-]{20}){3}")
"""What the go command writes: hashes of what went into the program and of what came out (buildid.go in the source of cmd/go)."""

_HEADER = struct.Struct("<HHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_NOTE = struct.Struct("<III")


class NotAnExecutable(BadInput):
    """The file is no ELF64 little-endian executable, or is cut."""


class BinaryIdentity(NamedTuple):
    """One executable. `build_id` is Go's own, else GNU's in hex, else "sha256:..." of what is loaded of it, which also
    follows one that somebody chose (-ldflags=-buildid=...). In a C program with an archive of Go's, Go's is the archive's, and
    GNU's or the hash follows it."""

    build_id: str
    go_version: str | None
    """As `go version` prints it ("go1.26.8"); None where the file does not say."""
    is_go: bool
    machine: str
    """As GOARCH has it ("amd64", "arm64"), else "elf:" and the ELF machine number."""
    load_address: int
    """Link-time address of the first PT_LOAD segment."""
    entry: int
    """Link-time address of the entry point."""
    relocatable: bool
    """Position independent: it may be loaded anywhere (ET_DYN)."""
    debug_info: bool
    """Whether it has a section of debug info; strip(1) takes it away and leaves the build id."""
    packed: bool = False
    """Whether UPX packed it; what it is made of is no section and no table any more."""

    @property
    def compiled_as(self) -> str:
        """What tells it from every other binary that compiles to something else."""
        return self.build_id if self.debug_info else f"{self.build_id} stripped"


class _Segment(NamedTuple):
    kind: int
    flags: int
    offset: int
    address: int
    size: int


class _Section(NamedTuple):
    name: str
    kind: int
    offset: int
    size: int


def read_identity(file: BinaryIO) -> BinaryIdentity:
    """The identity of the executable in `file` (seekable); NotAnExecutable where it is none."""
    head = _exactly(file, 0, 16 + _HEADER.size, "its header")
    if head[:4] != b"\x7fELF":
        raise NotAnExecutable("this is not an executable (no ELF header)", remedy="name a Go program built for Linux")
    if head[4] != 2 or head[5] != 1:
        raise NotAnExecutable("this is not a 64-bit little-endian executable", remedy="name a program of this machine")
    header = _HEADER.unpack_from(head, 16)
    kind, machine, _, entry, phoff, shoff, _, _, phsize, phnum, shsize, shnum, names = header
    if kind not in (2, 3):
        raise NotAnExecutable("this is an object file or a core, not an executable", remedy="name the linked program")
    segments = _segments(file, phoff, phsize, phnum)
    loads = [segment for segment in segments if segment.kind == PT_LOAD]
    if not loads:
        raise NotAnExecutable("this executable has no loadable segment", remedy="name the program, not its debug file")
    sections = _sections(file, shoff, shsize, shnum, names)
    go_note, gnu_note = _build_notes(file, segments, sections)
    found = _build_information(file, loads, sections)
    named = any(section.name in (".gopclntab", ".data.rel.ro.gopclntab", ".note.go.buildid") for section in sections)
    build_id = go_note or gnu_note or _loaded_text(file, loads)
    archive = found is not None and _is_archive(file, found)
    if go_note and not CONTENT_ID.fullmatch(go_note):  # "redacted" in all that Bazel builds: it tells no two apart
        build_id = f"{go_note}/{_loaded_text(file, loads)}"
    elif go_note and archive:  # whatever C programs the archive was linked into, its note is the same in all
        build_id = f"{go_note}/{gnu_note if len(gnu_note) == HASH_DIGITS else _loaded_text(file, loads)}"
    return BinaryIdentity(
        build_id=build_id,
        go_version=None if found is None else _version(file, loads, found),
        is_go=found is not None or bool(go_note) or named,
        machine=MACHINES.get(machine, f"elf:{machine}"),
        load_address=loads[0].address,
        entry=entry,
        relocatable=kind == 3,
        debug_info=any(section.name == ".debug_info" for section in sections),
        packed=not sections and PACKED in _at(file, 0, MAX_HEADERS),
    )


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    """Up to `size` bytes at `offset`; fewer where the file ends."""
    if offset >= 1 << 63:
        return b""
    file.seek(offset)
    return file.read(size)


def _exactly(file: BinaryIO, offset: int, size: int, what: str) -> bytes:
    found = _at(file, offset, size)
    if len(found) < size:
        what_is = f"ends within {what}" if found or offset else "is empty"
        raise NotAnExecutable(f"this file {what_is}", remedy="name a complete Go program")
    return found


def _segments(file: BinaryIO, offset: int, size: int, count: int) -> list[_Segment]:
    if size != _SEGMENT.size or not 0 < count <= MAX_SEGMENTS:
        raise NotAnExecutable("this executable has no sound program headers", remedy="name a complete Go program")
    table = _exactly(file, offset, size * count, "its program headers")
    return [
        _Segment(kind, flags, at, address, file_size)
        for kind, flags, at, address, _, file_size, _, _ in _SEGMENT.iter_unpack(table)
    ]


def _sections(file: BinaryIO, offset: int, size: int, count: int, names: int) -> list[_Section]:
    """The sections with their names; none where the file was stripped of them or is cut before them."""
    if size != _SECTION.size or not offset or names >= count:
        return []
    rows = list(_SECTION.iter_unpack(_exactly(file, offset, size * count, "its section headers")))
    text = _at(file, rows[names][4], min(rows[names][5], CHUNK))
    return [_Section(_c_string(text, row[0]), row[1], row[4], row[5]) for row in rows]


def _c_string(text: bytes, at: int) -> str:
    end = text.find(b"\0", at, at + 256)
    return text[at:end].decode("latin-1") if 0 <= at < end else ""


def _build_notes(file: BinaryIO, segments: list[_Segment], sections: list[_Section]) -> tuple[str, str]:
    """Go's build id and GNU's in hex; "" for one that is not there."""
    go_note = gnu_note = ""
    places = {(s.offset, s.size) for s in segments if s.kind == PT_NOTE}
    places |= {(s.offset, s.size) for s in sections if s.name in (".note.go.buildid", ".note.gnu.build-id")}
    for offset, size in sorted(places)[:16]:
        for owner, kind, text in _notes(_at(file, offset, min(size, MAX_NOTES))):
            if owner == b"Go" and kind == 4 and 0 < len(text) <= MAX_TEXT:
                go_note = text.decode("utf-8", "replace")
            elif owner == b"GNU" and kind == 3 and 0 < len(text) <= 64:
                gnu_note = text.hex()
    return go_note, gnu_note


def _notes(found: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    at = 0
    while at + _NOTE.size <= len(found):
        name_size, text_size, kind = _NOTE.unpack_from(found, at)
        name_at = at + _NOTE.size
        text_at = name_at + (name_size + 3 & ~3)
        at = text_at + (text_size + 3 & ~3)
        if text_at + text_size <= len(found):
            yield found[name_at : name_at + name_size].rstrip(b"\0"), kind, found[text_at : text_at + text_size]


def _build_information(file: BinaryIO, loads: list[_Segment], sections: list[_Section]) -> int | None:
    """The file offset of Go's build information."""
    for section in sections:
        if section.name == ".go.buildinfo" and _at(file, section.offset, len(GO_MAGIC)) == GO_MAGIC:
            return section.offset
    for segment in loads:
        if segment.flags & 3 == 2:  # writable, not executable: where the linker puts it
            return _search(file, segment.offset, min(segment.size, MAX_SEARCH))
    return None


def _search(file: BinaryIO, offset: int, size: int) -> int | None:
    """Where the magic stands, at a multiple of 16 from `offset`."""
    for start in range(offset, offset + size, CHUNK):
        chunk = _at(file, start, min(CHUNK + 32, offset + size - start))
        at = chunk.find(GO_MAGIC)
        while at >= 0:
            if at % 16 == 0 and at < CHUNK:
                return start + at
            at = chunk.find(GO_MAGIC, at + 1)
        if len(chunk) < CHUNK:
            return None
    return None


def _version(file: BinaryIO, loads: list[_Segment], offset: int) -> str | None:
    """Go's version out of the build information: inline since Go 1.18, behind a pointer to a string before."""
    head = _at(file, offset, 32 + 10 + MAX_TEXT)
    if len(head) < 33:
        return None
    if head[15] & 2:
        size, at = _uvarint(head, 32)
        text = head[at : at + size] if size <= MAX_TEXT else b""
    elif head[14] == 8 and not head[15] & 1:
        text = _string_at(file, loads, int.from_bytes(head[16:24], "little"))
    else:
        text = b""
    version = text.decode("utf-8", "replace")
    return version if version.isprintable() and version else None


def _is_archive(file: BinaryIO, offset: int) -> bool:
    """Whether the build information is of an archive for C programs: the program was made of it by a C linker."""
    head = _at(file, offset, 32 + 10 + MAX_TEXT + 10)
    if len(head) < 33 or not head[15] & 2:
        return False
    size, at = _uvarint(head, 32)
    settings, at = _uvarint(head, at + size) if size <= MAX_TEXT else (0, at)
    return ARCHIVE in _at(file, offset + at, min(settings, MAX_SETTINGS))


def _uvarint(found: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for position in range(at, min(at + 10, len(found))):
        value |= (found[position] & 0x7F) << shift
        shift += 7
        if found[position] < 0x80:
            return value, position + 1
    return 0, at


def _string_at(file: BinaryIO, loads: list[_Segment], address: int) -> bytes:
    """What the Go string whose header lies at `address` says."""
    header = _mapped(file, loads, address, 16)
    if len(header) < 16:
        return b""
    start, size = struct.unpack("<QQ", header)
    return _mapped(file, loads, start, size) if size <= MAX_TEXT else b""


def _mapped(file: BinaryIO, loads: list[_Segment], address: int, size: int) -> bytes:
    for segment in loads:
        if segment.address <= address and address + size <= segment.address + segment.size:
            return _at(file, segment.offset + address - segment.address, size)
    return b""


def _loaded_text(file: BinaryIO, loads: list[_Segment]) -> str:
    """A stand-in for the build id of a binary that carries none: what is loaded of it, hashed."""
    if sum(segment.size for segment in loads) > MAX_LOADED:
        raise NotAnExecutable("this file is very large and has no build id", remedy="link it with a build id")
    digest = hashlib.sha256()
    for segment in loads:
        at, end = segment.offset, segment.offset + segment.size
        while at < end:
            chunk = _at(file, at, min(CHUNK, end - at))
            if not chunk:
                raise NotAnExecutable("this file ends within a segment", remedy="name a complete Go program")
            digest.update(chunk)
            at += len(chunk)
    return f"sha256:{digest.hexdigest()}"
