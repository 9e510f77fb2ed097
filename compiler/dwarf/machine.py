"""What differs in stack frames and DWARF between the machines that Go compiles for.

amd64: a call pushes the return address, and the frame pointer is saved right below it. arm64: the caller leaves the
lowest word of its own frame for the return address, and the word below the frame's end belongs to a frame pointer.
See go/src/runtime/traceback.go (usesLR, varp), internal/goarch (MinFrameSize), cmd/compile/abi-internal.md, and the DWARF
register numbers in the System V ABI for AMD64 and in DWARF for the Arm 64-bit Architecture (AADWARF64).
"""

from compiler.ir.frozen import frozen


@frozen
class Machine:
    """One of them; offsets are from the CFA, which is the caller's stack pointer at the call."""

    arch: str
    """As GOARCH has it."""
    elftools: str
    """Its name in elftools."""
    last_word_register: int
    """DWARF registers up to this one hold a word; those behind it are vectors, the stack pointer, or none."""
    locals_end: int
    """Where a frame's locals end."""
    arguments_start: int
    """Where the arguments begin, on the stack and in home slots."""
    pushed: int
    """Bytes that a call pushes: the CFA is the stack pointer + the frame's size + these."""


MACHINES = {
    62: Machine("amd64", "x64", 15, locals_end=-16, arguments_start=0, pushed=8),
    183: Machine("arm64", "AArch64", 30, locals_end=-8, arguments_start=8, pushed=0),
}
"""By their numbers in ELF headers (e_machine)."""
