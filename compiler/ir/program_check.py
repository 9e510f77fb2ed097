"""The bounds of a Program: what an engine may rely on. One sentence for the first that is broken."""

from collections.abc import Iterator

from compiler.ir.access_check import ADDRESS_END, MAX_OBJECT, access_problems, nestings, tails_problems
from compiler.ir.container_check import container_problems
from compiler.ir.frames import REASONS
from compiler.ir.frozen import values_of
from compiler.ir.program import (
    CHANNEL_FIELDS,
    WAITER_FIELDS,
    Access,
    AtAddress,
    AtCfa,
    Callback,
    Details,
    GoRuntime,
    InRegister,
    Located,
    Missing,
    PcRange,
    Place,
    Program,
    Site,
)
from compiler.ir.types import (
    SYNC_WORDS,
    Array,
    Basic,
    Big,
    Box,
    Chan,
    Field,
    HashMap,
    Interface,
    NetAddr,
    Picked,
    Pointer,
    Slice,
    Sought,
    Struct,
    SwissMap,
    Sync,
    Trie,
    TwoMaps,
    Type,
    Word,
    Wrapper,
)

MAX_TYPES = 1 << 20
MAX_SITES = 1 << 20
MAX_PIECES = 32
MAX_TYPE_NESTING = 64
"""Structs and arrays within each other; Go's own types stay far below."""
MAX_ITAB = 1 << 10
"""Bytes of a runtime.itab before its methods."""
MAX_TEXT = 1 << 32
"""Bytes of code: the probe keeps a byte for each 16, and Go's own tables (32 bits a function) know no more."""


def problem(program: Program) -> str | None:
    """The first broken bound, or None for a sound Program."""
    return next(_problems(program), None)


def _problems(program: Program) -> Iterator[str]:
    if program.arch not in ("amd64", "arm64"):
        yield f"architecture {program.arch!r}"
    yield from program.limits.problems()
    yield from _runtime(program.runtime)
    if len(program.types) > MAX_TYPES or len(program.sites) > MAX_SITES:
        yield f"more than {MAX_TYPES} types or {MAX_SITES} sites"
        return
    for type_id, kind in enumerate(program.types):
        yield from (f"type {type_id} ({kind.name}): {text}" for text in _type(kind, program.types))
        if isinstance(kind, Picked):
            yield from (f"type {type_id} ({kind.name}): {text}" for text in _picked(kind, program))
    if _too_deep(program.types):
        yield f"types contain each other more than {MAX_TYPE_NESTING} deep"
    for dynamic in program.dynamic_types:
        if not (0 <= dynamic.offset < ADDRESS_END and 0 <= dynamic.type < len(program.types)):
            yield f"dynamic type at offset {dynamic.offset}"
    wrong = [*tails_problems(program.tails, program.types)]
    if wrong:
        yield from wrong
        return
    nested = nestings(program.tails)
    for number, access in enumerate(program.accesses):
        yield from (
            f"access {number} ({access.text}): {text}"
            for text in access_problems(access, program.accesses, nested, program.types)
        )
    if program.details is not None:
        yield from _details(program.details, program.types)
        hidden = {number for number, each in enumerate(program.tables) if len(each.columns) == 1}
        yield from (f"waiting in function {each}" for each in program.details.waiting_in if each not in hidden)
    seen: dict[int, Place] = {}  # by identity: sites share them, and a large function has hundreds in each of thousands
    for number, site in enumerate(program.sites):
        new = {id(place): place for place in site.places if id(place) not in seen}
        seen.update(new)
        yield from (f"site {number}: {text}" for text in _site(site, program))
        yield from (f"site {number}: {text}" for place in new.values() for text in _place(place, program))


def _details(details: Details, types: tuple[Type, ...]) -> Iterator[str]:
    wanted = [details.waiter, details.selecting, *([] if details.labels is None else [details.labels])]
    if any(not 0 <= each < len(types) for each in wanted):
        yield "details of no type"
        return
    waiters = [types[each] for each in (details.waiter, details.selecting)]
    if any(not has_fields(each, WAITER_FIELDS) for each in waiters):
        yield "a waiter without its fields"
    elif any(isinstance(kind := types[c], Pointer) and not _is_channel(kind, types) for c in map(_channel_of, waiters)):
        yield "a waiter's channel without its fields"
    if any(not 0 <= each < 64 for each in details.selects):
        yield f"wait reasons {details.selects}"
    yield from (f"{each.what} at {each.offset}" for each in details.semaphores if not 0 <= each.offset < 1 << 10)


def _channel_of(waiter: Type) -> int:
    return next(field.type for field in waiter.fields if field.name == "c") if isinstance(waiter, Struct) else 0


def _is_channel(pointer: Pointer, types: tuple[Type, ...]) -> bool:
    return pointer.elem is not None and has_fields(types[pointer.elem], CHANNEL_FIELDS)


def has_fields(kind: Type, names: tuple[str, ...]) -> bool:
    """Whether it is a struct with these fields."""
    return isinstance(kind, Struct) and set(names) <= {field.name for field in kind.fields}


def _runtime(runtime: GoRuntime) -> Iterator[str]:
    for name, value in values_of(runtime).items():
        if isinstance(value, int) and not 0 <= value < ADDRESS_END:
            yield f"runtime.{name} is {value}"
        if name.startswith(("g_", "m_")) and isinstance(value, int) and value >= 1 << 14:
            yield f"runtime.{name} is {value}"
        if name.startswith("g_") and isinstance(value, int) and name != "g_size" and value >= runtime.g_size:
            yield f"runtime.{name} lies outside of runtime.g"
    if runtime.text.hi - runtime.text.lo > MAX_TEXT:
        yield f"{runtime.text.hi - runtime.text.lo} bytes of code"
    ranges = [runtime.text, *runtime.interrupts, *runtime.outermost]
    yield from (f"PC range {r.lo:#x}-{r.hi:#x}" for r in ranges if not _ordered(r))
    if runtime.callback is not None:
        yield from _callback(runtime.callback)
    yield from (f"frame size {f.size}" for f in runtime.syscall_frames if not (f.lo < f.hi and 0 <= f.size < 1 << 20))


def _callback(callback: Callback) -> Iterator[str]:
    yield from (f"PC range {r.lo:#x}-{r.hi:#x}" for r in (callback.pcs, callback.caller) if not _ordered(r))
    sizes = (callback.size, callback.caller_size)
    if callback.between not in (0, 8):
        yield f"frame size {callback.between}"
    yield from (f"frame size {size}" for size in sizes if not (8 <= size < 1 << 20 and size % 8 == 0))


def _ordered(pcs: PcRange | Site) -> bool:
    return 0 <= pcs.lo < pcs.hi < ADDRESS_END


def _type(kind: Type, types: tuple[Type, ...]) -> Iterator[str]:  # noqa: C901, PLR0912 - a case a kind
    if not 0 <= kind.size <= MAX_OBJECT:
        yield f"size {kind.size}"
    known = range(len(types))
    match kind:
        case Struct(fields=members) | Sync(fields=members):
            yield from (f"field {f.name}" for f in members if f.type not in known or not _inside(f, kind.size, types))
            if isinstance(kind, Sync) and not _has_words(kind.words, len(SYNC_WORDS[kind.form]), kind.size):
                yield "its words lie outside of it"
        case Big():
            yield from _big(kind, types)
        case Wrapper(offset=offset, type=inner) if (
            inner not in known or not 0 <= offset <= kind.size - types[inner].size
        ):
            yield "its inner value lies outside of it"
        case Array(elem=elem, elem_size=stride, count=count):
            if elem not in known or count < 0 or stride < types[elem].size or count * stride > kind.size:
                yield "its elements lie outside of it"
        case Slice(elem=elem, elem_size=stride):
            if elem not in known or not types[elem].size <= stride <= MAX_OBJECT or kind.size != 24:
                yield "its elements have no type or another size"
        case Pointer(elem=pointee):
            if (pointee is not None and pointee not in known) or kind.size != 8:
                yield "it points to no type"
        case SwissMap() | HashMap() | Trie() | Chan():
            yield from container_problems(kind, types)
        case Box(elem=elem):
            if elem not in known or kind.size != 8:
                yield "it leads to no type"
        case NetAddr():
            yield from _net_addr(kind, types)
        case TwoMaps():
            yield from _two_maps(kind, types)
        case Sought():
            yield from _sought(kind, types)
        case Interface(itab_type=at) if not 0 <= at < MAX_ITAB:
            yield f"the type in its table at {at}"
        case _:
            pass


def _two_maps(kind: TwoMaps, types: tuple[Type, ...]) -> Iterator[str]:
    known = range(len(types))
    map_ = types[kind.map] if kind.map in known else None
    if isinstance(map_, Sought):
        map_ = types[map_.map] if map_.map in known else None
    if kind.read_only not in known or not isinstance(map_, SwissMap | HashMap):
        yield "its maps have no type"
        return
    within = types[kind.read_only].size
    parts = ((kind.read, 8, kind.size), (kind.dirty, 8, kind.size), (kind.m, 8, within), (kind.amended, 1, within))
    if any(not 0 <= at <= size - length for at, length, size in parts):
        yield "its maps lie outside of it"


def _net_addr(kind: NetAddr, types: tuple[Type, ...]) -> Iterator[str]:
    if kind.detail not in range(len(types)):
        yield "what tells its family has no type"
        return
    number = kind.number.size
    within = types[kind.detail].size
    parts = [(at, 8, kind.size) for at in (kind.hi, kind.lo, kind.z)]
    parts += [(kind.number.offset, number, kind.size)]
    parts += [(kind.is_v6, 1, within), (kind.zone, 16, within)] if kind.ipv4 is None else [(kind.zone, 8, within)]
    if kind.ipv4 is not None and not 0 <= kind.ipv4 < ADDRESS_END:
        yield "what is in IPv4 addresses has no address"
    if not 0 <= number <= 8 or any(not 0 <= at <= size - length for at, length, size in parts):
        yield "its parts lie outside of it"


def _has_words(words: tuple[Word, ...], count: int, size: int) -> bool:
    inside = (0 < word.size <= 8 and 0 <= word.offset <= size - word.size for word in words)
    return len(words) == count and all(inside)


def _big(kind: Big, types: tuple[Type, ...]) -> Iterator[str]:
    digit = types[kind.word] if 0 <= kind.word < len(types) else None
    if not isinstance(digit, Basic) or digit.size != 8:
        yield "its digits have no type"
    words = (Word(kind.neg, 1), *(Word(nat + at, 8) for nat in kind.nats for at in (0, 8, 16)), *kind.float)
    if (len(kind.nats), len(kind.float)) not in ((1, 0), (2, 0), (1, 3)) or not _has_words(
        words, len(words), kind.size
    ):
        yield "its parts lie outside of it"


def _inside(member: Field, size: int, types: tuple[Type, ...]) -> bool:
    return member.offset >= 0 and member.offset + types[member.type].size <= size


def _sought(kind: Sought, types: tuple[Type, ...]) -> Iterator[str]:
    if kind.size != 8 or not 0 <= kind.map < len(types) or not isinstance(types[kind.map], SwissMap | HashMap | Trie):
        yield "it is no map"
    if not (kind.filter_size in (0, 1, 2, 4, 8) and 0 <= kind.filter_at < 1 << 10 and 0 < kind.scan < 1 << 31):
        yield "its filter or the number of its entries"
    if not 0 <= kind.filter_value < 1 << 64:
        yield f"its filter's value {kind.filter_value}"


def _picked(kind: Picked, program: Program) -> Iterator[str]:
    if not 0 <= kind.inner < len(program.types) or program.types[kind.inner].size > kind.size:
        yield "what is followed of it is no part of it"
    for member in kind.members:
        if member.access is None:
            continue
        access = program.accesses[member.access] if 0 <= member.access < len(program.accesses) else None
        if not isinstance(access, Access) or access.root_size != kind.size:
            yield f"member {member.name}"


def _too_deep(types: tuple[Type, ...]) -> bool:
    """Whether values contain values without end (or nearly): indirections do not count, they are bounded by depth."""
    heights: dict[int, int] = {}
    for start in range(len(types)):
        stack = [start]
        on_path: set[int] = set()
        while stack:
            type_id = stack[-1]
            inner = _contained(types[type_id])
            pending = [i for i in inner if i not in heights and 0 <= i < len(types)]
            if type_id in heights:
                stack.pop()
            elif pending and type_id not in on_path:
                on_path.add(type_id)
                stack.extend(pending)
            elif pending:
                return True
            else:
                heights[type_id] = 1 + max((heights.get(i, 0) for i in inner), default=0)
                on_path.discard(type_id)
                stack.pop()
    return any(height > MAX_TYPE_NESTING for height in heights.values())


def _contained(kind: Type) -> tuple[int, ...]:
    match kind:
        case Struct(fields=members) | Sync(fields=members):
            return tuple(member.type for member in members)
        case Wrapper(type=inner) | Array(elem=inner) | Picked(inner=inner):
            return (inner,)
        case _:
            return ()


def _site(site: Site, program: Program) -> Iterator[str]:
    if not _ordered(site) or not 0 <= site.level <= 256:
        yield f"PCs {site.lo:#x}-{site.hi:#x}, level {site.level}"
    if not 0 <= site.function < len(program.tables):
        yield f"function {site.function}"
        return
    if len(site.places) != len(program.tables[site.function].columns):
        yield "it has another number of columns than its table"


def _place(place: Place, program: Program) -> Iterator[str]:
    match place:
        case Missing(reason=reason):
            if reason not in REASONS:
                yield f"unknown reason {reason!r}"
        case Located(access=access, pieces=pieces, dead=dead):
            if not 0 <= access < len(program.accesses) or len(pieces) > MAX_PIECES:
                yield f"access {access} with {len(pieces)} pieces"
                return
            root_size = program.accesses[access].root_size
            if not pieces and root_size:
                yield f"access {access} to a variable that is nowhere"
            yield from _pieces(pieces, root_size)
            if any(not 0 <= word <= root_size - 8 for word in dead):
                yield f"dead pointers at {dead}"


def _pieces(pieces: tuple[AtCfa | InRegister | AtAddress, ...], root_size: int) -> Iterator[str]:
    for piece in pieces:
        if piece.at < 0 or piece.size <= 0 or piece.at + piece.size > root_size:
            yield f"piece at {piece.at} of {piece.size} bytes"
        match piece:
            case AtCfa(offset=offset) if abs(offset) > 1 << 30:
                yield f"CFA offset {offset}"
            case InRegister(number=number, size=size) if not (0 <= number <= 31 and size <= 8):
                yield f"register {number}"
            case AtAddress(address=address) if not 0 <= address < ADDRESS_END:
                yield f"address {address}"
            case _:
                pass
