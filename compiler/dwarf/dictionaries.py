"""What the pointers of generic code point to, where there is only one answer.

Go compiles one copy of a generic function for all type arguments that are pointers; its debug info calls each of them
go.shape.*uint8. Which one a call means is in the dictionary that it passes, and there is a symbol for every dictionary,
named by the type arguments: main..dict.Map[string,*main.User]. Where all that the copy may have been passed agree, the real
types take the place of the shapes. Only code of its own can be judged so: a call that was inlined may need no dictionary.
"""

import re
from functools import cached_property

from compiler.dwarf.executable import Executable
from compiler.dwarf.gotypes import (
    ANY_POINTER,
    KIND_POINTER,
    KIND_UNSAFE_POINTER,
    SHAPE,
    GoTypes,
)
from compiler.dwarf.index import Index
from compiler.dwarf.linked import pieces, split_arguments

MARK = b"..dict."
METHOD = re.compile(r"\)?(\.(?!func\d|gowrap\d|deferwrap\d)\w+)?")
"""What follows the type arguments in the name of a function or method; not that of a closure, which is another function."""
NO_POINTER = re.compile(r"\[|map\[|func\(|chan |<-chan |interface \{|struct \{|[a-z0-9]+$")
"""Types that are spelt out, and the basic ones."""

Arguments = tuple[str, ...]


class Dictionaries:
    """Looks at the dictionaries of one executable."""

    def __init__(self, executable: Executable, index: Index, types: GoTypes) -> None:
        self._executable, self._index, self.types = executable, index, types
        self._meant: dict[str, dict[str, str]] = {}

    def real(self, function: str, offset: int) -> int:
        """The type that a variable of a shape-generic function (by linked name) really has; as it is where that is not sure."""
        name = self.types.name(offset)
        if ANY_POINTER not in name:
            return offset
        if function not in self._meant:
            self._meant[function] = self._meanings(function)
        real = self._substituted(name, self._meant[function], offset)
        return offset if real is None else real

    def choices(self, function: str, offset: int) -> tuple[tuple[int, int], ...]:
        """(address of a dictionary, type) of what a variable of a function's own code may be; () where none is known."""
        name = self.types.name(offset)
        base, shapes, rest = split_name(function)
        if ANY_POINTER not in name or METHOD.fullmatch(rest) is None:
            return ()
        found = []
        for arguments, symbol in sorted(self._arguments.get(base, {}).items()):
            pairs = list(zip(shapes, arguments, strict=False))
            meant = {shape: argument for shape, argument in pairs if shape.startswith(SHAPE)}
            if len(arguments) != len(shapes) or any(meant.get(shape, other) != other for shape, other in pairs):
                continue
            if any(shape == ANY_POINTER and not self._may_be_pointer(argument) for shape, argument in pairs):
                continue
            real, place = self._substituted(name, meant, offset), self._executable.symbol(symbol)
            if real is not None and place is not None:
                found.append((place[0], real))
        return tuple(found)

    def _substituted(self, name: str, meant: dict[str, str], offset: int) -> int | None:
        """The type of this name with the arguments in the place of the shapes."""
        shapes = sorted(meant, key=len, reverse=True)  # go.shape.*go.shape.*uint8 before what is in it
        if shapes:
            either = "|".join(map(re.escape, shapes))
            name = re.sub(rf"(?:{either})(?![\w.])", lambda shape: meant[shape[0]], name)
        found = self._index.types.get(name, []) if SHAPE not in name else []
        return next((each for each in found if self._alike(each, offset)), None)

    def _alike(self, one: int, other: int) -> bool:
        types = self.types
        return types.kind(one) == types.kind(other) and types.size(one) == types.size(other)

    def _meanings(self, function: str) -> dict[str, str]:
        """Shapes to the only type that each may stand for; nothing where pointers may be of several types."""
        base, shapes, rest = split_name(function)
        possible = self._arguments.get(base, {})
        if METHOD.fullmatch(rest) is None or any(len(each) != len(shapes) or '"' in str(each) for each in possible):
            return {}
        pointers = [at for at, shape in enumerate(shapes) if shape == ANY_POINTER]
        fitting = [each for each in possible if all(self._may_be_pointer(each[at]) for at in pointers)]
        meant: dict[str, str] = {}
        for shape in dict.fromkeys(shapes):
            real = {each[at] for each in fitting for at, other in enumerate(shapes) if other == shape}
            if len(real) == 1 and shape.startswith(SHAPE):
                meant[shape] = real.pop()
        return meant if meant.get(ANY_POINTER, "").startswith("*") else {}

    def _may_be_pointer(self, argument: str) -> bool:
        """A named type may have been declared as a pointer; what is not known may."""
        if argument.startswith("*"):
            return True
        kinds = {self.types.kind(offset) for offset in self._index.types.get(argument, [])}
        if kinds:
            return bool(kinds & {0, KIND_POINTER, KIND_UNSAFE_POINTER})
        return NO_POINTER.match(argument) is None

    @cached_property
    def _arguments(self) -> dict[str, dict[Arguments, str]]:
        """By generic function, or by generic type for its methods: the type arguments of every dictionary, and its symbol."""
        names, found = self._executable.section(".strtab") or b"", dict[str, dict[Arguments, str]]()
        at = names.find(MARK)
        while at >= 0:
            begin, end = names.rfind(b"\0", 0, at) + 1, names.find(b"\0", at)
            symbol = names[begin:end].decode("utf-8", "replace")
            base, arguments, _ = split_name(symbol)
            found.setdefault(base.replace(MARK.decode(), "."), {})[arguments] = symbol
            at = names.find(MARK, end) if end >= 0 else -1
        return found


def split_name(name: str) -> tuple[str, Arguments, str]:
    """(main.Map, its type arguments, what follows) of main.Map[...]; of a method, main.(*Box[...]).add, those of its type. A
    generic method of a generic type has both: (main.Box).Fold, all of them, what follows) of main.(*Box[...]).Fold[...]."""
    head, *rest = pieces(name)
    base = head.replace("(*", "")
    match rest:
        case [arguments, behind]:
            return base, split_arguments(arguments), behind
        case [of_type, method, of_method, behind]:
            return base + method, (*split_arguments(of_type), *split_arguments(of_method)), behind
    return name, (), ""
