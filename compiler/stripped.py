"""What a binary without debug info still tells: its functions and where they were inlined, from Go's own function table;
and where its runtime keeps the list of goroutines and the words for what they wait for, from code and data.

Nothing here is guessed: an address counts where all code that must name it agrees, and where it lies in the part of
memory that its type puts it in.
"""

import re
from collections.abc import Iterable, Iterator

from compiler.code.inlines import Inlines
from compiler.code.moduledata import ModuleData
from compiler.code.pclntab import Pclntab
from compiler.dwarf.executable import Executable
from compiler.dwarf.functions import Instance, Range, Variable

RIP_RELATIVE = re.compile(rb"(?=[\x48\x4c][\x8b\x8d][\x05\x0d\x15\x1d\x25\x2d\x35\x3d](.{4}))", re.DOTALL)
"""MOVQ disp32(RIP), r64 and LEAQ disp32(RIP), r64."""
RIP_RELATIVE_SIZE = 7
FIRST_REASONS = ("GC assist marking", "IO wait")
"""waitReasonStrings[1] and [2] in go/src/runtime/runtime2.go; [0] is the empty string."""
MAX_REASONS = 256
MAX_REASON = 64


class StrippedFunctions:
    """Finds functions' instances as compiler.dwarf.functions.Functions does, but for their variables, which nobody knows."""

    def __init__(self, executable: Executable, pclntab: Pclntab) -> None:
        self._pclntab, self._inlines = pclntab, Inlines(executable, pclntab)

    def instances(self, name: str) -> list[Instance]:
        """All copies of the code of the function with this linked name, by address; wrappers left out."""
        pclntab = self._pclntab
        own = [lo for lo, hi in pclntab.functions().get(name, []) if lo < hi and not pclntab.is_wrapper(lo)]
        found = [Instance(name, 0, ((lo, pclntab.code_end(lo)),)) for lo in own]
        found += [Instance(name, level, ranges) for level, ranges in self._inlines.instances(name)]
        return sorted(found, key=lambda each: (each.ranges, each.level))

    def prepare(self, names: Iterable[str]) -> None:
        """Nothing is read ahead."""

    def is_wrapper(self, name: str) -> bool:
        """Whether the compiler made all of it: Go's tracebacks show no frame of it."""
        places = self._pclntab.functions().get(name, [])
        return bool(places) and all(self._pclntab.is_wrapper(lo) for lo, _ in places)

    def has_own_code(self, name: str) -> bool:
        """Whether any code carries its name; it may be inlined everywhere."""
        return name in self._pclntab.functions()

    def owner(self, instance: Instance, variable: Variable) -> Instance:  # noqa: ARG002 - as Functions has it
        """No variable is known."""
        return instance

    def beside(self, instance: Instance) -> Iterator[Variable]:  # noqa: ARG002 - as Functions has it
        """No variable is known."""
        return iter(())

    def results(self, name: str) -> frozenset[int]:  # noqa: ARG002 - as Functions has it
        """No type is known."""
        return frozenset()

    def mentions(self, name: str) -> int:  # noqa: ARG002 - as Functions has it
        """What would have to be read to find the copies: nothing."""
        return 0

    def declared(self, name: str) -> set[str]:  # noqa: ARG002 - as Functions has it
        """No variable's name is known."""
        return set()


def goroutine_list(
    executable: Executable, pclntab: Pclntab, module: ModuleData, functions: StrippedFunctions
) -> tuple[int, int] | None:
    """(address of runtime.allglen, address of runtime.allgptr); None unless all code agrees on them.

    runtime.atomicAllG loads these two and nothing else, wherever it was inlined. allglen is a number, in .noptrbss;
    allgptr is a pointer, in .bss. runtime.allgadd, which sets them, must name both (go/src/runtime/proc.go).
    """
    readers = functions.instances("runtime.atomicAllG")
    pairs = {_pair(executable, module, each.ranges) for each in readers}
    writers = pclntab.functions().get("runtime.allgadd", [])
    if len(pairs) != 1 or len(writers) != 1:
        return None
    pair = pairs.pop()
    return pair if pair is not None and set(pair) <= _referred(executable, writers[0]) else None


def _pair(executable: Executable, module: ModuleData, ranges: tuple[Range, ...]) -> tuple[int, int] | None:
    named = {address for span in ranges for address in _referred(executable, span) if address % 8 == 0}
    lengths = [address for address in named if module.within(address, "noptrbss", "enoptrbss")]
    arrays = [address for address in named if module.within(address, "bss", "ebss")]
    return (lengths[0], arrays[0]) if len(lengths) == len(arrays) == 1 else None


def _referred(executable: Executable, span: Range) -> set[int]:
    """Addresses that the code in [lo, hi) may load from or take; among them some that it does not."""
    code = executable.read(span[0], span[1] - span[0]) or b""
    found = _referred_arm64(code, span[0]) if executable.arch == "arm64" else _referred_amd64(code, span[0])
    return set(found)


def _referred_amd64(code: bytes, address: int) -> Iterator[int]:
    for match in RIP_RELATIVE.finditer(code):
        yield address + match.start() + RIP_RELATIVE_SIZE + int.from_bytes(match[1], "little", signed=True)


def _referred_arm64(code: bytes, address: int) -> Iterator[int]:
    """ADRP, then ADD or LDR from the page (Arm Architecture Reference Manual, C6.2)."""
    pages: dict[int, int] = {}
    for at in range(0, len(code) - 3, 4):
        word = int.from_bytes(code[at : at + 4], "little")
        target, base, offset = word & 31, word >> 5 & 31, word >> 10 & 0xFFF
        if word & 0x9F000000 == 0x90000000:
            pages_off = (word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3
            pages_off -= (pages_off >> 20) << 21
            pages[target] = (address + at & ~0xFFF) + (pages_off << 12)
        elif word & 0xFFC00000 == 0x91000000 and base in pages:
            yield pages[base] + offset
        elif word & 0xFFC00000 == 0xF9400000 and base in pages:
            yield pages[base] + 8 * offset


def wait_reasons(executable: Executable) -> tuple[str, ...]:
    """runtime.waitReasonStrings, found by its first texts; () where there is not exactly one such table."""
    first, second = FIRST_REASONS
    places = {
        at
        for text in executable.find(first.encode())
        for at in executable.pointers_to(text)
        if executable.string(at) == first and executable.string(at + 16) == second
    }
    if len(places) != 1:
        return ()
    start = places.pop()
    found = [""]
    while len(found) < MAX_REASONS and (reason := _reason(executable, start + 16 * (len(found) - 1))):
        found.append(reason)
    return tuple(found)


def _reason(executable: Executable, address: int) -> str | None:
    text = executable.string(address)
    return text if text and len(text) <= MAX_REASON and text.isprintable() else None
