"""What a spec may write for a function, as text alone: a name, a name with type arguments, or a pattern for several.

- `*` stands for any text, dots and slashes included. Directly behind `(` and within `[...]` it is Go's own: the pointer
  of a receiver or of a type argument. So `net/http.(*Server).*` is every method of *Server with all closures in them,
  `main.(**).Close` the method Close of every pointer, `github.com/acme/shop/store.*` everything in one package.
- `[...]` stands for any type arguments, as in Go's tracebacks; `[int,*main.T]` for these.
- A package path may be written as it is imported ("gopkg.in/yaml.v3") or as it is linked ("gopkg.in/yaml%2ev3").
"""

import re

from compiler.dwarf.linked import ESCAPE, pieces, split_arguments, split_name, unescaped
from compiler.ir.frozen import frozen

ANY_ARGUMENTS = "..."
OPENING, CLOSING = "([{", ")]}"


@frozen
class Pattern:
    """A function as it was written; `several` where a `*` in it stands for any text."""

    text: str
    fixed: tuple[str, ...]
    """The texts between which anything may stand."""
    arguments: tuple[str, ...]
    """What stands in each pair of brackets."""
    several: bool

    @property
    def plain(self) -> bool:
        """Whether it is one name, without stars and type arguments."""
        return len(self.fixed) == 1

    def spellings(self) -> tuple[str, ...]:
        """A plain pattern as a linker may have spelt it, the written one first."""
        return tuple(dict.fromkeys([self.text, *_escaped(self.text)]))

    def expression(self) -> str:
        """A regular expression for the linked names, one a line, each line between line feeds; no group in it captures."""
        return f"\n(?:{'|'.join(dict.fromkeys(map(self._line, self._alternatives())))})(?=\n)"

    def _alternatives(self) -> list[tuple[str, ...]]:
        """The fixed texts, with the package's path in them escaped in every way that the linker may have."""
        first, *rest = self.fixed
        return [(each, *rest) for each in dict.fromkeys([first, *_escaped(first)])]

    @staticmethod
    def _line(fixed: tuple[str, ...]) -> str:
        # The first place where a fixed text fits is as good as any later one, so nothing needs to be tried twice.
        *middle, last = fixed[1:] or ("",)
        inner = "".join(rf"(?>[^\n]*?{re.escape(each)})" for each in middle)
        ending = rf"[^\n]*{re.escape(last)}" if len(fixed) > 1 else ""
        return re.escape(fixed[0]) + inner + ending


def parse_pattern(text: str) -> Pattern:
    """Every text is a pattern, if only of a name that no function has."""
    fixed, arguments, several = [""], [], False
    at = 0
    while at < len(text):
        end = closing(text, at) if text[at] == "[" else None
        if end is not None:
            arguments.append(text[at + 1 : end])
            fixed[-1] += "["
            fixed.append("]")
            at = end
        elif text[at] == "*" and text[at - 1 : at] != "(":
            several = True
            fixed.append("")
        else:
            fixed[-1] += text[at]
        at += 1
    return Pattern(text, tuple(fixed), tuple(arguments), several)


def closing(text: str, at: int) -> int | None:
    """Where the square bracket that opens at `at` is closed; None where it is not."""
    depth = 0
    for position in range(at, len(text)):
        depth += (text[position] in OPENING) - (text[position] in CLOSING)
        if depth == 0:
            return position if text[position] == "]" else None
    return None


def bracketed(name: str) -> tuple[str, ...]:
    """What stands in each outer pair of square brackets of a name."""
    found, at = [], name.find("[")
    while at >= 0:
        end = closing(name, at)
        if end is None:
            break
        found.append(name[at + 1 : end])
        at = name.find("[", end)
    return tuple(found)


def given_arguments(text: str) -> tuple[str, ...]:
    """Type arguments as a person writes them, blanks around them left out."""
    return tuple(each.strip() for each in split_arguments(text))


def written_name(linked: str) -> str:
    """A linked function name as a spec would write it: the import path as it is imported, type arguments as `[...]`."""
    package, rest = split_name(linked)
    rest = f"[{ANY_ARGUMENTS}]".join(pieces(rest)[::2])
    return f"{unescaped(package)}.{rest}" if rest else unescaped(package)


def _escaped(name: str) -> list[str]:
    """The linked spellings of a name whose package path ends at any dot behind its last slash."""
    head = re.split(r"[\[(]", name, maxsplit=1)[0]
    slash = head.rfind("/") + 1
    dots = [at for at in range(slash, len(head)) if head[at] == "."]
    return [_escaped_path(name[:dot], slash) + name[dot:] for dot in dots]


def _escaped_path(path: str, slash: int) -> str:
    """cmd/internal/objabi/path.go: dots behind the last slash, control characters, blanks, %, quotes, all beyond ASCII."""
    if ESCAPE.search(path):
        return path  # it is written as linked
    escaped = ""
    for at, character in enumerate(path):
        plain = " " < character < "\x7f" and character not in '%"' and not (character == "." and at >= slash)
        escaped += character if plain else "".join(f"%{byte:02x}" for byte in character.encode())
    return escaped
