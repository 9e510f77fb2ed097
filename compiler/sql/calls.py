"""Calls of our functions that say less than they mean, and what they say in full.

`enum_name(q->State)` wants the process and the place of its value, for the names are in the binary; `ago(q->Start)` the
capture that it is before. Both are known where the row is, so they are spliced in behind the argument:
`enum_name(bare(q -> '$."State"'), r.process_id, 'queries', 'q', '$."State"')`.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from sqlglot import exp

from compiler.ir.frozen import frozen
from compiler.sql.errors import sql_error_at
from compiler.sql.lexer import Splice, Token
from compiler.sql.names import fold, unquote
from compiler.sql.operands import closing, is_call
from compiler.sql.paths import json_path
from compiler.sql.places import Place

AGO: Final = "ago"
ENUM_NAME: Final = "enum_name"
ADDRESS: Final = "address"
_ARGUMENTS = {ADDRESS: (1,), AGO: (1, 2), ENUM_NAME: (1,), "ip": (1,), "uuid": (1,)}
_WRITTEN = {(1,): "one argument", (1, 2): "one or two arguments"}
AGO_REMEDY = "write ago(time, captured_at_ns) with the captured_at_ns of the row's process"
ENUM_REMEDY = "make an extra column of it where the value is collected"


UseKind = Literal["enum_name", "address"]


@frozen
class Use:
    """A place that the binary's types are asked about: for the names of its values, or whether it carries an address."""

    kind: UseKind
    place: Place


@frozen
class Call:
    """A call of one of our functions: where its name stands, where its `)` does, how many arguments lie between."""

    name: str
    start: int
    close: int
    arguments: int

    @property
    def asks(self) -> UseKind | None:
        """What it wants to know of its argument's place in the binary."""
        return ENUM_NAME if self.name == ENUM_NAME else ADDRESS if self.name == ADDRESS else None


def calls(sql: str, tokens: Sequence[Token]) -> list[Call]:
    """The calls of our newer functions, in order; SqlError for the first with a wrong number of arguments."""
    found = []
    for index, token in enumerate(tokens[:-1]):
        name = fold(unquote(token.text)) if token.is_name else ""
        end = closing(tokens, index + 1) if name in _ARGUMENTS and tokens[index + 1].text == "(" else None
        if end is None or not is_call(tokens, index):
            continue
        call = Call(name, token.start, tokens[end].start, _count(tokens[index + 2 : end]))
        if call.arguments not in _ARGUMENTS[name]:
            what = f"{name}() takes {_WRITTEN[_ARGUMENTS[name]]}, got {call.arguments or 'none'}"
            raise sql_error_at(sql, token.start, what, f"write {_example(name)}")
        found.append(call)
    return found


def _example(name: str) -> str:
    return {AGO: "ago(q->Start)", ENUM_NAME: "enum_name(q->State)", ADDRESS: "q->__addr"}.get(name, f"{name}(q->ID)")


def _count(inside: Sequence[Token]) -> int:
    depth = commas = 0
    for token in inside:
        depth += (token.text == "(") - (token.text == ")")
        commas += depth == 0 and token.text == ","
    return commas + 1 if inside else 0


def nodes(tree: exp.Expr, found: Sequence[Call]) -> Iterator[tuple[Call, exp.Anonymous]]:
    """Each call with its node in the tree of the same SQL."""
    by_start = {each.start: each for each in found}
    for node in tree.find_all(exp.Anonymous):
        call = by_start.get(node.meta.get("start", -1))
        if call is not None and fold(node.name) == call.name:
            yield call, node


def enum_splice(call: Call, process: str, origin: Place) -> Splice:
    """What tells enum_name() whose names to use: `process` is SQL for the row's process_id."""
    texts = ("'" + each.replace("'", "''") + "'" for each in (origin.table, origin.column))
    return Splice(call.close, call.close, ", ".join(["", process, *texts, f"'{json_path(origin.path)}'"]))
