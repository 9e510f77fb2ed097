"""What SQL asks of a binary's types: the names of a place's constants, and whether its values carry their address."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from compiler.binary import Binary
from compiler.dwarf.constants import Constant
from compiler.dwarf.gotypes import (
    ATOMIC,
    BASIC_KINDS,
    INTEGERS,
    KIND_INTERFACE,
    KIND_POINTER,
    KIND_STRUCT,
    SHAPE,
    GoTypes,
)
from compiler.dwarf.linked import split_name, unescaped
from compiler.ir.frozen import replace
from compiler.spec import Spec, SpecError
from compiler.spec.uses import SpecUse
from compiler.sql.enums import EnumNames, TypeNames, is_flags
from compiler.sql.paths import json_path
from compiler.typepaths import Lost, ShownTypes, shown

MAX_NAMES = 10_000
"""Constants of one type that are kept."""
NoteIssue = Callable[[str, str, int | None, tuple[str, ...]], None]


def answer(
    spec: Spec,
    uses: Iterable[SpecUse],
    binary: Binary,
    types: ShownTypes,
    columns: Mapping[str, tuple[Sequence[int], str | None]],
    issue: NoteIssue,
) -> tuple[EnumNames, ...]:
    """The names that the uses of one function table want. SpecError where a value can have neither names nor an address;
    an Issue where this binary does not tell.

    `columns`: each column's types (DIE offsets), and what it is in words: None where the binary does not have it.
    """
    found: dict[tuple[str, str], EnumNames] = {}
    for each in uses:
        place = each.use.place
        ends = _ends(each, types, *columns[place.column], issue)
        known = [end for end in ends if not isinstance(end, Lost)]
        if each.use.kind == "address":
            _check_addresses(spec, each, types.go, known)
        elif len(known) < len(ends) or any(types.go.kind(shown(types.go, end)) == KIND_INTERFACE for end in known):
            names = EnumNames(place.table, place.column, json_path(place.path), None)
            found[place.column, names.path] = names
        elif known:
            named = _names(spec, each, binary, [shown(types.go, end) for end in known], issue)
            if named is not None:
                names = EnumNames(place.table, place.column, json_path(place.path), named)
                found[place.column, names.path] = names
    return tuple(found[key] for key in sorted(found))


def _ends(
    use: SpecUse, types: ShownTypes, offsets: Sequence[int], words: str | None, issue: NoteIssue
) -> list[int | Lost]:
    """Where the use's path ends, from each of its column's types: a type, or in what an interface holds."""
    if not offsets and words is not None:
        what = f"{use.use.place.column} is not a value of one Go type ({words})"
        issue(use.item, f"{_call(use)}: {what}", use.line, ())
    ends = [end for offset in offsets for end in types.follow(offset, use.use.place.path)]
    for end in ends:
        if isinstance(end, Lost) and not end.held:
            issue(use.item, f"{_call(use)}: {end.message}", use.line, end.names)
    return [end for end in ends if not isinstance(end, Lost) or end.held]


def with_held(found: Sequence[EnumNames], binary: Binary, dies: Iterable[int]) -> tuple[EnumNames, ...]:
    """The names completed for what interfaces hold: of the types (DIE offsets) that the Program knows of."""
    if all(each.own is not None for each in found):
        return tuple(found)
    types = binary.types
    ends = {shown(types, die) for die in dies}
    integers = [end for end in sorted(ends) if _is_integer(types, end) and "." in types.printed(end)]
    held = tuple(_type_names(binary, end) for end in integers)
    return tuple(each if each.own is not None else replace(each, held=held) for each in found)


def _call(use: SpecUse) -> str:
    written = use.use.place.written
    arrow = "." if "->" in written else "->"
    return f"enum_name({written})" if use.use.kind == "enum_name" else f"{written}{arrow}__addr"


def _wrong(spec: Spec, use: SpecUse, what: str, remedy: str) -> SpecError:
    return SpecError(f"{_call(use)}: {what}", origin=spec.origin, line=use.line, item=use.item, remedy=remedy)


def _check_addresses(spec: Spec, use: SpecUse, types: GoTypes, ends: Iterable[int]) -> None:
    """SpecError for a type whose values do not carry the pointer that they are, where no other is possible."""
    if any(types.kind(end) == KIND_INTERFACE or _points_to_struct(types, end) for end in ends):
        return
    for end in ends:
        name = types.printed(end) or "struct"
        what = f"a value of type {name} does not show its address in a row, only pointers to structs do"
        raise _wrong(spec, use, what, "collect the expression itself with .__addr behind it")


def _points_to_struct(types: GoTypes, offset: int) -> bool:
    """Whether it is *T or atomic.Pointer[T] of a struct T that is shown with its fields."""
    if types.kind(offset) not in (KIND_POINTER, KIND_STRUCT) or shown(types, offset) == offset:
        return False
    target = types.pointee(offset) if types.kind(offset) == KIND_POINTER else shown(types, offset)
    if target is None or types.kind(target) != KIND_STRUCT or types.name(target) == "time.Time":
        return False
    return ATOMIC.match(types.name(target)) is None


def _names(spec: Spec, use: SpecUse, binary: Binary, ends: Iterable[int], issue: NoteIssue) -> TypeNames | None:
    """The names of the constants of the one type that the place holds."""
    types = binary.types
    named = {types.name(end): end for end in ends}
    if len(named) != 1:
        several = " or ".join(sorted(map(types.printed_name, named)))
        issue(use.item, f"{_call(use)}: it is {several}, depending on the place in the code", use.line, ())
        return None
    ((name, end),) = named.items()
    if name.startswith(SHAPE):
        issue(use.item, f"{_call(use)}: the type is known only when it is captured", use.line, ())
        return None
    _check_integer(spec, use, types, end)
    names = _type_names(binary, end)
    if not names.names:
        what = "has no constants in this binary (Go lists those of packages that have code in it)"
        issue(use.item, f"{_call(use)}: {types.printed_name(name)} {what}", use.line, ())
    return names


def _check_integer(spec: Spec, use: SpecUse, types: GoTypes, end: int) -> None:
    name = types.printed(end) or "struct"
    if not _is_integer(types, end):
        raise _wrong(spec, use, f"{name} is no integer type, it has no named constants", "leave enum_name() out")
    if "." not in name:
        remedy = "leave enum_name() out, or name a value of a type of its own, such as `type State int`"
        raise _wrong(spec, use, f"{name} has no constants of its own", remedy)


def _is_integer(types: GoTypes, end: int) -> bool:
    return types.kind(end) in INTEGERS


def _type_names(binary: Binary, end: int) -> TypeNames:
    """The constants of an integer type: its own package's, and those of others (with their package) for other values."""
    types, name = binary.types, binary.types.name(end)
    bits, signed = 8 * types.size(end), BASIC_KINDS[types.kind(end)] == "int"
    constants = binary.constants(end)[:MAX_NAMES]
    package, printed = unescaped(split_name(name)[0]), types.printed_name(name)
    own = _first_names([each for each in constants if unescaped(each.package) == package], bits, signed)
    foreign = [each for each in constants if unescaped(each.package) != package]
    named = {
        value: f"{types.package(where)}.{text}" for value, (where, text) in _first_names(foreign, bits, signed).items()
    }
    named |= {value: text for value, (_, text) in own.items()}
    flags = tuple((value, text) for value, (_, text) in own.items()) if is_flags(list(own)) else ()
    return TypeNames(printed, _bare(printed), tuple(sorted(named.items())), flags)


def _first_names(constants: Sequence[Constant], bits: int, signed: bool) -> dict[int, tuple[str, str]]:
    """By value: the path of the package and the name of the constant that is declared first."""
    names: dict[int, tuple[str, str]] = {}
    for each in constants:
        value = each.value & (1 << bits) - 1
        value -= (1 << bits) if signed and value >> (bits - 1) else 0
        names.setdefault(value, (unescaped(each.package), each.name))
    return names


def _bare(printed: str) -> str:
    """The type's name without its package."""
    head, bracket, arguments = printed.partition("[")
    return head.rpartition(".")[2] + bracket + arguments
