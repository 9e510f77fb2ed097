"""Structs of the standard library in a real binary, of whatever Go version: what is described of each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.dwarf.rtypes import RuntimeTypes
from compiler.dwarf.typetable import TypeTable
from compiler.ir.types import (
    Basic,
    Big,
    Box,
    Chan,
    HashMap,
    Interface,
    NetAddr,
    SwissMap,
    Sync,
    Time,
    Trie,
    TwoMaps,
    Type,
    Wrapper,
)
from tests.conftest import ROOT, build


@pytest.fixture(scope="module")
def zoo(go: Path, built: Path) -> Iterator[Binary]:
    with Binary(build(go, ROOT / "tests/targets/zoo", built / "zoo")) as binary:
        yield binary


def table_of(binary: Binary) -> TypeTable:
    """A table of types that leads three pointers deep."""
    runtime, index = RuntimeTypes(binary.executable, 0), binary.index
    return TypeTable(binary.types, 3, runtime, index.runtime_types, index.types, binary.global_at)


def described(binary: Binary, name: str) -> Type:
    """A type by its linked name, as a column of that type would have it."""
    table = table_of(binary)
    wanted = table.want(binary.index.types[name][0])
    return table.build()[wanted]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("sync.Mutex", "Mutex"), ("sync.RWMutex", "RWMutex"), ("sync.WaitGroup", "WaitGroup"), ("sync.Once", "Once"),
        ("sync.Cond", "Cond"),
    ],
)  # fmt: skip
def test_locks_have_their_words(zoo: Binary, name: str, form: str) -> None:
    found = described(zoo, name)
    assert isinstance(found, Sync)
    assert found.form == form


def test_big_numbers_have_their_digits(zoo: Binary) -> None:
    found = [described(zoo, f"math/big.{name}") for name in ("Int", "Rat", "Float")]
    assert [(len(each.nats), len(each.float)) for each in found if isinstance(each, Big)] == [(1, 0), (2, 0), (1, 3)]


def test_atomics_are_what_is_in_them(zoo: Binary) -> None:
    for name in ("sync/atomic.Int64", "sync/atomic.Bool", "sync/atomic.Value", "sync/atomic.Pointer[main.point]"):
        assert isinstance(described(zoo, name), Wrapper), name


def test_the_runtimes_own_atomic_float_is_a_number(zoo: Binary) -> None:
    [name] = {"internal/runtime/atomic.Float64", "runtime/internal/atomic.Float64"} & zoo.index.types.keys()
    table = table_of(zoo)
    wanted = table.want(zoo.index.types[name][0])
    types = table.build()
    found = types[wanted]
    assert isinstance(found, Wrapper)
    assert types[found.type] == Basic("float64", 8, "float")


def test_what_is_declared_as_a_time_is_one(zoo: Binary) -> None:
    assert isinstance(described(zoo, "main.When"), Time)


def test_chains_are_free_and_other_interfaces_are_not(zoo: Binary) -> None:
    found = {name: described(zoo, name) for name in ("error", "context.Context", "main.shape", "sync.Locker")}
    assert [each.free for each in found.values() if isinstance(each, Interface)] == [True, True, False, False]


def test_channels_know_who_waits(zoo: Binary) -> None:
    found = described(zoo, "chan string")
    assert isinstance(found, Chan)
    assert found.waiter_size > 0


def test_a_sync_map_is_a_trie_since_go_1_24_and_two_maps_before(zoo: Binary) -> None:
    table = table_of(zoo)
    wanted = table.want(zoo.index.types["sync.Map"][0])
    types = table.build()
    found = types[wanted]
    if isinstance(found, Wrapper):
        trie = types[found.type]
        assert isinstance(trie, Trie)
        assert (trie.fanout, types[trie.key].name, types[trie.value].name) == (16, "interface {}", "interface {}")
    else:
        assert isinstance(found, TwoMaps)
        held = types[found.map]
        assert isinstance(held, SwissMap | HashMap)
        assert isinstance(types[held.value], Box)


@pytest.mark.parametrize("form", ["Addr", "AddrPort", "Prefix"])
def test_addresses_are_known(zoo: Binary, form: str) -> None:
    """Up to Go 1.22 by an *intern.Value, then by a unique.Handle."""
    found = described(zoo, f"net/netip.{form}")
    assert isinstance(found, NetAddr)
    assert (found.form, found.number.size) == (form, {"Addr": 0, "AddrPort": 2, "Prefix": 1}[form])
    assert (found.ipv4 is None) is bool(zoo.index.types.get("unique.Handle[net/netip.addrDetail]"))
