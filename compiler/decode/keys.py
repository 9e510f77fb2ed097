"""Whether a map's or context's key, as it lies in memory, equals a literal."""

from compiler.decode import scalars
from compiler.decode.image import LOWEST, Image, Window
from compiler.decode.values import ValueReader
from compiler.ir.program import LITERAL_TYPES, Literal
from compiler.ir.types import Basic, Duration, Interface, String, TypeId


def equals(values: ValueReader, image: Image, type_id: TypeId, place: tuple[Window, int], key: Literal) -> bool | None:
    """None where the key's bytes are not there to be compared."""
    window, at = place
    kind = values.types[type_id]
    if window.missing(at, kind.size) is not None:
        return None
    match kind:
        case Basic():
            found = scalars.basic(kind, window.data[at : at + kind.size])
            return isinstance(found, bool) == isinstance(key, bool) and found == key and isinstance(found, int | float)
        case Duration():
            return int.from_bytes(window.data[at : at + kind.size], "little", signed=True) == key
        case String():
            return _same_text(image, window.word(at), window.word(at + 8), key)
        case Interface():
            return _in_interface(values, image, kind, (window, at), key)
        case _:
            return False


def _same_text(image: Image, address: int, length: int, key: Literal) -> bool | None:
    wanted = key.encode() if isinstance(key, str) else None
    if wanted is None or length != len(wanted):
        return False
    found = image.read(address, length)
    return None if found is None else found == wanted


def _in_interface(
    values: ValueReader, image: Image, kind: Interface, place: tuple[Window, int], key: Literal
) -> bool | None:
    window, at = place
    tab, data = window.word(at), window.word(at + 8)
    runtime_type = tab if kind.empty or not tab else image.word(tab + kind.itab_type)
    if not tab:
        return False
    dynamic = None if runtime_type is None else values.dynamic(values.offset_of(runtime_type))
    if dynamic is None:
        return None
    held = values.types[dynamic.type]
    if held.name != LITERAL_TYPES[type(key)]:
        return False
    if dynamic.direct:
        return equals(values, image, dynamic.type, (window, at + 8), key)
    found = image.window(data, held.size) if data >= LOWEST else None
    return None if found is None else equals(values, image, dynamic.type, (found, 0), key)
