"""Where a binary's Go runtime keeps its goroutines: field offsets and addresses, all read from the binary itself.

Debug info and symbols tell them; where these were stripped, Go's own type descriptors, function table, code and data do.
"""

from compiler import stripped
from compiler.binary import Binary
from compiler.code.functable import is_obfuscated
from compiler.code.layouts import Layout, lacking
from compiler.code.moduledata import NAME as MODULE_DATA
from compiler.dwarf.executable import BadBinary
from compiler.ir.program import Callback, FrameSize, GoRuntime, PcRange
from compiler.ir.types import WORD

INTERRUPTS = ("runtime.asyncPreempt", "runtime.sigpanic")
CALLBACK = ("runtime.cgocallback", "runtime.asmcgocall", "runtime.cgocall")
TOP_FRAME = 1
"""abi.FuncFlagTopFrame: a stack ends here."""
SYSCALL_PACKAGES = ("syscall.", "internal/runtime/syscall.", "runtime/internal/syscall.")
SYSCALL_CALLERS = ("runtime.cgocall", "runtime.notetsleepg", "runtime.entersyscallblock", "runtime.cgocallbackg")


def read_runtime(binary: Binary) -> GoRuntime:
    """The runtime's layout; BadBinary where the binary does not tell something that a walk cannot do without."""
    g, m = Layout(binary, "runtime.g"), Layout(binary, "runtime.m")
    pclntab = binary.pclntab
    syscallbp = g.optional("syscallbp")
    allglen, allgptr = _goroutine_list(binary)
    return GoRuntime(
        text=PcRange(pclntab.text, pclntab.text_end),
        load_address=binary.executable.load_address,
        allglen=allglen,
        allgptr=allgptr,
        types_base=_module(binary) + Layout(binary, MODULE_DATA).at("types"),
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
        g_lockedm=g.at("lockedm"),
        m_id=m.at("id"),
        m_procid=m.at("procid"),
        m_gsignal=m.at("gsignal"),
        m_vdso_sp=m.at("vdsoSP"),
        m_vdso_pc=m.at("vdsoPC"),
        syscall_frames=() if syscallbp is not None else _syscall_frames(binary),
        interrupts=_ranges(binary, INTERRUPTS),
        outermost=tuple(PcRange(lo, hi) for lo, hi in pclntab.flagged(TOP_FRAME)),
        wait_reasons=_wait_reasons(binary),
        callback=_callback(binary),
    )


def _global(binary: Binary, name: str) -> int | None:
    found = binary.global_at(name) or binary.executable.symbol(name)
    return None if found is None else found[0]


def _module(binary: Binary) -> int:
    found = _global(binary, "runtime.firstmoduledata") or binary.pclntab.module
    if found is None:
        raise lacking(binary, "variable runtime.firstmoduledata")
    return found


def _goroutine_list(binary: Binary) -> tuple[int, int]:
    """Addresses of runtime.allglen and runtime.allgptr."""
    length, array = _global(binary, "runtime.allglen"), _global(binary, "runtime.allgptr")
    if length is not None and array is not None:
        return length, array
    found = stripped.goroutine_list(binary.executable, binary.pclntab, binary.module, binary.stripped_functions)
    if found is None and is_obfuscated(binary.executable):
        raise BadBinary(
            "its functions have lost their names, and with them what tells where its goroutines are",
            where=str(binary.executable.path),
            remedy="build it without garble's -tiny",
        )
    if found is None:
        raise lacking(binary, "variables runtime.allglen and runtime.allgptr")
    return found


def _ranges(binary: Binary, names: tuple[str, ...]) -> tuple[PcRange, ...]:
    return tuple(PcRange(lo, hi) for name in names for lo, hi in binary.pclntab.named(name))


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


def _callback(binary: Binary) -> Callback | None:
    """The frames between Go code that C called and the Go code that called C, each as large as it gets: so it is at a call."""
    found = [_framed(binary, name) for name in CALLBACK]
    match found:
        case [(pcs, size), (_, between), (caller, caller_size)] if (
            between in (0, WORD) and min(size, caller_size) >= WORD
        ):
            return Callback(pcs, size, between, caller, caller_size)
        case _:
            return None


def _framed(binary: Binary, name: str) -> tuple[PcRange, int] | None:
    """The function's code and the size of its frame; None where there is not exactly one of the name."""
    pclntab = binary.pclntab
    places = [each for each in pclntab.named(name) if not pclntab.is_wrapper(each[0])]
    index = pclntab.index_of(places[0][0]) if len(places) == 1 else None
    if index is None:
        return None
    return PcRange(*places[0]), max((size for _, _, size in pclntab.values(index, "pcsp")), default=0)


def _wait_reasons(binary: Binary) -> tuple[str, ...]:
    """runtime.waitReasonStrings, in the file's data."""
    found = binary.global_at("runtime.waitReasonStrings")
    if found is None:
        return stripped.wait_reasons(binary.executable)
    address, type_offset = found
    _, count = binary.types.array(type_offset)
    return tuple(binary.executable.string(address + 16 * number) or "" for number in range(min(count, 256)))
