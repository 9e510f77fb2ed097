"""Spec x Binary -> Program + Issues: which frames, which bytes, by which PC. Pure but for reading the binary.

A spec item that the binary does not have becomes an Issue and leaves the rest untouched; its column stays, without values.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from compiler import sites
from compiler.binary import Binary
from compiler.column import Column, limits_of
from compiler.compiled import Compiled, FunctionReport
from compiler.details import read_details, waiting_in
from compiler.dwarf.constants import constants_named
from compiler.dwarf.executable import BROKEN
from compiler.dwarf.functions import Instance
from compiler.dwarf.gotypes import KIND_POINTER
from compiler.dwarf.rtypes import RuntimeTypes
from compiler.dwarf.typetable import TypeTable
from compiler.expression.interfaces import Interfaces
from compiler.expression.operations import Asserted
from compiler.expression.parse import parse
from compiler.expression.picked import pick_types
from compiler.expression.tails import Tails
from compiler.expression.way import Resolved, Scope
from compiler.expression.writtennames import WrittenNames
from compiler.ir.frames import Issue
from compiler.ir.frozen import replace
from compiler.ir.limits import MAX_FUNCTIONS, Limits
from compiler.ir.program import Access, AnyAccess, ByDictionary, FunctionTable, Program, Site
from compiler.naming.names import Meant
from compiler.runtime import read_runtime
from compiler.spec import FunctionSpec, Spec, TypeSpec, check_times
from compiler.spec.uses import sql_uses
from compiler.typepaths import ShownTypes

if TYPE_CHECKING:
    from compiler.sql.enums import EnumNames

__all__ = ["Compiled", "FunctionReport", "compile_spec"]


def compile_spec(spec: Spec, binary: Binary, remembered: Iterable[int] = ()) -> Compiled:
    """Compile the spec for one binary. `remembered`: runtime types (offsets) that earlier captures met in interfaces."""
    with binary.executable.reading_debug_info():
        return _Compiler(spec, binary).compile(tuple(remembered))


class _Compiler:
    def __init__(self, spec: Spec, binary: Binary) -> None:
        self.spec = spec
        self.binary = binary
        items: list[FunctionSpec | TypeSpec] = [*spec.functions, *spec.types]
        depth = max([spec.limits.depth, *(limits_of(spec, item, c).depth for item in items for c in item.collect)])
        self._runtime = read_runtime(binary)
        base = binary.executable.pointer(self._runtime.types_base) or 0
        self._runtime_types = RuntimeTypes(binary.executable, base)
        index = binary.index
        self._types = TypeTable(
            binary.types, depth, self._runtime_types, index.runtime_types, index.types, binary.global_at
        )
        self._accesses: list[AnyAccess] = []
        self._numbers: dict[tuple[Resolved, Limits, str] | ByDictionary, int] = {}
        self._interfaces = Interfaces(binary, self._runtime_types)
        self.scope = Scope(
            binary.types,
            self._types,
            WrittenNames(binary.index.types, binary.types),
            self._interfaces.known,
            self._interfaces.held,
            self._pointer_variable,
            self._constant,
            next(iter(binary.index.types.get("interface {}", [])), None),
            Tails(),
        )
        self.variables = WrittenNames(binary.index.globals, binary.types)
        self._issues = {Issue("debug info", binary.no_debug_info): None} if binary.no_debug_info else {}
        self._names: dict[str, Meant] = {}
        self._uses = sql_uses(spec)
        self._enums: list[EnumNames] = []
        self.shown = ShownTypes(binary.types)

    def compile(self, remembered: tuple[int, ...]) -> Compiled:
        self._interfaces.remember(remembered)
        self._expect_asserted()
        picked = {} if self.binary.no_debug_info else pick_types(self.spec, self.scope, self.access, self.issue)
        self.shown = ShownTypes(self.binary.types, picked)
        tables, reports, found = [], [], []
        if not self.binary.no_debug_info:
            self.binary.index.expect(each.function for each in self.spec.functions)
        meant = [names for each in self.spec.functions if len(names := self._meant(each).names) <= MAX_FUNCTIONS]
        self.binary.functions.prepare(name for names in meant for name in names)
        for number_, function in enumerate(self.spec.functions):
            tables.append(FunctionTable(function.table, function.function, tuple(c.name for c in function.collect)))
            report, function_sites = self._safely(number_, function)
            reports.append(report)
            found += function_sites
        if self._accesses:
            expected = self._interfaces.expect(self._types.interfaces())
            if expected and any(isinstance(access, Access) and access.tail for access in self._accesses):
                # What an expression finds in an interface was resolved for the types known so far: once more, for all.
                return _Compiler(self.spec, self.binary).compile((*remembered, *expected))
        details = read_details(self.binary, self._types, self._runtime.wait_reasons)
        dynamic = self._interfaces.described(self._types) if self._accesses else ()
        if details is not None:
            hidden = self._waiting_in(tables, found)
            details = replace(details, waiting_in=hidden)
        program = Program(
            build_id=self.binary.build_id,
            go_version=self.binary.go_version,
            arch=self.binary.executable.arch,
            runtime=self._runtime,
            limits=self.spec.limits,
            types=self._types.build(),
            dynamic_types=dynamic,
            accesses=tuple(self._accesses),
            tails=self.scope.tails.all(),
            tables=tuple(tables),
            sites=tuple(sorted(found, key=lambda s: (s.exact, s.lo, s.hi, s.function, s.level))),
            details=details,
        )
        dies = [each.die for each in self._interfaces.known() if each.die is not None]
        return Compiled(program, tuple(self._issues), tuple(reports), self._completed_enums(dies))

    def _waiting_in(self, tables: list[FunctionTable], found: list[Site]) -> tuple[int, ...]:
        """Add the runtime's functions in which goroutines wait; their numbers."""
        first = len(tables)
        for function, instances in waiting_in(self.binary):
            found += self._sites(len(tables), function, instances)[1]
            tables.append(FunctionTable("", function.function, tuple(c.name for c in function.collect)))
        return tuple(range(first, len(tables)))

    def _completed_enums(self, held: Sequence[int]) -> "tuple[EnumNames, ...]":
        """The names of constants, also of those types (DIEs) that interfaces may hold."""
        if not self._enums:
            return ()
        from compiler import enums

        return enums.with_held(self._enums, self.binary, held)

    def _expect_asserted(self) -> None:
        """Types that any expression names are known to all of them, whichever comes first."""
        items: list[FunctionSpec | TypeSpec] = [*self.spec.functions, *self.spec.types]
        collected = [parse(collect.expr) for item in items for collect in item.collect]
        for operation in [operation for expression in collected for operation in expression.operations]:
            if isinstance(operation, Asserted):
                found = self.scope.names.find(operation.type)
                for _, die in found if len(found) == 1 else ():
                    self._interfaces.held(die)

    # ------------------------------------------------------------ functions

    def _safely(self, number_: int, function: FunctionSpec) -> tuple[FunctionReport, list[Site]]:
        """Debug info that cannot be read costs the function that it describes, not the others."""
        try:
            return self._function(number_, function)
        except BROKEN as error:
            message = f"the debug info of {function.function} cannot be read: {type(error).__name__}: {error}"
            self.issue(f"function {function.function}", message, function.line)
            columns = tuple((c.name, c.expr, None) for c in function.collect)
            return FunctionReport(function.function, function.table, (), columns), []

    def _function(self, number_: int, function: FunctionSpec) -> tuple[FunctionReport, list[Site]]:
        instances = self._instances(function)
        columns, found = self._sites(number_, function, instances)
        by_name = {column.collect.name.casefold(): column for column in columns}

        def leads_to_time(name: str, path: tuple[str | int, ...]) -> bool:
            column = by_name.get(name.casefold())
            return column is not None and column.is_time(path)

        check_times(self.spec, function, leads_to_time)
        uses = [each for each in self._uses if each.use.place.table == function.table]
        types = {column.collect.name: (column.types, column.type_name) for column in columns}
        if uses:
            from compiler import enums  # what SQL asks of types is of no use to a spec without SQL

            self._enums += enums.answer(self.spec, uses, self.binary, self.shown, types, self.issue)
        report = FunctionReport(
            function.function,
            function.table,
            tuple((instance.name, *instance.ranges[0], instance.level) for instance in instances),
            tuple((c.collect.name, c.collect.expr, c.type_name) for c in columns),
        )
        return report, found

    def _sites(
        self, number_: int, function: FunctionSpec, instances: list[Instance]
    ) -> tuple[list[Column], list[Site]]:
        """The columns of a function, and where they are in its copies."""
        columns = [Column(self, function, collect, instances) for collect in function.collect]
        found = [site for each in instances for site in sites.build(self.binary, number_, each, columns)]
        for column in columns:
            column.tell_misfits()
        return columns, found

    def _instances(self, function: FunctionSpec) -> list[Instance]:
        """The copies of the code of every function that the spec's name or pattern stands for, or an Issue."""
        names, what = self._meant(function).names, f'"{function.function}"'
        if len(names) > MAX_FUNCTIONS:
            message = f"{what} stands for more than {MAX_FUNCTIONS} functions: write a narrower pattern"
            self.issue(f"function {function.function}", message, function.line)
            return []
        copies = [instance for name in names for instance in self.binary.functions.instances(name)]
        # Debug info does not say it of all: of a generic function's copy by its type arguments, which calls the one by shapes.
        found = [each for each in copies if each.level or not self.binary.pclntab.is_wrapper(each.ranges[0][0])]
        if not names or (copies and not found):
            self._not_found(function)
        elif not found:
            message = f"function {what} has no code in this binary: it was inlined away or never called"
            self.issue(f"function {function.function}", message, function.line)
        return sorted(found, key=lambda each: (each.ranges, each.level))

    def _meant(self, function: FunctionSpec) -> Meant:
        if function.function not in self._names:
            self._names[function.function] = self.binary.names.meant(function.function)
        return self._names[function.function]

    def _not_found(self, function: FunctionSpec) -> None:
        hidden, what = self._meant(function).hidden, f'"{function.function}"'
        if hidden or self._meant(function).names:
            message = f"{what} is a wrapper that Go's compiler made, and no traceback shows it: name what it calls"
        else:
            message = f"no function {what} in this binary"
        close = tuple(each for each in self.binary.names.nearest(function.function) if each != function.function)
        self.issue(f"function {function.function}", message, function.line, close)

    # ------------------------------------------------------------ columns

    def issue(self, item: str, message: str, line: int | None, close: tuple[str, ...] = ()) -> None:
        """Note an Issue, once."""
        self._issues.setdefault(Issue(item, message, line, close))

    def access(self, resolved: Resolved, limits: Limits, text: str) -> int:
        """The number of the Access for these steps."""
        key = (resolved, limits, text)  # the text, too: to Python, m[1] and m[true] are the same
        if key not in self._numbers:
            self._numbers[key] = len(self._accesses)
            self._accesses.append(
                Access(
                    resolved.root_size, resolved.steps, resolved.type, limits, text, resolved.tail, resolved.extra_depth
                )
            )
        return self._numbers[key]

    def by_dictionary(self, access: ByDictionary) -> int:
        """The number of an access that is one of several."""
        if access not in self._numbers:
            self._numbers[access] = len(self._accesses)
            self._accesses.append(access)
        return self._numbers[access]

    def _constant(self, written: str) -> tuple[int, int] | None:
        """An integer constant by its name: its type's DIE, and its value."""
        found = constants_named(self.binary.info, written)
        return (found[0][1], found[0][0].value) if len(found) == 1 else None

    def _pointer_variable(self, written: str) -> tuple[int, int] | None:
        """A package variable that the file itself has as a pointer: its type's DIE, and the link-time address in it."""
        for name, _ in self.variables.find(written):
            found = self.binary.global_at(name)
            if found is not None and self.binary.types.kind(found[1]) == KIND_POINTER:
                address = self.binary.executable.pointer(found[0])
                return (found[1], address) if address else None
        return None
