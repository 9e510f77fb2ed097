"""What compiling gives: a Program, what did not make it into it, and what will be captured where. Holds data, reads nothing."""

from typing import TYPE_CHECKING, Any

from compiler.ir.frames import Issue
from compiler.ir.frozen import frozen, values_of

if TYPE_CHECKING:  # so that looking at an earlier result does not need all that compiling does
    from compiler.ir.program import Program
    from compiler.sql.enums import EnumNames


@frozen
class FunctionReport:
    """What will be captured of one function: its copies in the binary and its columns with their Go types."""

    function: str
    table: str
    instances: tuple[tuple[str, int, int, int], ...]
    """(linked name, first PC, end PC, inlining level) of each copy's first range."""
    columns: tuple[tuple[str, str, str | None], ...]
    """(column, expression, Go type; None where the binary does not have it)."""


@frozen
class Compiled:
    """A Program, and the spec items that did not make it into it."""

    program: "Program"
    issues: tuple[Issue, ...]
    functions: tuple[FunctionReport, ...]
    enums: "tuple[EnumNames, ...]" = ()
    """For enum_name(): the constants' names, wherever the spec's SQL wants them."""

    def plain(self) -> dict[str, Any]:
        """All but the Program, as JSON has it."""
        return {
            "issues": [values_of(issue) for issue in self.issues],
            "functions": [values_of(function) for function in self.functions],
            "enums": [_enum(each) for each in self.enums],
        }


def _enum(names: "EnumNames") -> dict[str, Any]:
    own = None if names.own is None else values_of(names.own)
    return values_of(names) | {"own": own, "held": [values_of(each) for each in names.held]}
