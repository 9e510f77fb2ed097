"""What a waiting goroutine waits for: the waiters (runtime.sudog) behind g.waiting.

As go/src/runtime/{chan,select,sema}.go fill them.
"""

import re
from collections.abc import Iterator, Sequence

from compiler.decode.image import Image
from compiler.ir.frames import Wait
from compiler.ir.limits import MAX_WAITS
from compiler.ir.program import CHANNEL_FIELDS, Details
from compiler.ir.raw import RawGoroutine
from compiler.ir.types import Pointer, Struct, Type, TypeId

CHANNEL = "chan"
SEMAPHORE = "semaphore"
SINGLE = {"chan receive": "receive", "chan send": "send"}
"""What a goroutine with a wait reason that begins so does with its channel."""
NIL_CHANNEL = "nil chan"
IN_PACKAGE = re.compile(r"(?:internal/)?sync\.\(\*(\w+)\)\.(\w+)$")
PLUMBING = ("runtime.", "sync.runtime_", "internal/sync.runtime_")
"""How the functions below a method of package sync begin."""
METHODS = {
    ("RWMutex", "RLock"): ("sync.RWMutex", "rlock", "sync.RWMutex.RLock"),
    ("RWMutex", "Lock"): ("sync.RWMutex", "lock", "sync.RWMutex.Lock"),
    ("WaitGroup", "Wait"): ("sync.WaitGroup", "wait", "sync.WaitGroup"),
    ("Cond", "Wait"): ("sync.Cond", "wait", "sync.Cond"),
}
"""By method: what is waited for, how, and which Semaphore it is."""
MUTEX = ("sync.Mutex", "lock", "sync.Mutex")
WRITERS = ("sync.RWMutex", "lock", "sync.Mutex")
"""An RWMutex begins with the Mutex that its writers pass one by one."""


class Unread(Exception):
    """A waiter was not copied."""


class Waiters:
    """Reads the waiters of one capture."""

    def __init__(self, details: Details, types: tuple[Type, ...], image: Image) -> None:
        self._details, self._image = details, image
        self._size, self._at = _layout(types, details.waiter)
        self._channel_size, self._queues = _queues(types, details.selecting)
        self._semaphores = {each.what: each.offset for each in details.semaphores}
        self._heads: dict[int, int] = {}

    def waits(self, goroutine: RawGoroutine, reason: str, functions: Sequence[str]) -> tuple[Wait, ...]:
        """What a goroutine that waits for this reason waits for, in the order in which Go locks them; Unread where that was
        not copied. `functions`: those on its stack, innermost first."""
        single = next((operation for begin, operation in SINGLE.items() if reason.startswith(begin)), None)
        if single is not None and NIL_CHANNEL in reason:
            return (Wait(single, CHANNEL, None),)
        if not goroutine.waiting:
            return ()
        if goroutine.waitreason in self._details.selects:
            cases = self._chain(goroutine.waiting)
            return tuple(Wait(self._direction(at, words["c"]), CHANNEL, words["c"]) for at, words in cases)
        words = self._words(goroutine.waiting)
        if words is None:
            raise Unread
        if single is not None:
            return (Wait(single, CHANNEL, words["c"]),)
        return (self.semaphore(words["elem"], functions),) if words["elem"] and not words["c"] else ()

    def semaphore(self, address: int | None, functions: Sequence[str]) -> Wait:
        """Of what the semaphore at an address is a part, as the methods on the stack tell. None: the address is not known."""
        found = _waited_for(functions)
        offset = self._semaphores.get(found[2]) if found else None
        if found is None or (offset is None and address is not None):
            return Wait("acquire", SEMAPHORE, address)
        return Wait(found[1], found[0], None if address is None else address - (offset or 0))

    # ------------------------------------------------------------ the chain of waiters

    def _chain(self, waiter: int) -> Iterator[tuple[int, dict[str, int]]]:
        """(address, fields) of the waiters of a select, one for each case."""
        seen: set[int] = set()
        while waiter and waiter not in seen and len(seen) <= MAX_WAITS:
            seen.add(waiter)
            words = self._words(waiter)
            if words is None:
                raise Unread
            yield waiter, words
            waiter = words["waitlink"]

    def _words(self, waiter: int) -> dict[str, int] | None:
        found = self._image.read(waiter, self._size)
        return None if found is None else {name: _word(found, at) for name, at in self._at.items()}

    # ------------------------------------------------------------ its side of a select

    def _direction(self, waiter: int, channel: int) -> str | None:
        """Whether the waiter stands among those who receive or those who send. None for one that was just taken from there,
        for its goroutine is about to go on."""
        found = self._image.read(channel, self._channel_size)
        head = self._head(waiter)
        if found is None or not head:
            return None
        receivers, senders = (_word(found, at) for at in self._queues)
        return "receive" if head == receivers else "send" if head == senders else None

    def _head(self, waiter: int) -> int:
        """The first of the queue that a waiter stands in; 0 where that cannot be told."""
        way: list[int] = []
        seen: set[int] = set()
        at = waiter
        while at not in self._heads:
            words = self._words(at) if at not in seen else None
            way.append(at)
            seen.add(at)
            if words is None or not words["prev"]:
                self._heads[at] = at if words is not None else 0
                break
            at = words["prev"]
        head = self._heads[at]
        self._heads.update(dict.fromkeys(way, head))
        return head


def _word(found: bytes, at: int) -> int:
    return int.from_bytes(found[at : at + 8], "little")


def _layout(types: tuple[Type, ...], type_id: TypeId) -> tuple[int, dict[str, int]]:
    """The size and the fields' places of a struct."""
    kind = types[type_id]
    assert isinstance(kind, Struct), kind  # program_check
    return kind.size, {field.name: field.offset for field in kind.fields}


def _queues(types: tuple[Type, ...], selecting: TypeId) -> tuple[int, tuple[int, ...]]:
    """The size of a channel as far as it is copied, and where its first receiver and its first sender are."""
    kind = types[selecting]
    fields = kind.fields if isinstance(kind, Struct) else ()
    channel = next((types[field.type] for field in fields if field.name == "c"), None)
    if not isinstance(channel, Pointer) or channel.elem is None:
        return 0, (0, 0)
    size, at = _layout(types, channel.elem)
    return size, tuple(at[name] for name in CHANNEL_FIELDS)


def _waited_for(functions: Sequence[str]) -> tuple[str, str, str] | None:
    """One of METHODS. A Mutex that is locked on behalf of an RWMutex is its own."""
    above = [IN_PACKAGE.match(name) for name in functions if not name.startswith(PLUMBING)]
    first = above[0] if above else None
    if first is None:
        return None
    if first[1] != "Mutex":
        return METHODS.get((first[1], first[2]))
    caller = next((each for each in above if each is None or each[1] != "Mutex"), None)
    return WRITERS if caller is not None and caller[1] == "RWMutex" else MUTEX
