"""`q->SQL`: the bare value at a JSON path, rewritten to what SQLite knows; `q->'$.x'` keeps SQLite's own meaning.

The path is a field name, then any number of `.field` and `[index]`, chained by further arrows. It binds tighter than
every SQL operator. `q->user.Name` becomes `bare(q -> '$."user"."Name"')`: SQLite cuts the value out of the JSON text
exactly as it stands there, and our `bare` turns that text into a SQL value without losing a digit (SQLite's own
json_extract makes a uint64 beyond int64 a rounded float). A path may end in `__addr`, the address of what a pointer points
to: `q->Tx->__addr` becomes `address(q -> '$."Tx"')`.
"""

from collections.abc import Sequence

from compiler.sql.errors import SqlError, sql_error_at
from compiler.sql.lexer import Splice, Token
from compiler.sql.names import unquote
from compiler.sql.operands import operand_start

ARROWS = frozenset({"->", "->>"})
Step = str | int
ADDRESS = "__addr"
"""The last step of a path to an address; a field or key of that name is written in quotes."""


def path_splices(sql: str, tokens: Sequence[Token]) -> list[Splice]:
    """The splices that turn every path in `sql` into SQLite's own words."""
    splices: list[Splice] = []
    index = 0
    while index < len(tokens):
        if not _begins_path(tokens, index):
            index += 1
            continue
        steps: list[Step] = []
        end = index
        wants_address = False
        while _begins_path(tokens, end):
            if wants_address:
                raise _after_address(sql, tokens[end])
            end, wants_address = _read_steps(sql, tokens, end + 1, steps)
        left = _left_operand(sql, tokens, index)
        splices.append(Splice(tokens[left].start, tokens[left].start, "address(" if wants_address else "bare("))
        replaced = f" -> '{json_path(steps)}')" if steps else ")"
        splices.append(Splice(tokens[index - 1].end, tokens[end - 1].end, replaced))
        index = end
    return splices


def json_path(steps: Sequence[Step]) -> str:
    """The path in SQLite's notation, ready to stand inside a SQL text literal."""
    parts = [f"[{_index(step)}]" if isinstance(step, int) else '."' + step.replace("'", "''") + '"' for step in steps]
    return "$" + "".join(parts)


def _index(step: int) -> str:
    return str(step) if step >= 0 else f"#{step}"


def _begins_path(tokens: Sequence[Token], index: int) -> bool:
    if index + 1 >= len(tokens) or tokens[index].text not in ARROWS:
        return False
    called = index + 2 < len(tokens) and tokens[index + 2].text == "("
    return tokens[index + 1].kind in ("word", "quoted") and not called


def _read_steps(sql: str, tokens: Sequence[Token], index: int, steps: list[Step]) -> tuple[int, bool]:
    """Append the steps that begin at `index`; the index after them, and whether they end in `__addr`."""
    wants_address = tokens[index].text == ADDRESS
    if not wants_address:
        steps.append(_step(sql, tokens[index], first=True))
    index += 1
    while index < len(tokens):
        token = tokens[index]
        is_field = token.text == "." and index + 1 < len(tokens) and tokens[index + 1].kind in ("word", "quoted")
        if not is_field and not (token.text.startswith("[") and token.start == tokens[index - 1].end):
            break
        if wants_address:
            raise _after_address(sql, token)
        if is_field and tokens[index + 1].text == ADDRESS:
            wants_address = True
        else:
            steps.append(_step(sql, tokens[index + 1] if is_field else token, first=is_field))
        index += 2 if is_field else 1
    return index, wants_address


def _after_address(sql: str, token: Token) -> SqlError:
    what = f"{ADDRESS} is the address itself, nothing can follow it"
    remedy = f'end the path there; a field of that name is written "{ADDRESS}", in quotes'
    return sql_error_at(sql, token.start, what, remedy)


def _step(sql: str, token: Token, first: bool) -> Step:
    name = unquote(token.text)
    if token.text.startswith("[") and name.strip().lstrip("-").isdecimal() and name.isascii():
        return int(name)
    if not first:
        name = _key(name.strip())
    if not name or '"' in name or "\\" in name or not name.isprintable():
        remedy = 'a step is a field name, an [index] or a ["key"] without quotes and backslashes in it'
        raise sql_error_at(sql, token.start, f"{token.text} is no step of a JSON path", remedy)
    return name


def _key(text: str) -> str:
    """The key in `["key"]` or `['key']`."""
    return text[1:-1].replace("''", "'") if text[:1] == "'" and text[-1:] == "'" else unquote(text)


def _left_operand(sql: str, tokens: Sequence[Token], arrow: int) -> int:
    left = operand_start(tokens, arrow - 1)
    while left is not None and left >= 2 and tokens[left - 1].text in ARROWS:
        left = operand_start(tokens, left - 2)
    if left is None:
        raise _nothing_on_the_left(sql, tokens[arrow])
    return left


def _nothing_on_the_left(sql: str, arrow: Token) -> SqlError:
    return sql_error_at(sql, arrow.start, f'syntax error near "{arrow.text}"', "write column->field.field")
