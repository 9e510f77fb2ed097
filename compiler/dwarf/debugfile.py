"""Debug info apart from its executable: what `objcopy --only-keep-debug` kept of it, or the executable before it was stripped.

Whichever file it is, it is that binary's if it has its build id: Go's, which follows from all that went into it.
"""

import mmap
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from compiler.dwarf.elf import read_headers
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
            if not (place.is_file() or place.is_dir()):
                raise BadInput("this is neither a file nor a folder", where=str(place), remedy="name one with --debug")
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
        sections = read_headers(self._map).sections
        self._headers = {
            name: header for name, header in sections.items() if name.startswith(".debug_") or name in SYMBOLS
        }

    def close(self) -> None:
        """Unmap and close it."""
        self._map.close()
        self._file.close()

    def section(self, name: str) -> Section | None:
        """A section of debug info or symbols; None where there is none of the name."""
        header = self._headers.get(name)
        if header is None or not header.in_file:
            return None
        return read_section(self._file, header.flags, header.offset, header.size)
