"""math/big's numbers as text: an Int exactly, a Rat as its two Ints, a Float with the fewest digits that tell it from its
neighbours. A number of which digits are missing is absent: the rest of it would be another number."""

from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from itertools import count

from compiler.decode import scalars
from compiler.decode.image import Window
from compiler.decode.reading import MAX_LENGTH, Reading
from compiler.decode.texts import Json, Path, signed
from compiler.ir.types import Big

MAX_WORDS = 1 << 10
"""Of one number: some 19,700 decimal digits. A word costs as much as one value."""
MAX_PRECISION, MAX_EXPONENT, FLOAT_COST = 256, 1100, 100
"""Bits of a Float that is written in decimal, and the values that it costs as much as; others are written as Go's format
'p' does: 0x.8p+3."""
ZERO, FINITE, INFINITE = range(3)
BITS = 64


class Bigs(Reading):
    """Renders them."""

    def _big(self, kind: Big, window: Window, at: int, path: Path) -> Json:
        lost = self._lost(window, at, kind.size, path)
        if lost is not None:
            return lost
        nats: list[int] = []
        for offset in kind.nats:
            found = self._nat(window, at + offset, path)
            if not isinstance(found, int):
                return found
            nats.append(found)
        sign = "-" if window.data[at + kind.neg] else ""
        if kind.float:
            self._left -= FLOAT_COST
            exponent, precision, form = (window.number(at + word.offset, word.size) for word in kind.float)
            exponent -= (exponent >> 31) << 32
            text = float_text(nats[0], exponent, precision, form)
            return self._absent(path, "torn", f"no {kind.name}") if text is None else sign + text
        texts = [f"{Decimal(nat):f}" for nat in nats]
        if texts[1:] == ["0"]:
            texts[1] = "1"  # Go takes a Rat without a denominator for a whole number
        return sign + "/".join(texts)

    def _nat(self, window: Window, at: int, path: Path) -> Json:
        """The number in a slice of words, least significant first; the mark of its absence where one is missing."""
        address, length, capacity = (window.word(at + part) for part in (0, 8, 16))
        if length > capacity or capacity >= MAX_LENGTH:
            return self._absent(path, "torn", f"length {signed(length)}, capacity {signed(capacity)}")
        if length > min(self._limits.slice_items, MAX_WORDS):
            return self._absent(path, "cut", f"a number of {length * BITS} bits")
        self._left -= length
        found = self._image.read(address, 8 * length) if self._left >= 0 else None
        if found is None:
            return self._absent(path, self._why(address, 8 * length), f"a number of {length * BITS} bits")
        if length and not any(found[-8:]):
            return self._absent(path, "torn", "a number that begins with zeros")
        return int.from_bytes(found, "little")


def float_text(mantissa: int, exponent: int, precision: int, form: int) -> str | None:
    """0.mantissa * 2**exponent without its sign, as Text('g', -1) of go/src/math/big/ftoa.go; None for what is no Float."""
    if form in (ZERO, INFINITE):
        return "0" if form == ZERO else "Inf"
    bits = mantissa.bit_length()
    if form != FINITE or not mantissa or bits % BITS or precision == 0:
        return None
    trailing = (mantissa & -mantissa).bit_length() - 1
    if bits - trailing > precision:
        return None
    odd, power = mantissa >> trailing, exponent - bits + trailing
    if precision > MAX_PRECISION or abs(exponent) > MAX_EXPONENT:
        digits = f"{mantissa:x}".rstrip("0")
        return f"0x.{digits}p{exponent:+d}"
    return scalars.digits_text(*_shortest(odd, power, exponent, precision))


def _shortest(odd: int, power: int, exponent: int, precision: int) -> tuple[str, int]:
    """(digits, power of ten of the first) of the shortest decimal within half a unit of the last bit of odd * 2**power."""
    exact = _exact(odd, power)
    above = _exact(1, exponent - precision - 1)
    below = _exact(1, exponent - precision - 2) if odd == 1 else above  # numbers below a power of two are closer
    even = odd.bit_length() < precision  # halfway to a neighbour rounds to the even one
    attempts = ((digits, rounding) for digits in count(1) for rounding in (ROUND_HALF_EVEN, ROUND_CEILING))
    short, off = Decimal(0), exact
    while not (-below < off < above or (even and off in (-below, above))):
        digits, rounding = next(attempts)
        short = Context(prec=digits, rounding=rounding, Emax=MAX_EMAX, Emin=MIN_EMIN).plus(exact)
        off = WIDE.subtract(short, exact)
    _, found, ten = short.normalize(WIDE).as_tuple()
    assert isinstance(ten, int)
    return "".join(map(str, found)), len(found) - 1 + ten


WIDE = Context(prec=10_000, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Wide enough for every Float that is written in decimal, exactly."""


def _exact(number: int, power: int) -> Decimal:
    """number * 2**power."""
    if power >= 0:
        return Decimal(number << power)
    return WIDE.scaleb(WIDE.multiply(Decimal(number), Decimal(5**-power)), power)
