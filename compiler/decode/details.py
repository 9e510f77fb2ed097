"""What hangs on a goroutine itself: its labels, and what it waits for. What was not copied is counted, and reported as a Loss."""

from collections.abc import Sequence

from compiler.decode.image import Image
from compiler.decode.labels import LabelReader, Labels
from compiler.decode.values import ValueReader
from compiler.decode.waits import Unread, Waiters
from compiler.ir.frames import Frame, Row, Wait
from compiler.ir.program import Program
from compiler.ir.raw import Loss, RawGoroutine

SEMAPHORE_REASONS = ("sync.", "semacquire")


class DetailReader:
    """Reads the details of one capture's goroutines."""

    def __init__(self, program: Program, image: Image, values: ValueReader) -> None:
        details = program.details
        self._waiters = None if details is None else Waiters(details, program.types, image)
        labels = None if details is None else details.labels
        self._labels = None if labels is None else LabelReader(labels, image, values, program.limits)
        self._without_labels = self._without_waits = 0

    def labels(self, goroutine: RawGoroutine) -> Labels:
        """Its labels, by key."""
        if not goroutine.labels:
            return ()
        found = None if self._labels is None else self._labels.at(goroutine.labels)
        self._without_labels += found is None
        return found or ()

    def waits(
        self, goroutine: RawGoroutine, reason: str | None, frames: Sequence[Frame], semaphore: Row | None
    ) -> tuple[Wait, ...]:
        """What it waits for, if its wait is for something. `semaphore`: its address, where the runtime's own frames tell it."""
        if reason is None or self._waiters is None:
            return ()
        functions = [frame.function for frame in frames]
        try:
            if not goroutine.waiting and reason.startswith(SEMAPHORE_REASONS):
                text = semaphore.cells[0].value if semaphore is not None else None
                return (self._waiters.semaphore(int(text, 16) if isinstance(text, str) else None, functions),)
            return self._waiters.waits(goroutine, reason, functions)
        except Unread:
            self._without_waits += 1
            return ()

    def losses(self) -> tuple[Loss, ...]:
        """What was not there to be read."""
        losses = (
            Loss("details", self._without_labels, "goroutines' labels were not copied, or not as a whole"),
            Loss(
                "details", self._without_waits, "goroutines' waiters were not copied: what they wait for is not known"
            ),
        )
        return tuple(loss for loss in losses if loss.count)
