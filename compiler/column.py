"""One collected expression in the functions of a spec's item: what it means in each of their copies, and its Access."""

from typing import Protocol

from compiler.binary import Binary
from compiler.dwarf.functions import Instance, Variable
from compiler.dwarf.linked import split_name
from compiler.expression.operations import AddressIn, CountOf, Expression, FieldOf, IndexOf, SliceOf
from compiler.expression.parse import parse
from compiler.expression.resolve import choose, resolve
from compiler.expression.way import Resolved, Scope, Unresolved
from compiler.expression.writtennames import WrittenNames
from compiler.ir.access_check import MAX_CHOICES
from compiler.ir.limits import Limits
from compiler.ir.program import ByDictionary, Choice, Missing
from compiler.naming.nearest import nearest
from compiler.spec import Collect, FunctionSpec, Spec, TypeSpec
from compiler.times import is_time
from compiler.typepaths import ShownTypes

MOST_NAMED = 3
"""Functions that one Issue names as examples."""
LEFT_OUT = Missing("optimized out", "the compiler left it out of this copy of the function")
NO_DEBUG_INFO = Missing("no debug info")
NO_DWARF = "-dwarf=false"
"""The compiler's flag, as its package tells of it."""


class Compilation(Protocol):
    """What a column needs of the compilation that it is part of."""

    spec: Spec
    binary: Binary
    scope: Scope
    variables: WrittenNames
    """Package variables by the names that people write."""
    shown: ShownTypes

    def issue(self, item: str, message: str, line: int | None, close: tuple[str, ...] = ()) -> None: ...
    def access(self, resolved: Resolved, limits: Limits, text: str) -> int: ...
    def by_dictionary(self, access: ByDictionary) -> int: ...


def limits_of(spec: Spec, item: FunctionSpec | TypeSpec, collect: Collect) -> Limits:
    """The limits of one expression: the spec's, its item's over them, its own over those."""
    return spec.limits.override({**dict(item.limits), **dict(collect.limits)})


class Column:
    """One collected expression in one function: resolved against whichever variable its name means at a PC."""

    def __init__(
        self, compiler: Compilation, function: FunctionSpec, collect: Collect, instances: list[Instance]
    ) -> None:
        self._compiler = compiler
        self._function, self._instances = function, instances
        self.collect = collect
        self.expression: Expression = parse(collect.expr)
        self._limits = limits_of(compiler.spec, function, collect)
        self._resolved: dict[tuple[int, bool], Resolved | None] = {}
        self._accesses: dict[tuple[int, bool], tuple[int, Resolved] | None] = {}
        self._chosen: dict[
            tuple[tuple[tuple[int, int], ...], bool], tuple[int | None, tuple[Resolved, ...]] | None
        ] = {}
        self._misfits: dict[tuple[int, bool], Unresolved] = {}
        self.ends: tuple[int, ...] = ()
        """DIE offsets of the types that its values have."""
        self.found = False
        """Whether the expression fits any variable of its name."""
        self.package_variable: tuple[int, int] | None = None
        self._nowhere = False
        stripped = compiler.binary.no_debug_info is not None
        if instances and not stripped and not self._named(instances):
            self._look_for_global(instances)

    def _named(self, instances: list[Instance]) -> bool:
        return any(v.name == self.expression.root for instance in instances for v in instance.variables)

    def _look_for_global(self, instances: list[Instance]) -> None:
        """The name is no variable that any copy of the functions kept: a package variable, or an Issue."""
        root, functions = self.expression.root, self._compiler.binary.functions
        known = {v.name for instance in instances for v in instance.variables}
        for name in {instance.name for instance in instances}:
            known |= functions.declared(name)
        if root in known:
            return  # a variable of this name hides any package's
        packages = sorted({split_name(instance.name)[0] for instance in instances})
        found = [name for name in (f"{package}.{root}" for package in packages) if self._is_global(name)]
        used = 0
        if not found:
            found = [root] if self._is_global(root) else []
        if not found:
            found, used = self._of_other_packages(), 1
        if len(found) == 1:
            operations = self.expression.operations[used:]
            self.expression = Expression(self.expression.text, found[0], operations)
            self.package_variable = self._compiler.binary.global_at(found[0])
            return
        self._nowhere = True
        if not known and self._undescribed(instances):
            function, how = (
                self._function.function,
                f"its package was compiled with -gcflags={NO_DWARF}; build it without",
            )
            self._compiler.issue(f"function {function}", f"no variables of {function}: {how}", self._function.line)
            return
        message = f'no variable "{root}" in {self._function.function} (misspelt, or the compiler kept it nowhere)'
        if found:
            message += f", and several packages have one: {', '.join(found[:3])}"
        written = sorted(name for name in known if name.isidentifier())  # not ~r0, nor what the compiler made up
        self._issue(message, nearest(root, written) or tuple(written[:3]))

    def _undescribed(self, instances: list[Instance]) -> bool:
        """Whether the compiler was told to describe no variables."""
        info, functions = self._compiler.binary.info, self._compiler.binary.index.functions
        dies = [info.die(offset) for instance in instances for offset in functions.get(instance.name, ())]
        return any(NO_DWARF.encode() in info.flags(die) for die in dies)

    def _is_global(self, name: str) -> bool:
        return self._compiler.binary.global_at(name) is not None

    def _of_other_packages(self) -> list[str]:
        """`config.Limits` as the variable Limits of package config."""
        match self.expression.operations:
            case (FieldOf(name=name), *_):
                written = self._compiler.variables.find(f"{self.expression.root}.{name}")
                return [linked for linked, _ in written if self._is_global(linked)]
            case _:
                return []

    def absent(self, instance: Instance) -> Missing:
        """Why this copy of a function has nothing of the name."""
        if self._compiler.binary.no_debug_info:
            return NO_DEBUG_INFO
        if self._nowhere:
            return Missing("issue")
        if self.expression.root in self._compiler.binary.functions.declared(instance.name):
            return LEFT_OUT
        return Missing("no such variable")

    def _issue(self, message: str, close: tuple[str, ...] = ()) -> None:
        item = f"{self._function.function}: {self.collect.expr}"
        self._compiler.issue(item, message, self.collect.line, close)

    def access(self, type_offset: int, *, escaped: bool) -> tuple[int, Resolved] | None:
        """(access number, resolved) from a root variable of the type; None where the expression does not fit, which is told
        by `tell_misfits` at the end."""
        key = (type_offset, escaped)
        if key not in self._accesses:
            self._accesses[key] = self._access(type_offset, escaped=escaped)
        found = self._accesses[key]
        if found is not None:
            self.ends, self.found = found[1].ends, True
        return found

    def _access(self, type_offset: int, *, escaped: bool) -> tuple[int, Resolved] | None:
        scope, key = self._compiler.scope, (type_offset, escaped)
        try:
            resolved = resolve(scope, self.expression, type_offset, self._limits, escaped=escaped)
        except Unresolved as error:
            self._resolved[key], self._misfits[key] = None, error
            return None
        self._resolved[key] = resolved
        return self._compiler.access(resolved, self._limits, self.collect.expr), resolved

    def access_chosen(self, variable: Variable) -> int | None:
        """The access from a variable of generic code followed by its dictionary; None where the expression fits no choice."""
        key = (variable.choices, variable.escaped)
        if key not in self._chosen:
            self._chosen[key] = self._choose(variable)
        chosen = self._chosen[key]
        return None if chosen is None else chosen[0]

    def fits_a_choice(self, variable: Variable) -> bool:
        """Whether the expression fits something that a variable of generic code may be, told apart or not."""
        self.access_chosen(variable)
        return self._chosen[variable.choices, variable.escaped] is not None

    def _choose(self, variable: Variable) -> tuple[int | None, tuple[Resolved, ...]] | None:
        compiler, limits, text = self._compiler, self._limits, self.collect.expr
        if len(variable.choices) > MAX_CHOICES:
            return (None, ()) if any(self._fits(die, variable) for _, die in variable.choices) else None
        size = compiler.binary.types.size(variable.type)
        try:
            fitting = choose(compiler.scope, self.expression, variable.choices, limits, escaped=variable.escaped)
        except Unresolved:
            return None
        found = [(dictionary, each) for dictionary, each in fitting if each.root_size == size]
        if not found:
            return None
        choices = tuple(Choice(dictionary, compiler.access(each, limits, text)) for dictionary, each in found)
        resolved = tuple(each for _, each in found)
        self.ends, self.found = tuple(dict.fromkeys(end for each in resolved for end in each.ends)), True
        return compiler.by_dictionary(ByDictionary(size, choices, text)), resolved

    def _fits(self, type_offset: int, variable: Variable) -> bool:
        try:
            resolve(self._compiler.scope, self.expression, type_offset, self._limits, escaped=variable.escaped)
        except Unresolved:
            return False
        return True

    def tell_misfits(self) -> None:
        """One Issue for all variables of its name that the expression does not fit: a pattern stands for many functions."""
        served = {key for key, chosen in self._chosen.items() if chosen is not None}
        for variable in [each for instance in self._instances for each in instance.variables]:
            if (variable.choices, variable.escaped) in served:  # it fits what the shape stands for
                self._misfits.pop((variable.type, variable.escaped), None)
        errors = {error.message: error for error in self._misfits.values()}
        if len(errors) <= 1:
            for error in errors.values():
                self._issue(error.message, error.names)
            return
        places = {
            instance.name: misfit
            for instance in self._instances
            for variable in self.variables(instance)
            if (misfit := self._misfits.get((variable.type, variable.escaped))) is not None
        }
        total = len({instance.name for instance in self._instances if self.variables(instance)})
        examples: dict[str, str] = {}
        for function, error in places.items():
            examples.setdefault(error.message, function)
        said = [f"{self._brief(message)} ({function})" for message, function in list(examples.items())[:MOST_NAMED]]
        if len(examples) > MOST_NAMED:
            said.append(f"and {len(examples) - MOST_NAMED} other types")
        what = f'"{self.collect.expr}" does not fit in {len(places)} of the {total} functions that have'
        self._issue(f'{what} "{self.expression.root}": {"; ".join(said)}')

    def _brief(self, message: str) -> str:
        """Without the expression, which has been named."""
        return message.replace(f' in "{self.collect.expr}"', "").rstrip(",")

    @property
    def type_name(self) -> str | None:
        """The Go type of its values; None where the binary does not have it."""
        names = {self._compiler.binary.types.printed(end) or "struct" for end in self.ends}
        if names or not self.found:
            return " | ".join(sorted(names)) or None
        match self.expression.operations[-1:]:
            case (AddressIn(),):
                return "address"
            case (CountOf(),):
                return "int"
            case (IndexOf(),):
                return "uint8"
            case (SliceOf(),):
                return "range"
            case _:
                return "whatever the interface holds"

    @property
    def types(self) -> tuple[int, ...]:
        """The types of its values, of all the variables that its first name means somewhere."""
        chosen = [each for found in self._chosen.values() if found is not None for each in found[1]]
        resolved = [*self._resolved.values(), *chosen]
        return tuple(dict.fromkeys(end for each in resolved if each is not None for end in each.ends))

    def is_time(self, path: tuple[str | int, ...]) -> bool:
        """Whether the path into the column's value leads to a time."""
        return any(is_time(self._compiler.shown, each, path) for each in self.types)

    def variables(self, instance: Instance) -> list[Variable]:
        """The variables of the instance that the expression's first name may mean."""
        return [v for v in instance.variables if v.name == self.expression.root]
