"""Days that are over for good: their visits as known weeks later, kept so that a year need not be read again.

What the twin learns from is columns of visits, and these add up by day. A day is taken down once, `VINTAGE` after its
end, as it was known then; it is a function of the log alone, so a year added to day by day and a year read at once are
the same to the last bit. Of the last `RECENT_DAYS` the state itself tells, late corrections included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from ingest.log import EventLog
from twin.code import digest_of
from twin.memory import Memory
from twin.state import State
from twin.state_snapshot import made_by, visits_from_bytes, visits_to_bytes
from twin.visit import Visit

DAY = timedelta(days=1)
RECENT_DAYS = 60
"""Days that the state tells."""
YEAR_DAYS = 365
VINTAGE = timedelta(days=45)
"""How long after its end a day is taken down: nearly all stays in wards have ended, late exits have been told."""
_HELD_DAYS = VINTAGE / DAY + 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SNAPSHOT = "twin.days"


@dataclass(frozen=True)
class Before:
    """Visits of the days before `until`, oldest day first."""

    until: datetime
    visits: tuple[Visit, ...] = ()

    def looked_at(self, came_at: datetime) -> datetime:
        """Until when is known what became of a visit that came at an instant before `until`."""
        return midnight(came_at) + DAY + VINTAGE

    def with_recent(self, state: State) -> list[Visit]:
        """These visits and those of the state that came later, each visit once."""
        recent = [v for v in state.visits.values() if (at := came_at(v)) is not None and at >= self.until]
        later = {v.visit for v in recent}
        return [v for v in self.visits if v.visit not in later] + recent


class Days:
    """The year before the last weeks, of one log.

    With `saves` it is kept in the log, for who starts again. The state that days are taken down from is held from one
    call to the next, so that a night reads a night.
    """

    def __init__(self, log: EventLog, *, saves: bool = False) -> None:
        self._log, self._saves = log, saves
        self._memory = Memory(log, keep_days=_HELD_DAYS)
        self._held: dict[datetime, tuple[Visit, ...]] = {}
        self._known_at: datetime | None = None
        self._seen = 0
        self.added = 0
        """Days that the last call had to read."""

    def before(self, as_of: datetime) -> Before:
        """The visits of the year before the last weeks, as of an instant.

        1. Begin anew where what is held is of later days, or where the log has since learned what should be in it.
        2. Add the days that are missing, leave out those that are too old.
        3. Keep the whole in the log.
        """
        until = midnight(as_of) - RECENT_DAYS * DAY
        seen = self._log.length()
        if not self._leads_to(until):
            self._begin(until)  # 1
        missing = [day for day in self._days(until) if day not in self._held]
        self._held |= self._read(missing)  # 2
        first = until - (YEAR_DAYS - RECENT_DAYS) * DAY
        self._held = {day: visits for day, visits in sorted(self._held.items()) if first <= day < until}
        self._known_at, self._seen, self.added = until - DAY + VINTAGE + DAY, seen, len(missing)
        if self._saves and missing:
            self._save(until)  # 3
        return Before(until, tuple(v for visits in self._held.values() for v in visits))

    def _days(self, until: datetime) -> Iterator[datetime]:
        """The days that the log may tell of."""
        span = self._log.span()
        if span is None:
            return
        day = max(until - (YEAR_DAYS - RECENT_DAYS) * DAY, midnight(span.first_occurred_at))
        while day < until:
            yield day
            day += DAY

    def _leads_to(self, until: datetime) -> bool:
        if self._known_at is None or self._known_at > until + VINTAGE:
            return False
        return not self._log.has_learned(self._seen, self._known_at)

    def _begin(self, until: datetime) -> None:
        snapshot = self._log.latest_snapshot(_SNAPSHOT, until + VINTAGE)
        self._held = (snapshot and _from_bytes(snapshot.blob)) or {}

    def _read(self, days: list[datetime]) -> dict[datetime, tuple[Visit, ...]]:
        return {day: tuple(_of_day(self._memory.at(day + DAY + VINTAGE), day)) for day in days}

    def _save(self, until: datetime) -> None:
        self._log.save_snapshot(_SNAPSHOT, until, until + VINTAGE, _to_bytes(self._held), seen=self._seen, keep=2)


def midnight(instant: datetime) -> datetime:
    """The beginning of its day, UTC: what days are kept by, whatever the zone."""
    return instant - (instant - _EPOCH) % DAY


def came_at(visit: Visit) -> datetime | None:
    """When a visit came to the department, or straight to a ward."""
    return visit.arrived_at or (visit.stays[0].from_at if visit.stays else None)


def _of_day(state: State, day: datetime) -> Iterator[Visit]:
    """The visits that came on a day, in the order of their numbers, and nothing of what is still to come."""
    came = [v for v in state.visits.values() if (at := came_at(v)) is not None and day <= at < day + DAY]
    for visit in sorted(came, key=lambda v: v.visit):
        yield visit.as_of(day + DAY + VINTAGE)


def _to_bytes(days: dict[datetime, tuple[Visit, ...]]) -> bytes:
    visits = [v for of_day in days.values() for v in of_day]
    told = {"made_by": _made_by(), "days": ",".join(day.isoformat() for day in days)}
    return visits_to_bytes(visits, told)


def _from_bytes(told: bytes) -> dict[datetime, tuple[Visit, ...]] | None:
    """The days; None where other code made the bytes, or where they cannot be read: then they are read anew."""
    try:
        visits, made = visits_from_bytes(told)
    except pa.ArrowException:
        return None
    if made.get("made_by") != _made_by():
        return None
    days = [datetime.fromisoformat(text) for text in made["days"].split(",") if text]
    return _grouped(visits, days)


def _made_by() -> str:
    """The code that days are taken down and their visits read by."""
    return f"{made_by()} {digest_of([Path(__file__)])}"


def _grouped(visits: Iterable[Visit], days: Iterable[datetime]) -> dict[datetime, tuple[Visit, ...]]:
    groups: dict[datetime, list[Visit]] = {day: [] for day in days}
    for visit in visits:
        if (at := came_at(visit)) is not None:
            groups[midnight(at)].append(visit)
    return {day: tuple(of_day) for day, of_day in groups.items()}
