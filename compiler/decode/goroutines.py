"""What is said of a goroutine besides its frames: status, wait reason, origin, whether it is the runtime's own."""

from collections.abc import Iterable
from functools import lru_cache

from compiler.decode.records import INT64_END
from compiler.ir.program import GoRuntime
from compiler.ir.raw import RawGoroutine, RawHeader
from compiler.ir.symbols import SymbolFrame, Symbols

SCAN_BIT = 0x1000
STATUSES = {
    0: "idle", 1: "runnable", 2: "running", 3: "syscall", 4: "waiting", 6: "dead", 8: "copystack", 9: "preempted",
    10: "leaked", 11: "dead",
}  # fmt: skip
"""_Gidle and so on in go/src/runtime/runtime2.go; 10 is _Gleaked since Go 1.26."""
WAITING = ("waiting", "leaked")
USERS = frozenset({"runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"})
"""Functions of the runtime that run the user's code (isSystemGoroutine in go/src/runtime/traceback.go)."""
RUNTIME = ("runtime.", "internal/runtime/")
"""How names of its own functions begin, the parts of it that are packages by themselves among them."""
SOMETIMES_USERS = frozenset({"runtime.runfinq", "runtime.runFinalizers", "runtime.runCleanups"})


def status(goroutine: RawGoroutine) -> str:
    """The runtime's word for a goroutine's state."""
    return STATUSES.get(goroutine.status & ~SCAN_BIT, "unknown")


def wait_reason(goroutine: RawGoroutine, runtime: GoRuntime) -> str | None:
    """As the traceback words it; None for a goroutine that waits for nothing."""
    if status(goroutine) not in WAITING or not 0 < goroutine.waitreason < 1 << 8:
        return None
    known = goroutine.waitreason < len(runtime.wait_reasons)
    return (runtime.wait_reasons[goroutine.waitreason] or None) if known else "unknown wait reason"


def wait_since_ns(goroutine: RawGoroutine, header: RawHeader) -> int | None:
    """Unix time since when it is known to wait; the runtime notes it at garbage collections only."""
    if not 0 < goroutine.waitsince <= header.monotonic_ns:
        return None
    return header.captured_at_ns - (header.monotonic_ns - goroutine.waitsince)


def parent(goroutine: RawGoroutine, runtime: GoRuntime) -> int | None:
    """The id of the goroutine that started it, where the runtime keeps it (Go 1.21 and later)."""
    known = runtime.g_parent_goid is not None and 0 < goroutine.parent_goid < INT64_END
    return goroutine.parent_goid if known else None


class Origins:
    """Names where goroutines come from."""

    def __init__(self, symbols: Symbols, bias: int) -> None:
        self._bias = bias
        self._function = lru_cache(maxsize=None)(symbols.function)

    def start(self, goroutine: RawGoroutine) -> SymbolFrame | None:
        """The function it began with."""
        return self._function(goroutine.startpc - self._bias) if goroutine.startpc else None

    def created_by(self, goroutine: RawGoroutine) -> SymbolFrame | None:
        """The function and line of the go statement, as the traceback's "created by" has them; None for the first goroutine and
        where it is not known."""
        if goroutine.goid == 1 or not goroutine.gopc:
            return None
        return self._function(goroutine.gopc - 1 - self._bias)


def is_system(start: SymbolFrame | None, names: Iterable[str]) -> bool:
    """Whether it is the runtime's own; `names` are the linked names of the functions on its stack."""
    if start is None or not start.name.startswith("runtime.") or start.name in USERS:
        return False
    return start.name not in SOMETIMES_USERS or all(name.startswith(RUNTIME) for name in names)
