"""What is wrong with a piece of SQL that a person wrote."""

from compiler.ir.errors import BadInput


class SqlError(BadInput):
    """A piece of SQL that is refused; `line` and `column` count from 1, 0 where the place is not one token."""

    def __init__(self, what: str, *, remedy: str = "", line: int = 0, column: int = 0) -> None:
        where = f"line {line}, column {column}" if line else ""
        super().__init__(what, where=where, remedy=remedy)
        self.line = line
        self.column = column


def sql_error_at(sql: str, offset: int, what: str, remedy: str = "") -> SqlError:
    """The error of the token that begins at `offset` of `sql`."""
    before = sql[:offset]
    return SqlError(what, remedy=remedy, line=before.count("\n") + 1, column=offset - (before.rfind("\n") + 1) + 1)
