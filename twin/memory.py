"""The state followed along the log: each call folds in what became known since the last."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.events import BY_KIND, VisitEvent
from ingest.log import EventLog
from twin.state import State, fold

KEEP_DAYS = 120.0
"""Days of knowledge that a state is begun from: the window of a calibration and the longest stays in wards."""
PLACE_KINDS: tuple[str, ...] = tuple(name for name, cls in BY_KIND.items() if not issubclass(cls, VisitEvent))
"""Beds, staff and resources stay as they were last told, however long ago."""


class Memory:
    """The state as known at one instant after the other; going forward is cheap, going back begins anew."""

    def __init__(self, log: EventLog, *, keep_days: float = KEEP_DAYS) -> None:
        self._log, self._keep = log, timedelta(days=keep_days)
        self._state = State()
        self._known_at: datetime | None = None

    def at(self, known_at: datetime) -> State:
        """The state of what was known at the instant."""
        if self._known_at is None or known_at < self._known_at:
            places = self._log.read(known_at=known_at - self._keep, kinds=PLACE_KINDS)
            self._state = fold(State(), places)
            self._known_at = known_at - self._keep
        if known_at > self._known_at:
            self._state = fold(self._state, self._log.read_versions(self._known_at, known_at))
            self._known_at = known_at
        return self._state
