"""Addresses of net/netip out of memory: a family that is told by a handle, or up to Go 1.22 by which pointer it is."""

from compiler.ir.types import Box, Field, NetAddr, Struct, Type, Word
from tests.compiler.decode.address_space import BIAS, Memory, cell, words
from tests.compiler.decode.shapes import BOOL, STRING

ADDRESS: tuple[Type, ...] = (
    BOOL, STRING, Struct("detail", 24, (Field("isV6", 0, 0), Field("zoneV6", 8, 1))),
    NetAddr("netip.AddrPort", 32, "AddrPort", 0, 8, 16, 2, 0, 8, Word(24, 2)),
)  # fmt: skip


def test_an_address_without_its_family_is_absent() -> None:
    memory = Memory()
    v6 = memory.put(words(1) + memory.string("eth0"))
    torn = memory.put(words(2, 0, 0))
    lost = memory.put(words(1, 0, 0), captured=False)
    assert cell(ADDRESS, words(0, 1, v6, 443), memory).value == "[::1%eth0]:443"
    assert cell(ADDRESS, words(0, 1, 0, 443), memory).value == "invalid AddrPort"
    for family, reason in ((torn, "torn"), (lost, None)):
        read = cell(ADDRESS, words(0, 1, family, 443), memory)
        assert read.value is None
        assert reason in (None, read.absences[0].reason)


Z4 = 0x5000
INTERNED: tuple[Type, ...] = (
    STRING, Box("zone", 8, 0), Struct("intern.Value", 24, (Field("zone", 8, 1),)),
    NetAddr("netip.Addr", 24, "Addr", 0, 8, 16, 2, 0, 8, Word(0, 0), ipv4=Z4),
)  # fmt: skip
"""The variable Z4 has the one pointer of all IPv4 addresses."""


def interned(memory: Memory, zone: str = "") -> int:
    """A Value with nothing in its any, or with a string."""
    return memory.put(words(0x100, memory.put(memory.string(zone)), 0) if zone else words(0, 0, 0))


def test_the_family_is_which_pointer_it_is() -> None:
    """The bits are not asked: the two addresses of 10.1.2.3 have the same."""
    memory = Memory()
    v4, v6, zoned = interned(memory), interned(memory), interned(memory, "eth0")
    memory.at(Z4 + BIAS, words(v4))
    low = 0xFFFF << 32 | 0x0A010203
    assert cell(INTERNED, words(0, low, v4), memory).value == "10.1.2.3"
    assert cell(INTERNED, words(0, low, v6), memory).value == "::ffff:10.1.2.3"
    assert cell(INTERNED, words(0, 1, zoned), memory).value == "::1%eth0"
    assert cell(INTERNED, words(0, 0, 0), memory).value == "invalid IP"


def test_an_address_without_the_variable_or_its_zone_is_absent() -> None:
    memory = Memory()
    v4 = interned(memory)
    unknown = cell(INTERNED, words(0, 1, v4), memory)
    assert unknown.value is None
    assert unknown.absences[0].detail == f"which family of addresses it is of, at {Z4 + BIAS:#x}"
    memory.at(Z4 + BIAS, words(v4))
    gone = memory.put(words(0x100, memory.put(memory.string("eth0"), captured=False), 0))
    lost = memory.put(words(0, 0, 0), captured=False)
    torn = memory.put(words(0x100, memory.put(words(0x1000, 1 << 30)), 0))
    for z, reason in ((gone, "budget"), (lost, "budget"), (torn, "torn")):
        read = cell(INTERNED, words(0, 1, z), memory)
        assert (read.value, read.absences[0].reason) == (None, reason)
