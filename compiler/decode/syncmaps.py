"""A sync.Map as the map that it is."""

from compiler.decode import maps
from compiler.decode.containers import Containers
from compiler.decode.image import LOWEST, Window
from compiler.decode.texts import Json, Marked, Path, path_text
from compiler.ir.frames import Absence
from compiler.ir.frozen import replace
from compiler.ir.program import DynamicType
from compiler.ir.types import Box, HashMap, Interface, Sought, SwissMap, Trie, TwoMaps, TypeId


class SyncMaps(Containers):
    """Renders them. Neither form counts its entries: of one that is cut, `$len` is null."""

    def _box(self, kind: Box, window: Window, at: int, depth: int, path: Path) -> Json:
        lost = self._lost(window, at, 8, path)
        if lost is not None:
            return lost
        address, size = window.word(at), self._types[kind.elem].size
        if address < LOWEST:
            return self._absent(path, "torn", address=address) if address else None
        found = self._object(address, size)
        if found is None:
            return self._absent(path, self._why(address, size), address=address)
        return self._value(found, 0, kind.elem, depth, path)

    def _trie(self, kind: Trie, window: Window, at: int, depth: int, path: Path) -> Json:
        lost = self._lost(window, at + kind.root, 8, path)
        if lost is not None:
            return lost
        root = window.word(at + kind.root)
        if at + kind.root in window.dead:
            return self._gone(window, at + kind.root, path)
        limit = min(self._limits.map_entries, max(self._left, 1))
        return self._opened(
            (root, kind.key, kind.value), maps.trie_entries(kind, root, self._image, limit), depth, path
        )

    def _two_maps(self, kind: TwoMaps, window: Window, at: int, depth: int, path: Path) -> Json:
        """`dirty` has all entries while `amended` says that it has more; else those that count are in `read`."""
        for word in (kind.read, kind.dirty):
            lost = self._lost(window, at + word, 8, path) or self._gone(window, at + word, path)
            if lost is not None:
                return lost
        limit = min(self._limits.map_entries, max(self._left, 1))
        address, map_, entries = self.two_maps(kind, window, at, limit)
        if entries.total == maps.NO_MAP:
            return self._absent(path, entries.problem, entries.detail, address)
        return self._opened((address, map_.key, map_.value), entries, depth, path)

    def two_maps(
        self, kind: TwoMaps, window: Window, at: int, limit: int
    ) -> tuple[int, HashMap | SwissMap, maps.Entries]:
        """(address, type, entries) of the map that has all; the words of the struct are there."""
        sought = self._types[kind.map]
        map_ = self._types[sought.map] if isinstance(sought, Sought) else sought
        assert isinstance(map_, HashMap | SwissMap)
        read, dirty = window.word(at + kind.read), window.word(at + kind.dirty)
        both = Window(bytes(self._types[kind.read_only].size))
        if read:
            found = self._image.window(read, len(both.data)) if read >= LOWEST else None
            if found is None:
                return read, map_, maps.Entries(maps.NO_MAP, problem=self._image.why(read, len(both.data)))
            both = found
        address = dirty if both.data[kind.amended] else both.word(kind.m)
        entries = maps.entries(map_, address, self._image, limit) if address else maps.Entries()
        if entries.total == maps.NO_MAP:
            return address, map_, entries
        whole = len(entries.slots) == entries.total
        entries.slots = [slot for slot in entries.slots if not self._is_deleted(slot)]
        if dirty and address != dirty:
            self._without_expunged(entries)
        entries.total = len(entries.slots) if whole else maps.UNKNOWN
        return address, map_, entries

    def _is_deleted(self, slot: maps.Slot) -> bool:
        """Whether an entry holds nothing any more. One that is not captured counts: its value says so."""
        return self._image.word(slot.window.word(slot.value_at)) == 0

    def _without_expunged(self, entries: maps.Entries) -> None:
        """While `dirty` is being made, what was deleted before is marked as nil in `read`, as a nil that was stored is."""
        known = len(entries.slots)
        entries.slots = [slot for slot in entries.slots if self._image.word(self._held(slot)) != 0]
        if len(entries.slots) < known:
            entries.problem = entries.problem or "torn"

    def _held(self, slot: maps.Slot) -> int:
        return self._image.word(slot.window.word(slot.value_at)) or 0

    def _opened(self, place: tuple[int, int, int], found: maps.Entries, depth: int, path: Path) -> Json:
        """The entries as an object, with what is missing of them; `place`: the map's address, its keys' and values' types."""
        address, key, value = place
        self._left -= found.steps
        if (address, value) in self._open:
            return Marked({"$ref": f"{address:#x}"})
        keys_depth = max(depth, self._key_depth(key))
        plain, slots = self._plain_keys(key, found.slots)
        self._open.add((address, value))
        depths = keys_depth - (plain != key), depth
        shown = self._entries((plain, value), slots, depths, path)
        self._open.discard((address, value))
        if found.problem:
            self._absences.append(Absence(path_text(path), found.problem, f"{len(shown)} entries and more"))
        elif found.total == len(shown):
            return shown
        else:
            reason = "cut" if len(shown) == self._limits.map_entries else "budget"
            self._absences.append(Absence(path_text(path), reason, "a sync.Map does not know how many more"))
        return Marked({"$value": shown, "$len": None})

    def _plain_keys(self, key: TypeId, slots: list[maps.Slot]) -> tuple[TypeId, list[maps.Slot]]:
        """Keys that are all of one type are shown as those of a map of that type, not as what interfaces hold."""
        kind = self._types[key]
        words = {slot.window.word(slot.key_at) for slot in slots}
        if not isinstance(kind, Interface) or not kind.empty or len(words) != 1 or 0 in words:
            return key, slots
        dynamic = self.dynamic(self.offset_of(words.pop()))
        if dynamic is None:
            return key, slots
        found = [self._plain_key(dynamic, slot) for slot in slots]
        plain = [slot for slot in found if slot is not None]
        return (dynamic.type, plain) if len(plain) == len(slots) else (key, slots)

    def _plain_key(self, dynamic: DynamicType, slot: maps.Slot) -> maps.Slot | None:
        at, size = slot.key_at + 8, self._types[dynamic.type].size
        if dynamic.direct:
            return replace(slot, key_at=at) if size <= 8 else None
        window = self._object(slot.window.word(at), size)
        return None if window is None else replace(slot, key_window=window, key_at=0)
