"""From a variable's type through an expression's operations to the steps of an Access and the type it ends at.

As long as an engine can go along (fields, pointers, elements), the steps are its own. From the first operation that
depends on what is found there on (a map's key, an interface's dynamic type) they are the decoder's: an Access's tail.
"""

from collections.abc import Sequence
from typing import assert_never

from compiler.dwarf.gotypes import KIND_INTERFACE
from compiler.expression.elements import ADDRESSES, Elements
from compiler.expression.keys import misfit
from compiler.expression.operations import (
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
from compiler.expression.way import Dynamic, Resolved, Scope, Unresolved, spelling
from compiler.ir.access_check import MAX_ROOT, MAX_STEPS, MAX_UNBOXED
from compiler.ir.limits import Limits
from compiler.ir.program import LITERAL_TYPES, Branch, ContextValue, Literal, Tail, Unbox
from compiler.ir.types import WORD, Opaque

CONTEXT = "context.Context"
ANY = "interface {}"
DARK = Opaque("", 0, "its fields are not in the debug info; collect the whole interface")
"""What an interface holds that only its runtime descriptor tells of: nobody can say here whether it has a field."""


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


def choose(
    scope: Scope, expression: Expression, choices: Sequence[tuple[int, int]], limits: Limits, *, escaped: bool
) -> tuple[tuple[int, Resolved], ...]:
    """The same from a variable of generic code, whose type is one of several (address of a dictionary, type): for each that the
    expression fits. Behind the variable is the word that says which dictionary the call was passed.

    Unresolved where it fits none of them.
    """
    size = scope.types.size(choices[0][1])
    if size + WORD > MAX_ROOT:
        raise Unresolved(f"the variable has {size} bytes, and at most {MAX_ROOT - WORD} are read of a generic one")
    found: list[tuple[int, Resolved]] = []
    for dictionary, die in choices:
        try:
            found.append((dictionary, resolve(scope, expression, die, limits, escaped=escaped)))
        except Unresolved as error:
            if (dictionary, die) == choices[-1] and not found:
                raise error from None
    return tuple(found)


def _pointee(scope: Scope, offset: int) -> int:
    return scope.types.pointee(offset) or offset


class _Way(Elements):
    """The whole way: operation by operation, and into what interfaces and contexts hold."""

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

    # ------------------------------------------------------------ interfaces

    def _any_that_fits(self, operations: Sequence[Operation]) -> None:
        """What follows is done to whatever the interface holds, as far as that has it."""
        self._check_unboxed()
        types = self._scope.dynamic()
        key = (self._text, operations, self._limits, self._unboxed, len(types))
        if key not in self._scope.tails.known:
            self._scope.tails.known[key] = self._fitting(types, operations)
        branches, dark = self._scope.tails.known[key]
        self._unbox(f"a type with {spelling(operations[0])}", branches, dark)

    def _fitting(
        self, types: Sequence[Dynamic], operations: Sequence[Operation]
    ) -> "tuple[list[tuple[Branch, _Way]], list[Branch]]":
        """How to go on from each of the types that has what follows, and from those of which nobody can say."""
        branches: list[tuple[Branch, _Way]] = []
        dark = [each for each in types if each.die is None]
        tail = self._scope.tails.file(self._text, Tail((), self._table.made(DARK))) if dark else 0
        for dynamic in types:
            try:  # an interface is never held by one; it is known because a channel has it
                if dynamic.die is not None and self._types.kind(dynamic.die) != KIND_INTERFACE:
                    branches.append(self._branch(dynamic, dynamic.die, operations))
            except Unresolved:
                continue  # of another type: the value's own reason will say so
        return branches, [Branch(each.offset, each.direct, tail) for each in dark]

    def _assert(self, written: str, following: Sequence[Operation]) -> None:
        self._through_pointer(Asserted(written))
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
            raise self._unfit(
                Asserted(written), f"{self._types.printed_name(name)} is an interface; write the type that it holds"
            )
        held = self._scope.held(die)
        if held is None:
            raise self._unfit(
                Asserted(written), f"no interface of this binary ever holds a {self._types.printed_name(name)}"
            )
        self._check_unboxed()
        self._unbox(self._types.printed_name(name), [self._branch(held, die, following)])

    def _branch(self, dynamic: Dynamic, die: int, operations: Sequence[Operation]) -> "tuple[Branch, _Way]":
        way = _Way(self._scope, self._text, self._limits, die, unboxed=self._unboxed + 1)
        way._alone(0)
        way.take(operations)
        return Branch(dynamic.offset, dynamic.direct, self._scope.tails.file(self._text, way.tail())), way

    def _check_unboxed(self) -> None:
        if self._unboxed >= MAX_UNBOXED:
            raise Unresolved(f'"{self._text}" looks into more than {MAX_UNBOXED} interfaces, one within the other')

    def _unbox(self, wanted: str, branches: "Sequence[tuple[Branch, _Way]]", dark: Sequence[Branch] = ()) -> None:
        interface = self._table.want(self._current)
        self._alone(interface)
        self._tail.append(Unbox(interface, wanted, (*(branch for branch, _ in branches), *dark)))
        self.extra_depth += 1 + max([way.extra_depth for _, way in branches], default=0)
        self._ends = tuple(dict.fromkeys(end for _, way in branches for end in way.ends()))
        self._end = interface

    # ------------------------------------------------------------ contexts

    def _context_value(self, operation: Operation, written: str | None, key: Literal | None) -> None:
        if self._kind() != KIND_INTERFACE or self._types.name(self._current) != CONTEXT:
            raise self._unfit(operation, f"{self._name()} is no {CONTEXT}")
        if self._scope.any is None:
            raise self._unfit(operation, f"the debug info lacks {ANY}")
        address: int | None = None
        named = self._named_key(written) if written is not None and key is None else None
        if named is not None:
            die, address, key = named
        else:
            die = self._key_type(written or LITERAL_TYPES[type(key)])
        held = self._scope.held(die)
        if held is None:
            raise self._unfit(operation, f"no interface of this binary ever holds a {self._types.printed(die)}")
        problem = "" if key is None else misfit(self._types, die, key)
        if problem:
            raise self._unfit(operation, problem)
        interface = self._table.want(self._current)
        self._alone(interface)
        by_value = key is None and address is None
        self._tail.append(ContextValue(interface, held.offset, key, address, by_value))
        self._current = self._scope.any

    def _named_key(self, written: str) -> tuple[int, int | None, int | None] | None:
        """A key by its name: (type, address, None) of a pointer variable, (type, None, value) of a constant."""
        if self._scope.names.find(written):
            return None
        variable = self._scope.pointer(written)
        if variable is not None:
            return variable[0], variable[1], None
        constant = self._scope.constant(written)
        return None if constant is None else (constant[0], None, constant[1])

    def _key_type(self, written: str) -> int:
        found = self._scope.names.find(written)
        if not found:
            message = f'no type, constant or pointer variable "{written}" in this binary, in "{self._text}"'
            raise Unresolved(message, self._scope.names.nearest(written))
        if len(found) > 1:
            names = tuple(name for name, _ in found)
            raise Unresolved(
                f'"{written}" in "{self._text}" may be any of {len(found)} types: write more of its path', names
            )
        [(_, die)] = found
        return die
