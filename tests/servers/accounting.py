"""Every variable accounted for: it can be read somewhere, or there is a reason, and the reason is true."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.dwarf.locationlists import LocationEntry

from compiler.binary import Binary
from compiler.compiled import Compiled
from compiler.dwarf.units import name_of
from compiler.ir.frames import REASONS
from compiler.ir.program import Located, Missing

VARIABLES = ("DW_TAG_variable", "DW_TAG_formal_parameter")


@dataclass(slots=True)
class Account:
    """One column of one function."""

    function: str
    column: str
    expression: str
    type: str | None
    sites: int = 0
    located: int = 0
    reasons: set[str] = field(default_factory=set)
    issues: list[str] = field(default_factory=list)

    def unexplained(self) -> str | None:
        """What is wrong with the account, if anything."""
        where = f"{self.function}: {self.expression}"
        if not self.sites and not self.issues:
            return f"{where}: no site, and no issue says why"
        if self.sites and not self.located and not self.reasons:
            return f"{where}: nowhere, without a reason"
        if self.reasons - REASONS.keys():
            return f"{where}: reasons that nobody knows: {self.reasons - REASONS.keys()}"
        if "issue" in self.reasons and not self.issues:
            return f"{where}: refers to an issue that there is not"
        if self.located and self.type is None:
            return f"{where}: has places but no type"
        return None


def accounts(compiled: Compiled) -> Iterator[Account]:
    """Each column of a compiled spec."""
    for number, report in enumerate(compiled.functions):
        sites = [site for site in compiled.program.sites if site.function == number]
        for position, (column, expression, kind) in enumerate(report.columns):
            account = Account(report.function, column, expression, kind, len(sites))
            for site in sites:
                match site.places[position]:
                    case Located():
                        account.located += 1
                    case Missing(reason=reason):
                        account.reasons.add(reason)
            items = (f"function {report.function}", f"{report.function}: {expression}")
            account.issues = [issue.message for issue in compiled.issues if issue.item in items]
            yield account


def variables(binary: Binary, function: str) -> list[str]:
    """The names of all variables of a function that Go source could have."""
    found = {v.name for each in binary.functions.instances(function) for v in each.variables}
    return sorted(name for name in found if name.isidentifier() and name != "_")


def spec_of_all(binary: Binary, functions: list[str]) -> str:
    """A spec that collects every variable of the functions."""
    lines = ["functions:"]
    for number, function in enumerate(functions):
        collected = ", ".join(f"{{as: v{n}, expr: {name}}}" for n, name in enumerate(variables(binary, function)))
        if collected:
            lines.append(f'  - {{function: "{function}", table: t{number}, collect: [{collected}]}}')
    return "\n".join(lines)


def somewhere(binary: Binary, function: str) -> set[str]:
    """Variables of a function's own code for which DWARF has a place at some PC, read apart from our reader of locations."""
    info = binary.info
    found = set()
    for offset in binary.index.functions[function]:
        inlined: int | None = None
        for depth, die in info.subtree(offset):
            if inlined is not None and depth > inlined:
                continue
            inlined = depth if die.tag == "DW_TAG_inlined_subroutine" else None
            if die.tag in VARIABLES and _has_place(binary, each := info.elftools_die(die.offset)):
                found.add(_name(each))
    return {name.removeprefix("&") for name in found}


def _name(die: Any) -> str:
    origin = die.attributes.get("DW_AT_abstract_origin")
    return name_of(die if origin is None else die.get_DIE_from_attribute("DW_AT_abstract_origin")) or ""


def _has_place(binary: Binary, die: Any) -> bool:
    attribute = die.attributes.get("DW_AT_location")
    if attribute is None:
        return False
    if attribute.form in ("DW_FORM_exprloc", "DW_FORM_block1", "DW_FORM_block"):
        return bool(attribute.value)
    lists: Any = binary.info.elftools.location_lists()
    entries = lists.get_location_list_at_offset(attribute.value, die)
    parser = DWARFExprParser(die.cu.structs)
    return any(
        isinstance(entry, LocationEntry)
        and any(op.op_name != "DW_OP_piece" for op in parser.parse_expr(entry.loc_expr))
        for entry in entries
    )


def table(found: list[Account]) -> str:
    """For people: one line a column."""
    return "\n".join(
        f"{each.function}: {each.expression} {each.type}: {each.located} of {each.sites} sites"
        f"{''.join(f'; {text}' for text in (*sorted(each.reasons), *each.issues))}"
        for each in found
    )
