"""The instants of batches and of views never cross, so that a view once made never changes.

A view is made of what was known at an instant. What is stored at that instant or before, and seen only later, would
change it: so a view waits for the batch that is being stored and for every message that is journalled and not yet
indexed, and both are stored after every view.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from ingest.clock import Clock
from ingest.errors import BehindError

TICK = timedelta(microseconds=1)
"""The smallest step between two instants."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)
EVER = datetime(9999, 12, 31, tzinfo=UTC)
LONGEST_WAIT_S = 120.0
"""How long a view waits for the index."""


class Instants:
    """Gives batches and journal records their instants, and lets views in between; for all threads."""

    def __init__(self, clock: Clock, *, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._clock, self.longest_wait_s = clock, longest_wait_s
        self._ended = threading.Condition()
        self._storing: datetime | None = None
        self._viewed = NEVER
        self._given = NEVER
        self._journalled = NEVER
        self._indexed = NEVER
        self._first_pending = EVER
        self.wanted = threading.Event()
        """Set when a view waits for the index, which else takes its time to gather a batch."""

    def view(self, known_at: datetime) -> None:
        """Wait until nothing that a view at the instant must hold is still being stored or waits to be indexed.

        What comes while it waits is given a later instant. Raises BehindError where the index does not come along.
        """
        with self._ended:
            self._viewed = max(self._viewed, min(known_at, self._clock.now()))
            needed = min(known_at, self._journalled)
            if not self._holds(known_at, needed):
                self.wanted.set()
            if not self._ended.wait_for(lambda: self._holds(known_at, needed), self.longest_wait_s):
                raise BehindError(f"a view at {known_at} must hold messages that are journalled and not yet indexed")
            self._viewed = max(self._viewed, min(known_at, self._clock.now()))

    @contextmanager
    def storing(self, *, after: datetime) -> Iterator[datetime]:
        """The instant of a batch, after an earlier one and after every view; the block ends when it is committed."""
        with self._ended:
            instant = self._next(after)
            self._storing = self._given = instant
        try:
            yield instant
        finally:
            with self._ended:
                self._storing = None
                self._viewed = max(self._viewed, instant)
                self._ended.notify_all()

    @contextmanager
    def journalling(self, count: int, *, after: datetime) -> Iterator[datetime]:
        """The instant of the first of some records, which follow by a tick; the block ends when they are on the disk.

        Views wait from here on until `indexed`; a block that fails leaves nothing to wait for. One block at a time.
        """
        with self._ended:
            first = self._next(after)
            before = self._journalled, self._first_pending
            self._given = self._journalled = first + (count - 1) * TICK
            self._first_pending = min(self._first_pending, first)
        try:
            yield first
        except BaseException:
            with self._ended:
                self._take_back(*before)
            raise

    def resume(self, indexed: datetime, journalled: datetime) -> None:
        """A journal was opened whose records are indexed up to one instant and go on to another."""
        with self._ended:
            self._journalled, self._given = journalled, max(self._given, journalled)
            self._settle(indexed)

    def indexed(self, until: datetime) -> None:
        """All records stored by the instant are in the log."""
        with self._ended:
            self._settle(until)

    def _holds(self, known_at: datetime, needed: datetime) -> bool:
        stored = self._storing is None or self._storing > known_at
        return stored and (self._indexed >= needed or self._first_pending > known_at)

    def _next(self, after: datetime) -> datetime:
        return max(self._clock.now(), *(last + TICK for last in (after, self._viewed, self._given)))

    def _settle(self, until: datetime) -> None:
        self._indexed = max(self._indexed, until)
        self._first_pending = EVER if self._indexed >= self._journalled else self._indexed + TICK
        self._ended.notify_all()

    def _take_back(self, journalled: datetime, first_pending: datetime) -> None:
        self._journalled = journalled
        self._first_pending = EVER if self._indexed >= journalled else max(first_pending, self._indexed + TICK)
        self._ended.notify_all()
