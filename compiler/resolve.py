"""From a variable's type through an expression's operations to the steps of an Access and the type it ends at.

As long as an engine can go along (fields, pointers, elements), the steps are its own. From the first operation that
depends on what is found there on (a map's key, an interface's dynamic type) they are the decoder's: an Access's tail.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, assert_never

from compiler.dwarf.gotypes import (
    KIND_ARRAY,
    KIND_CHAN,
    KIND_FUNC,
    KIND_INTERFACE,
    KIND_MAP,
    KIND_POINTER,
    KIND_SLICE,
    KIND_STRING,
    KIND_STRUCT,
    KIND_UNSAFE_POINTER,
    GoTypes,
    printed_type,
)
from compiler.dwarf.typetable import TypeTable
from compiler.expr import (
    AddressIn,
    Asserted,
    ContextKey,
    CountOf,
    Expression,
    FieldOf,
    IndexOf,
    Operation,
    PointedTo,
    SliceOf,
)
from compiler.fields import all_names, find_field, unwrapped
from compiler.ir.access_check import MAX_ROOT, MAX_STEPS, MAX_UNBOXED
from compiler.ir.limits import Limits
from compiler.ir.program import (
    Branch,
    ContextValue,
    Deref,
    Element,
    Literal,
    Lookup,
    Range,
    Select,
    Step,
    Tail,
    TailStep,
    Unbox,
)
from compiler.ir.types import Address, Array, Basic, Sought, TypeId
from compiler.keys import map_filter, misfit
from compiler.nearest import nearest
from compiler.typenames import TypeNames

KIND_UINT8 = 8
ADDRESSES = (KIND_POINTER, KIND_MAP, KIND_CHAN, KIND_FUNC, KIND_UNSAFE_POINTER, KIND_STRING, KIND_SLICE)
CONTEXT = "context.Context"
ANY = "interface {}"
LITERAL_TYPES = {str: "string", bool: "bool", int: "int", float: "float64", type(None): ""}
"""What a literal is in an interface, where nothing else is said."""
AnyStep = TypeVar("AnyStep", Step, TailStep)


class Unresolved(Exception):
    """Why an expression does not fit the types; `names` are the nearest that do."""

    def __init__(self, message: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.names = names


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A type that an interface may hold: the offset of its runtime type, its DIE (None: DWARF lacks it)."""

    offset: int
    die: int | None
    direct: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """What resolving needs of the binary and of the Program that is being made."""

    types: GoTypes
    table: TypeTable
    names: TypeNames
    dynamic: Callable[[], Sequence[Dynamic]]
    """Types that interfaces are known to hold."""
    held: Callable[[int], Dynamic | None]
    """A type as what an interface holds, by its DIE; None where no interface of the binary ever does. It is known from then on."""
    pointer: Callable[[str], tuple[int, int] | None]
    """A package variable that the file has as a pointer: its type's DIE and what it points to (link-time)."""
    any: int | None
    """The DIE of `interface {}`."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An Access but for its limits. `ends`: DIE offsets of the Go types that its values may have (none: an address, a length)."""

    root_size: int
    steps: tuple[Step, ...]
    type: TypeId
    tail: Tail | None
    extra_depth: int
    ends: tuple[int, ...]


def resolve(scope: Scope, expression: Expression, type_offset: int, limits: Limits, *, escaped: bool) -> Resolved:
    """The steps of `expression` from a variable of the type; `escaped`: the variable is a pointer to the one that was named.

    Unresolved says why there are none.
    """
    way = _Way(scope, expression.text, limits, type_offset)
    operations = expression.operations
    itself = (
        operations == (AddressIn(),) and escaped and scope.types.kind(_pointee(scope, type_offset)) not in ADDRESSES
    )
    if escaped and not itself:
        way.follow()
    way.take(operations)
    resolved = way.resolved(scope.types.size(type_offset))
    if resolved.root_size > MAX_ROOT:
        raise Unresolved(f"the variable has {resolved.root_size} bytes, and at most {MAX_ROOT} are read of one")
    if len(resolved.steps) > MAX_STEPS:
        raise Unresolved(f"the expression takes {len(resolved.steps)} steps, and at most {MAX_STEPS} are taken")
    return resolved


def _pointee(scope: Scope, offset: int) -> int:
    return scope.types.pointee(offset) or offset


class _Way:
    """Where an expression has come to: the type there, and the steps that led to it."""

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

    def take(self, operations: Sequence[Operation]) -> None:
        """Go on through the operations."""
        for position, operation in enumerate(operations):
            if self._end is not None:
                raise self._unfit(operation, "nothing can follow here")
            if isinstance(operation, FieldOf | IndexOf | SliceOf | CountOf):
                self._through_pointer(operation)
                if self._kind() == KIND_INTERFACE:
                    self._any_that_fits(operations[position:])
                    return
            self._one(operation, operations[position + 1 :])
            if self._ends is not None:
                return

    def resolved(self, root_size: int) -> Resolved:
        """What an Access is made of."""
        if self._copied is None:
            return Resolved(root_size, _merged(self._steps), self._end_type(), None, 0, self.ends())
        return Resolved(root_size, _merged(self._steps), self._copied, self.tail(), self.extra_depth, self.ends())

    def tail(self) -> Tail:
        """The decoder's steps."""
        return Tail(_merged(self._tail), self._end_type())

    def ends(self) -> tuple[int, ...]:
        """DIE offsets of the types at the end."""
        if self._ends is not None:
            return self._ends
        return (self._current,) if self._end is None else ()

    def _end_type(self) -> TypeId:
        return self._table.want(self._current) if self._end is None else self._end

    # ------------------------------------------------------------ one operation

    def _one(self, operation: Operation, following: Sequence[Operation]) -> None:
        match operation:
            case FieldOf(name=name):
                self._field(name)
            case PointedTo():
                self._unwrap()
                self.follow()
            case IndexOf(key=key):
                self._index(operation, key)
            case SliceOf(lo=lo, hi=hi):
                self._range(operation, lo, hi)
            case CountOf(capacity=capacity):
                self._count(operation, capacity=capacity)
            case Asserted(type=written):
                self._assert(written, following)
            case ContextKey(type=written_type, key=key):
                self._context_value(operation, written_type, key)
            case AddressIn():
                self._address(operation)
            case _:
                assert_never(operation)

    def _unfit(self, operation: Operation, why: str) -> Unresolved:
        return Unresolved(f'{_spelling(operation)} in "{self._text}": {why}')

    def _kind(self) -> int:
        return self._types.kind(self._current)

    def _name(self) -> str:
        return printed_type(self._types.name(self._current)) or "this"

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
            raise Unresolved(f"{self._name()} is no pointer that can be followed")
        self._add(Deref())
        self._current = target

    def _unwrap(self) -> None:
        """Through sync/atomic's types to what is in them."""
        at, inner = unwrapped(self._types, self._current)
        if inner != self._current:
            self._add(Select(at))
            self._current = inner

    def _through_pointer(self, operation: Operation) -> None:
        """As Go does: a field of a pointer to a struct, an element of a pointer to an array."""
        self._unwrap()
        if self._kind() == KIND_POINTER:
            target = self._types.pointee(self._current)
            wanted = (KIND_STRUCT,) if isinstance(operation, FieldOf) else (KIND_ARRAY,)
            if target is not None and self._types.kind(target) in wanted:
                self.follow()

    # ------------------------------------------------------------ fields

    def _field(self, name: str) -> None:
        types = self._types
        if self._kind() != KIND_STRUCT:
            raise self._unfit(FieldOf(name), f"{self._name()} is no struct")
        path = find_field(types, self._current, name)
        if path is None:
            fields = sorted(all_names(types, self._current))
            named = printed_type(types.name(self._current)) or "struct"
            raise Unresolved(f'no field "{name}" in {named}, in "{self._text}"', nearest(name, fields))
        for position, member in enumerate(path):
            self._add(Select(member.offset))
            self._current = member.type
            if position < len(path) - 1 and self._kind() == KIND_POINTER:
                self.follow()

    # ------------------------------------------------------------ elements, ranges, lengths

    def _index(self, operation: Operation, key: Literal) -> None:
        kind = self._kind()
        if kind == KIND_MAP:
            self._look_up(operation, key)
            return
        if kind not in (KIND_ARRAY, KIND_SLICE, KIND_STRING):
            raise self._unfit(operation, f"{self._name()} has no elements")
        if type(key) is not int or key < 0:
            raise self._unfit(operation, f"an index into {self._name()} is a number from 0 on")
        if kind == KIND_STRING:
            self._add(Element(key, 1))
            self._end = self._table.made(Basic("uint8", 1, "uint"))
            return
        elem, count = self._types.array(self._current) if kind == KIND_ARRAY else (self._types.elem(self._current), 0)
        if elem is None:
            raise self._unfit(operation, f"the debug info lacks what {self._name()} is of")
        stride = self._types.size(elem)
        if kind == KIND_ARRAY and key >= count:
            raise self._unfit(operation, f"{self._name()} has {count} elements")
        self._add(Select(key * stride) if kind == KIND_ARRAY else Element(key, stride))
        self._current = elem

    def _range(self, operation: Operation, lo: int, hi: int | None) -> None:
        kind, types = self._kind(), self._types
        if kind == KIND_ARRAY:
            elem, count = types.array(self._current)
            end = count if hi is None else hi
            if elem is None or end > count or lo > end:
                raise self._unfit(operation, f"{self._name()} has {count} elements")
            stride = types.size(elem)
            named = f"[{end - lo}]{printed_type(types.name(elem))}"
            self._end = self._table.made(Array(named, (end - lo) * stride, self._table.want(elem), stride, end - lo))
            self._add(Select(lo * stride))
            return
        elem = types.elem(self._current) if kind == KIND_SLICE else None
        if kind != KIND_STRING and elem is None:
            raise self._unfit(operation, f"{self._name()} has no elements")
        self._end = self._table.want(self._current)
        if elem is None or types.kind(elem) == KIND_UINT8:
            self._add(Range(lo, hi, 1, None))
        else:
            self._add(Range(lo, hi, types.size(elem), self._table.want(elem)))

    def _count(self, operation: Operation, *, capacity: bool) -> None:
        kind, types = self._kind(), self._types
        self._end = self._table.made(Basic("int", 8, "int"))
        if kind == KIND_SLICE or (kind == KIND_STRING and not capacity):
            self._add(Select(16 if capacity else 8))
            return
        if kind == KIND_ARRAY:
            raise self._unfit(operation, f"it is always {types.array(self._current)[1]}")
        header = types.pointee(self._current) if kind in (KIND_MAP, KIND_CHAN) else None
        fields = ("dataqsiz",) if capacity else ("qcount",) if kind == KIND_CHAN else ("used", "count")
        members = [] if header is None else [m for m in types.members(header) if m.name in fields]
        if not members or (kind == KIND_MAP and capacity):
            raise self._unfit(operation, f"{self._name()} has no {'capacity' if capacity else 'length'}")
        self._add(Deref(or_zero=True), Select(members[0].offset))

    def _address(self, operation: Operation) -> None:
        kind = self._kind()
        self._unwrap()
        if kind != KIND_INTERFACE and self._kind() not in ADDRESSES:
            raise self._unfit(operation, f"{self._name()} holds no address")
        self._add(Select(8 if kind == KIND_INTERFACE else 0))
        self._end = self._table.made(Address("address", 8))

    # ------------------------------------------------------------ maps

    def _look_up(self, operation: Operation, key: Literal) -> None:
        types, map_ = self._types, self._current
        key_type, value_type = types.key(map_), types.elem(map_)
        if key_type is None or value_type is None:
            raise self._unfit(operation, f"the debug info lacks the key or value of {self._name()}")
        problem = misfit(types, key_type, key)
        if problem:
            raise self._unfit(operation, problem)
        at, size, value = map_filter(types, key_type, key)
        sought = Sought(self._name(), 8, self._table.want(map_), self._limits.map_scan, at, size, value)
        sought_id = self._table.made(sought)
        self._alone(sought_id)
        self._tail.append(Lookup(sought_id, key))
        self._current = value_type

    # ------------------------------------------------------------ interfaces

    def _any_that_fits(self, operations: Sequence[Operation]) -> None:
        """What follows is done to whatever the interface holds, as far as that has it."""
        wanted = f"it has no {_spelling(operations[0])}" if operations else ""
        branches: list[tuple[Branch, _Way]] = []
        for dynamic in self._scope.dynamic():
            if dynamic.die is None:
                continue
            try:
                branches.append(self._branch(dynamic, dynamic.die, operations))
            except Unresolved:
                continue  # of another type: the value's own reason will say so
        self._unbox(wanted, branches)

    def _assert(self, written: str, following: Sequence[Operation]) -> None:
        self._unwrap()
        if self._kind() != KIND_INTERFACE:
            raise self._unfit(Asserted(written), f"{self._name()} is no interface")
        found = self._scope.names.find(written)
        if not found:
            raise Unresolved(
                f'no type "{written}" in this binary, in "{self._text}"', self._scope.names.nearest(written)
            )
        if len(found) > 1:
            names = tuple(name for name, _ in found)
            raise Unresolved(
                f'"{written}" in "{self._text}" may be any of {len(found)} types: write more of its path', names
            )
        [(name, die)] = found
        if self._types.kind(die) == KIND_INTERFACE:
            raise self._unfit(Asserted(written), f"{printed_type(name)} is an interface; write the type that it holds")
        held = self._scope.held(die)
        if held is None:
            raise self._unfit(Asserted(written), f"no interface of this binary ever holds a {printed_type(name)}")
        self._unbox(f"not {printed_type(name)}", [self._branch(held, die, following)])

    def _branch(self, dynamic: Dynamic, die: int, operations: Sequence[Operation]) -> "tuple[Branch, _Way]":
        if self._unboxed >= MAX_UNBOXED:
            raise Unresolved(f'"{self._text}" looks into more than {MAX_UNBOXED} interfaces, one within the other')
        way = _Way(self._scope, self._text, self._limits, die, unboxed=self._unboxed + 1)
        way._alone(0)
        way.take(operations)
        return Branch(dynamic.offset, dynamic.direct, way.tail()), way

    def _unbox(self, wanted: str, branches: "Sequence[tuple[Branch, _Way]]") -> None:
        interface = self._table.want(self._current)
        self._alone(interface)
        self._tail.append(Unbox(interface, wanted, tuple(branch for branch, _ in branches)))
        self.extra_depth += 1 + max([way.extra_depth for _, way in branches], default=0)
        self._ends = tuple(dict.fromkeys(end for _, way in branches for end in way.ends()))
        self._end = interface

    # ------------------------------------------------------------ contexts

    def _context_value(self, operation: Operation, written: str | None, key: Literal | None) -> None:
        if self._kind() != KIND_INTERFACE or self._types.name(self._current) != CONTEXT:
            raise self._unfit(operation, f"{self._name()} is no {CONTEXT}")
        if self._scope.any is None:
            raise self._unfit(operation, f"the debug info lacks {ANY}")
        variable = self._scope.pointer(written) if written is not None and key is None else None
        if variable is not None:
            die, address = variable
        else:
            die, address = self._key_type(written or LITERAL_TYPES[type(key)]), None
        held = self._scope.held(die)
        if held is None:
            raise self._unfit(
                operation, f"no interface of this binary ever holds a {printed_type(self._types.name(die))}"
            )
        problem = "" if key is None else misfit(self._types, die, key)
        if problem:
            raise self._unfit(operation, problem)
        interface = self._table.want(self._current)
        self._alone(interface)
        by_value = written is not None and key is None and address is None
        self._tail.append(ContextValue(interface, held.offset, key, address, by_value))
        self._current = self._scope.any

    def _key_type(self, written: str) -> int:
        found = self._scope.names.find(written)
        if not found:
            message = f'no type or pointer variable "{written}" in this binary, in "{self._text}"'
            raise Unresolved(message, self._scope.names.nearest(written))
        if len(found) > 1:
            names = tuple(name for name, _ in found)
            raise Unresolved(
                f'"{written}" in "{self._text}" may be any of {len(found)} types: write more of its path', names
            )
        [(_, die)] = found
        return die


def _merged(steps: Sequence[AnyStep]) -> tuple[AnyStep, ...]:
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


def _spelling(operation: Operation) -> str:
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
