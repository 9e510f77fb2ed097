"""The probe's maps as this process sees them: mapped into memory, so that using them costs no system call."""

import ctypes
import mmap
import os
from collections.abc import Mapping

from agent.engine_ebpf.bytecode import MapReference
from agent.engine_ebpf.kernel import Kernel
from agent.engine_ebpf.layout import MAPS, Config, State
from agent.engine_ebpf.numbers import LARGEST_COPY
from agent.engine_ebpf.sizes import Sizes

SLACK = {"OUT": LARGEST_COPY + 8, "SCRATCH": 8, "STACKS": 8}
"""Bytes behind a map's last row: a copy or a word that begins at the last byte is still inside, as the verifier demands."""


class SharedMaps:
    """All maps of one probe. Close it, or they stay in the kernel."""

    def __init__(self, kernel: Kernel, sizes: Sizes, tables: Mapping[str, bytes]) -> None:
        self._views: dict[str, mmap.mmap] = {}
        self._fds: list[int] = []
        references = []
        try:
            for spec in MAPS:
                rows = sizes.rows(spec.name)
                size = rows * spec.row + SLACK.get(spec.name, 0)
                fd = kernel.create_array(f"ff_{spec.name.lower()}", size)
                self._fds.append(fd)
                self._views[spec.name] = mmap.mmap(fd, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
                references.append(MapReference(fd, rows))
            for name, content in tables.items():
                self._views[name][: len(content)] = content
        except BaseException:
            self.close()
            raise
        self.references = tuple(references)

    def begin(self, stack: bytes) -> None:
        """The state to start from: nothing but one stack record."""
        self.write("STACKS", 0, stack)
        self.write("STATE", 0, bytes(State(stacks=len(stack))))

    def configure(self, config: Config) -> None:
        """Tell the probe what to do."""
        self.write("CONFIG", 0, bytes(config))

    def write(self, name: str, at: int, content: bytes) -> None:
        """Put bytes into a map."""
        self._views[name][at : at + len(content)] = content

    def read(self, name: str, size: int) -> bytes:
        """A map's first bytes."""
        return self._views[name][:size]

    def phase(self) -> int:
        """State.phase, the first field."""
        return self._views["STATE"][0]

    def state(self) -> State:
        """Where the probe is, as of now."""
        return State.from_buffer_copy(self._views["STATE"][: ctypes.sizeof(State)])

    def close(self) -> None:
        """Give the memory back; may be called twice."""
        for view in self._views.values():
            view.close()
        self._views.clear()
        while self._fds:
            os.close(self._fds.pop())
