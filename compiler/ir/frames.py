"""What a capture looks like once decoded: goroutines, frames, cells, and a reason for everything that is missing."""

from compiler.ir.frozen import frozen
from compiler.ir.raw import Loss, RawHeader

SqlValue = int | float | str | None

REASONS = {
    "optimized out": "the compiler keeps this variable nowhere at this PC",
    "in register": "it is in a register that is not known for this frame",
    "not declared": "the variable is not declared yet, or no longer in scope, at this PC",
    "no such variable": "this one of the functions that the spec names together has no variable of the name",
    "partial": "some of its words are kept nowhere at this PC",
    "nil": "a pointer on the way to it is nil",
    "unreadable": "its address could not be read",
    "depth": "limits.depth was reached before it",
    "budget": "the capture was full or its time was over before it was copied",
    "type unknown": "the dynamic type is not described in the program",
    "cut": "a limit cut it; the detail says how long it is",
    "torn": "the bytes contradict each other (it was being written)",
    "unsupported": "values of this type are not decoded",
    "out of range": "the index is not below the length",
    "no such key": "the map, or the chain of contexts, has no such key",
    "other type": "the interface holds a value of another type, or of one without this field; the detail names it",
    "no debug info": "the binary was stripped of its debug info, which alone tells where variables are",
    "issue": "the binary has nothing of this name; see the table issues",
}
"""Every reason a value can be missing for, and what it means."""

GONE = "nothing here uses it after this call: what it points to may be gone"
"""Why a pointer that the garbage collector holds dead is not followed."""


@frozen
class Issue:
    """A spec item that this binary does not have: which item (and spec line), why, and the nearest names."""

    item: str
    message: str
    line: int | None = None
    nearest: tuple[str, ...] = ()


@frozen
class Absence:
    """A value that is missing though asked for: `path` within the column ("" is the column itself, else like ".User.Name[3]")."""

    path: str
    reason: str
    detail: str = ""


@frozen
class Cell:
    """One column's value as SQL holds it (scalar, text, or JSON text; None for nil or absent) and what is missing in it."""

    value: SqlValue
    absences: tuple[Absence, ...] = ()


@frozen
class Row:
    """A frame's row in a function table: `table` is an index in Program.tables, cells in its columns' order."""

    table: int
    cells: tuple[Cell, ...]


@frozen
class Frame:
    """One logical frame, inlined or not. `function` as Go's own traceback names it."""

    depth: int
    function: str
    file: str
    line: int
    inlined: bool
    rows: tuple[Row, ...] = ()


@frozen
class Wait:
    """One thing that a goroutine waits for: `operation` ("receive", "send", "lock", "rlock", "wait", "acquire"; None where
    a select was just decided) on an `object` ("chan", "sync.Mutex", ..., "semaphore") at an address (None: a nil channel,
    or not known)."""

    operation: str | None
    object: str
    address: int | None


@frozen
class Thread:
    """A thread that stood still, by the process's own number for it. `cpu` and `state` are those of just before the pause;
    `goroutine_id` and `m` of what runs on it, None where that is none of the process's goroutines."""

    tid: int
    host_tid: int
    goroutine_id: int | None
    m: int | None
    cpu: int | None
    state: str | None


@frozen
class Goroutine:
    """One goroutine with its frames, innermost first. `wait_since_ns` is Unix time, None where the runtime does not know.

    `tid`, `m` and `cpu` are of the thread that runs it, `locked_tid` is the one that it has locked itself to."""

    goroutine_id: int
    status: str
    wait_reason: str | None
    wait_since_ns: int | None
    start_function: str
    created_by: str
    parent_goroutine_id: int | None
    system: bool
    frames: tuple[Frame, ...]
    created_by_file: str | None = None
    created_by_line: int | None = None
    m: int | None = None
    tid: int | None = None
    cpu: int | None = None
    locked_tid: int | None = None
    labels: tuple[tuple[str, str], ...] = ()
    waits: tuple[Wait, ...] = ()


@frozen
class Capture:
    """One process's decoded capture. `unknown_types`: runtime types met in interfaces that the Program does not describe
    (offsets from moduledata.types), so that the next Program can."""

    header: RawHeader
    goroutines: tuple[Goroutine, ...]
    losses: tuple[Loss, ...]
    unknown_types: tuple[int, ...] = ()
    threads: tuple[Thread, ...] = ()
