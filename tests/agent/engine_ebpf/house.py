"""Made-up processes (tests.agent.process) in a real one's memory, captured by both engines, which must agree."""

import time
from collections.abc import Mapping
from pathlib import Path

from agent.engine import Registers, Target
from agent.engine_ebpf import EbpfEngine
from agent.engine_memory import MemoryEngine
from compiler.ir.program import Program
from tests.agent.engine_ebpf.agreement import assert_agree, sort_out
from tests.agent.fake_memory import FakeMemory
from tests.agent.process import ALLGS, BIAS, RUNTIME, TYPES_BASE, Captured, FakeProcess

FIRST, LAST = 0x500000, 0xB00000
"""Addresses that can be read and written there; all others are far from anything."""


class House:
    """The real process. What was laid down is cleared for the next one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._memory = Path(f"/proc/{pid}/mem").open("r+b", buffering=0)  # noqa: SIM115
        self._laid: list[tuple[int, int]] = []

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        self._memory.close()

    def clear(self) -> None:
        for address, size in self._laid:
            self._write(address, bytes(size))
        self._laid.clear()

    def put(self, address: int, content: bytes) -> None:
        assert FIRST <= address <= LAST - len(content)
        self._laid.append((address, len(content)))
        self._write(address, content)

    def _write(self, address: int, content: bytes) -> None:
        self._memory.seek(address)
        assert self._memory.write(content) == len(content)


class HouseMemory(FakeMemory):
    """Lays down bytes in a real process as well."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house

    def put(self, address: int, content: bytes) -> int:
        self._house.put(address, content)
        return super().put(address, content)


class HousedProcess(FakeProcess):
    """A made-up process whose captures are made by eBPF, after the reference engine has made the same one."""

    def __init__(self, house: House, engine: EbpfEngine) -> None:
        super().__init__()
        house.clear()
        self._house, self._engine = house, engine
        self.memory = HouseMemory(house)

    def capture(self, made: Program, threads: Mapping[int, Registers] | None = None, seconds: float = 60) -> Captured:
        self.memory.words(RUNTIME.allglen + BIAS, len(self._gs), ALLGS)
        self.memory.words(ALLGS, *self._gs)
        target, results = Target(self._house.pid, BIAS, TYPES_BASE), []
        for engine in (MemoryEngine(), self._engine):
            probe = engine.arm(target, made)
            try:
                probe.run(threads or {}, time.monotonic_ns() + int(seconds * 1e9))
                results.append(probe.collect())
            finally:
                probe.close()
        (reference, its_losses), (ours, losses) = results
        if not any(loss.kind == "budget" for loss in (*losses, *its_losses)):
            assert_agree(sort_out(ours, losses), sort_out(reference, its_losses))
        return Captured(ours, losses)
