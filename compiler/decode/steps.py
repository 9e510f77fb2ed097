"""From a root variable through an access's steps to the place of its value; or why there is none."""

from compiler.decode.contexts import context_in, is_value_context, member
from compiler.decode.image import LOWEST, Window
from compiler.decode.keys import equals
from compiler.decode.lookups import Lookups
from compiler.decode.reading import Missed, Pick
from compiler.decode.stepping import Here
from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits
from compiler.ir.program import Access, ContextValue, Count, Deref, DynamicType, Lookup, Range, Step, Tail, Unbox
from compiler.ir.types import Interface, Pointer, Struct, TypeId

MAX_CONTEXTS = 10_000
"""Contexts within each other that are looked through; a chain of more is damage."""


@frozen
class Found:
    """Where a value of `type` is, and the limits by which it is shown."""

    here: Here
    type: TypeId
    limits: Limits


class Steps(Lookups):
    """Takes steps in one capture's memory."""

    def chosen(self, number: int, root: Here) -> tuple[int, Access]:
        """The access by this number, and its number; of generic code, the one for the dictionary that the call was passed."""
        access = self._accesses[number]
        if isinstance(access, Access):
            return number, access
        dictionary = self._word(root, access.at) - self._bias
        if number not in self._by_dictionary:
            self._by_dictionary[number] = {each.dictionary: each.access for each in access.choices}
        found = self._by_dictionary[number].get(dictionary)
        if found is not None:
            return self.chosen(found, root)
        raise Missed("other type", f"it fits no type argument that the call was passed (dictionary at {dictionary:#x})")

    def along(self, here: Here, steps: tuple[Step, ...], limits: Limits) -> tuple[Here, Limits]:
        """Where an engine's steps lead; Missed where they do not."""
        for step in steps:
            if isinstance(step, Range):
                return self._range(here, step), _shown(limits, step)
            if isinstance(step, Deref) and step.or_zero and not self._word(here, 0):
                return Here(Window(bytes(8)), 0), limits
            here = self._step(here, step)
        return here, limits

    def finish(self, here: Here, tail: Tail, limits: Limits) -> Found:
        """Where the decoder's own steps lead."""
        while True:
            following: Tail | None = None
            for step in tail.steps:
                match step:
                    case Range():
                        return Found(self._range(here, step), tail.type, _shown(limits, step))
                    case Deref(or_zero=True) if not self._word(here, 0):
                        return Found(Here(Window(bytes(8)), 0), tail.type, limits)
                    case Unbox():
                        here, following = self._unbox(here, step)
                    case Lookup():
                        here = self._look_up(here, step)
                    case Count():
                        here = self._count(here, step)
                    case ContextValue():
                        here = self._context(here, step)
                    case _:
                        here = self._step(here, step)
            if following is None:
                return Found(here, tail.type, limits)
            tail = following

    def pick(self, access: int, window: Window, at: int) -> Pick:
        """An access's value, from an object in hand."""
        _, wanted = self.chosen(access, Here(window, at))
        here, limits = self.along(Here(window, at), wanted.steps, wanted.limits)
        found = Found(here, wanted.type, limits)
        if wanted.tail is not None:
            found = self.finish(here, wanted.tail, limits)
        cost = wanted.extra_depth + sum(isinstance(step, Deref) for step in wanted.steps)
        return Pick(self.read(found.here, self._types[found.type].size), found.type, found.limits, cost)

    # ------------------------------------------------------------ interfaces

    def _unbox(self, here: Here, step: Unbox) -> tuple[Here, Tail]:
        offset = self._runtime_type(here, step.interface)
        branch = next((each for each in step.branches if each.offset == offset), None)
        if branch is not None:
            return (Here(here.window, here.at + 8) if branch.direct else Here(None, self._data(here))), self._tails[
                branch.tail
            ]
        raise Missed("other type", f"it holds {self._types[self._known(offset).type].name}, not {step.wanted}")

    def _runtime_type(self, here: Here, interface: TypeId) -> int:
        """The offset from moduledata.types of what an interface holds."""
        kind, tab = self._types[interface], self._word(here, 0)
        if not tab:
            raise Missed("nil")
        if not isinstance(kind, Interface) or tab < LOWEST:
            raise Missed("torn", f"type at {tab:#x}")
        if not kind.empty and self._image.word(tab + kind.itab_type) is None:
            self._kept_alive(here, 8, self._word(here, 8))  # why nobody copied the itab
        runtime_type = tab if kind.empty else self._word(Here(None, tab), kind.itab_type)
        return self._values.offset_of(runtime_type)

    def _known(self, offset: int) -> DynamicType:
        dynamic = self._values.dynamic(offset)
        if dynamic is None:
            raise Missed("type unknown", f"runtime type at {offset:#x}")
        return dynamic

    def _data(self, here: Here) -> int:
        address = self._word(here, 8)
        if address < LOWEST:
            raise Missed("torn", f"a value at {address:#x}")
        return self._kept_alive(here, 8, address)

    # ------------------------------------------------------------ contexts

    def _context(self, here: Here, step: ContextValue) -> Here:
        """The value of the nearest context in the chain that has the key. See Value in go/src/context/context.go."""
        interface, at_end = step.interface, ""
        for _ in range(MAX_CONTEXTS):
            if not self._word(here, 0):
                raise Missed("no such key", "a context is nil")
            dynamic = self._known(self._runtime_type(here, interface))
            kind = self._types[dynamic.type]
            inner = Here(here.window, here.at + 8) if dynamic.direct else Here(None, self._data(here))
            if isinstance(kind, Pointer) and kind.elem is not None:
                inner, kind = self._step(inner, Deref()), self._types[kind.elem]
            at_end = kind.name
            if isinstance(kind, Struct) and is_value_context(kind):
                if self._has_key(inner, kind, step):
                    return Here(inner.window, inner.at + member(kind, "val").offset)
                outer = member(kind, "Context")
                interface, at = outer.type, outer.offset
            else:
                found = context_in(self._types, kind)
                if found is None:
                    break
                at, interface = found
            here = Here(inner.window, inner.at + at)
        else:
            raise Missed("torn", f"more than {MAX_CONTEXTS} contexts within each other")
        raise Missed("no such key", f"the chain of contexts ends with a {at_end}")

    def _has_key(self, here: Here, kind: Struct, step: ContextValue) -> bool:
        key, value = member(kind, "key"), member(kind, "val")
        at_key, at_value = Here(here.window, here.at + key.offset), Here(here.window, here.at + value.offset)
        if step.by_value and self._holds(at_value, value.type, step.offset):
            return True
        if not self._holds(at_key, key.type, step.offset):
            return False
        if step.address is not None:
            return self._word(at_key, 8) == step.address + self._bias
        if step.key is None:
            return True
        dynamic = self._known(step.offset)
        place = Here(at_key.window, at_key.at + 8) if dynamic.direct else Here(None, self._data(at_key))
        window = self.read(place, self._types[dynamic.type].size)
        same = equals(self._values, self._image, dynamic.type, (window, 0), step.key)
        if same is None:
            raise Missed("budget", "a context's key could not be looked at")
        return same

    def _holds(self, here: Here, interface: TypeId, offset: int) -> bool:
        return bool(self._word(here, 0)) and self._runtime_type(here, interface) == offset


def _shown(limits: Limits, step: Range) -> Limits:
    """Elements that were asked for by number are all shown."""
    if step.hi is None:
        return limits
    wanted = max(step.hi - step.lo, 1)
    return limits.override(
        {"slice_items": max(limits.slice_items, wanted), "string_bytes": max(limits.string_bytes, wanted)}
    )
