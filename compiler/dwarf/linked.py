"""Names as Go's linker has them: the import path of a package, escaped, a dot, and the rest."""

import re

ESCAPE = re.compile(r"%([0-9a-f]{2})")
BRACKET = re.compile(r"[\[(]")


def split_name(name: str) -> tuple[str, str]:
    """(package path, the rest) of the name of a function, variable or type: the path goes up to the first dot behind its last
    slash."""
    head, slash, tail = BRACKET.split(name, maxsplit=1)[0].rpartition("/")
    package = head + slash + tail.split(".", 1)[0]
    return package, name[len(package) + 1 :]


def unescaped(path: str) -> str:
    """An import path as it is written in Go (the reverse of PathToPrefix in cmd/internal/objabi/path.go)."""
    if "%" not in path:
        return path
    data = ESCAPE.sub(lambda match: chr(int(match[1], 16)), path)
    try:
        return data.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return data
