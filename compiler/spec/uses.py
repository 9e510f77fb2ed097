"""What a spec's SQL asks the binaries' types about: which places it wants the names of, or the addresses."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from compiler.ir.frozen import frozen
from compiler.spec.builtin import BUILTIN_TABLES, FUNCTION_TABLE_COLUMNS, GOROUTINE_COLUMNS, PROCESS_COLUMNS
from compiler.spec.model import DerivedTable, Extra, FunctionSpec, Spec
from compiler.sql.names import fold
from compiler.sql.places import Place

if TYPE_CHECKING:  # reading SQL is imported by what reads SQL: half of the time that starting takes
    from compiler.sql.calls import Use
    from compiler.sql.extra import CompiledExtra

_ASKING = ("enum_name", "__addr", "address")


@frozen
class SpecUse:
    """A use, and the item of the spec that it is in."""

    use: "Use"
    line: int
    item: str


class FunctionPlaces:
    """One function table's columns as its extra columns see them, in the spec's order."""

    def __init__(self, function: FunctionSpec) -> None:
        self._table = function.table
        self.columns = [*FUNCTION_TABLE_COLUMNS, *(each.name for each in function.collect)]
        self.places = {fold(each.name): Place(function.table, each.name) for each in function.collect}
        """Those that hold what was collected, by their folded name: collected columns, and copies of parts of them."""

    def compile(self, extra: Extra) -> "CompiledExtra":
        """The next extra column compiled; SqlError where it is wrong. Those after it see it."""
        from compiler.sql.extra import compile_extra, references

        columns = references(self.columns, PROCESS_COLUMNS, GOROUTINE_COLUMNS)
        self.columns.append(extra.name)
        compiled = compile_extra(extra.expr, columns, self.places)
        if compiled.copies is not None:
            self.places[fold(extra.name)] = compiled.copies
        return compiled

    @property
    def by_table(self) -> dict[tuple[str, str], Place]:
        """The places as `compile_select` wants them."""
        return {(fold(self._table), name): place for name, place in self.places.items()}


def sql_uses(spec: Spec) -> tuple[SpecUse, ...]:
    """The uses of a checked spec, each once an item."""
    texts = [each.expr for function in spec.functions for each in function.extra] + [each.sql for each in spec.tables]
    if not any(word in text.lower() for text in texts for word in _ASKING):
        return ()
    return tuple(dict.fromkeys(_found(spec)))


def _found(spec: Spec) -> Iterator[SpecUse]:
    from compiler.sql.select import compile_select

    schema = dict(BUILTIN_TABLES)
    places: dict[tuple[str, str], Place] = {}
    for function in spec.functions:
        own = FunctionPlaces(function)
        for extra in function.extra:
            yield from _placed(own.compile(extra).uses, extra)
        schema[function.table] = tuple(own.columns)
        places |= own.by_table
    for table in spec.tables:
        compiled = compile_select(table.sql, schema, places)
        schema[table.name] = compiled.columns
        yield from _placed(compiled.uses, table)


def _placed(uses: "tuple[Use, ...]", item: Extra | DerivedTable) -> Iterator[SpecUse]:
    return (SpecUse(use, item.line, item.item) for use in uses)
