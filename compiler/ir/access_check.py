"""The bounds of an Access: what an engine and the decoder may rely on as they take its steps."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from compiler.ir.program import (
    Access,
    AnyAccess,
    ByDictionary,
    ContextValue,
    Count,
    Deref,
    Element,
    Lookup,
    Range,
    Select,
    Step,
    Tail,
    Unbox,
)
from compiler.ir.types import Interface, Sought, TwoMaps, Type

MAX_OBJECT = 1 << 30
"""Size of one type, bytes; the probe copies less of it (limits), but every product of sizes stays in 64 bits."""
MAX_ROOT = 1 << 16
"""Bytes of a root variable."""
MAX_STEPS = 16
MAX_UNBOXED = 4
"""Interfaces within each other that one expression looks into."""
MAX_TAILS = 1 << 16
"""Ways to go on from what interfaces hold, of one Program."""
MAX_CHOICES = 256
"""Types that one variable of generic code may be of. The most in any server that was looked at is 68; each takes a comparison of
the probe, 10 ns, and some 80 bytes of a Program."""
MAX_INDEX = 1 << 31
ADDRESS_END = 1 << 47


def access_problems(
    access: AnyAccess, accesses: tuple[AnyAccess, ...], nested: Sequence[int], types: tuple[Type, ...]
) -> Iterator[str]:
    """One sentence for every bound that an access, one of these, breaks. `nested`: `nestings` of the Program's tails."""
    if isinstance(access, ByDictionary):
        yield from _choices(access, accesses)
        return
    yield from access.limits.problems()
    if not 0 <= access.type < len(types):
        yield f"type {access.type}"
    if not 0 <= access.root_size <= MAX_ROOT:
        yield f"a root of {access.root_size} bytes"
    if len(access.steps) > MAX_STEPS:
        yield f"{len(access.steps)} steps"
    if not 0 <= access.extra_depth <= 2 * MAX_STEPS * MAX_UNBOXED:
        yield f"{access.extra_depth} levels more"
    yield from _inside(access, types)
    if access.tail is not None:
        problems = [*_tail(access.tail, len(nested), types)]
        yield from problems
        if not problems and _nesting(access.tail, nested) > MAX_UNBOXED:
            yield "it looks into too many interfaces, one within the other"


def _choices(access: ByDictionary, accesses: tuple[AnyAccess, ...]) -> Iterator[str]:
    """Each is an Access of its own, from the variable alone on."""
    if not 0 <= access.root_size <= MAX_ROOT or access.at < 0:
        yield f"a root of {access.root_size} bytes"
    if not 0 < len(access.choices) <= MAX_CHOICES:
        yield f"{len(access.choices)} choices"
    for each in access.choices:
        if not 0 <= each.dictionary < ADDRESS_END:
            yield f"a dictionary at {each.dictionary}"
        chosen = accesses[each.access] if 0 <= each.access < len(accesses) else None
        if not isinstance(chosen, Access) or chosen.root_size != access.at:
            yield f"it chooses access {each.access}"


def _inside(access: Access, types: tuple[Type, ...]) -> Iterator[str]:
    """Whether each pointer that a step follows lies within what the step before has led to."""
    at, size = 0, access.root_size
    for number, step in enumerate(access.steps):
        yield from _step(step, types)
        if isinstance(step, Select):
            at += step.offset
            continue
        if at + (8 if isinstance(step, Deref) else 16) > size:
            yield "it follows a pointer outside of its object"
        if isinstance(step, Range) and number != len(access.steps) - 1:
            yield "it goes on behind a range"
        at, size = step.index * step.stride if isinstance(step, Element) else 0, MAX_OBJECT


def _step(step: Step, types: tuple[Type, ...]) -> Iterator[str]:
    match step:
        case Select(offset=offset):
            if not 0 <= offset <= MAX_OBJECT:
                yield f"offset {offset}"
        case Element(index=index, stride=stride):
            if not (0 <= index < MAX_INDEX and 0 <= stride <= MAX_OBJECT and index * stride <= MAX_OBJECT):
                yield f"element {index} of {stride} bytes"
        case Range(lo=lo, hi=hi, stride=stride, elem=elem):
            if not (0 <= lo <= (lo if hi is None else hi) < MAX_INDEX and 0 <= stride <= MAX_OBJECT):
                yield f"elements from {lo} to {hi} of {stride} bytes"
            if elem is not None and (not 0 <= elem < len(types) or types[elem].size > stride):
                yield f"elements of type {elem}"
        case Deref():
            pass
        case _:
            assert_never(step)


def tails_problems(tails: Sequence[Tail], types: tuple[Type, ...]) -> Iterator[str]:
    """The same of the Program's tails. Each leads on only to those before it, so that none leads to itself."""
    if len(tails) > MAX_TAILS:
        yield f"more than {MAX_TAILS} ways to go on from what interfaces hold"
        return
    for number, tail in enumerate(tails):
        yield from (f"tail {number}: {text}" for text in _tail(tail, number, types))


def nestings(tails: Sequence[Tail]) -> list[int]:
    """Of each of the Program's (sound) tails, how many interfaces within each other it looks into."""
    found: list[int] = []
    for tail in tails:
        found.append(_nesting(tail, found))
    return found


def _nesting(tail: Tail, before: Sequence[int]) -> int:
    inner = [before[branch.tail] for step in tail.steps if isinstance(step, Unbox) for branch in step.branches]
    return 1 + max(inner, default=0) if any(isinstance(step, Unbox) for step in tail.steps) else 0


def _tail(tail: Tail, before: int, types: tuple[Type, ...]) -> Iterator[str]:
    """Of a tail that leads on only to the first `before` ones."""
    if len(tail.steps) > MAX_STEPS:
        yield "it has too many steps"
    if not 0 <= tail.type < len(types):
        yield f"type {tail.type}"
    for step in tail.steps:
        match step:
            case Lookup(sought=sought) | Count(sought=sought):
                if not _is_sought(sought, types):
                    yield f"it looks into type {sought}, which is no map"
            case Unbox(interface=interface) | ContextValue(interface=interface):
                if not (0 <= interface < len(types) and isinstance(types[interface], Interface)):
                    yield f"it looks into type {interface}, which is no interface"
                if isinstance(step, Unbox) and any(not 0 <= branch.tail < before for branch in step.branches):
                    yield "it leads on to a tail that is not before it"
            case _:
                yield from _step(step, types)


def _is_sought(sought: int, types: tuple[Type, ...]) -> bool:
    kind = types[sought] if 0 <= sought < len(types) else None
    map_ = kind.map if isinstance(kind, TwoMaps) else sought
    return 0 <= map_ < len(types) and isinstance(types[map_], Sought)
