"""A Program: data that suffices to run the probe on one binary and to decode what it wrote.

All addresses are link-time addresses of the binary; whoever runs or decodes adds the process's load bias.
A Program is never code: every number in it is checked against its bounds when it is read (`program_codec`).
"""

from compiler.ir.frozen import field, frozen
from compiler.ir.limits import Limits
from compiler.ir.types import WORD, Type, TypeId

FORMAT = 8
"""Raised whenever a field changes its meaning; a Program of another format is refused."""

# ---------------------------------------------------------------- where a value is


@frozen
class AtCfa:
    """`size` bytes of the value from `at` on lie in the frame, at CFA + `offset`."""

    at: int
    size: int
    offset: int


@frozen
class InRegister:
    """They are in the DWARF register `number` (amd64: 0 rax, 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8-15;
    arm64: x0 to x30)."""

    at: int
    size: int
    number: int


@frozen
class AtAddress:
    """They are at a link-time address (package globals)."""

    at: int
    size: int
    address: int


Piece = AtCfa | InRegister | AtAddress


@frozen
class Located:
    """A column can be read here: the root variable's pieces (gaps are lost bytes), then `accesses[access]` from it on. A
    variable of no size has none: there is nothing to read. A ByDictionary has the dictionary's pieces among them."""

    access: int
    pieces: tuple[Piece, ...]
    dead: tuple[int, ...] = ()
    """Offsets of the root's pointers that are right but that nothing keeps alive: what they lead to may be somebody
    else's by now. They are shown as addresses and never followed."""


@frozen
class Missing:
    """A column cannot be read at these PCs; `reason` is one of compiler.ir.frames.REASONS."""

    reason: str
    detail: str = ""


Place = Located | Missing

# ---------------------------------------------------------------- how to get from the root to the wanted value


@frozen
class Select:
    """Go `offset` bytes into the current object."""

    offset: int


@frozen
class Deref:
    """The current object begins with a pointer: go to what it points to. A nil pointer ends the access; with `or_zero`
    (the length of a map or channel) it is the number 0 then."""

    or_zero: bool = False


@frozen
class Element:
    """The current object begins with {ptr, len} (a slice or string): go to element `index` of `stride` bytes each."""

    index: int
    stride: int


@frozen
class Range:
    """The current object begins with {ptr, len}: its elements from `lo` on, up to `hi` if that is given, each of
    `stride` bytes and of type `elem` (None: bytes, of a string too). Ends an access."""

    lo: int
    hi: int | None
    stride: int
    elem: TypeId | None


Step = Select | Deref | Element | Range
"""What both an engine and the decoder do."""

Literal = bool | int | float | str
"""A key as it is written in an expression."""
LITERAL_TYPES: dict[type, str] = {str: "string", bool: "bool", int: "int", float: "float64"}
"""What a literal is in an interface, where no type is written: Go's types of untyped constants."""


@frozen
class Lookup:
    """The current object is the map that the Sought type `sought` describes, or TwoMaps of one: go to the value of `key`."""

    sought: TypeId
    key: Literal


@frozen
class Count:
    """The current object is such a map, which does not say how many entries it has: go to their number, an int."""

    sought: TypeId


@frozen
class Branch:
    """Where to go on when an interface holds the runtime type at `offset`: by the Program's tail of this number. `direct` as in
    DynamicType."""

    offset: int
    direct: bool
    tail: int


@frozen
class Unbox:
    """The current object is the interface `interface`: go on as its dynamic type says, with the value it holds. `wanted`
    says in words what was asked for ("*net.OpError", 'a type with ".Op"'). Ends a tail: each branch has its own."""

    interface: TypeId
    wanted: str
    branches: tuple[Branch, ...]


@frozen
class ContextValue:
    """The current object is a context.Context (`interface`): go to the value, an `any`, that the nearest of the contexts
    around it holds under a key of the runtime type at `offset`, equal to the literal `key` or pointing to the link-time
    `address` where these are given. With `by_value` it may be the value that is of this type, as well as the key.
    """

    interface: TypeId
    offset: int
    key: Literal | None
    address: int | None
    by_value: bool


TailStep = Select | Deref | Element | Range | Lookup | Count | Unbox | ContextValue


@frozen
class Tail:
    """How the decoder goes on, in what an engine has copied, to a value of `type`."""

    steps: tuple[TailStep, ...]
    type: TypeId


@frozen
class Access:
    """From a root variable of `root_size` bytes through `steps` to a value of `type`; its limits are enforced on decoding.

    With a `tail` that value is not the wanted one yet (a map in which a key is looked for, an interface that holds
    whatever it holds): an engine copies it `extra_depth` levels deeper than limits.depth, and the decoder goes on in it.
    """

    root_size: int
    steps: tuple[Step, ...]
    type: TypeId
    limits: Limits
    text: str
    tail: Tail | None = None
    extra_depth: int = 0


@frozen
class Choice:
    """The number of the Access to take in generic code that was passed the dictionary at a link-time address."""

    dictionary: int
    access: int


@frozen
class ByDictionary:
    """From a variable of generic code, of `at` bytes, whose type only the dictionary tells that its call was passed: that one's
    address is kept right behind the variable. Engines and the decoder take the Access of the choice that has it, and none if
    none has: by a type that it is not, what they follow would be garbage."""

    at: int
    choices: tuple[Choice, ...]
    text: str

    @property
    def root_size(self) -> int:
        """The bytes of the variable and of the dictionary's address."""
        return self.at + WORD


AnyAccess = Access | ByDictionary


@frozen
class DynamicType:
    """What an interface may hold. `offset` is that of the runtime type from moduledata.types; `direct`: the interface's
    data word is the value itself, not its address (read from the runtime type's own flag, for Go versions differ)."""

    offset: int
    type: TypeId
    direct: bool


# ---------------------------------------------------------------- which frames


@frozen
class FunctionTable:
    """One function of the spec: its SQL table and its columns, in order."""

    table: str
    function: str
    columns: tuple[str, ...]


@frozen
class Site:
    """PCs [lo, hi) of one instance of a function, in which every column has one and the same place.

    `exact` sites are for frames whose PC is the next instruction itself (a thread's own, or interrupted by a signal);
    the others are looked up with the return address - 1. `level` is 0 in the function's own code, k where it was
    inlined at nesting depth k. `function` is the index in `Program.tables`.
    """

    lo: int
    hi: int
    exact: bool
    function: int
    level: int
    places: tuple[Place, ...]


@frozen
class PcRange:
    """PCs [lo, hi)."""

    lo: int
    hi: int


@frozen
class FrameSize:
    """At PCs [lo, hi) the CFA is SP + `size` + 8 (amd64; on arm64, where a call pushes nothing, SP + `size`)."""

    lo: int
    hi: int
    size: int


@frozen
class Callback:
    """How the stack of Go code that C called goes on below runtime.cgocallback, whose frame pointer is C's: its frame, of
    `size` bytes, is followed by that of runtime.asmcgocall, of `between` bytes, and that by the frame of runtime.cgocall,
    of `caller_size` bytes; return addresses count extra. See cgocallback in go/src/runtime/asm_amd64.s."""

    pcs: PcRange
    """runtime.cgocallback"""
    size: int
    between: int
    caller: PcRange
    """runtime.cgocall"""
    caller_size: int


@frozen
class GoRuntime:
    """Where this binary's Go runtime keeps its goroutines. Addresses are link-time; the rest are byte offsets."""

    text: PcRange
    load_address: int
    """Link-time address of the first PT_LOAD segment, to find the load bias."""
    allglen: int
    allgptr: int
    types_base: int
    """Address of the variable that holds moduledata.types."""
    g_size: int
    g_stack_lo: int
    g_stack_hi: int
    g_m: int
    g_sched_sp: int
    g_sched_pc: int
    g_sched_bp: int
    g_syscallsp: int
    g_syscallpc: int
    g_syscallbp: int | None
    """Absent up to Go 1.22; then `syscall_frames` gives the frame's size."""
    g_atomicstatus: int
    g_goid: int
    g_waitsince: int
    g_waitreason: int
    g_parent_goid: int | None
    g_gopc: int
    g_startpc: int
    g_labels: int
    g_waiting: int
    g_lockedm: int
    m_id: int
    m_procid: int
    m_gsignal: int
    m_vdso_sp: int
    m_vdso_pc: int
    syscall_frames: tuple[FrameSize, ...]
    interrupts: tuple[PcRange, ...]
    """runtime.asyncPreempt and runtime.sigpanic: the frame below one of these was stopped at an exact PC."""
    outermost: tuple[PcRange, ...]
    """Functions no stack goes beyond (runtime.goexit, mstart, rt0_go)."""
    wait_reasons: tuple[str, ...]
    """The binary's own table, indexed by g.waitreason."""
    callback: Callback | None = None
    """Absent where C cannot call Go."""


@frozen
class Semaphore:
    """Waiters of a type of package sync wait at an address within it, `offset` bytes from its beginning. `what` is the type,
    of an RWMutex with the method: "sync.RWMutex.RLock"."""

    what: str
    offset: int


@frozen
class Details:
    """Types by which engines copy what hangs on every goroutine itself, after all stacks: what g.waiting and g.labels point to.

    `waiter` is runtime.sudog with the fields WAITER_FIELDS. `selecting` is the same for goroutines in a select (their wait reason
    is one of `selects`), which have one for each case, linked by `waitlink`; the channel `c` is followed as well, to
    CHANNEL_FIELDS: in which of its queues a waiter stands is its direction. Elsewhere `waitlink` leads to other goroutines'.
    `labels` is what runtime/pprof makes of labels; None in a binary that cannot set any, or does not tell."""

    waiter: TypeId
    selecting: TypeId
    selects: tuple[int, ...]
    labels: TypeId | None
    semaphores: tuple[Semaphore, ...]
    waiting_in: tuple[int, ...] = ()
    """Up to Go 1.25 nothing of the goroutine says at which semaphore it waits. There it is the one column of these functions of
    Program.tables, which no spec named: they have no table."""


WAITER_FIELDS = ("prev", "elem", "c", "waitlink")
CHANNEL_FIELDS = ("recvq", "sendq")


@frozen
class Program:
    """What to capture from one binary (named by `build_id`) and how to read it. See the module's text for addresses."""

    build_id: str
    go_version: str
    arch: str
    """As GOARCH has it: "amd64" or "arm64". What follows from it for frames is in compiler.decode.stack; only amd64 is
    run and decoded."""
    runtime: GoRuntime
    limits: Limits
    """For the whole process; where an Access allows more than these, the probe copies by the larger."""
    types: tuple[Type, ...] = ()
    dynamic_types: tuple[DynamicType, ...] = ()
    """Sorted by offset."""
    accesses: tuple[AnyAccess, ...] = ()
    tails: tuple[Tail, ...] = ()
    """Of what interfaces hold; the branches of one lead to those before it."""
    tables: tuple[FunctionTable, ...] = ()
    sites: tuple[Site, ...] = ()
    """Sorted by (exact, lo, hi, function, level)."""
    details: Details | None = None
    """Absent where the binary does not describe a goroutine's own data."""
    format: int = field(default=FORMAT)

    def widest_limits(self) -> Limits:
        """The limits by which the probe copies: of each, the largest that any access asks for."""
        asked = [access.limits for access in self.accesses if isinstance(access, Access)]
        widest = {
            name: max([getattr(self.limits, name), *(getattr(limits, name) for limits in asked)])
            for name in ("string_bytes", "slice_items", "map_entries", "depth")
        }
        return self.limits.override(widest)
