"""Programs to bytes and back: magic, then zlib over JSON with sorted keys. The same Program gives the same bytes.

What comes in is not trusted: sizes are bounded before anything is unpacked, every field is checked against its declared
type, and every index, offset and size against what it indexes, so that an engine may use a Program without a second look.
"""

import json
import zlib
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from compiler.ir import program_check
from compiler.ir.errors import BadInput
from compiler.ir.frozen import is_frozen, replace
from compiler.ir.program import FORMAT, Place, Program, Site

MAGIC = b"FFPROG\x02\n"
MAX_BYTES = 256 << 20
"""Of the JSON text, unpacked."""


class BadProgram(BadInput):
    """A Program that is damaged, of another format, or that breaks a bound."""


def program_to_json(program: Program) -> str:
    """The Program as JSON text, sorted keys.

    Each place is written once, and sites name it by number: a function of hundreds of variables has as many sites as
    calls, with all of them in each, and few that differ.
    """
    numbers: dict[Place, int] = {}
    sites = [
        _plain(site) | {"places": [numbers.setdefault(place, len(numbers)) for place in site.places]}
        for site in program.sites
    ]
    plain = _plain(program) | {"sites": sites, "places": list(numbers)}
    return json.dumps(dict(sorted(plain.items())), default=_plain, separators=(",", ":"))


def program_to_bytes(program: Program) -> bytes:
    """The Program as it travels."""
    return MAGIC + zlib.compress(program_to_json(program).encode(), 6)


def program_from_bytes(data: bytes) -> Program:
    """The Program in `data`, every bound checked; BadProgram where it is not one."""
    if data[: len(MAGIC)] != MAGIC:
        raise BadProgram(
            f"this is not a capture program of format {FORMAT}", remedy="use one version for agent and service"
        )
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data[len(MAGIC) :], MAX_BYTES)
        if unpacker.unconsumed_tail:
            raise BadProgram(f"the capture program is larger than {MAX_BYTES} bytes", remedy="collect less in the spec")
        if not unpacker.eof or unpacker.unused_data:
            raise BadProgram("the capture program is cut or has bytes after its end", remedy="send it again")
        plain = json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise BadProgram(f"the capture program cannot be read: {error}", remedy="send it again") from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise BadProgram("the capture program is of another format", remedy="use one version for agent and service")
    try:
        program = _program(plain)
    except RecursionError:
        raise BadProgram("the capture program is nested too deeply", remedy="compile it again") from None
    problem = program_check.problem(program)
    if problem is not None:
        raise BadProgram(f"the capture program breaks a bound: {problem}", remedy="compile it again")
    return program


def _program(plain: dict[str, Any]) -> Program:
    places: tuple[Place, ...] = _typed(tuple[Place, ...], plain.pop("places", None), "places")
    sites, plain["sites"] = plain.get("sites"), []
    program: Program = _typed(Program, plain, "program")
    if not isinstance(sites, list):
        raise BadProgram("program.sites is not a list", remedy="compile it again")
    return replace(program, sites=tuple(_site(each, places, f"site {at}") for at, each in enumerate(sites)))


def _site(plain: Any, places: tuple[Place, ...], where: str) -> Site:
    numbers = plain.get("places") if isinstance(plain, dict) else None
    if not isinstance(numbers, list) or not set(map(type, numbers)) <= {int}:
        raise BadProgram(f"{where} has no list of places", remedy="compile it again")
    if numbers and not 0 <= min(numbers) <= max(numbers) < len(places):
        raise BadProgram(f"{where} has places that there are not", remedy="compile it again")
    site: Site = _typed(Site, {**plain, "places": []}, where)
    return replace(site, places=tuple([places[number] for number in numbers]))


def _plain(value: Any) -> dict[str, Any]:
    kind: Any = type(value)
    names, values = _sorted_fields(kind)
    return dict(zip(names, values(value), strict=True))


@cache
def _sorted_fields(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The keys of such a value as JSON has it, that of its kind first, and what gives their values."""
    names = sorted(kind.__match_args__)
    values: Callable[[Any], tuple[Any, ...]] = attrgetter("__class__.__name__", *names)
    return ("", *names), values if names else lambda _: (kind.__name__,)  # of one alone it would give no tuple


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation)


def _typed(annotation: Any, plain: Any, where: str) -> Any:
    """`plain` as a value of `annotation`: a dataclass, a union of them, a tuple, a scalar or a Literal."""
    if annotation in (int, str, bool, float):
        if type(plain) is not annotation:
            raise BadProgram(f"{where} is not of type {annotation.__name__}", remedy="compile it again")
        return plain
    origin = get_origin(annotation)
    if origin is tuple:
        if not isinstance(plain, list):
            raise BadProgram(f"{where} is not a list", remedy="compile it again")
        item = _members(annotation)[0]
        return tuple(_typed(item, each, f"{where}[{i}]") for i, each in enumerate(plain))
    if origin is Union or origin is UnionType:
        return _one_of(_members(annotation), plain, where)
    if origin is Literal:
        if plain not in _members(annotation):
            raise BadProgram(f"{where} is none of {_members(annotation)}", remedy="compile it again")
        return plain
    return _record(annotation, plain, where)


def _one_of(members: tuple[Any, ...], plain: Any, where: str) -> Any:
    if plain is None and NoneType in members:
        return None
    if isinstance(plain, dict):
        for member in members:
            if isinstance(member, type) and member.__name__ == plain.get(""):
                return _record(member, plain, where)
        raise BadProgram(f"{where} is of no known kind", remedy="use one version for agent and service")
    scalars = [member for member in members if not is_frozen(member) and member is not NoneType]
    if not scalars:
        raise BadProgram(f"{where} is not an object", remedy="compile it again")
    return _typed(type(plain) if type(plain) in scalars else scalars[0], plain, where)


def _record(kind: Any, plain: Any, where: str) -> Any:
    if not isinstance(plain, dict) or plain.get("") != kind.__name__:
        raise BadProgram(f"{where} is not a {kind.__name__}", remedy="compile it again")
    hints = _hints(kind)
    if plain.keys() - {""} != hints.keys():
        raise BadProgram(
            f"{where} has other fields than a {kind.__name__}", remedy="use one version for agent and service"
        )
    return kind(**{name: _typed(hint, plain[name], f"{where}.{name}") for name, hint in hints.items()})
