"""What interfaces hold: the types that a Program describes for them, and how they are told apart at run time."""

from collections.abc import Iterable, Sequence

from compiler.binary import Binary
from compiler.dwarf.rtypes import RuntimeType, RuntimeTypes
from compiler.dwarf.scanner import GO_RUNTIME_TYPE
from compiler.dwarf.typetable import CHAINS, TypeTable
from compiler.dwarf.units import number
from compiler.expression.way import Dynamic
from compiler.ir.program import DynamicType

USUAL_TYPES = (
    "bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr",
    "float32", "float64", "complex128", "string", "[]uint8", "[]string", "[]interface {}", "map[string]interface {}",
    "map[string]string", "time.Time", "time.Duration", "*errors.errorString", "*fmt.wrapError", "*fmt.wrapErrors",
    "*errors.joinError", "*net.OpError", "*net.DNSError", "*net/url.Error", "*io/fs.PathError", "*os.SyscallError",
    "syscall.Errno", "*strconv.NumError", "context.deadlineExceededError",
    "context.backgroundCtx", "context.todoCtx", "*context.valueCtx", "*context.cancelCtx", "*context.timerCtx",
    "*context.afterFuncCtx", "context.withoutCancelCtx", "context.stopCtx", "*os/signal.signalCtx",
)  # fmt: skip
"""What interfaces hold most; whatever else is met is added to the next Program."""


MAX_HELD = 8
"""Types of one interface that are described before one was met; an interface with more holders is one of anything."""
MAX_LINKS = 1000
"""The same of errors and contexts: chains have any of them."""


class Interfaces:
    """The types that interfaces of one binary are known to hold; grows while a spec is compiled."""

    def __init__(self, binary: Binary, runtime_types: RuntimeTypes) -> None:
        self._binary = binary
        self._runtime_types = runtime_types
        self._known: dict[int, int | None] = {}
        """Offset of the runtime type to its DIE; None where only its descriptor tells of it."""
        self._described: tuple[Dynamic, ...] | None = None
        """`_known`, as `known` gives it; None where that is to be made anew."""
        for name in USUAL_TYPES:
            for offset in binary.index.types.get(name, []):
                self.held(offset)

    def remember(self, offsets: Iterable[int]) -> None:
        """Types that earlier captures met, as offsets from moduledata.types. Only those that exist are taken."""
        for offset in offsets:
            die = self._binary.index.runtime_types.get(offset)
            if die is not None or self._runtime_types.at(offset) is not None:
                self._add(offset, die)

    def held(self, die: int) -> Dynamic | None:
        """The type as what an interface holds; None where it has no descriptor, so no interface ever does."""
        offset = number(self._binary.info.die(die), GO_RUNTIME_TYPE)
        if not offset:
            return None
        self._add(offset, die)
        return self._dynamic(offset)

    def _add(self, offset: int, die: int | None) -> None:
        if offset not in self._known or self._known[offset] != die:
            self._known[offset], self._described = die, None

    def expect(self, interfaces: Iterable[int]) -> tuple[int, ...]:
        """Know all types that the code converts to these interfaces (DIEs), so that the first capture finds them described.
        Those that were not known before."""
        types, implementers, before = self._binary.types, self._binary.implementers, set(self._known)
        for die in sorted(interfaces):
            held = implementers.get(types.runtime_type(die) or 0, ())
            if len(held) <= (MAX_LINKS if types.name(die) in CHAINS else MAX_HELD):
                self.remember(held)
        return tuple(sorted(self._known.keys() - before))

    def known(self) -> Sequence[Dynamic]:
        """All of them, by offset."""
        if self._described is None:
            self._described = tuple(self._dynamic(offset) for offset in sorted(self._known))
        return self._described

    def _dynamic(self, offset: int) -> Dynamic:
        return Dynamic(offset, self._known[offset], self._runtime_types.is_direct(self._at(offset)))

    def _at(self, offset: int) -> RuntimeType:
        return RuntimeType(self._runtime_types.base + offset)

    def described(self, table: TypeTable) -> tuple[DynamicType, ...]:
        """Their descriptions, by offset."""
        return tuple(
            DynamicType(
                each.offset,
                table.want_held(self._at(each.offset) if each.die is None else each.die),
                each.direct,
            )
            for each in self.known()
        )
