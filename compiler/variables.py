"""What can be asked of one function: its variables with their types, the lines that have them, and what is in them."""

from collections.abc import Iterator

from compiler import sites
from compiler.binary import Binary
from compiler.code.arginfo import DICTIONARY
from compiler.dwarf.functions import Instance, Variable
from compiler.dwarf.gotypes import (
    KIND_ARRAY,
    KIND_MAP,
    KIND_POINTER,
    KIND_SLICE,
    KIND_STRING,
    KIND_STRUCT,
)
from compiler.explain import Copy, Range, explain_sites
from compiler.expression.way import Resolved
from compiler.ir.errors import BadInput
from compiler.ir.frozen import frozen
from compiler.ir.limits import Limits
from compiler.ir.program import Access, FunctionTable, Missing
from compiler.naming.catalog import kind_of
from compiler.naming.patterns import written_name

MAX_COPIES = 50
"""Copies of one function's code that are looked at to tell which lines have a variable."""
MAX_FIELDS = 2000
"""Fields that are listed of one function's variables."""
OPAQUE = ("time.Time", "time.Duration")
"""Types that are shown as one value."""
ORDER = ("receiver", "parameter", "result", "captured", "local")


@frozen
class Part:
    """Something that can be asked for of a value: `expr` is the whole expression."""

    expr: str
    type: str
    parts: tuple["Part", ...] = ()


@frozen
class VariableEntry:
    """A variable. `kind` is one of ORDER; `line` that of its declaration, 0 where that is not known.

    `lines`: those at whose calls a goroutine that waits shows it, in any copy of the code; where there are none `absent`
    has the reasons (compiler.ir.frames.REASONS). `asked`: whether an expression can name it (a result without a name is
    called "~r0").
    """

    name: str
    type: str
    kind: str
    line: int
    lines: tuple[Range, ...]
    absent: tuple[str, ...]
    asked: bool
    parts: tuple[Part, ...]


@frozen
class FunctionVariables:
    """All variables of a function. `linked`: its names in the binary, several where it is generic. `lines`: from the first to
    the last that calls something. `cut`: how many copies of its code were not looked at; `more_parts`: fields are left out.
    """

    function: str
    linked: tuple[str, ...]
    file: str
    lines: Range
    copies: int
    cut: int
    more_parts: bool
    variables: tuple[VariableEntry, ...]


def list_variables(binary: Binary, wanted: str, depth: int) -> FunctionVariables:
    """The variables of the one function that `wanted` stands for, their fields `depth` levels deep. BadInput if none does."""
    if binary.no_debug_info:
        raise BadInput(f"it has {binary.no_debug_info}", where=str(binary.executable.path))
    with binary.executable.reading_debug_info():
        return _listed(binary, wanted, depth)


def _listed(binary: Binary, wanted: str, depth: int) -> FunctionVariables:
    names, function = _one(binary, wanted)
    binary.functions.prepare(names)
    instances = [instance for name in names for instance in binary.functions.instances(name)]
    if not instances:
        what = f'"{wanted}" has no code in this binary: it was inlined away or never called'
        raise BadInput(what, where=str(binary.executable.path), remedy="ask for the function that calls it")
    columns = _columns(binary, instances, method=kind_of(names[0]) == "method")
    looked = instances[:MAX_COPIES]
    found = [site for each in looked for site in sites.build(binary, 0, each, list[sites.Column](columns))]
    accesses = (Access(0, (), 0, Limits(), ""),)
    table = FunctionTable(function, function, tuple(str(position) for position in range(len(columns))))
    [explained] = explain_sites([table], found, accesses, binary)
    parts = _Parts(binary, depth)
    variables = tuple(column.entry(position, explained.copies, parts) for position, column in enumerate(columns))
    lines = [copy.lines for copy in explained.copies]
    return FunctionVariables(
        function,
        names,
        explained.copies[0].file if explained.copies else "",
        (min(lo for lo, _ in lines), max(hi for _, hi in lines)) if lines else (0, 0),
        len(instances),
        len(instances) - len(looked),
        parts.left == 0,
        tuple(sorted(variables, key=lambda each: ORDER.index(each.kind))),
    )


def _one(binary: Binary, wanted: str) -> tuple[tuple[str, ...], str]:
    """The linked names, and how they all are written."""
    meant, where = binary.names.meant(wanted), str(binary.executable.path)
    written = sorted({written_name(name) for name in meant.names})
    if len(written) == 1:
        return meant.names, written[0]
    near = written or binary.names.nearest(wanted)
    remedy = f"nearest: {', '.join(near)}" if near else "list its functions with: freezeframe functions"
    if written:
        what = f'"{wanted}" stands for {len(written)} functions'
        raise BadInput(what, where=where, remedy=f"name one, such as {written[0]}")
    if meant.hidden:
        what = f'"{wanted}" is a wrapper that Go\'s compiler made, and no traceback shows it'
        raise BadInput(what, where=where, remedy=remedy)
    raise BadInput(f'no function "{wanted}" in this binary', where=where, remedy=remedy)


def _columns(binary: Binary, instances: list[Instance], *, method: bool) -> list["_Column"]:
    """One for each variable that any copy has, in order of declaration."""
    found: dict[tuple[str, int, str, str], _Column] = {}
    for instance in instances:
        receiver = next((v for v in instance.variables if v.parameter and not v.result), None) if method else None
        for variable in instance.variables:
            if variable.name != DICTIONARY:
                kind = "receiver" if variable is receiver else _kind(variable)
                offset = _declared_type(binary, variable)
                key = (variable.name, variable.line, binary.types.printed(offset), kind)
                found.setdefault(key, _Column(key, offset)).add(variable)
    parameters = [column for column in found.values() if column.kind in ("receiver", "parameter", "result")]
    others = [column for column in found.values() if column not in parameters]
    return [*parameters, *sorted(others, key=lambda column: column.line)]


def _kind(variable: Variable) -> str:
    if variable.captured:
        return "captured"
    return "result" if variable.result else "parameter" if variable.parameter else "local"


def _declared_type(binary: Binary, variable: Variable) -> int:
    """Of one that escaped to the heap, debug info has the pointer to it."""
    target = binary.types.pointee(variable.type) if variable.escaped else None
    return variable.type if target is None else target


class _Column:
    """A variable as a column of sites: only it is meant, whatever shadows it."""

    package_variable: tuple[int, int] | None = None

    def __init__(self, key: tuple[str, int, str, str], offset: int) -> None:
        self._name, self.line, self._type, self.kind = key
        self._offset = offset
        self._dies: set[int] = set()

    def add(self, variable: Variable) -> None:
        """One of the DIEs that describe it, a copy of the code each."""
        self._dies.add(variable.die.offset)

    def access(self, type_offset: int, *, escaped: bool) -> tuple[int, Resolved] | None:
        return 0, Resolved(0, (), type_offset, None, int(escaped), ())

    def access_chosen(self, variable: Variable) -> None:
        """It is where it is, whatever it points to."""

    def fits_a_choice(self, variable: Variable) -> bool:
        return bool(variable.choices)  # it asks nothing of any

    def variables(self, instance: Instance) -> list[Variable]:
        return [variable for variable in instance.variables if variable.die.offset in self._dies]

    def absent(self, instance: Instance) -> Missing:  # noqa: ARG002  (a column's signature)
        return Missing("optimized out", "the compiler left it out of this copy of the function")

    def entry(self, position: int, copies: tuple[Copy, ...], parts: "_Parts") -> VariableEntry:
        places = [place for copy in copies for place in copy.columns[position].places] if copies else []
        lines = _union(run for place in places if not place.reason for run in place.lines)
        absent = () if lines else tuple(dict.fromkeys(place.reason for place in places))
        asked = self._name.isidentifier()
        return VariableEntry(
            self._name, self._type or "struct", self.kind, self.line, lines, absent, asked,
            parts.of(self._name, self._offset) if asked else (),
        )  # fmt: skip


def _union(runs: Iterator[Range]) -> tuple[Range, ...]:
    found: list[Range] = []
    for lo, hi in sorted(runs):
        if found and lo <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(hi, found[-1][1]))
        else:
            found.append((lo, hi))
    return tuple(found)


class _Parts:
    """What can be asked for next of a value, some levels deep, and no more than MAX_FIELDS of all."""

    def __init__(self, binary: Binary, depth: int) -> None:
        self._types, self._depth = binary.types, depth
        self.left = MAX_FIELDS

    def of(self, expr: str, offset: int, level: int = 0) -> tuple[Part, ...]:
        """The parts of the value of `expr`, whose type is at an offset."""
        found = []
        for further, kind in self._next(expr, offset) if level < self._depth else ():
            if self.left == 0:
                break
            self.left -= 1
            name = self._types.printed(kind) or "struct"
            found.append(Part(further, name, self.of(further, kind, level + 1)))
        return tuple(found)

    def _next(self, expr: str, offset: int) -> Iterator[tuple[str, int]]:
        types, kind = self._types, self._types.kind(offset)
        if types.name(offset) in OPAQUE:
            return
        if kind == KIND_POINTER:
            target = types.pointee(offset)
            if target is not None and types.kind(target) == KIND_STRUCT:
                yield from self._next(expr, target)
            elif target is not None:
                yield f"*{expr}", target
        elif kind == KIND_STRUCT:
            members = (m for m in types.members(offset) if m.name.isidentifier() and m.name != "_")
            yield from ((f"{expr}.{member.name}", member.type) for member in members)
        elif kind in (KIND_SLICE, KIND_ARRAY):
            elem = types.elem(offset) if kind == KIND_SLICE else types.array(offset)[0]
            if elem is not None:
                yield f"{expr}[0]", elem
        elif kind == KIND_MAP:
            elem, key = types.elem(offset), types.key(offset)
            if elem is not None and key is not None and types.kind(key) == KIND_STRING:
                yield f'{expr}["key"]', elem
