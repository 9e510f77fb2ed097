"""Parts of variables that debug info has as variables of their own.

Go's compiler makes a struct into a variable for each field, with both names in one: p and its field x become "px" (SplitStruct in
cmd/compile/internal/ssa, SplitSlot in cmd/compile/internal/ssagen), declared where the struct is, in the function around where a
call is inlined. Debug info knows them as parts of p; but since Go 1.27 it also tells, of those that are ever put on the stack, one
place for the whole function. A program may have a variable px, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from compiler.dwarf.dies import Die
from compiler.dwarf.gotypes import KIND_STRUCT, GoTypes


class Described(Protocol):
    """What debug info says of a variable."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> int: ...
    @property
    def line(self) -> int: ...


def may_be_part(die: Die) -> bool:
    """Whether a variable's DIE tells one place for the whole function, as that of a part does."""
    location = die.attributes.get("DW_AT_location")
    return die.tag == "DW_TAG_variable" and location is not None and location.form.startswith("DW_FORM_block")


def parts(types: GoTypes, suspects: Sequence[Described], wholes: Iterable[tuple[Described, range]]) -> set[int]:
    """Which of the suspects (by position) are fields of one of the variables: by name, line, kind and size.

    `wholes`: each with the lines that it may be declared on, for debug info has none of an inlined call's arguments.
    """
    by_letter: dict[str, list[tuple[Described, range]]] = {}
    for whole, lines in wholes:
        by_letter.setdefault(whole.name[:1], []).append((whole, lines))
    return {
        at
        for at, each in enumerate(suspects)
        for whole, lines in by_letter.get(each.name[:1], ())
        if each.name.startswith(whole.name)
        and each.line in lines
        and any(
            _look(types, part) == _look(types, each.type)
            for part in _fields(types, whole.type, each.name, len(whole.name))
        )
    }


def _look(types: GoTypes, offset: int) -> tuple[int, int]:
    return types.kind(offset), types.size(offset)


def _fields(types: GoTypes, offset: int, name: str, begin: int) -> Iterator[int]:
    """The types of the fields whose names, behind those of the structs around them within a struct, are `name` from `begin` on."""
    if begin == len(name) or types.kind(offset) != KIND_STRUCT:
        return
    for member in types.members(offset):
        if name.startswith(member.name, begin):
            end = begin + len(member.name)
            if end == len(name):
                yield member.type
            else:
                yield from _fields(types, member.type, name, end)
