"""Every limit of a capture, in one place: its unit, its default, its ceiling and what it costs.

A limit that cuts something is always reported: in the value (`$len`, `$absent`), in `absences`, or as a Loss.
"""

from compiler.ir.frozen import field, fields_of, frozen, replace


def _limit(default: int, ceiling: int) -> int:
    value: int = field(default=default, metadata={"ceiling": ceiling})
    return value


@frozen
class Limits:
    """Limits as the spec sets them; all are positive integers not above their ceiling."""

    string_bytes: int = _limit(4096, 1 << 20)
    """Bytes of one string or []byte; the rest is cut and its full length kept."""
    slice_items: int = _limit(100, 1 << 20)
    """Items of one slice, array or channel buffer."""
    map_entries: int = _limit(100, 1 << 20)
    """Entries of one map; maps are shown sorted by key, but which entries a cut keeps is the map's own order."""
    map_scan: int = _limit(100_000, 1 << 24)
    """Entries of one map that are looked through for the key of a `m["key"]`. Only keys are compared for those passed over."""
    depth: int = _limit(3, 64)
    """Pointers and interfaces followed from a collected value. Each level can multiply the objects that are copied."""
    frames: int = _limit(1000, 1 << 16)
    """Physical frames of one stack, innermost first."""
    process_bytes: int = _limit(256 << 20, 2 << 30)
    """Bytes of one process's capture. Stacks come before values; what does not fit is a Loss."""
    pause_ms: int = _limit(100, 60_000)
    """How long one process may stand still. When it is over the target is released and the rest is a Loss."""

    def problems(self) -> list[str]:
        """One sentence for every limit out of its bounds, naming the limit and its bounds."""
        return [
            f"{f.name} is {getattr(self, f.name)!r}, but must be an integer from 1 to {f.metadata['ceiling']}"
            for f in fields_of(self)
            if type(getattr(self, f.name)) is not int or not 1 <= getattr(self, f.name) <= f.metadata["ceiling"]
        ]

    def override(self, changes: dict[str, int]) -> "Limits":
        """These limits with `changes` laid over them (name to value)."""
        return replace(self, **changes)


CACHE_BYTES = 512 << 20
"""Bytes of the cache of compiled Programs and indexes, on disk. A Program has some ten kB to some MB, an index 20 kB a MB of
binary (5 MB for one of 300 MB): room for all builds of months. Beyond it what was not used for longest goes."""

MAX_WAITS = 1 << 16
"""Cases of one select that are followed, from one waiter to the next: as many as Go allows."""

MAX_FUNCTIONS = 2000
"""Functions that one pattern of a spec may stand for. Each is a few milliseconds of compiling, and some kB of Program."""

LIMIT_NAMES = tuple(f.name for f in fields_of(Limits))
