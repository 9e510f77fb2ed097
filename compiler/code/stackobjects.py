"""Which variables on the stack are used by their addresses: FUNCDATA stack objects.

The collector does not take such a variable for alive because the code around may use it, but because it meets a pointer
to it: from a callee's frame, a closure, a deferred call. The compiler never takes one apart, nor shares its slot. See
stackObjectRecord in go/src/runtime/stack.go and emitStackObjects in cmd/compile/internal/liveness.
"""

import struct
from collections.abc import Mapping
from functools import lru_cache

from compiler.code.pclntab import Pclntab
from compiler.dwarf.executable import Executable

FUNCDATA_STACK_OBJECTS = 2
RECORD = struct.Struct("<iiiI")
MAX_OBJECTS = 1 << 14


class StackObjects:
    """Answers for the functions of one executable. Slots count from the CFA."""

    def __init__(self, executable: Executable, pclntab: Pclntab) -> None:
        self._executable, self._pclntab = executable, pclntab
        self._of = lru_cache(maxsize=4096)(self._read)

    def is_one(self, pc: int, slot: int, size: int) -> bool:
        """Whether a variable of this size that begins at the slot is one, in the function around `pc`."""
        return self.of(pc).get(slot) == size

    def of(self, pc: int) -> Mapping[int, int]:
        """Their sizes by the slots that they begin at, in the function around `pc`."""
        address = self._pclntab.funcdata(pc, FUNCDATA_STACK_OBJECTS)
        return {} if address is None else self._of(address)

    def _read(self, address: int) -> dict[int, int]:
        count = self._executable.pointer(address)
        if not count or count > MAX_OBJECTS:
            return {}
        records = self._executable.read(address + 8, count * RECORD.size) or b""
        machine = self._executable.machine
        ends = (machine.locals_end, machine.arguments_start)
        return {ends[at >= 0] + at: size for at, size, _, _ in RECORD.iter_unpack(records)}
