"""The probe's maps as this process sees them: mapped into memory, so that using them costs no system call."""

import ctypes
import mmap
import os
from collections.abc import Iterable, Mapping

from agent.engine_ebpf.bytecode import MapReference
from agent.engine_ebpf.kernel import Kernel
from agent.engine_ebpf.layout import MapSpec
from agent.engine_ebpf.numbers import G_SIZE, LARGEST_COPY

SLACK: Mapping[str, int] = {"OUT": LARGEST_COPY + 8, "SCRATCH": G_SIZE + 8, "STACKS": 8}
"""Bytes behind a map's last row: a copy or a word that begins at the last byte is still inside, as the verifier demands."""


class SharedMaps:
    """Some maps. Close them, or they stay in the kernel."""

    def __init__(self, kernel: Kernel, specs: Iterable[MapSpec], rows: Mapping[str, int]) -> None:
        self._views: dict[str, mmap.mmap] = {}
        self._fds: list[int] = []
        self.references: dict[str, MapReference] = {}
        try:
            for spec in specs:
                self._create(kernel, spec, rows[spec.name])
        except BaseException:
            self.close()
            raise

    def _create(self, kernel: Kernel, spec: MapSpec, rows: int) -> None:
        size = rows * spec.row + SLACK.get(spec.name, 0)
        fd = kernel.create_array(f"ff_{spec.name.lower()}", size)
        self._fds.append(fd)
        self._views[spec.name] = mmap.mmap(fd, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
        self.references[spec.name] = MapReference(fd, rows)

    def write(self, name: str, at: int, content: bytes) -> None:
        """Put bytes into a map."""
        self._views[name][at : at + len(content)] = content

    def read(self, name: str, start: int, end: int) -> memoryview:
        """Bytes of a map, as they are now, without a copy; given back before the maps are closed."""
        return memoryview(self._views[name])[start:end]

    def zero(self, name: str) -> None:
        """Fill a map with zeros, as it was made."""
        view = self._views[name]
        anchor = (ctypes.c_char * len(view)).from_buffer(view)
        ctypes.memset(anchor, 0, len(view))
        del anchor  # or the view could not be closed

    def byte(self, name: str) -> int:
        """A map's first byte."""
        return self._views[name][0]

    def close(self) -> None:
        """Give the memory back; may be called twice."""
        for view in self._views.values():
            view.close()
        self._views.clear()
        while self._fds:
            os.close(self._fds.pop())
