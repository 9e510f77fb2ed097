"""net/netip's addresses as Go writes them: 10.1.2.3, fe80::1%eth0, [::1]:443, 10.0.0.0/8."""

from ipaddress import IPv4Address, IPv6Address

from compiler.decode.image import LOWEST, Window
from compiler.decode.reading import Reading
from compiler.decode.texts import Json, Marked, Path
from compiler.ir.types import NetAddr, NetForm

MAPPED = 0xFFFF << 32
"""How IPv4 addresses begin that are written as IPv6 ones."""
MAX_ZONE = 256
INVALID: dict[NetForm, str] = {"Addr": "invalid IP", "AddrPort": "invalid AddrPort", "Prefix": "invalid Prefix"}


def address_text(number: int, *, is_v6: bool, zone: str) -> str:
    """Of 128 bits; IPv4 addresses lie in the last 32."""
    if not is_v6:
        return str(IPv4Address(number & 0xFFFFFFFF))
    mapped = number >> 32 << 32 == MAPPED
    text = f"::ffff:{IPv4Address(number & 0xFFFFFFFF)}" if mapped else str(IPv6Address(number))
    return f"{text}%{zone}" if zone else text


class NetAddresses(Reading):
    """Renders them."""

    def _net_addr(self, kind: NetAddr, window: Window, at: int, path: Path) -> Json:
        lost = self._lost(window, at, kind.size, path)
        if lost is not None:
            return lost
        z, number = window.word(at + kind.z), window.number(at + kind.number.offset, kind.number.size)
        if not z or (kind.form == "Prefix" and not number):
            return INVALID[kind.form]
        if at + kind.z in window.dead:
            return self._gone(window, at + kind.z, path)
        family = self._interned(kind, z, path) if kind.ipv4 is not None else self._family(kind, z, path)
        if not isinstance(family, tuple):
            return family
        is_v6, zone = family
        whole = window.word(at + kind.hi) << 64 | window.word(at + kind.lo)
        text = address_text(whole, is_v6=is_v6, zone=zone)
        if kind.form == "AddrPort":
            return f"[{text}]:{number}" if is_v6 else f"{text}:{number}"
        return f"{text}/{number - 1}" if kind.form == "Prefix" else text

    def _family(self, kind: NetAddr, z: int, path: Path) -> tuple[bool, str] | Marked:
        """Whether it is an IPv6 address, and its zone."""
        detail = self._detail(kind, z)
        if detail is None:
            return self._unknown(z, self._types[kind.detail].size, path)
        zone = self._zone(detail.word(kind.zone), detail.word(kind.zone + 8))
        if zone is None or detail.data[kind.is_v6] > 1:
            return self._absent(path, "torn", f"no {kind.name}")
        return bool(detail.data[kind.is_v6]), zone

    def _interned(self, kind: NetAddr, z: int, path: Path) -> tuple[bool, str] | Marked:
        """The same up to Go 1.22."""
        variable = (kind.ipv4 or 0) + self._bias
        ipv4 = self._image.word(variable)
        if ipv4 is None:
            return self._unknown(variable, 8, path)
        if z == ipv4:
            return False, ""
        detail = self._detail(kind, z)
        if detail is None:
            return self._unknown(z, self._types[kind.detail].size, path)
        text = detail.word(kind.zone)
        header = self._image.window(text, 16) if text else Window(bytes(16))
        if header is None:
            return self._unknown(text, 16, path)
        zone = self._zone(header.word(0), header.word(8))
        return self._absent(path, "torn", f"no {kind.name}") if zone is None else (True, zone)

    def _detail(self, kind: NetAddr, z: int) -> Window | None:
        return self._object(z, self._types[kind.detail].size) if z >= LOWEST else None

    def _unknown(self, address: int, size: int, path: Path) -> Marked:
        return self._absent(path, self._why(address, size), f"which family of addresses it is of, at {address:#x}")

    def _zone(self, address: int, length: int) -> str | None:
        """Such as eth0; None where these bytes are no such name."""
        if not length:
            return ""
        found = self._image.read(address, length) if length <= MAX_ZONE and address >= LOWEST else None
        return None if found is None else found.decode("utf-8", "replace")
