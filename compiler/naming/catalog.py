"""What can be asked of a binary: functions by a pattern or a part of their names, as a spec would write them."""

import re
from collections.abc import Iterable
from typing import Literal

from compiler.binary import Binary
from compiler.dwarf.linked import CLOSURE, pieces, split_name, without_arguments
from compiler.ir.errors import BadInput
from compiler.ir.frozen import frozen
from compiler.naming.patterns import parse_pattern, written_name

Kind = Literal["function", "method", "closure"]
INIT = re.compile(r"init(?:\.\d+)?")
"""What Go's compiler calls a package's own initialization, and the init functions in it."""
MAX_COUNTED = 100
"""Calls of one function that are looked at to count where it was inlined."""


@frozen
class FunctionEntry:
    """One function as a spec would write it; a generic one with the type arguments of each shape it was compiled for
    ("go.shape.int; go.shape.string" of a generic method of a generic type).

    `copies` of its own code, and calls into which it was `inlined`: at least so many where `more`. `hidden`: a wrapper
    that the compiler made; Go's tracebacks and a capture do not show its frames.
    """

    name: str
    kind: Kind
    shapes: tuple[str, ...]
    hidden: bool
    copies: int
    inlined: int
    more: bool


@frozen
class FunctionList:
    """Functions by name, and how many more there are."""

    functions: tuple[FunctionEntry, ...]
    more: int


def list_functions(binary: Binary, wanted: str, limit: int) -> FunctionList:
    """The functions that a spec's `wanted` stands for, or else those that have it somewhere in their names, in whatever case.

    BadInput where there is none.
    """
    with binary.executable.reading_debug_info():
        return _listed(binary, wanted, limit)


def _listed(binary: Binary, wanted: str, limit: int) -> FunctionList:
    groups: dict[str, list[str]] = {}
    for name in _found(binary, wanted):
        groups.setdefault(written_name(name), []).append(name)
    if not groups:
        near = binary.names.nearest(wanted)
        remedy = f"nearest: {', '.join(near)}" if near else "search for a shorter part of its name"
        raise BadInput(f'no function is called or matches "{wanted}"', where=str(binary.executable.path), remedy=remedy)
    shown = sorted(groups, key=lambda each: (_all_hidden(binary, groups[each]), each))[:limit]
    binary.functions.prepare(name for each in shown for name in groups[each])
    return FunctionList(tuple(_entry(binary, each, groups[each]) for each in shown), len(groups) - len(shown))


def _found(binary: Binary, wanted: str) -> Iterable[str]:
    pattern = parse_pattern(wanted)
    if pattern.several:
        return binary.names.matching(pattern)
    meant = binary.names.meant(wanted)
    return meant.names or meant.hidden or binary.names.containing(wanted)


def _all_hidden(binary: Binary, names: list[str]) -> bool:
    return all(binary.functions.is_wrapper(name) for name in names)


def _entry(binary: Binary, written: str, names: list[str]) -> FunctionEntry:
    """Of names that are written alike: the shapes of a generic function, and wrappers for it."""
    functions, hidden = binary.functions, _all_hidden(binary, names)
    shown = names if hidden else [name for name in names if not functions.is_wrapper(name)]
    copies = inlined = 0
    more = False
    for name in shown:
        if functions.mentions(name) > MAX_COUNTED:
            inlined, more = inlined + MAX_COUNTED, True
            copies += functions.has_own_code(name)
        else:
            levels = [instance.level for instance in functions.instances(name)]
            copies, inlined = copies + levels.count(0), inlined + len(levels) - levels.count(0)
    shapes = tuple(sorted("; ".join(pieces(name)[1::2]) for name in shown if "[...]" in written))
    return FunctionEntry(written, kind_of(names[0]), shapes, hidden, copies, inlined, more)


def kind_of(linked: str) -> Kind:
    """By the name alone: what a function is called within its package tells."""
    rest = split_name(without_arguments(linked))[1]
    if INIT.fullmatch(rest):
        return "function"
    if CLOSURE.search(f".{rest}", 1):
        return "closure"
    return "method" if "." in rest else "function"
