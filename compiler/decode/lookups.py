"""Keys in maps, and how many entries one has that does not count them."""

from compiler.decode import maps
from compiler.decode.image import Window
from compiler.decode.keys import equals
from compiler.decode.reading import Missed
from compiler.decode.stepping import Here, Stepping
from compiler.ir.program import Count, Deref, Lookup
from compiler.ir.types import INDIRECT, Box, HashMap, Pointer, Sought, SwissMap, Trie, TwoMaps, TypeId, Wrapper


class Lookups(Stepping):
    """Looks through maps of every kind."""

    def _look_up(self, here: Here, step: Lookup) -> Here:
        (key, value), found = self._entries(here, step.sought)
        unknown = 0
        for slot in found.slots:
            same = equals(self._values, self._image, key, (slot.window, slot.key_at), step.key)
            if same:
                return self._kept(Here(slot.window, slot.value_at), value)
            unknown += same is None
        if found.problem or unknown:
            raise Missed(found.problem or "budget", found.detail or "not all keys could be looked at")
        count = len(found.slots)
        if found.total == maps.UNKNOWN:
            raise Missed("cut", f"{count} entries looked through, and there are more (limits.map_scan)")
        if count < found.total:
            raise Missed("cut", f"{count} of {found.total} entries looked through (limits.map_scan)")
        raise Missed("no such key", found.detail or f"{found.total} entries")

    def _count(self, here: Here, step: Count) -> Here:
        """Of a sync.Map: how many entries it has."""
        (_, value), found = self._entries(here, step.sought)
        count = len(found.slots)
        if found.problem:
            raise Missed(found.problem, found.detail or f"{count} entries and more")
        if found.total != count:
            raise Missed("cut", f"more than {count} entries (limits.map_scan)")
        for slot in found.slots:
            self.read(self._kept(Here(slot.window, slot.value_at), value), 8)  # one that is not there may be deleted
        return Here(Window(count.to_bytes(8, "little")), 0)

    def _entries(self, here: Here, sought: TypeId) -> tuple[tuple[TypeId, TypeId], maps.Entries]:
        """(types of its keys and values, entries) of a map in which a key is looked for."""
        kind = self._types[sought]
        if isinstance(kind, TwoMaps):
            for word in (kind.read, kind.dirty):
                self._kept_alive(here, word, self._word(here, word))
            both = self._types[kind.map]
            scan = both.scan if isinstance(both, Sought) else 0
            _, map_, found = self._values.two_maps(kind, self.read(here, kind.size), 0, scan)
            return (map_.key, map_.value), found
        inner = self._types[kind.map] if isinstance(kind, Sought) else None
        if not isinstance(kind, Sought) or not isinstance(inner, SwissMap | HashMap | Trie):
            raise Missed("unsupported", "no map")
        address = self._kept_alive(here, 0, self._word(here, 0))
        if isinstance(inner, Trie):
            found = maps.trie_entries(inner, address, self._image, kind.scan)
        elif address:
            found = maps.entries(inner, address, self._image, kind.scan)
        else:
            found = maps.Entries(detail="the map is nil")
        return (inner.key, inner.value), found

    def _kept(self, here: Here, type_id: TypeId) -> Here:
        """Through the pointer by which a map keeps a large value, and those by which a sync.Map keeps any."""
        kind = self._types[type_id]
        while True:
            match kind:
                case Wrapper(offset=offset, type=inner):
                    here, kind = Here(here.window, here.at + offset), self._types[inner]
                case Box(elem=elem):
                    here, kind = self._step(here, Deref()), self._types[elem]
                case Pointer(name=name) if name == INDIRECT:
                    return self._step(here, Deref())
                case _:
                    return here
