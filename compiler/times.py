"""Which values are times: a path through a Go type, as JSON shows it, followed to its end."""

from compiler.dwarf.gotypes import GoTypes
from compiler.typepaths import Lost, Path, follow, shown


def is_time(types: GoTypes, type_offset: int, path: Path) -> bool:
    """Whether the path (field names, map keys, indexes) leads from the type to a time.Time."""
    offset = follow(types, type_offset, path)
    return not isinstance(offset, Lost) and types.name(shown(types, offset)) == "time.Time"
