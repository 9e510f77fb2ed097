"""Names as SQL compares them: without case; and the nearest one to a name that is not there."""

from collections.abc import Iterable

from compiler.naming.nearest import nearest as nearest_names

LISTED_NAMES = 12

TABLE_FUNCTIONS = dict.fromkeys(
    ("json_each", "json_tree"), ("key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root")
)
"""Table-valued functions and their columns. https://sqlite.org/json1.html#jeach"""


def fold(name: str) -> str:
    """The form in which two names are compared."""
    return name.lower()


def quote(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def unquote(text: str) -> str:
    """The name that an identifier token of SQLite stands for."""
    opening = text[:1]
    if opening == "[":
        return text[1:-1]
    if opening in ('"', "`"):
        return text[1:-1].replace(opening * 2, opening)
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy: `nearest: "x"`, or what there is when nothing is near, or nothing when there is nothing."""
    names = sorted(set(known) - {""})
    for close in nearest_names(name, names)[:1]:
        return f'nearest: "{close}"'
    if not names:
        return ""
    rest = f" and {len(names) - LISTED_NAMES} more" if len(names) > LISTED_NAMES else ""
    return "there are: " + ", ".join(names[:LISTED_NAMES]) + rest
