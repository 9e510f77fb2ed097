"""net/netip's addresses as Go writes them: 10.1.2.3, fe80::1%eth0, [::1]:443, 10.0.0.0/8."""

from ipaddress import IPv4Address, IPv6Address

from compiler.decode.image import LOWEST, Window
from compiler.decode.reading import Reading
from compiler.decode.texts import Json, Path
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
        size = self._types[kind.detail].size
        detail = self._object(z, size) if z >= LOWEST else None
        if detail is None:
            return self._absent(path, self._why(z, size), f"which family of addresses it is of, at {z:#x}")
        zone = self._zone(detail, kind.zone)
        if zone is None or detail.data[kind.is_v6] > 1:
            return self._absent(path, "torn", f"no {kind.name}")
        is_v6 = bool(detail.data[kind.is_v6])
        whole = window.word(at + kind.hi) << 64 | window.word(at + kind.lo)
        text = address_text(whole, is_v6=is_v6, zone=zone)
        if kind.form == "AddrPort":
            return f"[{text}]:{number}" if is_v6 else f"{text}:{number}"
        return f"{text}/{number - 1}" if kind.form == "Prefix" else text

    def _zone(self, detail: Window, at: int) -> str | None:
        """Such as eth0; None where these bytes are no such name."""
        address, length = detail.word(at), detail.word(at + 8)
        if not length:
            return ""
        found = self._image.read(address, length) if length <= MAX_ZONE and address >= LOWEST else None
        return None if found is None else found.decode("utf-8", "replace")
