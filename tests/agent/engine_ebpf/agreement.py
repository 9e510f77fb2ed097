"""What it means that the two engines agree: the same goroutines, the same chains, and every byte that the reference engine
copied was copied by the eBPF engine too. What an engine copies beyond that is its own affair."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from compiler.ir.raw import (
    GOROUTINE,
    KIND_FAULT,
    KIND_GOROUTINE,
    KIND_MEMORY,
    KIND_STACK,
    KIND_THREAD,
    STACK_ENTRY,
    THREAD,
    Loss,
    Pause,
    RawCapture,
    RawGoroutine,
    RawHeader,
)

MASK = (1 << 64) - 1
PAGE = 4096
HEADER = RawHeader("", 0, "", 0, 0, 0, 0, Pause(0, 0, 0, 0, 0), 0)

Chain = tuple[tuple[int, int | None], ...]


@dataclass(frozen=True)
class Seen:
    """One engine's capture, sorted out. Chains are absolute (pc, frame pointer), without those of the outermost frames,
    which nobody needs; `pages` has what is known of each page: bytes, and which of them are known."""

    goroutines: Mapping[int, RawGoroutine]
    chains: Mapping[int, Chain]
    threads: Mapping[int, tuple[int, ...]]
    memory: tuple[tuple[int, bytes], ...]
    faults: int
    losses: tuple[Loss, ...]

    def read(self, address: int, size: int) -> bytes | None:
        """The bytes there, if each of them was copied."""
        found, known = bytearray(size), bytearray(size)
        for at, content in self.memory:
            lo, hi = max(at, address), min(at + len(content), address + size)
            if lo < hi:
                found[lo - address : hi - address] = content[lo - at : hi - at]
                known[lo - address : hi - address] = b"\1" * (hi - lo)
        return bytes(found) if all(known) else None


def sort_out(records: bytes, losses: tuple[Loss, ...]) -> Seen:
    """An engine's records by kind."""
    goroutines: dict[int, RawGoroutine] = {}
    stacks: dict[int, tuple[tuple[int, int], ...]] = {}
    threads, memory, faults = {}, [], 0
    for kind, payload in RawCapture(HEADER, records).walk():
        if kind == KIND_GOROUTINE:
            found = RawGoroutine(*GOROUTINE.unpack(payload)[:-1])
            assert found.g not in goroutines
            goroutines[found.g] = found
        elif kind == KIND_STACK:
            number, count = int.from_bytes(payload[:4], "little"), int.from_bytes(payload[4:8], "little")
            assert number not in stacks
            stacks[number] = tuple(STACK_ENTRY.iter_unpack(payload[8:]))
            assert len(stacks[number]) == count
        elif kind == KIND_THREAD:
            tid, *registers = THREAD.unpack(payload)
            threads[tid] = tuple(registers)
        elif kind == KIND_MEMORY:
            memory.append((int.from_bytes(payload[:8], "little"), bytes(payload[8:])))
        else:
            assert kind == KIND_FAULT
            faults += 1
    chains = {g: _chain(stacks[found.stack_id], found.sp) for g, found in goroutines.items()}
    return Seen(goroutines, chains, threads, tuple(memory), faults, losses)


def _chain(entries: tuple[tuple[int, int], ...], sp: int) -> Chain:
    absolute = [(pc, (offset + sp) & MASK) for pc, offset in entries]
    return tuple((pc, bp if 0 < bp <= sp + (1 << 40) and bp != sp - 1 else None) for pc, bp in absolute)


def assert_agree(ebpf: Seen, memory: Seen) -> None:
    """Fail with the first difference."""
    assert ebpf.goroutines.keys() == memory.goroutines.keys()
    for g, ours in ebpf.goroutines.items():
        theirs = memory.goroutines[g]
        assert replace(ours, stack_id=0) == replace(theirs, stack_id=0)
        assert ebpf.chains[g] == memory.chains[g]
    assert ebpf.threads == memory.threads
    assert_covers(ebpf, memory)


def assert_covers(ebpf: Seen, memory: Seen) -> None:
    """Every byte of `memory` is in `ebpf`, with the same value."""
    pages: dict[int, tuple[bytearray, bytearray]] = {}
    for at, content in ebpf.memory:
        for page, offset, part in _by_page(at, content):
            known, found = pages.setdefault(page, (bytearray(PAGE), bytearray(PAGE)))
            known[offset : offset + len(part)] = b"\1" * len(part)
            found[offset : offset + len(part)] = part
    for at, content in memory.memory:
        for page, offset, part in _by_page(at, content):
            known, found = pages.get(page, (bytearray(PAGE), bytearray(PAGE)))
            assert all(known[offset : offset + len(part)]), f"{len(part)} bytes at {page + offset:#x} were not copied"
            assert found[offset : offset + len(part)] == part, f"other bytes at {page + offset:#x}"


def _by_page(at: int, content: bytes) -> list[tuple[int, int, bytes]]:
    """(page, offset in it, bytes) of one run of bytes."""
    parts, done = [], 0
    while done < len(content):
        offset = (at + done) % PAGE
        size = min(PAGE - offset, len(content) - done)
        parts.append((at + done - offset, offset, content[done : done + size]))
        done += size
    return parts
