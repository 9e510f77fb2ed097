"""The expressions a spec collects: Go's own, from a variable on. Parsing only; types come later.

q      s.user.Name      *p      (*p).next.value      main.config.Limits      "github.com/acme/shop/store".cache
q.Args[0]      q.Args[:3]      name[2:10]      m["x"]      m[7]      len(q.Args)      cap(queue)      p.__addr
err.(*net.OpError).Op      err.Op      ctx.Value(main.userKey)      ctx.Value("user").(*main.User).Name
~r0, a result without a name
"""

import re

from compiler.expression.operations import (
    AddressIn,
    Asserted,
    ContextKey,
    CountOf,
    Expression,
    FieldOf,
    IndexOf,
    Operation,
    PointedTo,
    SliceOf,
)
from compiler.ir.errors import BadInput
from compiler.ir.program import Literal

TOKEN = re.compile(
    r"""\s*(?:(?P<name>[^\W\d]\w*|~[rb]\d+)|(?P<number>-?\s*(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?))
    |(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<rune>'(?:[^'\\\n]|\\.)*')|(?P<mark>[.*()\[\]:])|(?P<bad>\S))""",
    re.VERBOSE,
)
MAX_LENGTH = 1000
MAX_NESTING = 50
MAX_INDEX = 1 << 31
ADDRESS = "__addr"
BYTE_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:x[89a-fA-F]|[2-3][0-7][0-7])")
CONVERSION = re.compile(r"(?P<type>[^\s(){}\"'`]+)\s*(?:\(\s*(?P<key>.*\S)\s*\)|(?P<empty>\{\s*\}))?", re.DOTALL)
CLOSING = {"(": ")", "[": "]", "{": "}"}


class ExpressionError(BadInput):
    """An expression that does not parse; `position` is the 0-based character."""

    def __init__(self, text: str, position: int, what: str, remedy: str) -> None:
        super().__init__(f'{what} at character {position + 1} of "{text[:80]}"', remedy=remedy)
        self.position = position


def parse(text: str) -> Expression:
    """The expression in `text`; ExpressionError names the character and what to write."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(text, MAX_LENGTH, "the expression is too long", f"write at most {MAX_LENGTH} characters")
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [
            (m.lastgroup, m[m.lastgroup], m.start(m.lastgroup)) for m in TOKEN.finditer(text) if m.lastgroup
        ]
        self._at = 0

    def parse(self) -> Expression:
        root, operations = self._unary(0)
        kind, value, position = self._peek()
        if kind != "end":
            raise self._error(position, f'"{value}" is not understood')
        return Expression(self._text, root, tuple(operations))

    def _peek(self) -> tuple[str, str, int]:
        if self._at == len(self._tokens):
            return "end", "", len(self._text)
        kind, value, position = self._tokens[self._at]
        return str(kind), value, position

    def _takes(self, mark: str) -> bool:
        """Step over the mark if it comes next."""
        if self._peek()[:2] != ("mark", mark):
            return False
        self._at += 1
        return True

    def _error(self, position: int, what: str, remedy: str = "") -> ExpressionError:
        usual = 'write a variable with fields, dereferences and indexes, such as s.user.Name, (*p).next or q.Args[0], m["x"]'
        return ExpressionError(self._text, position, what, remedy or usual)

    def _need(self, mark: str) -> None:
        if not self._takes(mark):
            raise self._error(self._peek()[2], f'a "{mark}" is missing')

    # ------------------------------------------------------------ operands

    def _unary(self, nesting: int) -> tuple[str, list[Operation]]:
        if nesting > MAX_NESTING:
            raise self._error(self._peek()[2], "it is nested too deeply")
        if self._takes("*"):
            root, operations = self._unary(nesting + 1)
            return root, [*operations, PointedTo()]
        return self._postfix(nesting)

    def _postfix(self, nesting: int) -> tuple[str, list[Operation]]:
        root, operations = self._primary(nesting)
        while True:
            if self._takes("."):
                operations.append(self._selector())
            elif self._takes("["):
                operations.append(self._bracket())
            else:
                return root, operations

    def _primary(self, nesting: int) -> tuple[str, list[Operation]]:
        kind, value, position = self._peek()
        if kind == "name":
            self._at += 1
            if value in ("len", "cap") and self._takes("("):
                root, operations = self._unary(nesting + 1)
                self._need(")")
                return root, [*operations, CountOf(value == "cap")]
            return value, []
        if kind == "text" and self._text[position + len(value) :].lstrip().startswith("."):
            return self._of_package(value), []
        if not self._takes("("):
            raise self._error(position, f'"{value}" is not understood' if value else "a variable's name is missing")
        root, operations = self._unary(nesting + 1)
        self._need(")")
        return root, operations

    def _of_package(self, quoted: str) -> str:
        """`"path/of/package".name`."""
        self._at += 1
        self._need(".")
        kind, value, position = self._peek()
        if kind != "name":
            raise self._error(position, "a package variable's name is missing")
        self._at += 1
        return f"{quoted[1:-1]}.{value}"

    # ------------------------------------------------------------ what follows them

    def _selector(self) -> Operation:
        kind, value, position = self._peek()
        if (kind, value) == ("mark", "("):
            inside = self._inside(position)
            if not inside:
                raise self._error(position + 1, "a type is missing", "write one such as .(*net.OpError)")
            return Asserted(inside)
        if kind != "name":
            raise self._error(position, "a field's name is missing")
        self._at += 1
        following = self._peek()
        if following[:2] == ("mark", "("):
            if value != "Value":
                raise self._error(position, f'"{value}" cannot be called: nothing runs in the process', "name a field")
            return self._context_key(following[2])
        return AddressIn() if value == ADDRESS else FieldOf(value)

    def _inside(self, start: int) -> str:
        """The text between the bracket at `start` and the one that closes it; both are stepped over."""
        open_, at = [CLOSING[self._text[start]]], start + 1
        while open_ and at < len(self._text):
            character = self._text[at]
            if character in '"`':
                at = self._end_of_text(at)
                continue
            if character == open_[-1]:
                open_.pop()
            elif character in CLOSING:
                open_.append(CLOSING[character])
            at += 1
        if open_:
            raise self._error(len(self._text), f'a "{open_[-1]}" is missing')
        while self._at < len(self._tokens) and self._tokens[self._at][2] < at:
            self._at += 1
        return self._text[start + 1 : at - 1].strip()

    def _end_of_text(self, at: int) -> int:
        found = next((m for m in TOKEN.finditer(self._text, at) if m.lastgroup), None)
        if found is None or found.lastgroup != "text":
            raise self._error(at, "a text does not end")
        return found.end()

    def _context_key(self, start: int) -> ContextKey:
        inside = self._inside(start)
        remedy = (
            'write a key or its type, such as ctx.Value("user"), ctx.Value(main.userKey), ctx.Value(main.userKey("id"))'
        )
        bare = self._literal_in(inside)
        if bare is not None:
            return ContextKey(None, bare)
        match = CONVERSION.fullmatch(inside)
        if match is None:
            raise self._error(start + 1, f'"{inside}" is no context key', remedy)
        if match["key"] is None:
            return ContextKey(match["type"], None)
        key = self._literal_in(match["key"])
        if key is None:
            raise self._error(start + 1, f'"{match["key"]}" is no literal', remedy)
        return ContextKey(match["type"], key)

    def _literal_in(self, text: str) -> Literal | None:
        """The literal that is all of `text`."""
        match = TOKEN.match(text)
        if match is None or match.end() != len(text) or match.lastgroup is None:
            return None
        return self._literal(match.lastgroup, match[match.lastgroup], 0)

    def _bracket(self) -> Operation:
        if self._takes(":"):
            return self._slice(0)
        kind, value, position = self._peek()
        key = self._literal(kind, value, position)
        if key is None:
            what = f'"{value}" is no index or key' if value else "an index or key is missing"
            raise self._error(position, what, 'write a literal, such as args[0], m["x"] or m[7]')
        self._at += 1
        if self._takes(":"):
            return self._slice(self._index(key, position))
        self._need("]")
        return IndexOf(key)

    def _slice(self, lo: int) -> SliceOf:
        if self._takes("]"):
            return SliceOf(lo, None)
        kind, value, position = self._peek()
        hi = self._index(self._literal(kind, value, position), position)
        self._at += 1
        if hi < lo:
            raise self._error(position, f"the range ends at {hi}, before {lo}", "write the smaller index first")
        self._need("]")
        return SliceOf(lo, hi)

    def _index(self, key: Literal | None, position: int) -> int:
        if type(key) is not int or not 0 <= key < MAX_INDEX:
            raise self._error(
                position, f"an index must be a number from 0 to {MAX_INDEX - 1}", "write one, as in args[1:3]"
            )
        return key

    def _literal(self, kind: str, value: str, position: int) -> Literal | None:
        """A Go literal's value; None for what is none."""
        if kind == "name":
            return {"true": True, "false": False}.get(value)
        try:
            if kind == "number":
                digits = value.replace("_", "").replace(" ", "")
                return int(digits, 0) if "x" in digits.lower() or digits.lstrip("-").isdecimal() else float(digits)
            if kind in ("text", "rune"):
                return self._text_literal(value, position)
        except (ValueError, SyntaxError, OverflowError):
            raise self._error(position, f"{value} is no Go literal") from None
        return None

    def _text_literal(self, value: str, position: int) -> str | int:
        if value[0] == "`":
            return value[1:-1]
        if BYTE_ESCAPE.search(value):
            raise self._error(
                position, f"{value} has bytes that are no text", "write the characters themselves, or \\u escapes"
            )
        from ast import literal_eval  # few expressions have a text, and this takes long to import

        text = str(literal_eval(value))
        if value[0] == '"':
            return text
        if len(text) != 1:
            raise self._error(position, f"{value} is not one character")
        return ord(text)
