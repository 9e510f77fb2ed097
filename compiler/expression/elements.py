"""Elements, ranges, lengths, keys and addresses of what an expression has come to."""

from compiler.dwarf import syncmap
from compiler.dwarf.gotypes import (
    KIND_ARRAY,
    KIND_CHAN,
    KIND_FUNC,
    KIND_INTERFACE,
    KIND_MAP,
    KIND_POINTER,
    KIND_SLICE,
    KIND_STRING,
    KIND_UNSAFE_POINTER,
)
from compiler.dwarf.syncmap import SYNC_MAP
from compiler.expression.keys import map_filter, misfit
from compiler.expression.operations import Operation
from compiler.expression.way import Way
from compiler.ir.program import Count, Deref, Element, Literal, Lookup, Range, Select
from compiler.ir.types import Address, Array, Basic, Sought, TypeId

KIND_UINT8 = 8
ADDRESSES = (KIND_POINTER, KIND_MAP, KIND_CHAN, KIND_FUNC, KIND_UNSAFE_POINTER, KIND_STRING, KIND_SLICE)


class Elements(Way):
    """What holds its values in a row, or by key."""

    def _index(self, operation: Operation, key: Literal) -> None:
        kind = self._kind()
        if kind == KIND_MAP:
            self._look_up(operation, key)
            return
        if self._types.name(self._current) == SYNC_MAP:
            self._tail.append(Lookup(self._in_sync_map(operation, counted=False), key))
            self._current = self._scope.any or 0
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
            named = f"[{end - lo}]{types.printed(elem)}"
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
        if types.name(self._current) == SYNC_MAP and not capacity:
            self._tail.append(Count(self._in_sync_map(operation, counted=True)))
            self._end = self._table.made(Basic("int", 8, "int"))
            return
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

    def _in_sync_map(self, operation: Operation, *, counted: bool) -> TypeId:
        """Go to where a sync.Map keeps its entries; the type to look through them by."""
        found = syncmap.sought(self._table, self._current, self._limits.map_scan, counted=counted)
        if found is None or self._scope.any is None:
            raise self._unfit(operation, f"the debug info lacks the entries of {self._name()}")
        self._add(Select(found[0]))
        self._alone(found[1])
        return found[1]
