"""Go's type DIEs: kinds, sizes, members, elements, and the words that the compiler may keep apart.

Layouts are read by field name from the binary's own DWARF, never from a table of Go versions.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import starmap

from compiler.dwarf.linked import unescaped
from compiler.dwarf.locations import Shape
from compiler.dwarf.members import GO_EMBEDDED, MemberReader
from compiler.dwarf.units import DebugInfo, name_of, number
from compiler.ir.frozen import frozen
from compiler.ir.types import BasicKind

GO_KIND, GO_KEY, GO_ELEM, GO_RUNTIME_TYPE = 0x2900, 0x2901, 0x2902, 0x2904
INTEGERS = range(2, 13)
KIND_ARRAY, KIND_CHAN, KIND_FUNC, KIND_INTERFACE, KIND_MAP, KIND_POINTER = 17, 18, 19, 20, 21, 22
KIND_SLICE, KIND_STRING, KIND_STRUCT, KIND_UNSAFE_POINTER = 23, 24, 25, 26
KIND_COMPLEX64, KIND_COMPLEX128 = 15, 16
MAX_WORDS = 4
"""Larger structs are not taken apart (ssa.MaxStruct)."""
BASIC_KINDS: dict[int, BasicKind] = {
    1: "bool", **dict.fromkeys(range(2, 7), "int"), **dict.fromkeys(range(7, 13), "uint"),
    13: "float", 14: "float", 15: "complex", 16: "complex",
}  # fmt: skip
ATOMIC = re.compile(r"^(?:sync/atomic|internal/runtime/atomic|runtime/internal/atomic)\.(\w+)")
TYPE_PARAMETER = ".param"
SHAPE = "go.shape."
"""How a generic function's code names its type arguments: by their underlying types."""
ANY_POINTER = "go.shape.*uint8"
"""What generic code calls pointers of whatever to. Where a constraint says more than methods do (comparable, *A | *B, *T), Go
compiles for each pointer type on its own, and the shape has its name."""
SHAPE_PREFIX = re.compile(r"go\.shape\.(?!\*uint8)")
LOCAL = "·"
LOCAL_PARTS = re.compile(r"([\[\]]|·\d+)")
FIELD_PARTS = re.compile(r"""([\[\]]|"(?:[^"\\]|\\.)*"|(?:(?<=struct \{ )|(?<=; ))[\w.~%\-+]+ (?:= )?(?![}"]))""")
"""Brackets, tags (which may hold anything), and the names of fields: `main.a `, of an embedded generic type `Box = `."""
GENERIC = re.compile(r"\w(?<!\bmap)$")
"""What is before the type arguments of a type, and not before the key of a map."""
PACKAGE_PATH = re.compile(r"[\w~%\-+][\w.~%\-+]*/(?=[\w.~%\-+/]*\.)")


QUALIFIER = re.compile(r"(?<![\w~%\-+/])(?<!\w\.)((?:[\w~%\-+][\w.~%\-+]*/)*[\w~%\-+]+)(?=\.[^\W\d])")
"""The import path before a name."""


def printed_type(name: str) -> str:
    """A type's name as Go prints it: packages by their last path element, link-time escapes undone, and without the number by
    which the linker tells types within functions apart."""
    short = PACKAGE_PATH.sub("", name)
    if LOCAL in short:
        short = _without_numbers(short)
    if "struct { " in short:
        short = _with_bare_fields(short)
    if SHAPE in short:
        short = SHAPE_PREFIX.sub("", short)
    return short.replace("%2e", ".") if "%" in short else short


def _without_numbers(name: str) -> str:
    """Go prints them in type arguments alone: main.local, []main.local, main.Box[main.local·1]."""
    return _outside_of_arguments(name, LOCAL_PARTS, lambda _: "")


def _with_bare_fields(name: str) -> str:
    """The linker tells a struct's unexported fields apart by their package, and names an embedded generic type twice; Go prints
    that in type arguments alone: struct { a int }, main.Box[struct { main.a int }]."""

    def bare(part: str) -> str:
        return part if part[0] == '"' else "" if part.endswith("= ") else part.rpartition(".")[2]

    return _outside_of_arguments(name, FIELD_PARTS, bare)


def _outside_of_arguments(name: str, parts: re.Pattern[str], printed: Callable[[str], str]) -> str:
    """The name with those of the parts, which include brackets, printed that are in no type arguments."""
    text, arguments = "", list[bool]()
    for index, part in enumerate(parts.split(name)):
        if part == "[":
            arguments.append(GENERIC.search(text) is not None)
        elif part == "]" and arguments:
            arguments.pop()
        text += printed(part) if index % 2 and part not in ("[", "]") and not any(arguments) else part
    return text


@frozen
class Member:
    """One member of a structure DIE."""

    name: str
    offset: int
    type: int
    embedded: bool


class GoTypes:
    """Looks at type DIEs by their offset in .debug_info."""

    def __init__(self, info: DebugInfo) -> None:
        self._info = info
        self._read_members = MemberReader(info).read
        self.die = lru_cache(maxsize=None)(info.die)
        self.members = lru_cache(maxsize=None)(self._members)
        self.structure = lru_cache(maxsize=None)(self._structure)
        self.kind = lru_cache(maxsize=None)(self._kind)
        self.size = lru_cache(maxsize=None)(self._size)
        self.array = lru_cache(maxsize=None)(self._array)
        self.shape = lru_cache(maxsize=None)(self._shape)
        self.printed_name = lru_cache(maxsize=None)(self._printed_name)
        self._package_name = lru_cache(maxsize=None)(info.package_name)

    def name(self, offset: int) -> str:
        """The full linked name; of a type parameter (".param0") that of what its code takes for it."""
        name, target = name_of(self.die(offset)) or "", self.target(offset)
        return self.name(target) if name.startswith(TYPE_PARAMETER) and target is not None else name

    def printed(self, offset: int) -> str:
        """The type as Go itself prints it (%T): each package by its own name."""
        return self.printed_name(self.name(offset))

    def _printed_name(self, name: str) -> str:
        """A linked name as Go prints it."""
        if "/" not in name and "%" not in name:
            return printed_type(name)
        return printed_type(QUALIFIER.sub(lambda path: self._package_name(unescaped(path[1])) or path[1], name))

    def package(self, path: str) -> str:
        """What the package at an import path calls itself; without a unit of its own, the last element of its path."""
        return self._package_name(path) or path.rpartition("/")[2]

    def target(self, offset: int) -> int | None:
        """DW_AT_type: what a typedef, pointer or array is of."""
        return number(self.die(offset), "DW_AT_type")

    def _kind(self, offset: int) -> int:
        """reflect.Kind, looked up through typedefs; 0 where the debug info does not tell."""
        for _ in range(64):
            die = self.die(offset)
            kind = number(die, GO_KIND)
            if kind:
                return kind
            following = number(die, "DW_AT_type")
            if die.tag == "DW_TAG_pointer_type":
                return KIND_POINTER if following is not None else KIND_UNSAFE_POINTER
            if die.tag == "DW_TAG_structure_type":
                return KIND_STRUCT
            if die.tag != "DW_TAG_typedef" or following is None:
                return 0
            offset = following
        return 0

    def _structure(self, offset: int) -> int:
        """The DIE behind all typedefs."""
        for _ in range(64):
            die = self.die(offset)
            following = number(die, "DW_AT_type")
            if die.tag != "DW_TAG_typedef" or following is None:
                break
            offset = following
        return offset

    def _members(self, offset: int) -> tuple[Member, ...]:
        structure = self.structure(offset)
        usual = self._read_members(self.die(structure))
        if usual is not None:
            return tuple(starmap(Member, usual))
        found = []
        for depth, die in self._info.subtree(structure):
            type_offset = number(die, "DW_AT_type")
            if depth == 1 and die.tag == "DW_TAG_member" and type_offset is not None:
                at = number(die, "DW_AT_data_member_location") or 0
                found.append(Member(name_of(die) or "_", at, type_offset, bool(number(die, GO_EMBEDDED))))
        return tuple(found)

    def member(self, offset: int, name: str) -> Member | None:
        """The member of that name of a structure."""
        return next((member for member in self.members(offset) if member.name == name), None)

    def _size(self, offset: int) -> int:
        """Bytes of one value."""
        kind = self.kind(offset)
        if kind in (KIND_POINTER, KIND_MAP, KIND_CHAN, KIND_FUNC, KIND_UNSAFE_POINTER):
            return 8
        if kind == KIND_ARRAY:
            elem, count = self.array(offset)
            return 0 if elem is None else count * self.size(elem)
        return number(self.die(self.structure(offset)), "DW_AT_byte_size") or 0

    def is_computed(self, offset: int) -> bool:
        """Whether an instruction can make a value of the type from another one's: not of references, but for pointers to
        what is no struct (which unsafe.Add steps through)."""
        kind = self.kind(offset)
        if kind == KIND_POINTER:
            target = self.pointee(offset)
            return target is None or self.kind(target) != KIND_STRUCT
        return kind not in (KIND_MAP, KIND_CHAN, KIND_FUNC, KIND_INTERFACE)

    def taken_apart(self, offset: int) -> frozenset[int]:
        """The structs and arrays that a variable of the type consists of, itself among them, where Go's compiler may take it
        apart; none of other types."""
        return frozenset(each for each in self.parts(offset) if self._is_taken_apart(each))

    def parts(self, offset: int) -> frozenset[int]:
        """The type and, where Go's compiler may take a variable of it apart, the types of all its parts."""
        inner: list[int] = []
        if self._is_taken_apart(offset):
            elem = self.array(offset)[0] if self.kind(offset) == KIND_ARRAY else None
            inner = [each.type for each in self.members(offset)] if elem is None else [elem]
        return frozenset({offset}.union(*map(self.parts, inner)))

    def _is_taken_apart(self, offset: int) -> bool:
        return self.kind(offset) in (KIND_STRUCT, KIND_ARRAY) and self.shape(offset).words is not None

    def together(self, offset: int) -> frozenset[tuple[int, int]]:
        """(one, other), words of a variable that Go's compiler takes apart: where the one gets a value, so does the other. Both
        of an interface; with the pointer of a string or slice the length, which is often assigned alone."""
        kind = self.kind(offset)
        if kind == KIND_INTERFACE:
            return frozenset({(0, 8), (8, 0)})
        if kind in (KIND_STRING, KIND_SLICE):
            return frozenset({(0, 8)})
        if kind != KIND_STRUCT or self.shape(offset).words is None:
            return frozenset()
        return frozenset(
            (each.offset + one, each.offset + other)
            for each in self.members(offset)
            for one, other in self.together(each.type)
        )

    def _shape(self, offset: int) -> Shape:
        """What a variable of the type is made of, as far as Go's compiler may take it apart."""
        return Shape(self.size(offset), self._words(offset))

    def _words(self, offset: int) -> tuple[tuple[int, int], ...] | None:
        """(offset, size) of every word; None for a type that is always kept whole (ssa.CanSSA)."""
        kind, size = self.kind(offset), self.size(offset)
        if size > MAX_WORDS * 8:
            return None
        if kind in (KIND_STRING, KIND_INTERFACE, KIND_SLICE):
            return tuple((at, 8) for at in range(0, size, 8))
        if kind in (KIND_COMPLEX64, KIND_COMPLEX128):
            return ((0, size // 2), (size // 2, size // 2))
        if kind == KIND_ARRAY:
            elem, count = self.array(offset)
            return None if count > 1 or elem is None else self._words(elem) if count else ()
        if kind == KIND_STRUCT:
            return self._struct_words(offset)
        return ((0, size),)

    def _struct_words(self, offset: int) -> tuple[tuple[int, int], ...] | None:
        members = self.members(offset)
        found: list[tuple[int, int]] = []
        for member in members:
            inner = self._words(member.type)
            if inner is None or len(members) > MAX_WORDS:
                return None
            found += ((member.offset + at, size) for at, size in inner if size)
        return tuple(found)

    def _array(self, offset: int) -> tuple[int | None, int]:
        """(element type, count) of an array type."""
        die = self.die(self.structure(offset))
        for depth, child in self._info.subtree(die.offset):
            if depth == 1 and child.tag == "DW_TAG_subrange_type":
                count = number(child, "DW_AT_count")
                if count is None:
                    count = (number(child, "DW_AT_upper_bound") or -1) + 1
                return number(die, "DW_AT_type"), count
        return number(die, "DW_AT_type"), 0

    def elem(self, offset: int) -> int | None:
        """Element type of a slice, channel or map."""
        return self._attribute(offset, GO_ELEM)

    def key(self, offset: int) -> int | None:
        """Key type of a map."""
        return self._attribute(offset, GO_KEY)

    def runtime_type(self, offset: int) -> int | None:
        """Where its descriptor is, counted from moduledata.types; None or 0 for a type that has none."""
        return self._attribute(offset, GO_RUNTIME_TYPE)

    def _attribute(self, offset: int, attribute: int) -> int | None:
        for _ in range(64):
            die = self.die(offset)
            value = number(die, attribute)
            following = number(die, "DW_AT_type")
            if value is not None or die.tag != "DW_TAG_typedef" or following is None:
                return value
            offset = following
        return None

    def pointee(self, offset: int) -> int | None:
        """What a pointer type points to; None where the debug info does not tell."""
        pointer = self.structure(offset)
        return None if self.name(pointer).startswith(ANY_POINTER) else number(self.die(pointer), "DW_AT_type")
