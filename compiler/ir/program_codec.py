"""Programs to bytes and back: magic, then zlib over JSON of lists. The same Program gives the same bytes.

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

MAGIC = b"FFPROG\x03\n"
PARTS = 4
"""Of the JSON text: `program_to_json`."""
MAX_BYTES = 256 << 20
"""Of the JSON text, unpacked."""


class BadProgram(BadInput):
    """A Program that is damaged, of another format, or that breaks a bound."""


def program_to_json(program: Program) -> str:
    """The Program as JSON text: its format, all but its sites, every place, and the sites.

    A record is a list of its kind's name and its fields, in order. Each place is written once, and sites name it by number: a
    function of hundreds of variables has as many sites as calls, with all of them in each, and few that differ.
    """
    numbers: dict[Place, int] = {}
    sites = [
        (*_plain(site)[:-1], [numbers.setdefault(place, len(numbers)) for place in site.places])
        for site in program.sites
    ]
    whole = (program.format, replace(program, sites=()), list(numbers), sites)
    return json.dumps(whole, default=_plain, separators=(",", ":"))


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
    if not isinstance(plain, list) or len(plain) != PARTS or plain[0] != FORMAT:
        raise BadProgram("the capture program is of another format", remedy="use one version for agent and service")
    try:
        program = _program(*plain[1:])
    except RecursionError:
        raise BadProgram("the capture program is nested too deeply", remedy="compile it again") from None
    problem = program_check.problem(program)
    if problem is not None:
        raise BadProgram(f"the capture program breaks a bound: {problem}", remedy="compile it again")
    return program


def _program(plain: Any, plain_places: Any, plain_sites: Any) -> Program:
    places: tuple[Place, ...] = _typed(tuple[Place, ...], plain_places, "places")
    program: Program = _typed(Program, plain, "program")
    if not isinstance(plain_sites, list):
        raise BadProgram("program.sites is not a list", remedy="compile it again")
    return replace(program, sites=tuple(_site(each, places, f"site {at}") for at, each in enumerate(plain_sites)))


def _site(plain: Any, places: tuple[Place, ...], where: str) -> Site:
    numbers = plain[-1] if isinstance(plain, list) and plain else None
    if not isinstance(numbers, list) or not set(map(type, numbers)) <= {int}:
        raise BadProgram(f"{where} has no list of places", remedy="compile it again")
    if numbers and not 0 <= min(numbers) <= max(numbers) < len(places):
        raise BadProgram(f"{where} has places that there are not", remedy="compile it again")
    site: Site = _typed(Site, [*plain[:-1], []], where)
    return replace(site, places=tuple([places[number] for number in numbers]))


def _plain(value: Any) -> tuple[Any, ...]:
    kind: Any = type(value)
    return _listed(kind)(value)


@cache
def _listed(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the name of a value's kind and its fields."""
    values: Callable[[Any], tuple[Any, ...]] = attrgetter("__class__.__name__", *kind.__match_args__)
    return values if kind.__match_args__ else lambda _: (kind.__name__,)  # of one alone it would give no tuple


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
    if isinstance(plain, list):
        for member in members:
            if is_frozen(member) and plain[:1] == [member.__name__]:
                return _record(member, plain, where)
        raise BadProgram(f"{where} is of no known kind", remedy="use one version for agent and service")
    scalars = [member for member in members if not is_frozen(member) and member is not NoneType]
    if not scalars:
        raise BadProgram(f"{where} is not a record", remedy="compile it again")
    return _typed(type(plain) if type(plain) in scalars else scalars[0], plain, where)


def _record(kind: Any, plain: Any, where: str) -> Any:
    if not isinstance(plain, list) or plain[:1] != [kind.__name__]:
        raise BadProgram(f"{where} is not a {kind.__name__}", remedy="compile it again")
    hints = _hints(kind)
    if len(plain) != len(hints) + 1:
        raise BadProgram(
            f"{where} has other fields than a {kind.__name__}", remedy="use one version for agent and service"
        )
    fields = zip(hints.items(), plain[1:], strict=True)
    return kind(*[_typed(hint, each, f"{where}.{name}") for (name, hint), each in fields])
