"""Debug info apart from its executable: what `objcopy --only-keep-debug` kept of it, or the executable before it was stripped.

Whichever file it is, it is that binary's if it has its build id: Go's, which follows from all that went into it.
"""

import mmap
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, cast

from elftools.elf.elffile import ELFFile

from compiler.dwarf.sections import Section, read_section
from compiler.ir.build_id import BinaryIdentity, read_identity
from compiler.ir.errors import BadInput

MAX_FILES = 10_000
"""Files of one folder that are looked at."""
SYMBOLS = (".symtab", ".strtab")


class DebugFiles:
    """Files and folders in which debug info may be found by build id."""

    def __init__(self, places: Sequence[Path]) -> None:
        for place in places:
            if not place.exists():
                raise BadInput("there is no such file or folder", where=str(place), remedy="name it with --debug")
        self._places = tuple(places)

    def find(self, identity: BinaryIdentity, gnu_id: str, link: str) -> Path | None:
        """The file that has what was stripped off. `gnu_id` (in hex) and `link` (.gnu_debuglink) are names that it may have.

        BadInput where a file that was named itself is another binary's.
        """
        for place in self._places:
            for path in self._candidates(place, gnu_id, link):
                if _has(path, identity):
                    return path
            if place.is_file():
                what = "this is not the debug info of the binary: it has none, or has another build id"
                remedy = f"name the file of build id {identity.build_id}"
                raise BadInput(what, where=str(place), remedy=remedy)
        return None

    def _candidates(self, place: Path, gnu_id: str, link: str) -> Iterator[Path]:
        if place.is_file():
            yield place
            return
        if gnu_id:
            within = Path(gnu_id[:2]) / f"{gnu_id[2:]}.debug"
            yield from (place / ".build-id" / within, place / within)
        if link:
            yield place / Path(link).name
        yield from (each for each in islice(sorted(place.iterdir()), MAX_FILES) if each.is_file())


def _has(path: Path, wanted: BinaryIdentity) -> bool:
    """Whether it is the same program, with debug info."""
    try:
        with path.open("rb") as file:
            found = read_identity(file)
    except (OSError, BadInput):
        return False
    return found.build_id == wanted.build_id and found.debug_info


class DebugFile:
    """A file opened for what was stripped off; close it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        sections = ELFFile(cast(IO[bytes], self._map)).iter_sections()
        kept = (each for each in sections if each.name.startswith(".debug_") or each.name in SYMBOLS)
        self._headers = {each.name: each.header for each in kept}

    def close(self) -> None:
        """Unmap and close it."""
        self._map.close()
        self._file.close()

    def section(self, name: str) -> Section | None:
        """A section of debug info or symbols; None where there is none of the name."""
        header = self._headers.get(name)
        if header is None or header["sh_type"] == "SHT_NOBITS":
            return None
        return read_section(self._file, header["sh_flags"], header["sh_offset"], header["sh_size"])
