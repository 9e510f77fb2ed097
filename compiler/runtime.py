"""Where a binary's Go runtime keeps its goroutines: field offsets and addresses, all read from its own debug info."""

from compiler.binary import Binary
from compiler.dwarf.executable import BadBinary
from compiler.ir.program import FrameSize, GoRuntime, PcRange

INTERRUPTS = ("runtime.asyncPreempt", "runtime.sigpanic")
TOP_FRAME = 1
"""abi.FuncFlagTopFrame: a stack ends here."""
SYSCALL_PACKAGES = ("syscall.", "internal/runtime/syscall.", "runtime/internal/syscall.")
SYSCALL_CALLERS = ("runtime.cgocall", "runtime.notetsleepg", "runtime.entersyscallblock", "runtime.cgocallbackg")


def read_runtime(binary: Binary) -> GoRuntime:
    """The runtime's layout; BadBinary where the debug info lacks something that a walk cannot do without."""
    g, m = _Struct(binary, "runtime.g"), _Struct(binary, "runtime.m")
    pclntab = binary.pclntab
    syscallbp = g.optional("syscallbp")
    return GoRuntime(
        text=PcRange(pclntab.text, pclntab.text_end),
        load_address=binary.executable.load_address,
        allglen=_global(binary, "runtime.allglen"),
        allgptr=_global(binary, "runtime.allgptr"),
        types_base=_global(binary, "runtime.firstmoduledata") + _Struct(binary, "runtime.moduledata").at("types"),
        g_size=g.size,
        g_stack_lo=g.at("stack", "lo"),
        g_stack_hi=g.at("stack", "hi"),
        g_m=g.at("m"),
        g_sched_sp=g.at("sched", "sp"),
        g_sched_pc=g.at("sched", "pc"),
        g_sched_bp=g.at("sched", "bp"),
        g_syscallsp=g.at("syscallsp"),
        g_syscallpc=g.at("syscallpc"),
        g_syscallbp=syscallbp,
        g_atomicstatus=g.at("atomicstatus"),
        g_goid=g.at("goid"),
        g_waitsince=g.at("waitsince"),
        g_waitreason=g.at("waitreason"),
        g_parent_goid=g.optional("parentGoid"),
        g_gopc=g.at("gopc"),
        g_startpc=g.at("startpc"),
        g_labels=g.at("labels"),
        g_waiting=g.at("waiting"),
        m_procid=m.at("procid"),
        syscall_frames=() if syscallbp is not None else _syscall_frames(binary),
        interrupts=_ranges(binary, INTERRUPTS),
        outermost=tuple(PcRange(lo, hi) for lo, hi in pclntab.flagged(TOP_FRAME)),
        wait_reasons=_wait_reasons(binary),
    )


class _Struct:
    """Field offsets of one of the runtime's structs."""

    def __init__(self, binary: Binary, name: str) -> None:
        found = binary.index.types.get(name)
        if not found:
            raise _lacking(binary, f"type {name}")
        self._binary, self._name, self._offset = binary, name, found[0]
        self.size = binary.types.size(self._offset)

    def optional(self, *path: str) -> int | None:
        offset, at = self._offset, 0
        for name in path:
            member = self._binary.types.member(offset, name)
            if member is None:
                return None
            offset, at = member.type, at + member.offset
        return at

    def at(self, *path: str) -> int:
        found = self.optional(*path)
        if found is None:
            raise _lacking(self._binary, f"field {self._name}.{'.'.join(path)}")
        return found


def _lacking(binary: Binary, what: str) -> BadBinary:
    return BadBinary(
        f"its debug info lacks the runtime's {what} ({binary.go_version})",
        where=str(binary.executable.path),
        remedy="Go 1.21 to 1.27 are supported",
    )


def _global(binary: Binary, name: str) -> int:
    found = binary.global_at(name)
    if found is not None:
        return found[0]
    symbol = binary.executable.symbol(name)
    if symbol is None:
        raise _lacking(binary, f"variable {name}")
    return symbol[0]


def _ranges(binary: Binary, names: tuple[str, ...]) -> tuple[PcRange, ...]:
    functions = binary.pclntab.functions()
    return tuple(PcRange(lo, hi) for name in names for lo, hi in functions.get(name, []))


def _syscall_frames(binary: Binary) -> tuple[FrameSize, ...]:
    """Frame sizes wherever a goroutine may have entered a system call: needed up to Go 1.22, which saves no frame pointer."""
    pclntab = binary.pclntab
    frames = [
        FrameSize(lo, hi, size)
        for name, places in pclntab.functions().items()
        if name.startswith(SYSCALL_PACKAGES) or name in SYSCALL_CALLERS
        for entry, _ in places
        if (index := pclntab.index_of(entry)) is not None
        for lo, hi, size in pclntab.values(index, "pcsp")
        if size >= 0 and lo < hi
    ]
    return tuple(sorted(frames, key=lambda frame: frame.lo))


def _wait_reasons(binary: Binary) -> tuple[str, ...]:
    """runtime.waitReasonStrings, in the file's data."""
    found = binary.global_at("runtime.waitReasonStrings")
    if found is None:
        return ()
    address, type_offset = found
    _, count = binary.types.array(type_offset)
    return tuple(binary.executable.string(address + 16 * number) or "" for number in range(min(count, 256)))
