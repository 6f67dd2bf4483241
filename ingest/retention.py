"""The end of events: which of the log are still kept when those of before an instant go, and the journal without them.

    kept = kept_after(database, until, open_since)
    rewrite(journal.folder, journal.segments(), Ender(kept, readers).change)

Kept is what happened from the instant on and, of what happened before it:

* a visit that goes on beyond it, whole; told within `LATE` of its happening counts as part of it, so that every view
  from that instant on is what it was; so does what was announced for later, and what strikes it out;
* a visit whose exit nobody told, for as long as it might be on: until nothing was heard of it since `open_since`;
* visits that were merged with these;
* counts of beds, staff, resources and stocks, until a later one that nothing can undo stands in their place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest import journal_batches as batches
from ingest.database import Database, naive, registered, rows
from ingest.days import as_done
from ingest.erasure import with_merged
from ingest.events import Event
from ingest.journal_frames import DAYS, EMPTIED, ENDED, Record
from ingest.messages import Readers, read_record
from ingest.too_old import subject

LATE = timedelta(days=30)
"""What is told of a visit later than this after it happened does not make it last longer."""
_VISITS = """
WITH told AS (
    SELECT visit, occurred_at, sequence, event_id,
           greatest(occurred_at, expected_at, least(known_at, occurred_at + $late::INTERVAL)) AS until_at,
           kind IN ('LeftWard', 'LeftWithoutBeingSeen', 'LeftDuringCare')
               OR (kind = 'Departed' AND "to" IS DISTINCT FROM 'ward' AND unit IS NULL) AS is_exit
    FROM event WHERE visit IS NOT NULL
), struck AS (
    SELECT t.visit, max(greatest(c.occurred_at, least(c.known_at, c.occurred_at + $late::INTERVAL))) AS until_at,
           bool_or(t.is_exit) AS exit_undone
    FROM event c JOIN told t ON t.event_id = c.target WHERE c.kind = 'Cancelled' GROUP BY t.visit
), lasted AS (
    SELECT visit, min(occurred_at) AS first_at, max(until_at) AS until_at,
           arg_max(is_exit, (occurred_at, is_exit)) AS is_over
    FROM told GROUP BY visit
)
SELECT visit FROM lasted l LEFT JOIN struck s USING (visit)
WHERE first_at < $until AND (greatest(l.until_at, s.until_at) >= $until
    OR (greatest(l.until_at, s.until_at) >= $open_since AND (NOT is_over OR coalesce(exit_undone, false))))
"""
"""Visits that began before the instant and are kept."""
_COUNTS = """
WITH counted AS (
    SELECT event_id, sequence, occurred_at, known_at, kind, unit, bed, pool, measure, source = 'board' AS by_hand,
           CASE kind WHEN 'SupplyDelivered' THEN 'StockCounted' ELSE kind END AS stands_as
    FROM event WHERE visit IS NULL AND kind NOT IN ('Cancelled', 'CensusObserved')
), firm AS (
    SELECT stands_as, unit, bed, pool, measure, by_hand, max(occurred_at) AS since
    FROM counted
    WHERE occurred_at < $until AND known_at < $until AND kind <> 'SupplyDelivered'
      AND sequence NOT IN (SELECT sequence FROM superseded)
      AND event_id NOT IN (SELECT target FROM event WHERE kind = 'Cancelled' AND target IS NOT NULL)
    GROUP BY ALL
)
SELECT DISTINCT event_id FROM counted c LEFT JOIN firm f ON f.stands_as = c.stands_as
    AND f.unit IS NOT DISTINCT FROM c.unit AND f.bed IS NOT DISTINCT FROM c.bed AND f.pool IS NOT DISTINCT FROM c.pool
    AND f.measure IS NOT DISTINCT FROM c.measure AND f.by_hand = c.by_hand
GROUP BY event_id
HAVING min(c.occurred_at) < $until AND bool_or(f.since IS NULL OR c.occurred_at >= f.since)
"""
"""Counts of before the instant that are kept."""
_STRIKES = """
SELECT DISTINCT c.event_id, c.target, e.visit, coalesce(e.occurred_at >= $until AND e.kind <> 'Cancelled', false)
FROM event c LEFT JOIN event e ON e.event_id = c.target
WHERE c.kind = 'Cancelled' AND c.occurred_at < $until
"""
"""Cancellations of before the instant, with what they strike and whether that is of after it."""
_GONE = """
FROM event WHERE occurred_at < $until AND (visit IS NULL OR visit NOT IN (SELECT name FROM visits))
  AND event_id NOT IN (SELECT name FROM events)
"""
_OUTLIVED = f"SELECT count(*) {_GONE}"
_ENDED_VISITS = f"SELECT DISTINCT visit {_GONE} AND visit IS NOT NULL"
_ENDED_PATIENTS = f"""
SELECT DISTINCT patient {_GONE} AND patient IS NOT NULL
EXCEPT SELECT patient FROM event WHERE occurred_at >= $until OR visit IN (SELECT name FROM visits)
"""


@dataclass(frozen=True, slots=True)
class Gone:
    """Who is not in the log any more when what is not kept goes."""

    visits: frozenset[str]
    patients: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept although it began before an instant."""

    until: datetime
    visits: frozenset[str]
    events: frozenset[str]
    """Ids of counts, and of cancellations."""

    def has(self, event: Event) -> bool:
        """Is an event kept?"""
        if event.occurred_at >= self.until or event.event_id in self.events:
            return True
        visit, target = getattr(event, "visit", None), getattr(event, "target", None)
        return not self.visits.isdisjoint(subject(visit, target, event.event_id))


def kept_after(database: Database, until: datetime, open_since: datetime) -> Kept:
    """What is kept of the log when what happened before `until` goes."""
    cursor, bounds = database.cursor(), {"until": naive(until)}
    visits = {str(v) for (v,) in rows(cursor, _VISITS, **bounds, open_since=naive(open_since), late=LATE)}
    visits = with_merged(cursor, visits)
    events = {str(event_id) for (event_id,) in rows(cursor, _COUNTS, **bounds)}
    strikes = rows(cursor, _STRIKES, **bounds)
    return Kept(until, frozenset(visits), frozenset(events | _striking(strikes, visits, events)))


def _striking(strikes: Iterable[tuple[Any, ...]], visits: set[str], events: set[str]) -> set[str]:
    """The cancellations whose targets are kept, and those that strike these."""
    found: set[str] = set()
    waiting = list(strikes)
    while True:
        mine = [c for c, target, visit, later in waiting if later or visit in visits or target in events | found]
        if found.issuperset(mine):
            return found
        found |= set(mine)


def outlived(database: Database, kept: Kept) -> tuple[int, Gone]:
    """How many rows of the log are not kept, and who goes with them."""
    cursor, bounds = database.cursor(), {"until": naive(kept.until)}
    named = {n: pa.table({"name": pa.array(sorted(v), pa.string())}) for n, v in _names(kept).items()}
    with registered(cursor, **named):
        ((events,),) = rows(cursor, _OUTLIVED, **bounds)
        visits, patients = (
            frozenset(str(name) for (name,) in rows(cursor, query, **bounds))
            for query in (_ENDED_VISITS, _ENDED_PATIENTS)
        )
    return int(events), Gone(visits, patients)


def _names(kept: Kept) -> dict[str, frozenset[str]]:
    return {"visits": kept.visits, "events": kept.events}


class Ender:
    """Changes records, and counts what it did."""

    def __init__(self, kept: Kept, readers: Readers) -> None:
        self._kept, self._readers = kept, readers
        self.emptied = self.rows = self.mixed = 0
        """Records that are empty now; rows that batches lost; messages that stay, since they tell of others too."""

    def change(self, record: Record) -> Record:
        """The record without what is not kept. Raises ReaderMissingError where no setting says how it is read."""
        if record.format == DAYS:
            return as_done(record, self._kept.until)
        if record.format in (batches.FINISHED, *EMPTIED):
            return record
        return self._batch(record) if record.format == batches.BATCH else self._message(record)

    def _message(self, record: Record) -> Record:
        events = read_record(record, self._readers).events
        kept = [event for event in events if self._kept.has(event)]
        if not events and record.stored_at >= self._kept.until:  # rejected or ignored, lately
            return record
        if kept:
            self.mixed += len(kept) < len(events)
            return record
        self.emptied += 1
        return replace(record, format=ENDED, payload=b"", control_id="", fault=None, again=None)

    def _batch(self, record: Record) -> Record:
        told = batches.batch_of(record)
        gone = self._gone(told.table)
        blank = self._blank(told, record)
        if not pc.any(gone).as_py() and blank.intake == told.intake:
            return record
        self.rows += pc.sum(gone).as_py() or 0
        return replace(record, payload=batches.batch_entry(batches.without(blank, gone)).payload)

    def _gone(self, table: pa.Table) -> pa.ChunkedArray:
        visits, events = (pa.array(sorted(names), pa.string()) for names in _names(self._kept).values())
        kept = pc.or_(pc.is_in(table["visit"], visits), pc.is_in(table["event_id"], events))
        return pc.and_(pc.less(table["occurred_at"], pa.scalar(self._kept.until)), pc.invert(kept))

    def _blank(self, told: batches.Told, record: Record) -> batches.Told:
        """With nothing said any more of what was rejected, where that is long ago."""
        if told.intake is None or record.stored_at >= self._kept.until:
            return told
        rejected = [replace(one, text="") for one in told.intake.rejected]
        return replace(told, intake=replace(told.intake, rejected=rejected))
