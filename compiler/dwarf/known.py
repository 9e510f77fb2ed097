"""Structs of the standard library that are shown as what they mean: those of sync (its Map: syncmap.py), big numbers, addresses.

Their words are found by field name in the binary's own debug info; where one is not there, the struct stays a struct.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from compiler.dwarf import syncmap
from compiler.dwarf.gotypes import BASIC_KINDS, KIND_INTERFACE, KIND_SLICE, KIND_STRING, KIND_STRUCT, SHAPE, GoTypes
from compiler.ir.frozen import replace
from compiler.ir.types import (
    SYNC_WORDS,
    WORD,
    Big,
    Box,
    Field,
    NetAddr,
    NetForm,
    String,
    Struct,
    Sync,
    SyncForm,
    Type,
    Word,
)

SYNC: Final[dict[str, SyncForm]] = {
    "sync.Mutex": "Mutex", "internal/sync.Mutex": "Mutex", "sync.RWMutex": "RWMutex", "sync.WaitGroup": "WaitGroup",
    "sync.Once": "Once", "sync.Cond": "Cond",
}  # fmt: skip
BIG: Final = {
    "math/big.Int": ("neg", ("abs",), ()),
    "math/big.Rat": ("a.neg", ("a.abs", "b.abs"), ()),
    "math/big.Float": ("neg", ("mant",), ("exp", "prec", "form")),
}
"""Sign, digits, and what else a Float has: go/src/math/big/{int,rat,float}.go."""
NET: Final[dict[str, NetForm]] = {
    "net/netip.Addr": "Addr",
    "net/netip.AddrPort": "AddrPort",
    "net/netip.Prefix": "Prefix",
}
DECLARED: Final = {
    ("net/netip", "addr z"): "net/netip.Addr",
    ("net/netip", "ip port"): "net/netip.AddrPort",
    ("net/netip", "ip bitsPlusOne"): "net/netip.Prefix",
    ("math/big", "neg abs"): "math/big.Int",
    ("math/big", "a b"): "math/big.Rat",
    ("math/big", "prec mode acc form neg mant exp"): "math/big.Float",
}
"""What generic code takes for them is named by their fields, which no other package can declare."""
SHAPED = re.compile(re.escape(SHAPE) + r"struct \{ ([\w./%]+)\.\w+ ")
NUMBERS: Final[dict[NetForm, str]] = {"AddrPort": "port", "Prefix": "bitsPlusOne"}
INNER = ("mu", "v", "value", "u")
"""Fields that a struct is all about: an atomic's value, and since Go 1.24 a Mutex's internal/sync.Mutex."""
MAX_STEPS = 8


class Table(syncmap.Table, Protocol):
    """What is needed of the type table that is being built."""

    global_at: Callable[[str], tuple[int, int] | None]
    """(link-time address, type) of a package variable."""


def describe(table: Table, offset: int, full: str, name: str) -> Type | None:
    """A struct by its full linked name; None for one that is not known, or not as it is known."""
    shaped = SHAPED.match(full)
    if shaped is not None:
        full = DECLARED.get((shaped[1], " ".join(member.name for member in table.go.members(offset))), full)
    if full.startswith(syncmap.TRIES) or full == "sync.Map":
        return syncmap.describe(table, offset, full, name)
    if full in SYNC:
        return _sync(table, offset, SYNC[full], name)
    if full in NET:
        return _net_addr(table, offset, NET[full], name)
    return _big(table, offset, full, name) if full in BIG else None


def _net_addr(table: Table, offset: int, form: NetForm, name: str) -> Type | None:
    """Since Go 1.23 the family and zone of an address are behind a unique.Handle: see go/src/net/netip/netip.go."""
    go = table.go
    ip = Word(0, 0) if form == "Addr" else None
    inner = go.member(offset, "ip") if form != "Addr" else None
    within, at = (offset, 0) if inner is None else (inner.type, inner.offset)
    words = [_word(go, within, path) for path in ("addr.hi", "addr.lo")]
    z, handle = go.member(within, "z"), _member(go, within, "z.value")
    number = ip or _word(go, offset, NUMBERS[form])
    if z is None or number is None or words[0] is None or words[1] is None:
        return None
    hi, lo, size = at + words[0].offset, at + words[1].offset, go.size(offset)
    if handle is None:
        return _interned(table, z.type, NetAddr(name, size, form, hi, lo, at + z.offset, 0, 0, 0, number))
    detail = go.pointee(handle[1])
    is_v6, zone = (None, None) if detail is None else (_word(go, detail, "isV6"), go.member(detail, "zoneV6"))
    if detail is None or is_v6 is None or zone is None or go.kind(zone.type) != KIND_STRING:
        return None
    known = table.same(detail)
    return NetAddr(name, size, form, hi, lo, at + handle[0], known, is_v6.offset, zone.offset, number)


def _interned(table: Table, z: int, address: NetAddr) -> Type | None:
    """Up to Go 1.22 `z` is an *intern.Value: the one in netip.z4 for IPv4, else one with the zone, a string in an any, or nil."""
    go, z4 = table.go, table.global_at("net/netip.z4")
    value = go.pointee(z)
    held = None if value is None else go.member(value, "cmpVal")
    if value is None or held is None or go.kind(held.type) != KIND_INTERFACE or z4 is None:
        return None
    zone = held.offset + WORD  # of an any it is the second word that leads to the string
    box = table.made(Box("zone", WORD, table.made(String("string", 2 * WORD))))
    detail = table.made(Struct(go.printed(value), go.size(value), (Field("zone", zone, box),)))
    return replace(address, detail=detail, zone=zone, ipv4=z4[0])


def _sync(table: Table, offset: int, form: SyncForm, name: str) -> Type | None:
    words = [_word(table.go, offset, path) for path in SYNC_WORDS[form]]
    found = tuple(word for word in words if word is not None)
    locker = [member for member in table.go.members(offset) if member.name == "L"]
    shown = tuple(Field(m.name, m.offset, table.same(m.type), m.embedded) for m in locker)
    return Sync(name, table.go.size(offset), form, found, shown) if len(found) == len(words) else None


def _big(table: Table, offset: int, full: str, name: str) -> Type | None:
    sign, digits, rest = BIG[full]
    neg, nats = _word(table.go, offset, sign), [_member(table.go, offset, path) for path in digits]
    words = [_word(table.go, offset, path) for path in rest]
    slices = [nat for nat in nats if nat is not None and table.go.kind(nat[1]) == KIND_SLICE]
    word = table.go.elem(slices[0][1]) if slices else None
    floats = tuple(each for each in words if each is not None)
    if neg is None or word is None or table.go.size(word) != 8 or (len(slices), len(floats)) != (len(nats), len(rest)):
        return None
    return Big(name, table.go.size(offset), table.same(word), neg.offset, tuple(at for at, _ in slices), floats)


def _word(go: GoTypes, offset: int, path: str) -> Word | None:
    found = _member(go, offset, path)
    return Word(found[0], go.size(found[1])) if found is not None and go.kind(found[1]) in BASIC_KINDS else None


def _member(go: GoTypes, offset: int, path: str) -> tuple[int, int] | None:
    """(offset, type) of a member by its path of field names; what only wraps it is looked through."""
    at, steps = 0, deque(path.split("."))
    for _ in range(MAX_STEPS):
        if not steps and go.kind(offset) != KIND_STRUCT:
            return at, offset
        found = go.member(offset, steps[0]) if steps else None
        if found is not None:
            steps.popleft()
        else:
            found = next((each for each in (go.member(offset, name) for name in INNER) if each is not None), None)
        if found is None:
            return None
        at, offset = at + found.offset, found.type
    return None
