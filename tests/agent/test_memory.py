"""Reading another process's memory: batches, pages that were never touched, and what is not there."""

import subprocess
import sys

import pytest

from agent.memory import ProcessMemory
from compiler.ir.errors import CannotNow

CHILD = """
import ctypes, mmap, sys
area = mmap.mmap(-1, 4096 * 3000)
for page in range(2000):
    area[4096 * page : 4096 * page + 4] = page.to_bytes(4, "little")
start = ctypes.addressof(ctypes.c_char.from_buffer(area))
ctypes.CDLL(None).munmap(ctypes.c_void_p(start + 4096 * 1500), 4096)
print(start, flush=True)
sys.stdin.read()
"""


def test_batches_are_answered_one_by_one() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        start = int(child.stdout.readline())
        memory = ProcessMemory(child.pid)
        spans = [(start + 4096 * page, 4) for page in range(2000)]
        answers = memory.read_many([(8, 8), *spans, (start, 0), (1 << 47, 8), ((1 << 64) - 4, 8)])
        assert [None if a is None else int.from_bytes(a, "little") for a in answers] == [
            None, *range(1500), None, *range(1501, 2000), 0, None, None,
        ]  # fmt: skip
        assert memory.read(start + 4096 * 2500, 4096) == bytes(4096)  # never touched
        assert memory.read(start + 4096 * 1499, 8192) is None  # its second half is not mapped
        assert memory.read(start, 4096 * 1500) is not None
        child.communicate()
    with pytest.raises(CannotNow, match=f"process {child.pid} has ended"):
        memory.read(start, 8)
