"""What came of each source, and when: what the log tells of its feeds, read in small steps so that it stays quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest import bookkeeping
from ingest.bookkeeping import Account
from ingest.database import Database, aware, naive, rows

_CAME = """
SELECT source, max(stored_at) FILTER (read_rows > 0), sum(read_rows)::BIGINT, sum(stored_rows)::BIGINT,
       sum(ignored_rows)::BIGINT, sum(rejected_rows)::BIGINT
FROM batch WHERE stored_at > $after AND stored_at <= $until AND source <> $journal GROUP BY source ORDER BY source
"""
_TOLD = """
SELECT source, kind, unit, max(known_at), max(occurred_at) FROM event
WHERE sequence > $after AND sequence <= $until GROUP BY source, kind, unit ORDER BY ALL
"""
_LATELY = """
SELECT source, coalesce(recorded_at, occurred_at), recorded_at, stored_at FROM event
WHERE sequence > $after AND known_at = stored_at AND stored_at > $since AND kind <> 'Cancelled' ORDER BY sequence
"""
_HOURS = """
SELECT source, kind, unit, date_trunc('hour', known_at) AS hour, count(DISTINCT "position") FROM event
WHERE known_at > $since AND known_at <= $until GROUP BY source, kind, unit, hour ORDER BY ALL
"""
_MESSAGES = """
SELECT source, date_trunc('hour', known_at) AS hour, count(DISTINCT "position") FROM event
WHERE known_at > $since AND known_at <= $until GROUP BY source, hour ORDER BY ALL
"""
_WAITING = """
SELECT source, reason, count(*), min(stored_at), max(stored_at), arg_max(place, stored_at, 3) FROM rejected r
WHERE NOT EXISTS (FROM read_again a WHERE a.record = r."position" AND a.source = r.source)
GROUP BY source, reason ORDER BY count(*) DESC, source, reason
"""
_LAST_ROWS = 2_000
"""The lag and the skew are taken from the last so many rows of the log, over all sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a source within a step: when last, None where nothing was read, and what became of it."""

    source: str
    last_at: datetime | None
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """When a source last told something of a kind and a unit, and of what instant of the world."""

    source: str
    kind: str
    unit: str | None
    known_at: datetime
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """One event of late: when it was recorded there (else: when it happened), and stored here."""

    source: str
    told_at: datetime
    recorded_at: datetime | None
    stored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InAnHour:
    """How many messages told something in an hour (UTC); of a kind and a unit, or None: of all."""

    source: str
    kind: str | None
    unit: str | None
    hour: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits in the quarantine of one source and reason: how many, the first and the last, some places."""

    source: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
    places: tuple[str, ...]


class Traffic:
    """The log's feeds, each question answered from what is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stands(self) -> tuple[datetime | None, int]:
        """The instant of the last batch, and the number of rows."""
        cursor = self._database.cursor()
        return bookkeeping.last_stored_at(cursor), bookkeeping.length(cursor)

    def came(self, after: datetime, until: datetime) -> list[Came]:
        """What came of each source in the batches of (after, until]."""
        values = {"after": naive(after), "until": naive(until), "journal": bookkeeping.JOURNAL}
        return [
            Came(source=source, last_at=aware(at) if at else None, account=bookkeeping.account_of(*counts))
            for source, at, *counts in rows(self._database.cursor(), _CAME, **values)
        ]

    def told(self, after: int, until: int) -> list[Told]:
        """What the rows (after, until] of the log tell, by source, kind and unit."""
        return [
            Told(source=source, kind=kind, unit=unit, known_at=aware(known), occurred_at=aware(occurred))
            for source, kind, unit, known, occurred in rows(self._database.cursor(), _TOLD, after=after, until=until)
        ]

    def lately(self, since: datetime, length: int) -> list[Delay]:
        """The live events stored since an instant, oldest first, of the last 2,000 rows of so many."""
        after = max(0, length - _LAST_ROWS)
        return [
            Delay(source=source, told_at=aware(told), recorded_at=aware(rec) if rec else None, stored_at=aware(stored))
            for source, told, rec, stored in rows(self._database.cursor(), _LATELY, after=after, since=naive(since))
        ]

    def parts_by_hour(self, since: datetime, until: datetime) -> list[InAnHour]:
        """Messages by source, kind, unit and hour in (since, until], by when they were known."""
        return self._by_hour(_HOURS, since, until)

    def by_hour(self, since: datetime, until: datetime) -> list[InAnHour]:
        """Messages by source and hour in (since, until], by when they were known."""
        return self._by_hour(_MESSAGES, since, until)

    def waiting(self) -> list[Waiting]:
        """The quarantine by source and reason, most frequent first; what was read again since is not in it."""
        return [
            Waiting(source=source, reason=reason, count=count, first_at=aware(first), last_at=aware(last),
                    places=tuple(places))
            for source, reason, count, first, last, places in rows(self._database.cursor(), _WAITING)
        ]  # fmt: skip

    def _by_hour(self, query: str, since: datetime, until: datetime) -> list[InAnHour]:
        found = rows(self._database.cursor(), query, since=naive(since), until=naive(until))
        return [_hour_of(*row) for row in found]


def _hour_of(source: str, *told: object) -> InAnHour:
    kind, unit, hour, count = told if len(told) == 4 else (None, None, *told)
    assert isinstance(hour, datetime)
    assert isinstance(count, int)
    return InAnHour(
        source=source, kind=None if kind is None else str(kind), unit=None if unit is None else str(unit),
        hour=aware(hour), count=count,
    )  # fmt: skip


def added(one: Account, other: Account) -> Account:
    """Both accounts together."""
    names: Sequence[str] = ("read", "stored", "duplicate", "ignored", "rejected")
    return Account(**{name: getattr(one, name) + getattr(other, name) for name in names})
