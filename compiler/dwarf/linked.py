"""Names as Go's linker has them: the import path of a package, escaped, a dot, and the rest."""

import re

ESCAPE = re.compile(r"%([0-9a-f]{2})")
BRACKET = re.compile(r"[\[(]")
SQUARE = re.compile(r"[\[\]]")
CLOSURE = re.compile(r"\.(?:func|gowrap|deferwrap)?\d+(?=[.\-]|$)|-range\d+")
"""What the compiler adds to the name of a function for what is written in it."""


def split_name(name: str) -> tuple[str, str]:
    """(package path, the rest) of the name of a function, variable or type: the path goes up to the first dot behind its last
    slash."""
    head, slash, tail = BRACKET.split(name, maxsplit=1)[0].rpartition("/")
    package = head + slash + tail.split(".", 1)[0]
    return package, name[len(package) + 1 :]


def pieces(name: str) -> tuple[str, ...]:
    """What stands around type arguments, and these: (text, arguments, text); of a generic method of a generic type, which Go
    has since 1.27, (text, arguments of the type, text, arguments of the method, text); else the name alone.

    As funcNamePiecesForPrint in runtime/traceback.go, but for brackets in struct tags: what they do not close ends at the last.
    """
    first, last = name.find("["), name.rfind("]")
    if first < 0 or last <= first:
        return (name,)
    depth = closed = 0
    for bracket in SQUARE.finditer(name, first, last):
        depth += 1 if bracket[0] == "[" else -1
        if depth == 0 and not closed:
            closed = bracket.start()
        elif depth == 1 and closed:
            opened = bracket.start()
            return (
                name[:first],
                name[first + 1 : closed],
                name[closed + 1 : opened],
                name[opened + 1 : last],
                name[last + 1 :],
            )
    return name[:first], name[first + 1 : last], name[last + 1 :]


def split_arguments(text: str) -> tuple[str, ...]:
    """Type arguments at the commas between them, as they are."""
    arguments: list[str] = []
    depth = begin = 0
    for at, character in enumerate(text):
        if character in "[({":
            depth += 1
        elif character in "])}":
            depth -= 1
        elif character == "," and not depth:
            arguments.append(text[begin:at])
            begin = at + 1
    return *arguments, text[begin:]


def without_arguments(name: str) -> str:
    """A function's name with nothing between the brackets of its type arguments, and without these."""
    return "".join(pieces(name)[::2])


def dictionary_position(name: str) -> int | None:
    """Which argument of a generic function's code its dictionary is: 0, or 1 behind a receiver. None of closures, which have it in
    their context, and of what is not generic."""
    if "[" not in name:
        return None
    rest = split_name(without_arguments(name))[1]
    return None if CLOSURE.search(f".{rest}", 1) else int("." in rest)


def unescaped(path: str) -> str:
    """An import path as it is written in Go (the reverse of PathToPrefix in cmd/internal/objabi/path.go)."""
    if "%" not in path:
        return path
    data = ESCAPE.sub(lambda match: chr(int(match[1], 16)), path)
    try:
        return data.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return data
