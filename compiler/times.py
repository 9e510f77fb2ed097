"""Which values are times: a path through a Go type, as JSON shows it, followed to its end."""

from compiler.typepaths import Lost, Path, ShownTypes, shown


def is_time(types: ShownTypes, type_offset: int, path: Path) -> bool:
    """Whether the path (field names, map keys, indexes) may lead from the type to a time.Time."""
    ends = [end for end in types.follow(type_offset, path) if not isinstance(end, Lost)]
    return any(types.go.name(shown(types.go, end)) == "time.Time" for end in ends)
