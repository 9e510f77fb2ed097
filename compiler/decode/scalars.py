"""Go's scalars from their bytes, and the texts that stand for what JSON and SQL have no number for."""

import math
import struct
from decimal import Decimal

from compiler.ir.types import Basic

Scalar = bool | int | float | str

SECONDS_PER_DAY = 86_400
YEAR_1_TO_1885 = 59_453_308_800
"""wallToInternal in go/src/time/time.go: seconds from year 1 to 1885, where a Time's wall clock begins."""
NANOSECONDS = (1 << 30) - 1
HAS_MONOTONIC = 1 << 63
OVERFLOW_32 = 2.0**128 - 2.0**103
"""What is not below rounds to no float32."""


def basic(kind: Basic, found: bytes) -> Scalar | None:
    """The number or bool in `found`; None where these bytes are none (a bool of 7)."""
    match kind.kind:
        case "bool":
            number = int.from_bytes(found, "little")
            return bool(number) if number < 2 else None
        case "int":
            return int.from_bytes(found, "little", signed=True)
        case "uint":
            return int.from_bytes(found, "little")
        case "float":
            number_or_none = real(found)
            return None if number_or_none is None else float_value(number_or_none)
        case "complex":
            half = len(found) // 2
            parts = real(found[:half]), real(found[half:])
            return None if parts[0] is None or parts[1] is None else complex_text(parts[0], parts[1])


def real(found: bytes) -> float | None:
    """A float64, or a float32 as the shortest decimal that reads back as it (as Go prints it)."""
    if len(found) == 8:
        return float(struct.unpack("<d", found)[0])
    if len(found) != 4:
        return None
    wide = float(struct.unpack("<f", found)[0])
    if not math.isfinite(wide):
        return wide
    for digits in range(6, 9):
        short = float(f"{wide:.{digits}g}")
        if abs(short) < OVERFLOW_32 and struct.pack("<f", short) == found:
            return short
    return float(f"{wide:.9g}")


def float_value(number: float) -> float | str:
    """The number itself, or the text for one that JSON has not."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return number


def float_text(number: float) -> str:
    """As fmt.Print writes it: the fewest digits that read back as it; with an exponent below 1e-4 and from 1e6 on."""
    if not math.isfinite(number):
        return str(float_value(number))
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    if number == 0:
        return sign + "0"
    _, digits, exponent = Decimal(repr(abs(number))).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    return sign + digits_text(text, len(text) - 1 + exponent)


def digits_text(digits: str, power: int) -> str:
    """d.ddd * 10**power as Go's shortest format 'g' writes it."""
    if power < -4 or power >= 6:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"0.{'0' * (-power - 1)}{digits}"
    whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    return f"{whole}.{fraction}" if fraction else whole


def complex_text(re: float, im: float) -> str:
    """As fmt.Print writes it: (1+2i)."""
    imaginary = float_text(im)
    return f"({float_text(re)}{imaginary if imaginary[0] in '+-' else '+' + imaginary}i)"


def time_text(wall: int, ext: int) -> str | None:
    """A time.Time in UTC as RFC 3339 with nanoseconds; None where the words are no Time.

    Years that RFC 3339 has not (below 0, above 9999) are written as ISO 8601 does, with a sign: +10000-01-01T....
    """
    nanoseconds = wall & NANOSECONDS
    if nanoseconds >= 1_000_000_000:
        return None
    if wall & HAS_MONOTONIC:
        seconds = YEAR_1_TO_1885 + (wall << 1 & (1 << 64) - 1) // (1 << 31)
    else:
        seconds = ext - (1 << 64) if ext >> 63 else ext
    days, second = divmod(seconds, SECONDS_PER_DAY)
    year, month, day = _civil(days)
    written = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{written}-{month:02d}-{day:02d}T{clock}.{nanoseconds:09d}Z"


def _civil(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a day counted from 0001-01-01, in the Gregorian calendar of any year (Howard Hinnant's
    civil_from_days: years begin in March, so that the leap day comes last)."""
    era, of_era = divmod(days + 306, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1
