"""The index of a binary's names: functions, types, globals and runtime types to the offsets of their DIEs.

Made by one regular expression an abbreviation table (compiler.dwarf.scanner). A unit that the expression does not fit to
its last byte is read DIE by DIE instead. It can be packed into bytes, and is then good for the same binary only.
"""

import json
import zlib
from array import array
from functools import cached_property
from typing import Any

from compiler.dwarf.executable import BadBinary
from compiler.dwarf.names import Names
from compiler.dwarf.scanner import GO_RUNTIME_TYPE, KINDS, Scanned, Scanner, kind_of
from compiler.dwarf.sections import Section
from compiler.dwarf.units import DebugInfo, Unit, number

MAX_DIES = 16 << 20
"""Functions, types and globals of one binary (the largest known has 0.6 million); more is damage."""
MAX_SLOW = 4 << 20
"""DIEs that are read one by one: a minute's work."""


class Index:
    """Names to DIE offsets in .debug_info. A name can have several DIEs (abstract, out of line, wrapper; same-named types)."""

    def __init__(self, section: Section) -> None:
        """`section`: .debug_info, where the names are spelled."""
        self._size = section.size
        self.functions, self.types, self.globals = (Names(section) for _ in KINDS)
        self.subprograms = array("I")
        """Offsets of all subprogram DIEs, ascending."""
        self.slow_units = 0
        """Units that did not fit the expression and were read DIE by DIE."""
        self.slow_dies = 0
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
        self.subprograms.extend(found.subprograms)
        self._runtime[0].extend(found.runtime_types)
        self._runtime[1].extend(found.runtime_dies)

    def __len__(self) -> int:
        return len(self.subprograms) + sum(len(self.names(kind).dies) for kind in KINDS)

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
    def from_bytes(data: bytes, section: Section) -> "Index | None":
        """The index that gave these bytes; None where they are damaged or were made of another .debug_info."""
        if data[:4] != zlib.crc32(memoryview(data)[4:]).to_bytes(4, "little"):
            return None
        index = Index(section)
        try:
            return index if index._take_in(data) else None
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


def build_index(info: DebugInfo) -> Index:
    """Index every Go unit of the executable."""
    index = Index(info.section)
    scanners: dict[int, Scanner | None] = {}
    for unit in info.units:
        if unit.abbrevs not in scanners:
            scanners[unit.abbrevs] = Scanner(info.abbrevs(unit)) if info.is_go(unit) else None
        scanner = scanners[unit.abbrevs]
        if scanner is None:
            continue
        found = scanner.scan(info.bytes, unit) if scanner.usable else None
        if found is None:
            index.slow_units += 1
            found = _read_slowly(info, unit, index)
        index.add(found)
        if len(index) > MAX_DIES:
            raise BadBinary(f"its debug info names more than {MAX_DIES} things", where=str(info.executable.path))
    if not any(scanners.values()):
        raise BadBinary("its debug info has no unit written by the Go compiler", where=str(info.executable.path))
    return index


def _read_slowly(info: DebugInfo, unit: Unit, index: Index) -> Scanned:
    """The unit DIE by DIE; its names go straight into the index."""
    found = Scanned()
    try:
        for depth, die in info.subtree(unit.dies):
            index.slow_dies += 1
            if index.slow_dies > MAX_SLOW:
                raise ValueError(f"more than {MAX_SLOW} entries have to be read one by one")
            kind = kind_of(str(die.tag), set(die.attributes))
            if kind is None or depth != 1:
                continue
            if kind == "function":
                found.subprograms.append(die.offset)
            name: Any = die.attributes.get("DW_AT_name")
            if name is not None:
                index.names(kind).odd.append((name.value, die.offset))
            runtime_type = number(die, GO_RUNTIME_TYPE)
            if runtime_type:
                found.runtime_types.append(runtime_type)
                found.runtime_dies.append(die.offset)
    except Exception as error:  # noqa: BLE001 - elftools raises whatever its parsers meet in damaged bytes
        raise BadBinary(f"a unit of its debug info is damaged: {error}", where=str(info.executable.path)) from None
    return found
