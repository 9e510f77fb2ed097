"""The table of all names in a binary's debug info. It can be packed into bytes, and is then good for the same binary only."""

import json
import zlib
from array import array
from functools import cached_property

from compiler.dwarf.names import Names
from compiler.dwarf.scanner import KINDS, Scanned
from compiler.dwarf.sections import Section


class Table:
    """What units hold, one after the other."""

    def __init__(self, section: Section) -> None:
        """`section`: .debug_info, where the names are spelled."""
        self._size = section.size
        self.functions, self.types, self.globals = (Names(section) for _ in KINDS)
        self.subprograms = array("I")
        """Offsets of all subprogram DIEs, ascending."""
        self.slow_units = 0
        """Units that did not fit the expression and were read DIE by DIE."""
        self._runtime = array("Q"), array("I")

    @cached_property
    def runtime_types(self) -> dict[int, int]:
        """Offset from moduledata.types to the type's DIE."""
        return dict(zip(*self._runtime, strict=True))

    def names(self, kind: str) -> Names:
        """Those of one of KINDS."""
        return {"function": self.functions, "type": self.types, "global": self.globals}[kind]

    def add(self, found: Scanned) -> None:
        """Take in what a unit holds."""
        for kind, (dies, ends) in found.names.items():
            names = self.names(kind)
            names.dies.extend(dies)
            names.ends.extend(ends)
            names.odd += found.odd.get(kind, [])
        self.subprograms.extend(found.subprograms)
        self._runtime[0].extend(found.runtime_types)
        self._runtime[1].extend(found.runtime_dies)
        self.slow_units += found.slow

    # ------------------------------------------------------------ to bytes and back

    def _arrays(self) -> "list[array[int]]":
        of_names = [each for kind in KINDS for each in (self.names(kind).dies, self.names(kind).ends)]
        return [*of_names, self.subprograms, *self._runtime]

    def to_bytes(self) -> bytes:
        """Checksum, a line of JSON, arrays of integers."""
        odd = [[(name.decode("latin-1"), die) for name, die in self.names(kind).odd] for kind in KINDS]
        head = {"size": self._size, "slow": self.slow_units, "odd": odd, "counts": [len(a) for a in self._arrays()]}
        body = b"".join([json.dumps(head).encode() + b"\n", *(a.tobytes() for a in self._arrays())])
        return zlib.crc32(body).to_bytes(4, "little") + body

    @staticmethod
    def from_bytes(data: bytes, section: Section) -> "Table | None":
        """The table that gave these bytes; None where they are damaged or were made of another .debug_info."""
        if data[:4] != zlib.crc32(memoryview(data)[4:]).to_bytes(4, "little"):
            return None
        table = Table(section)
        try:
            return table if table._take_in(data) else None
        except (ValueError, KeyError, TypeError):  # bytes that to_bytes() never gave
            return None

    def _take_in(self, data: bytes) -> bool:
        at = data.index(b"\n", 4) + 1
        head = json.loads(data[4:at])
        for into, count in zip(self._arrays(), head["counts"], strict=True):
            into.frombytes(memoryview(data)[at : at + count * into.itemsize])
            at += count * into.itemsize
        for kind, odd in zip(KINDS, head["odd"], strict=True):
            self.names(kind).odd = [(name.encode("latin-1"), die) for name, die in odd]
        self.slow_units = head["slow"]
        return bool(head["size"] == self._size)
