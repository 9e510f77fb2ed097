"""Where an expression has come to on its way from a variable: the type there, and the steps that led to it."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from compiler.dwarf.gotypes import KIND_ARRAY, KIND_POINTER, KIND_STRUCT, GoTypes
from compiler.dwarf.syncmap import SYNC_MAP
from compiler.dwarf.typetable import TypeTable
from compiler.expression.fields import all_names, find_field, unwrapped
from compiler.expression.operations import (
    AddressIn,
    Asserted,
    ContextKey,
    CountOf,
    FieldOf,
    IndexOf,
    Operation,
    PointedTo,
    SliceOf,
)
from compiler.expression.writtennames import WrittenNames
from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits
from compiler.ir.program import Deref, Select, Step, Tail, TailStep
from compiler.ir.types import TypeId
from compiler.naming.nearest import nearest

if TYPE_CHECKING:
    from compiler.expression.tails import Tails

AnyStep = TypeVar("AnyStep", Step, TailStep)


class Unresolved(Exception):
    """Why an expression does not fit the types; `names` are the nearest that do."""

    def __init__(self, message: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.names = names


@frozen
class Dynamic:
    """A type that an interface may hold: the offset of its runtime type, its DIE (None: DWARF lacks it)."""

    offset: int
    die: int | None
    direct: bool


@frozen
class Scope:
    """What resolving needs of the binary and of the Program that is being made."""

    types: GoTypes
    table: TypeTable
    names: WrittenNames
    dynamic: Callable[[], Sequence[Dynamic]]
    """Types that interfaces are known to hold."""
    held: Callable[[int], Dynamic | None]
    """A type as what an interface holds, by its DIE; None where no interface of the binary ever does. It is known from then on."""
    pointer: Callable[[str], tuple[int, int] | None]
    """A package variable that the file has as a pointer: its type's DIE and what it points to (link-time)."""
    constant: Callable[[str], tuple[int, int] | None]
    """A named integer constant: its type's DIE and its value; None where there is none, or several."""
    any: int | None
    """The DIE of `interface {}`."""
    tails: "Tails"


@frozen
class Resolved:
    """An Access but for its limits. `ends`: DIE offsets of the Go types that its values may have (none: an address, a length)."""

    root_size: int
    steps: tuple[Step, ...]
    type: TypeId
    tail: Tail | None
    extra_depth: int
    ends: tuple[int, ...]


class Way:
    """The state of resolving one expression, and the steps that Go takes by itself: fields, pointers, wrappers."""

    def __init__(self, scope: Scope, text: str, limits: Limits, start: int, *, unboxed: int = 0) -> None:
        self._scope, self._types, self._table = scope, scope.types, scope.table
        self._text, self._limits = text, limits
        self._current = start
        self._steps: list[Step] = []
        self._copied: TypeId | None = None
        """What an engine copies, once the decoder goes on alone."""
        self._tail: list[TailStep] = []
        self._unboxed = unboxed
        """Interfaces that were looked into so far."""
        self._end: TypeId | None = None
        """The type at the end, where it is not `_current`."""
        self._ends: tuple[int, ...] | None = None
        self.extra_depth = 0

    # ------------------------------------------------------------ the whole

    def resolved(self, root_size: int) -> Resolved:
        """What an Access is made of."""
        if self._copied is None:
            return Resolved(root_size, merged(self._steps), self._end_type(), None, 0, self.ends())
        return Resolved(root_size, merged(self._steps), self._copied, self.tail(), self.extra_depth, self.ends())

    def tail(self) -> Tail:
        """The decoder's steps."""
        return Tail(merged(self._tail), self._end_type())

    def ends(self) -> tuple[int, ...]:
        """DIE offsets of the types at the end."""
        if self._ends is not None:
            return self._ends
        return (self._current,) if self._end is None else ()

    def _end_type(self) -> TypeId:
        return self._table.want(self._current) if self._end is None else self._end

    # ------------------------------------------------------------ steps

    def _unfit(self, operation: Operation, why: str) -> Unresolved:
        return Unresolved(f'{spelling(operation)} in "{self._text}": {why}')

    def _kind(self) -> int:
        return self._types.kind(self._current)

    def _name(self) -> str:
        return self._types.printed(self._current) or "this"

    def _add(self, *steps: Step) -> None:
        if self._copied is None:
            self._steps += steps
        else:
            self._tail += steps
            self.extra_depth += sum(isinstance(step, Deref) for step in steps)

    def _alone(self, copied: TypeId) -> None:
        """From here on the decoder goes alone, in a value of this type."""
        if self._copied is None:
            self._copied = copied

    def follow(self) -> None:
        """Through the pointer that is here."""
        target = self._types.pointee(self._current) if self._kind() == KIND_POINTER else None
        if target is None:
            raise Unresolved(f'in "{self._text}": {self._name()} is no pointer that can be followed')
        self._add(Deref())
        self._current = target

    def _unwrap(self) -> None:
        """Through sync/atomic's types to what is in them."""
        at, inner = unwrapped(self._types, self._current)
        if inner != self._current:
            self._add(Select(at))
            self._current = inner

    def _through_pointer(self, operation: Operation) -> None:
        """As Go does: a field of a pointer to a struct, an element of a pointer to an array. And to what an atomic type holds."""
        match operation:
            case FieldOf():
                followed: tuple[int, ...] = (KIND_STRUCT,)
            case Asserted():
                followed = ()
            case _:
                followed = (KIND_ARRAY,)
        while True:
            if isinstance(operation, FieldOf) and self._is_held_as(operation.name):
                return
            self._unwrap()
            target = self._types.pointee(self._current) if self._kind() == KIND_POINTER else None
            if target is None or not (
                self._types.kind(target) in followed
                or unwrapped(self._types, target)[1] != target
                or (isinstance(operation, IndexOf | CountOf) and self._types.name(target) == SYNC_MAP)
            ):
                return
            self.follow()

    def _is_held_as(self, name: str) -> bool:
        """Whether what is here is an atomic type that holds its value in a field of this name, and the value has none of it."""
        at, inner = unwrapped(self._types, self._current)
        own = find_field(self._types, self._current, name) if inner != self._current else None
        if own is None or own[0].offset != at:
            return False
        held = self._types.pointee(inner) if self._types.kind(inner) == KIND_POINTER else None
        return held is None or self._types.kind(held) != KIND_STRUCT or find_field(self._types, held, name) is None

    # ------------------------------------------------------------ fields

    def _field(self, name: str) -> None:
        types = self._types
        if self._is_held_as(name):
            self._unwrap()
            return
        if self._kind() != KIND_STRUCT:
            raise self._unfit(FieldOf(name), f"{self._name()} is no struct")
        path = find_field(types, self._current, name)
        if path is None:
            fields = sorted(all_names(types, self._current))
            named = types.printed(self._current) or "struct"
            raise Unresolved(f'no field "{name}" in {named}, in "{self._text}"', nearest(name, fields))
        for position, member in enumerate(path):
            self._add(Select(member.offset))
            self._current = member.type
            if position < len(path) - 1 and self._kind() == KIND_POINTER:
                self.follow()


def merged(steps: Sequence[AnyStep]) -> tuple[AnyStep, ...]:
    """Neighbouring selects as one, selects of offset 0 left out."""
    merged: list[Any] = []
    for step in steps:
        match step, merged:
            case Select(offset=0), _:
                continue
            case Select(offset=offset), [*_, Select(offset=before)]:
                merged[-1] = Select(before + offset)
            case _:
                merged.append(step)
    return tuple(merged)


def spelling(operation: Operation) -> str:
    """The operation as it is written."""
    match operation:
        case FieldOf(name=name):
            return f'".{name}"'
        case PointedTo():
            return '"*"'
        case IndexOf(key=key):
            return f"[{json.dumps(key)}]"
        case SliceOf(lo=lo, hi=hi):
            return f"[{lo}:{'' if hi is None else hi}]"
        case CountOf(capacity=capacity):
            return "cap()" if capacity else "len()"
        case Asserted(type=written):
            return f".({written})"
        case ContextKey():
            return ".Value()"
        case AddressIn():
            return ".__addr"
        case _:
            assert_never(operation)
