"""The instants of batches and of views never cross, so that a view once made never changes.

A view is made of what was known at an instant. A batch stored at that instant or before, and seen only later, would
change it: so a view waits for the batch that is being stored, and a batch is stored after every view.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from ingest.clock import Clock

TICK = timedelta(microseconds=1)
"""The smallest step between two instants."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)
EVER = datetime(9999, 12, 31, tzinfo=UTC)


class Instants:
    """Gives each batch its instant, and lets views in between batches; for all threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended = threading.Condition()
        self._storing: datetime | None = None
        self._viewed = NEVER

    def view(self, known_at: datetime) -> None:
        """Wait until nothing that a view at the instant must hold is still being stored."""
        with self._ended:
            self._ended.wait_for(lambda: self._storing is None or self._storing > known_at)
            self._viewed = max(self._viewed, min(known_at, self._clock.now()))

    @contextmanager
    def storing(self, *, after: datetime) -> Iterator[datetime]:
        """The instant of a batch, after an earlier one and after every view; the block ends when it is committed."""
        with self._ended:
            instant = max(self._clock.now(), after + TICK, self._viewed + TICK)
            self._storing = instant
        try:
            yield instant
        finally:
            with self._ended:
                self._storing = None
                self._viewed = max(self._viewed, instant)
                self._ended.notify_all()
