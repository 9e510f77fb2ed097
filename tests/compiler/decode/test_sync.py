"""Locks, groups and conditions as what their words mean, and words that can mean nothing."""

import json

import pytest

from compiler.decode.sync import MAX_READERS, meaning
from compiler.ir.frames import Absence
from compiler.ir.types import Field, Sync, SyncForm, Type, Word
from tests.compiler.decode.address_space import Memory, cell, words
from tests.compiler.decode.shapes import ERROR, pointer

MUTEX = Sync("sync.Mutex", 8, "Mutex", (Word(0, 4),))
COND = Sync("sync.Cond", 32, "Cond", (Word(16, 4), Word(20, 4)), (Field("L", 0, 0),))


def rw(locked: bool, readers: int, readers_waiting: int, writers_waiting: int) -> dict[str, object]:
    return {
        "locked": locked, "readers": readers, "readers_waiting": readers_waiting, "writers_waiting": writers_waiting,
    }  # fmt: skip


U32 = 1 << 32
KNOWN: list[tuple[SyncForm, tuple[int, ...], dict[str, object] | None]] = [
    ("Mutex", (0,), {"locked": False, "waiters": 0, "starving": False}),
    ("Mutex", (1,), {"locked": True, "waiters": 0, "starving": False}),
    ("Mutex", (5 << 3 | 0b111,), {"locked": True, "waiters": 5, "starving": True}),
    ("Mutex", (2 << 3 | 0b010,), {"locked": False, "waiters": 2, "starving": False}),
    ("Mutex", (1 << 31,), None),
    ("RWMutex", (0, 0, 0), rw(False, 0, 0, 0)),
    ("RWMutex", (0, 3, 0), rw(False, 3, 0, 0)),
    ("RWMutex", (2 << 3 | 1, U32 - MAX_READERS, 0), rw(True, 0, 0, 2)),
    ("RWMutex", (1, U32 - MAX_READERS + 4, 0), rw(True, 0, 4, 0)),
    ("RWMutex", (1 << 3 | 1, U32 - MAX_READERS + 5, 2), rw(False, 2, 3, 2)),
    ("RWMutex", (1, U32 - MAX_READERS + 1, 2), rw(False, 2, 0, 1)),
    ("RWMutex", (0, U32 - MAX_READERS - 1, 0), None),
    ("RWMutex", (0, MAX_READERS, 0), None),
    ("RWMutex", (1 << 31, 0, 0), None),
    ("WaitGroup", (3 << 32 | 2,), {"counter": 3, "waiters": 2}),
    ("WaitGroup", (1 << 32 | 1 << 31 | 1,), {"counter": 1, "waiters": 1}),
    ("WaitGroup", ((1 << 64) - (1 << 32),), {"counter": -1, "waiters": 0}),
    ("Once", (0, 0), {"done": False, "running": False, "waiters": 0}),
    ("Once", (0, 2 << 3 | 1), {"done": False, "running": True, "waiters": 2}),
    ("Once", (1, 1), {"done": True, "running": False, "waiters": 0}),
    ("Once", (2, 0), None),
    ("Cond", (7, 4), {"waiters": 3}),
    ("Cond", (1, U32 - 1), {"waiters": 2}),
]


@pytest.mark.parametrize(("form", "found", "wanted"), KNOWN)
def test_words_mean(form: SyncForm, found: tuple[int, ...], wanted: dict[str, object] | None) -> None:
    assert meaning(form, found) == wanted


def test_a_lock_behind_a_pointer_has_its_address_first() -> None:
    memory = Memory()
    lock = memory.put(words(2 << 3 | 1))
    shown = cell((MUTEX, pointer(0, "*sync.Mutex")), words(lock), memory).value
    assert shown == f'{{"$addr":"{lock:#x}","locked":true,"waiters":2,"starving":false}}'


def test_a_lock_whose_word_is_none_is_torn() -> None:
    read = cell((MUTEX,), words(0xFFFFFFFF))
    assert (read.value, read.absences) == (None, (Absence("", "torn", "no sync.Mutex: 0xffffffff"),))


def test_a_condition_shows_its_lock() -> None:
    types: tuple[Type, ...] = (ERROR, COND)
    read = cell(types, words(0, 0, 5 | 3 << 32, 0))
    assert json.loads(str(read.value)) == {"waiters": 2, "L": None}


def test_a_lock_that_was_not_copied_is_missing_as_a_whole() -> None:
    memory = Memory()
    gone = memory.put(words(1), captured=False)
    read = cell((MUTEX, pointer(0)), words(gone), memory)
    assert [each.reason for each in read.absences] == ["budget"]
