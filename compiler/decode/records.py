"""The records of a raw capture, unpacked and judged: BadRaw for what no engine writes."""

from dataclasses import fields

from compiler.decode.image import Image
from compiler.ir.frozen import frozen
from compiler.ir.raw import (
    FAULT,
    FLAG_NO_STACK,
    GOROUTINE,
    KIND_FAULT,
    KIND_GOROUTINE,
    KIND_MEMORY,
    KIND_STACK,
    KIND_THREAD,
    MEMORY,
    STACK,
    STACK_ENTRY,
    THREAD,
    BadRaw,
    RawCapture,
    RawGoroutine,
    RawHeader,
)
from compiler.ir.symbols import Constants

Chain = tuple[tuple[int, int], ...]
"""(pc, frame pointer - the goroutine's sp), innermost first."""
MASK = (1 << 64) - 1
INT64_END = 1 << 63
AGAIN = "capture again with an agent of this version"


@frozen
class Records:
    """What a capture says, by kind. `goroutines` by ascending id; `threads`: registers by thread id."""

    goroutines: tuple[RawGoroutine, ...]
    stacks: dict[int, Chain]
    threads: dict[int, tuple[int, ...]]
    image: Image


def unpack(raw: RawCapture, constants: Constants | None = None) -> Records:
    """All records of a capture. `constants`: where the data is that is in the executable's file as well."""
    check_header(raw.header)
    goroutines: list[RawGoroutine] = []
    stacks: dict[int, Chain] = {}
    threads: dict[int, tuple[int, ...]] = {}
    memory: list[tuple[int, memoryview]] = []
    faults: list[tuple[int, int]] = []
    for kind, payload in raw.walk():
        if kind == KIND_MEMORY:
            _need(payload, MEMORY.size, "MEMORY")
            memory.append((MEMORY.unpack_from(payload)[0], payload[MEMORY.size :]))
        elif kind == KIND_GOROUTINE:
            _need(payload, GOROUTINE.size, "GOROUTINE")
            goroutines.append(RawGoroutine(*GOROUTINE.unpack_from(payload)[:-1]))
        elif kind == KIND_STACK:
            number, chain = _stack(payload)
            stacks[number] = chain
        elif kind == KIND_THREAD:
            _need(payload, THREAD.size, "THREAD")
            tid, *registers = THREAD.unpack_from(payload)
            threads[tid] = tuple(registers)
        elif kind == KIND_FAULT:
            _need(payload, FAULT.size, "FAULT")
            faults.append(FAULT.unpack_from(payload)[:2])
        else:
            raise BadRaw(f"the raw capture has a record of unknown kind {kind}", remedy=AGAIN)
    for goroutine in goroutines:
        _check_goroutine(goroutine, stacks)
    ordered = sorted(goroutines, key=lambda each: (each.goid, each.g))
    return Records(tuple(ordered), stacks, threads, _image(memory, faults, raw.header.bias, constants))


def _image(
    memory: list[tuple[int, memoryview]], faults: list[tuple[int, int]], bias: int, constants: Constants | None
) -> Image:
    if constants is None:
        return Image(memory, faults)
    read = constants.constant
    return Image(memory, faults, lambda address, size: read(address - bias, size))


def check_header(header: RawHeader) -> None:
    """BadRaw where a field of the header is not of its type: it came as JSON."""
    for each in fields(header):
        value = getattr(header, each.name)
        if each.type is int and (type(value) is not int or not 0 <= value <= MASK):
            raise BadRaw(f"the header of the raw capture has {each.name} {value!r}", remedy=AGAIN)
        if each.type is str and type(value) is not str:
            raise BadRaw(f"the header of the raw capture has {each.name} {value!r}", remedy=AGAIN)


def _need(payload: memoryview, size: int, name: str) -> None:
    if len(payload) < size:
        raise BadRaw(f"the raw capture has a {name} record of {len(payload)} bytes", remedy=AGAIN)


def _stack(payload: memoryview) -> tuple[int, Chain]:
    _need(payload, STACK.size, "STACK")
    number, count = STACK.unpack_from(payload)
    if len(payload) != STACK.size + count * STACK_ENTRY.size:
        raise BadRaw(f"stack {number} of the raw capture does not have its {count} entries", remedy=AGAIN)
    return number, tuple(STACK_ENTRY.iter_unpack(payload[STACK.size :]))


def _check_goroutine(goroutine: RawGoroutine, stacks: dict[int, Chain]) -> None:
    if goroutine.goid >= INT64_END:
        raise BadRaw(f"the raw capture has a goroutine with the id {goroutine.goid}", remedy=AGAIN)
    if not goroutine.flags & FLAG_NO_STACK and goroutine.stack_id not in stacks:
        raise BadRaw(f"the raw capture lacks the stack of goroutine {goroutine.goid}", remedy="capture again")
