"""The threads that stood still: who runs on them, and where they were seen last."""

from collections.abc import Iterable, Sequence

from compiler.ir.frames import Goroutine, Thread
from compiler.ir.raw import RawHeader, SeenThread

STATES = {"R": "running", "S": "sleeping", "D": "uninterruptible"}
"""proc(5); a thread that is "running" may be waiting for a CPU."""


class SeenThreads:
    """What a capture's header says of threads."""

    def __init__(self, header: RawHeader) -> None:
        self._seen: dict[int, SeenThread] = {each.tid: each for each in header.seen_threads}
        self._host_tids = dict(header.host_tids)

    def cpu(self, tid: int) -> int | None:
        """The CPU that a thread was last on; None where it was not seen."""
        found = self._seen.get(tid)
        return None if found is None else found.cpu

    def all_of(self, tids: Iterable[int], goroutines: Sequence[Goroutine]) -> tuple[Thread, ...]:
        """Those of these numbers, with the goroutines that run on them."""
        on = {each.tid: each for each in goroutines if each.tid is not None}
        return tuple(self._thread(tid, on.get(tid)) for tid in sorted(tids))

    def _thread(self, tid: int, goroutine: Goroutine | None) -> Thread:
        seen = self._seen.get(tid)
        return Thread(
            tid,
            self._host_tids.get(tid, tid),
            None if goroutine is None else goroutine.goroutine_id,
            None if goroutine is None else goroutine.m,
            self.cpu(tid),
            None if seen is None else STATES.get(seen.state, seen.state),
        )
