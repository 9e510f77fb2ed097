"""What the words of package sync's types mean: who holds a lock, who waits. Their bits are those of go/src/sync, unchanged
from Go 1.21 to 1.27."""

from collections.abc import Sequence

from compiler.decode.image import Window
from compiler.decode.reading import Reading
from compiler.decode.texts import Marked, Path
from compiler.ir.types import Sync, SyncForm

LOCKED, STARVING, WAITERS_SHIFT = 1, 4, 3
"""Bits of a Mutex's state: mutexLocked, mutexStarving, mutexWaiterShift."""
MAX_READERS = 1 << 30
"""rwmutexMaxReaders: taken from an RWMutex's readerCount while a writer holds it or waits for its readers to leave."""
GROUP_WAITERS = (1 << 31) - 1
"""A WaitGroup's state: the counter is the upper half, the waiters are the lower one but for a flag (Go 1.25 and later)."""

Meaning = dict[str, bool | int]


def meaning(form: SyncForm, words: Sequence[int]) -> Meaning | None:
    """What the words say, in the order of ir.types.SYNC_WORDS and unsigned; None where they can be no such type's."""
    match form:
        case "Mutex":
            return _mutex(words[0])
        case "RWMutex":
            return _rw_mutex(*words)
        case "WaitGroup":
            return {"counter": _signed(words[0] >> 32), "waiters": words[0] & GROUP_WAITERS}
        case "Once":
            return _once(*words)
        case "Cond":
            return {"waiters": words[0] - words[1] & 0xFFFFFFFF}


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def _mutex(state: int) -> Meaning | None:
    if state >> 31:
        return None
    return {"locked": bool(state & LOCKED), "waiters": state >> WAITERS_SHIFT, "starving": bool(state & STARVING)}


def _once(done: int, state: int) -> Meaning | None:
    """`running`: its function runs; `waiters` wait for that to end."""
    if done > 1 or state >> 31:
        return None
    return {"done": bool(done), "running": bool(state & LOCKED) and not done, "waiters": state >> WAITERS_SHIFT}


def _rw_mutex(state: int, count: int, departing: int) -> Meaning | None:
    """`locked`: a writer holds it. The first writer takes the inner mutex, announces itself in readerCount and waits for as
    many readers as readerWait says; readers that come then wait for it, other writers wait at the inner mutex."""
    writers, readers, departing = state >> WAITERS_SHIFT, _signed(count), _signed(departing)
    if state >> 31 or not -MAX_READERS <= readers < MAX_READERS:
        return None
    if readers >= 0:
        return _rw(locked=False, readers=readers, readers_waiting=0, writers_waiting=writers)
    readers += MAX_READERS
    if departing > 0:
        waiting = max(readers - departing, 0)
        return _rw(locked=False, readers=departing, readers_waiting=waiting, writers_waiting=writers + 1)
    return _rw(locked=True, readers=0, readers_waiting=readers, writers_waiting=writers)


def _rw(*, locked: bool, readers: int, readers_waiting: int, writers_waiting: int) -> Meaning:
    return {
        "locked": locked, "readers": readers, "readers_waiting": readers_waiting, "writers_waiting": writers_waiting,
    }  # fmt: skip


class Locks(Reading):
    """Renders them."""

    def _sync(self, kind: Sync, window: Window, at: int, depth: int, path: Path, into: Marked) -> Marked:
        for word in kind.words:
            lost = self._lost(window, at + word.offset, word.size, path)
            if lost is not None:
                return lost
        numbers = [window.number(at + word.offset, word.size) for word in kind.words]
        meant = meaning(kind.form, numbers)
        if meant is None:
            return self._absent(path, "torn", f"no {kind.name}: {', '.join(map(hex, numbers))}")
        into |= meant
        for field in kind.fields:
            into[field.name] = self._value(window, at + field.offset, field.type, depth, (path, f".{field.name}"))
        return into
