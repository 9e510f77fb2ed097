"""Maps and channels as JSON values."""

import json
import re

from compiler.decode import maps
from compiler.decode.image import LOWEST, Window
from compiler.decode.reading import MAX_LENGTH, Reading
from compiler.decode.texts import Json, Marked, Path, key_text, number_text, path_text, signed
from compiler.ir.frames import Absence
from compiler.ir.types import Basic, Chan, Duration, HashMap, SwissMap, TypeId

DIRECTION = re.compile(r"(?:<-)?chan(?:<-)?")


class Containers(Reading):
    """What holds its values elsewhere, in an order of its own."""

    def _chan(self, kind: Chan, window: Window, at: int, type_id: TypeId, depth: int, path: Path) -> Json:
        lost = self._lost(window, at, 8, path)
        if lost is not None:
            return lost
        address = window.word(at)
        if not address or self._in_key:
            return Marked({"$addr": f"{address:#x}"}) if address else None
        if at in window.dead:
            return self._gone(window, at, path)
        if (address, type_id) in self._open:
            return Marked({"$ref": f"{address:#x}"})
        header = self._image.read(address, kind.header_size)
        if header is None:
            return self._absent(path, self._why(address, kind.header_size), address=address)
        words = Window(header)
        count, capacity, start = words.word(kind.qcount), words.word(kind.dataqsiz), words.word(kind.recvx)
        if count > capacity or capacity >= MAX_LENGTH or (capacity and start >= capacity):
            return self._absent(path, "torn", f"length {signed(count)}, capacity {signed(capacity)}")
        closed = any(header[kind.closed : kind.closed + 4])
        self._open.add((address, type_id))
        items = self._queued(kind, words.word(kind.buf), (start, count, capacity), depth, (path, ".items"))
        self._open.discard((address, type_id))
        shown = Marked(
            {"$type": self._chan_name(kind, words), "$len": count, "$cap": capacity, "$closed": closed, "items": items}
        )
        if kind.waiter_size:
            shown["receivers"] = self._waiters(kind, words.word(kind.receivers), (path, ".receivers"))
            shown["senders"] = self._waiters(kind, words.word(kind.senders), (path, ".senders"))
        return shown

    def _chan_name(self, kind: Chan, header: Window) -> str:
        """The channel's type: generic code calls it by what the elements' type is declared as, the channel knows which that is."""
        dynamic = self.dynamic(self.offset_of(header.word(kind.elem_type))) if kind.elem_type else None
        if dynamic is None:
            return kind.name
        elem, chan = self._types[dynamic.type].name, DIRECTION.match(kind.name)
        if chan is None:
            return kind.name
        return f"chan ({elem})" if chan[0] == "chan" and elem.startswith("<-") else f"{chan[0]} {elem}"

    def _waiters(self, kind: Chan, waiter: int, path: Path) -> list[Json]:
        """The ids of the goroutines that wait at one end, who came first first. A select may wait several times."""
        ids: list[Json] = []
        seen: set[int] = set()
        while waiter and waiter not in seen:
            step = (path, f"[{len(ids)}]")
            if len(ids) >= self._limits.slice_items or self._left <= 0:
                ids.append(self._absent(step, "budget" if self._left <= 0 else "cut", "more goroutines wait"))
                break
            self._left -= 1
            found = self._image.read(waiter, kind.waiter_size)
            if found is None:
                ids.append(self._absent(step, self._why(waiter, kind.waiter_size), address=waiter))
                break
            seen.add(waiter)
            goroutine = Window(found).word(kind.waiter_g)
            known = self._goroutines.get(goroutine)
            ids.append(self._absent(step, "budget", address=goroutine) if known is None else known)
            waiter = Window(found).word(kind.waiter_next)
        return ids

    def _queued(self, kind: Chan, buffer: int, ring: tuple[int, int, int], depth: int, path: Path) -> list[Json]:
        """The items of a channel, the next to be received first."""
        start, count, capacity = ring
        items: list[Json] = []
        for index in range(min(count, self._limits.slice_items)):
            if self._left <= 0:
                break
            at = buffer + (start + index) % capacity * kind.elem_size
            step = (path, f"[{index}]")
            found = self._object(at, kind.elem_size)
            if found is None:
                items.append(self._absent(step, self._why(at, kind.elem_size)))
            else:
                items.append(self._value(found, 0, kind.elem, depth, step))
        if len(items) < count:
            reason = "cut" if len(items) == self._limits.slice_items else "budget"
            self._absences.append(Absence(path_text(path), reason, f"length {count}"))
        return items

    def _map(self, kind: SwissMap | HashMap, window: Window, at: int, type_id: TypeId, depth: int, path: Path) -> Json:
        lost = self._lost(window, at, 8, path)
        if lost is not None:
            return lost
        address = window.word(at)
        if not address:
            return None
        if address < LOWEST:
            return self._absent(path, "torn", address=address)
        if at in window.dead:
            return self._gone(window, at, path)
        if (address, type_id) in self._open:
            return Marked({"$ref": f"{address:#x}"})
        found = maps.entries(kind, address, self._image, min(self._limits.map_entries, max(self._left, 1)))
        self._left -= found.steps
        if found.total < 0:
            return self._absent(path, found.problem, found.detail, address)
        self._open.add((address, type_id))
        depths = max(depth, self._key_depth(kind.key)), depth
        shown = self._entries((kind.key, kind.value), found.slots, depths, path)
        self._open.discard((address, type_id))
        if found.problem:
            detail = f"{len(found.slots)} of {found.total} entries"
            self._absences.append(Absence(path_text(path), found.problem, detail))
        elif len(shown) < found.total:
            reason = "cut" if len(shown) == self._limits.map_entries else "budget"
            return self._cut(shown, path, reason, found.total)
        return Marked({"$value": shown, "$len": found.total}) if len(shown) < found.total else shown

    def _entries(
        self, types: tuple[TypeId, TypeId], slots: list[maps.Slot], depths: tuple[int, int], path: Path
    ) -> dict[str, Json]:
        """Entries sorted by key; a key whose text is there already (NaN, a torn map) gets "#2", "#3" ... behind it.

        `types` and `depths` are those of keys and of values.
        """
        (key, value), (keys_depth, depth) = types, depths
        keyed = []
        for slot in slots:
            if self._left <= 0:
                break
            keyed.append((*self._key(key, slot, keys_depth, path), slot))
        keyed.sort(key=lambda each: each[0])
        shown: dict[str, Json] = {}
        times: dict[str, int] = {}
        for _, text, step, slot in keyed:
            if self._left <= 0:
                break
            name = text
            while name in shown:
                times[text] = times.get(text, 1) + 1
                name = f"{text}#{times[text]}"
            shown[name] = self._value(slot.window, slot.value_at, value, depth, (path, step))
        return shown

    def _key(self, type_id: TypeId, slot: maps.Slot, depth: int, path: Path) -> tuple[tuple[int, float, str], str, str]:
        """What to sort a key by, its text, and its step in a path. Pointers in keys are followed no further: they are
        their address, for that is what makes them equal."""
        self._in_key += 1
        value = self._value(slot.key_window or slot.window, slot.key_at, type_id, depth, (path, "[key]"))
        self._in_key -= 1
        kind = self._types[type_id]
        if isinstance(kind, Basic | Duration) and not isinstance(value, dict | None):
            text = number_text(value)
            if text == "NaN":
                return (0, 0, ""), text, f"[{text}]"
            is_complex = isinstance(kind, Basic) and kind.kind == "complex"
            number = value if isinstance(value, int) else 0 if is_complex else float(text)
            return (1, number, text), text, f"[{text}]"
        text = key_text(value)
        step = json.dumps(text, ensure_ascii=False) if isinstance(value, str) else text
        return (2, 0, text), text, f"[{step}]"
