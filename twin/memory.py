"""The state followed along the log: each call folds in what became known since the last.

A state is begun at a fixed date of knowledge, the same however one came to the instant: so a house that has run for
months, one just started and a replay have the same state, and what it holds stays bounded.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.events import BY_KIND, VisitEvent
from ingest.log import EventLog
from twin.state import State, fold

KEEP_DAYS = 120.0
"""Days of knowledge that a state holds at least: the window of a calibration and the longest stays in wards."""
RENEWED = timedelta(days=30)
"""How much more it may hold before it is begun anew."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACE_KINDS: tuple[str, ...] = tuple(name for name, cls in BY_KIND.items() if not issubclass(cls, VisitEvent))
"""Beds, staff and resources stay as they were last told, however long ago."""


class Memory:
    """The state as known at one instant after the other; going forward is cheap, but once in 30 days it begins anew."""

    def __init__(self, log: EventLog, *, keep_days: float = KEEP_DAYS) -> None:
        self._log, self._keep = log, timedelta(days=keep_days)
        self._state = State()
        self._begun_at: datetime | None = None
        self._known_at: datetime | None = None

    def at(self, known_at: datetime) -> State:
        """The state of what was known at the instant."""
        begun_at = known_at - self._keep - (known_at - self._keep - _EPOCH) % RENEWED
        if self._known_at is None or known_at < self._known_at or begun_at != self._begun_at:
            self._state = fold(State(), self._log.read(known_at=begun_at, kinds=PLACE_KINDS))
            self._begun_at = self._known_at = begun_at
        if known_at > self._known_at:
            self._state = fold(self._state, self._log.read_versions(self._known_at, known_at))
            self._known_at = known_at
        return self._state
