"""A recorded period delivered again, each event when the clock reaches the instant at which it became known."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.clock import Clock
from ingest.columns import from_table
from ingest.errors import EventError
from ingest.events import Event
from ingest.log import EventLog


@dataclass(frozen=True)
class Recording:
    """Events in the order in which they became known."""

    events: Sequence[Event]

    @classmethod
    def of(cls, log: EventLog, since: datetime | None, until: datetime) -> Recording:
        """All versions that became known to a log in (since, until]."""
        return cls(from_table(log.read_versions_table(since, until)))

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When the first and the last of them became known; there must be one."""
        first, last = (self.events[i].known_at for i in (0, -1))
        if first is None or last is None:
            raise EventError("an event that is replayed must have been known at some instant")
        return first, last

    def before(self, instant: datetime) -> Recording:
        """What was known at the instant."""
        return Recording([e for e in self.events if e.known_at is not None and e.known_at <= instant])

    def after(self, instant: datetime) -> Recording:
        """What became known later."""
        return Recording([e for e in self.events if e.known_at is not None and e.known_at > instant])

    def deliver(self, clock: Clock, stop: threading.Event) -> Iterator[list[Event]]:
        """Batches of what has become due, until all is delivered or `stop` is set."""
        sent = 0
        while sent < len(self.events):
            due = self.events[sent].known_at
            if due is None or not clock.sleep_until(due, stop):
                return
            now, first = clock.now(), sent
            while sent < len(self.events) and (self.events[sent].known_at or now) <= now:
                sent += 1
            yield list(self.events[first:sent])
