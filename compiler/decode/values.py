"""Go values as JSON values: driven by their types, bounded by the column's limits, with a reason for what is missing.

Marks begin with "$": `$type`, `$addr`, `$value` and `$len`, `$absent`, `$ref`, `$func`, `$base64`. Nothing here trusts
the bytes: a header that cannot be is "torn", and whatever they say, a cell ends after MAX_NODES values.
"""

from typing import assert_never

from compiler.decode import scalars
from compiler.decode.bigs import Bigs
from compiler.decode.image import LOWEST, Window
from compiler.decode.netaddresses import NetAddresses
from compiler.decode.reading import MAX_LENGTH, MAX_NESTING, Missed
from compiler.decode.sync import Locks
from compiler.decode.syncmaps import SyncMaps
from compiler.decode.texts import Json, Marked, Path, Typed, signed
from compiler.ir.chase import follow, held_depth, is_byte
from compiler.ir.frames import Absence
from compiler.ir.limits import Limits
from compiler.ir.program import DynamicType
from compiler.ir.types import (
    INDIRECT,
    TOO_LARGE,
    Address,
    Array,
    Basic,
    Big,
    Box,
    Chan,
    Duration,
    Func,
    HashMap,
    Interface,
    NetAddr,
    Opaque,
    Picked,
    Pointer,
    Slice,
    Sought,
    String,
    Struct,
    SwissMap,
    Sync,
    Time,
    Trie,
    TwoMaps,
    TypeId,
    Wrapper,
)

ANY_ARGUMENT = "go.shape.*uint8"
"""How generic code calls its pointers: one copy of it serves all."""


class ValueReader(SyncMaps, Bigs, Locks, NetAddresses):
    """Renders the values of one capture, one cell at a time."""

    def read(self, window: Window, at: int, type_id: TypeId, limits: Limits) -> tuple[Json, tuple[Absence, ...]]:
        """The value of a type at `at` in a window, and what is missing in it."""
        self._begin(limits)
        value = self._value(window, at, type_id, limits.depth, None)
        self._end()
        return value, tuple(self._absences)

    # ------------------------------------------------------------ one value

    def _value(  # noqa: C901, PLR0912, PLR0915 - a case a kind
        self, window: Window, at: int, type_id: TypeId, depth: int, path: Path
    ) -> Json:
        kind = self._types[type_id]
        self._left -= 1
        if self._left < 0:
            return self._absent(path, "budget", f"more than {self._began} values")
        if self._nesting >= MAX_NESTING:
            return self._absent(path, "depth", f"more than {MAX_NESTING} values within each other")
        self._nesting += 1
        value: Json
        match kind:  # no function of its own: values within each other must not outgrow the interpreter's stack
            case Basic() | Duration() | Time():
                value = self._scalar(kind, window, at, path)
            case String():
                value = self._string(window, at, path)
            case Opaque(name=name, reason=reason):
                value = self._absent(path, "unsupported", name if reason == "unsupported" else reason)
            case Func():
                value = self._func(window, at, path)
            case Address():
                value = self._address(window, at, path)
            case Sought(map=map_):
                value = self._value(window, at, map_, depth, path)
            case Wrapper(offset=offset, type=inner):
                value = self._value(window, at + offset, inner, depth, path)
            case Pointer():
                value = self._pointer(kind, window, at, depth, path)
            case Struct():
                value = self._struct(kind, window, at, depth, path, Marked())
            case Picked():
                value = self._picked(kind, window, at, depth, path, Marked())
            case Sync():
                value = self._sync(kind, window, at, depth, path, Marked())
            case Big():
                value = self._big(kind, window, at, path)
            case NetAddr():
                value = self._net_addr(kind, window, at, path)
            case Array():
                value = self._array(kind, window, at, depth, path)
            case Slice():
                value = self._slice(kind, window, at, type_id, depth, path)
            case SwissMap() | HashMap():
                value = self._map(kind, window, at, type_id, depth, path)
            case Trie():
                value = self._trie(kind, window, at, depth, path)
            case TwoMaps():
                value = self._two_maps(kind, window, at, depth, path)
            case Box():
                value = self._box(kind, window, at, depth, path)
            case Chan():
                value = self._chan(kind, window, at, type_id, depth, path)
            case Interface():
                value = self._interface(kind, window, at, depth, path)
            case _:
                assert_never(kind)
        self._nesting -= 1
        return value

    # ------------------------------------------------------------ scalars and texts

    def _scalar(self, kind: Basic | Duration | Time, window: Window, at: int, path: Path) -> Json:
        lost = self._lost(window, at, kind.size, path)
        if lost is not None:
            return lost
        found: scalars.Scalar | None
        match kind:
            case Basic(size=size):
                found = scalars.basic(kind, window.data[at : at + size])
            case Duration(size=size):
                found = int.from_bytes(window.data[at : at + size], "little", signed=True)
            case Time(wall=wall, ext=ext):
                found = scalars.time_text(window.word(at + wall), window.word(at + ext))
            case _:
                assert_never(kind)
        return self._absent(path, "torn", f"no {kind.name}") if found is None else found

    def _string(self, window: Window, at: int, path: Path) -> Json:
        lost = self._lost(window, at, 16, path)
        if lost is not None:
            return lost
        address, length = window.word(at), window.word(at + 8)
        if not length:
            return ""
        return self._gone(window, at, path, length) or self._text(address, length, path)

    def _func(self, window: Window, at: int, path: Path) -> Json:
        lost = self._lost(window, at, 8, path)
        if lost is not None:
            return lost
        address = window.word(at)
        if not address:
            return None
        if at in window.dead:
            return self._gone(window, at, path)
        code = self._image.word(address)
        if code is None:
            return self._absent(path, self._why(address, 8), f"at {address:#x}")
        function = self._symbols.function(code - self._bias)
        if function is None:
            return self._absent(path, "torn", f"no function at {code:#x}")
        return Marked({"$func": function.function})

    def _address(self, window: Window, at: int, path: Path) -> Json:
        lost = self._lost(window, at, 8, path)
        if lost is not None:
            return lost
        address = window.word(at)
        return f"{address:#x}" if address else None

    # ------------------------------------------------------------ pointers and what contains values

    def _pointer(self, kind: Pointer, window: Window, at: int, depth: int, path: Path) -> Json:
        lost = self._lost(window, at, 8, path)
        if lost is not None:
            return lost
        address = window.word(at)
        if not address:
            return None
        indirect = kind.name == INDIRECT
        if self._in_key and not indirect:
            return Marked({"$addr": f"{address:#x}"})
        if address < LOWEST:
            return self._absent(path, "torn", address=address)
        if at in window.dead:
            return self._gone(window, at, path)
        if kind.elem is not None and (address, kind.elem) in self._open:
            return Marked({"$ref": f"{address:#x}"})
        if depth <= 0 or kind.elem is None or self._too_large(kind.elem):
            return self._not_followed(kind, depth, address, path)
        target = self._types[kind.elem]
        found = self._object(address, target.size)
        if found is None:
            return self._absent(path, self._why(address, target.size), address=address)
        place = (address, kind.elem)
        self._open.add(place)
        value: Json
        if isinstance(target, Picked):
            value = self._picked(target, found, 0, depth - 1, path, Marked({"$addr": f"{address:#x}"}))
        elif isinstance(target, Sync):
            value = self._sync(target, found, 0, depth - 1, path, Marked({"$addr": f"{address:#x}"}))
        elif isinstance(target, Struct) and not indirect:
            value = self._struct(target, found, 0, depth - 1, path, Marked({"$addr": f"{address:#x}"}))
        else:
            value = self._value(found, 0, kind.elem, depth - 1, path)
        self._open.discard(place)
        return value

    def _not_followed(self, kind: Pointer, depth: int, address: int, path: Path) -> Marked:
        """A pointer as its address: too deep, or to something that is not described."""
        if depth <= 0:
            return self._absent(path, "depth", address=address)
        if kind.elem is not None and self._too_large(kind.elem):
            why = f"what a {kind.name} points to is too large; at {address:#x}"
            return self._absent(path, "unsupported", why, address)
        argument = kind.name.startswith(ANY_ARGUMENT)
        why = "what a type argument of generic code points to" if argument else f"what a {kind.name} points to"
        return self._absent(path, "unsupported", f"{why} is not in the debug info; at {address:#x}", address)

    def _too_large(self, elem: TypeId) -> bool:
        target = self._types[elem]
        return isinstance(target, Opaque) and target.reason == TOO_LARGE

    def _struct(self, kind: Struct, window: Window, at: int, depth: int, path: Path, into: Marked) -> Marked:
        gap = window.missing(at, kind.size) if window.gaps else None
        if gap is not None and gap.reason != "partial":
            return self._absent(path, gap.reason, gap.detail)
        for field in kind.fields:
            if field.name != "_":
                step = (path, f".{field.name}")
                into[field.name] = self._value(window, at + field.offset, field.type, depth, step)
        return into

    def _array(self, kind: Array, window: Window, at: int, depth: int, path: Path) -> Json:
        gap = window.missing(at, kind.size)
        if gap is not None and gap.reason != "partial":
            return self._absent(path, gap.reason, gap.detail)
        shown = min(kind.count, self._limits.slice_items)
        return self._items(window, at, kind.elem, kind.elem_size, (shown, kind.count), depth, path)

    def _picked(self, kind: Picked, window: Window, at: int, depth: int, path: Path, into: Marked) -> Marked:
        """What is collected of a struct, each by its own limits."""
        own = self._limits
        for member in kind.members:
            step = (path, f".{member.name}")
            if member.access is None or self.picker is None:
                into[member.name] = self._absent(step, "issue")
                continue
            try:
                found = self.picker.pick(member.access, window, at)
            except Missed as missed:
                into[member.name] = self._absent(step, missed.reason, missed.detail)
                continue
            if found.cost > depth:
                into[member.name] = self._absent(step, "depth")
                continue
            self._limits = found.limits
            into[member.name] = self._value(found.window, 0, found.type, depth - found.cost, step)
            self._limits = own
        return into

    def _items(
        self, window: Window, at: int, elem: TypeId, stride: int, shown_of: tuple[int, int], depth: int, path: Path
    ) -> Json:
        """Elements that lie in a row: the first of `shown_of` (shown, length), or fewer when the cell is full."""
        shown, length = shown_of
        items: list[Json] = []
        for index in range(shown):
            if self._left <= 0:
                return self._cut(items, path, "budget", length)
            items.append(self._value(window, at + index * stride, elem, depth, (path, f"[{index}]")))
        return items if shown == length else self._cut(items, path, "cut", length)

    def _slice(self, kind: Slice, window: Window, at: int, type_id: TypeId, depth: int, path: Path) -> Json:
        lost = self._lost(window, at, 16, path)  # a lost capacity loses nothing that is shown
        if lost is not None:
            return lost
        address, length, capacity = window.word(at), window.word(at + 8), window.word(at + 16)
        known_capacity = not (window.gaps and window.missing(at + 16, 8))
        if length >= MAX_LENGTH or (known_capacity and not length <= capacity < MAX_LENGTH):
            return self._absent(path, "torn", f"length {signed(length)}, capacity {signed(capacity)}")
        if not address or not length:
            return None if not address and not length else self._empty(kind, address, length, path)
        if at in window.dead:
            return self._gone(window, at, path, length)
        if is_byte(self._types[kind.elem]):
            return self._text(address, length, path)
        if (address, type_id) in self._open:
            return Marked({"$ref": f"{address:#x}"})
        shown = min(length, self._limits.slice_items)
        found = self._object(address, shown * kind.elem_size) if address >= LOWEST else None
        if found is None:
            reason = "torn" if address < LOWEST else self._why(address, shown * kind.elem_size)
            return self._absent(path, reason, f"length {length}")
        self._open.add((address, type_id))
        value = self._items(found, 0, kind.elem, kind.elem_size, (shown, length), depth, path)
        self._open.discard((address, type_id))
        return value

    def _empty(self, kind: Slice, address: int, length: int, path: Path) -> Json:
        if length:
            return self._absent(path, "torn", f"length {length} at {address:#x}")
        return "" if is_byte(self._types[kind.elem]) else []

    # ------------------------------------------------------------ channels, interfaces

    def _interface(self, kind: Interface, window: Window, at: int, depth: int, path: Path) -> Json:
        lost = self._lost(window, at, 16, path)
        if lost is not None:
            return lost
        tab, boxed = window.word(at), window.word(at + 8)
        if not tab:
            return None
        too_deep = depth <= 0 and not kind.free
        if too_deep and boxed:
            return self._absent(path, "depth", address=boxed)
        if tab < LOWEST:
            return self._absent(path, "torn", f"type at {tab:#x}")
        runtime_type = tab if kind.empty else self._image.word(tab + kind.itab_type)
        if runtime_type is None:
            # Engines do not go on from what is dead, so that nobody may have wanted the itab, which is no constant in PIEs.
            gone = self._gone(window, at + 8, path)
            return gone or self._absent(path, "depth" if depth <= 0 else self._why(tab, 8), address=boxed)
        offset = self.offset_of(runtime_type)
        if too_deep and offset not in self._dynamic:
            return self._absent(path, "depth", address=boxed)
        dynamic = self.dynamic(offset)
        if dynamic is None:
            return self._absent(path, "type unknown", f"runtime type at {offset:#x}")
        held = follow(self._types, dynamic.type) if kind.free and dynamic.direct else ()
        inner = held_depth(kind, held, depth, direct=dynamic.direct)
        return self._dynamic_value(dynamic, window, (at + 8, boxed), inner, path)

    def _dynamic_value(
        self, dynamic: DynamicType, window: Window, boxed: tuple[int, int], depth: int, path: Path
    ) -> Json:
        """An interface's value with its type: among other marks and fields where it has some, else beside "$value"."""
        kind, (at, address) = self._types[dynamic.type], boxed
        value: Json
        if dynamic.direct and kind.size <= 8:
            value = self._value(window, at, dynamic.type, depth, path)
        elif at in window.dead:
            value = self._gone(window, at, path)
        elif dynamic.direct or address < LOWEST:
            value = self._absent(path, "torn", address=address)
        else:
            found = self._object(address, kind.size)
            if found is None:
                value = self._absent(path, self._why(address, kind.size), address=address)
            else:
                value = self._value(found, 0, dynamic.type, depth, path)
        if isinstance(value, Marked) and value.get("$type", kind.name) == kind.name:
            return Typed({"$type": kind.name, **value})
        return Typed({"$type": kind.name, "$value": value})
