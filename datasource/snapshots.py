"""The folder of snapshot files: which there are, the newest, their paths. A file there is whole, or not there."""

import re
from dataclasses import dataclass
from pathlib import Path

from compiler.ir.errors import BadInput, CannotNow

SNAPSHOT_ID = re.compile(r"[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One snapshot; ids sort by time."""

    snapshot_id: str
    path: Path

    @property
    def taken_at_ns(self) -> int:
        """Unix time in nanoseconds, from the id."""
        return int(self.snapshot_id[:16], 16)


class Snapshots:
    """The snapshots in one folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            what = f"snapshots cannot be kept there: {error.strerror}"
            raise BadInput(what, where=str(directory), remedy="name a folder that can be written") from None

    def path(self, snapshot_id: str) -> Path:
        """Where the snapshot of this id is, or will be."""
        return self._directory / f"{snapshot_id}.sqlite"

    def all(self) -> list[SnapshotFile]:
        """Newest first."""
        found = [path for path in self._directory.glob("*.sqlite") if SNAPSHOT_ID.fullmatch(path.stem)]
        return [SnapshotFile(path.stem, path) for path in sorted(found, reverse=True)]

    def latest(self) -> SnapshotFile | None:
        """The newest, if there is one."""
        return next(iter(self.all()), None)

    def find(self, wanted: str) -> SnapshotFile:
        """By id, or "latest"."""
        if wanted == "latest":
            newest = self.latest()
            if newest is None:
                raise CannotNow(
                    "there is no snapshot yet", remedy='take one: ask with "max_age_s", or POST /api/v1/snapshots'
                )
            return newest
        if not SNAPSHOT_ID.fullmatch(wanted) or not self.path(wanted).is_file():
            newest = self.latest()
            known = f"the newest is {newest.snapshot_id}" if newest else "there is none yet"
            raise BadInput(f'no snapshot "{wanted[:80]}"', remedy=f'write "latest" or an id; {known}')
        return SnapshotFile(wanted, self.path(wanted))
