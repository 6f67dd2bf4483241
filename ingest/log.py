"""THE EVENT LOG: what happened, as it became known; it only grows.

    database = Database.open(path)
    log = EventLog(database, clock)
    log.append(events, Position(source="adt", offset=1042))
    log.read(since, until, known_at=yesterday)     # the winning versions, as they were known then

Which events of a batch are new is settled in `ingest/versions.py`; the README of this folder tells the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest import bookkeeping, versions
from ingest.bookkeeping import Account, Extract, Intake, Position, Rejected, Rejection, Snapshot
from ingest.clock import Clock
from ingest.columns import SCHEMA, check, from_table, to_table
from ingest.database import Database, arrow, aware, naive, rows
from ingest.days import Days, Ended, last_ended, store_days
from ingest.events import BY_KIND, Event
from ingest.instants import EVER, NEVER, Instants
from ingest.line_index import LineIndex, caught_up
from ingest.messages import Journalled, Messages
from ingest.too_old import fresh_messages, known_in
from ingest.traffic import Traffic
from ingest.versions import COLUMNS, STORED_SCHEMA, Batch, Outcome

__all__ = ["Account", "Appended", "EventLog", "Extract", "Intake", "Position", "Rejected", "Snapshot", "Span"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of a batch of events: given = `stored` + `duplicate`."""

    stored: int
    duplicate: int
    versions: int
    """Of the stored, new versions of known events."""
    cancelled: int
    """Cancellations that the log made for what complete visits no longer hold; not among the stored."""
    stored_at: datetime
    account: Account
    stored_positions: NDArray[np.int64] = field(compare=False, repr=False)
    """Distinct `position`s (rows of the source) that brought something new, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What the log holds: first and last instant of the world, the last knowledge, number of rows."""

    first_occurred_at: datetime
    last_occurred_at: datetime
    last_known_at: datetime
    count: int


_WINDOW = f"""
SELECT {COLUMNS}
FROM event e ANTI JOIN (
    SELECT sequence FROM superseded
    WHERE occurred_at >= $since AND occurred_at < $until AND known_at <= $known_at
) s ON s.sequence = e.sequence
WHERE e.occurred_at >= $since AND e.occurred_at < $until AND e.known_at <= $known_at
"""
_WINDOW_OF_KINDS = f"{_WINDOW} AND list_contains($kinds, kind)"

_VERSIONS = f"""
SELECT {COLUMNS} FROM event WHERE known_at > $known_after AND known_at <= $known_until ORDER BY known_at, sequence
"""
_VERSIONS_OF_KINDS = f"""
SELECT {COLUMNS} FROM event
WHERE known_at > $known_after AND known_at <= $known_until AND list_contains($kinds, kind) ORDER BY known_at, sequence
"""

_SPAN = "SELECT min(occurred_at), max(occurred_at), max(known_at), count(*) FROM event"


class EventLog:
    """The log over a database. One object serves all threads: each reads by its own cursor, writers take turns."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self.instants = Instants(clock)
        self._index = LineIndex()
        self._ended: Ended | None = None
        self._asked = False
        """Whether the database was asked for it."""

    def append(
        self,
        events: Sequence[Event],
        position: Position,
        *,
        extract: Extract | None = None,
        complete_visits: bool = False,
        intake: Intake | None = None,
    ) -> Appended:
        """As `append_table`, from events."""
        table = to_table(events)
        return self.append_table(table, position, extract=extract, complete_visits=complete_visits, intake=intake)

    def append_table(
        self,
        table: pa.Table,
        position: Position,
        *,
        extract: Extract | None = None,
        complete_visits: bool = False,
        intake: Intake | None = None,
        journalled: Journalled | None = None,
    ) -> Appended:
        """Store a batch (columns of `ingest.columns.SCHEMA`) and the position after it: both, or neither.

        1. Refuse a position that does not move forward.
        2. Give the batch its instant: `stored_at`, later than every batch and every view before.
        3. Store the events that are not repetitions; a live one (no `known_at`) is known when it is stored, one of an
           `extract` not before what earlier extracts prove.
        4. With `complete_visits` the batch holds all there is of its visits: cancel what it no longer holds.
        5. Store what was rejected, each once, and the account with the position.

        With `journalled` the batch comes from the journal: its instant is the record's, and how far the journal is
        indexed is stored with it.

        A crash before the commit leaves no trace; after it, the source is asked for what follows `position`.
        Raises PositionError; EventError for a table that is not of the vocabulary.
        """
        given = _given(table)
        with self._database.writing(), self._at(journalled) as stored_at:
            with self._database.transaction() as cursor:
                bookkeeping.check_forward(cursor, position)  # 1
                batch = Batch(naive(stored_at), naive(extract.extracted_at) if extract else None)  # 2
                index = self._index = caught_up(cursor, self._index, bookkeeping.length(cursor))
                stored = versions.store(cursor, given, batch, index)  # 3
                missing = given.slice(0, 0)
                if complete_visits:
                    missing = versions.missing(cursor, given, batch, index.length)  # 4
                struck = versions.store(cursor, missing, batch, stored.index)
                intake = intake or Intake(read=pc.count_distinct(given["position"]).as_py())
                appended = _appended(given, stored, struck, intake, stored_at)
                met_at = [stored_at] * len(intake.rejected)
                bookkeeping.store_rejected(cursor, intake.rejected, position.source, met_at)  # 5
                counts = _counts(appended, index.length, struck.index.length)
                bookkeeping.store_batch(cursor, position, stored_at, counts, appended.account)
                bookkeeping.store_indexed(cursor, journalled)
            self._index = struck.index  # only now: a batch that fails leaves nothing behind
        return appended

    def append_messages(self, messages: Messages) -> Appended:
        """Store what some records of the journal tell, and how far the journal is indexed: both, or neither.

        1. Refuse records that are indexed already; leave out what is too old (`kept_from`).
        2. Store the events that are not repetitions, known from when their message was journalled.
        3. For each source, store what was rejected, and the account with where it stands.

        Raises PositionError.
        """
        messages, journalled = self._fresh(messages), messages.journalled
        given = _given(messages.table)
        with self._database.writing(), self._at(journalled):
            with self._database.transaction() as cursor:
                bookkeeping.check_forward(cursor, Position(source=bookkeeping.JOURNAL, offset=journalled.number))  # 1
                batch = Batch(naive(journalled.stored_at), keeps_stored_at=True)
                index = self._index = caught_up(cursor, self._index, bookkeeping.length(cursor))
                stored = versions.store(cursor, given, batch, index)  # 2
                intake = Intake(read=sum(told.intake.read for told in messages.sources))
                appended = _appended(given, stored, versions.nothing(stored.index), intake, journalled.stored_at)
                bookkeeping.store_messages(cursor, messages, appended.stored_positions, stored.index.length)  # 3
                counts = _counts(appended, index.length, stored.index.length)
                bookkeeping.store_indexed(cursor, journalled, counts)
            self._index = stored.index  # only now: a batch that fails leaves nothing behind
        return appended

    def finish(self, extract: Extract, *, journalled: Journalled | None = None) -> None:
        """The extract is in to its end: from here on its silence is proof. A second time changes nothing."""
        if extract.first_at is None:
            return
        with self._database.writing(), self._at(journalled) as finished_at, self._database.transaction() as cursor:
            bookkeeping.store_extract(cursor, extract, extract.first_at, finished_at)
            bookkeeping.store_indexed(cursor, journalled)

    def keep_days(self, days: Days, *, journalled: Journalled | None = None) -> None:
        """Store the figures of days that are over for good; from here on nothing of before `days.until` is taken in."""
        with self._database.writing(), self._at(journalled) as stored_at, self._database.transaction() as cursor:
            store_days(cursor, days, stored_at)
            bookkeeping.store_indexed(cursor, journalled)
        self._asked = False

    def ended(self) -> Ended | None:
        """The last time that events came to their end; None where all that ever happened is kept."""
        if not self._asked:
            self._ended, self._asked = last_ended(self._database.cursor()), True
        return self._ended

    @property
    def kept_from(self) -> datetime | None:
        """The instant from which events are kept; None: all."""
        ended = self.ended()
        return ended.until if ended else None

    def read(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        known_at: datetime | None = None,
        kinds: Collection[str] | None = None,
    ) -> list[Event]:
        """The winning version of each event that occurred in [since, until), as known at the instant (None: now).

        In the order of the world: occurred_at, kind, event_id. Cancellations are events among the others; what they
        target is here too.
        """
        return from_table(self.read_table(since, until, known_at, kinds), checked=True)

    def read_table(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        known_at: datetime | None = None,
        kinds: Collection[str] | None = None,
    ) -> pa.Table:
        """As `read`, as a table with the columns of `ingest.columns.SCHEMA`."""
        if known_at is not None:
            self.instants.view(known_at)
        window = {"since": since or NEVER, "until": until or EVER, "known_at": known_at or EVER}
        bounds = {name: naive(instant) for name, instant in window.items()}
        if kinds is None:
            return _in_the_world(self._table(_WINDOW, **bounds))
        return _in_the_world(self._table(_WINDOW_OF_KINDS, **bounds, kinds=list(kinds)))

    def read_versions(
        self, known_after: datetime | None, known_until: datetime, kinds: Collection[str] | None = None
    ) -> list[Event]:
        """All versions that became known in (known_after, known_until], in the order in which they did."""
        return from_table(self.read_versions_table(known_after, known_until, kinds), checked=True)

    def read_versions_table(
        self, known_after: datetime | None, known_until: datetime, kinds: Collection[str] | None = None
    ) -> pa.Table:
        """As `read_versions`, as a table with the columns of `ingest.columns.SCHEMA`."""
        self.instants.view(known_until)
        bounds = {"known_after": naive(known_after or NEVER), "known_until": naive(known_until)}
        if kinds is None:
            return self._table(_VERSIONS, **bounds)
        return self._table(_VERSIONS_OF_KINDS, **bounds, kinds=list(kinds))

    def save_snapshot(
        self, name: str, at: datetime, known_at: datetime, blob: bytes, *, seen: int | None = None, keep: int = 100
    ) -> None:
        """Keep something made from what was known at `known_at`; the `keep` latest of a name are kept.

        `seen` is the `length` of the log before it was read to make this; None: now.
        """
        snapshot = Snapshot(name=name, at=at, known_at=known_at, blob=blob)
        with self._database.transaction() as cursor:
            bookkeeping.store_snapshot(cursor, snapshot, bookkeeping.length(cursor) if seen is None else seen, keep)

    def latest_snapshot(self, name: str, known_at: datetime) -> Snapshot | None:
        """The last one made from what was known by the instant, and that nothing stored since has made untrue."""
        return bookkeeping.latest_snapshot(self._database.cursor(), name, known_at)

    def has_snapshot(self, name: str) -> bool:
        """True if a snapshot of a name is kept, also one that what was stored since has made untrue."""
        return bookkeeping.has_snapshot(self._database.cursor(), name)

    def has_learned(self, length: int, known_at: datetime) -> bool:
        """True if what was stored since the log had `length` rows was known by the instant: who read then lacks it."""
        return bookkeeping.has_learned(self._database.cursor(), length, known_at)

    def length(self) -> int:
        """Number of rows in the log, versions included."""
        return bookkeeping.length(self._database.cursor())

    def digest(self, known_at: datetime) -> str:
        """A short name for what was known at an instant: another where an event, its content or its instant is."""
        self.instants.view(known_at)
        return bookkeeping.digest(self._database.cursor(), known_at)

    def position(self, source: str) -> Position | None:
        """How far a source has been read; None before its first batch."""
        return self.positions().get(source)

    def positions(self) -> dict[str, Position]:
        """How far each source has been read."""
        return bookkeeping.positions(self._database.cursor())

    def accounts(self) -> dict[str, Account]:
        """What became of what was read of each source, over all its batches."""
        return bookkeeping.accounts(self._database.cursor())

    def indexed(self) -> Journalled | None:
        """The last record of the journal that is in the log; None before the first."""
        return bookkeeping.indexed(self._database.cursor())

    def unjournalled(self) -> dict[str, int]:
        """How many batches of each source did not come by the journal, and would be lost with this database."""
        return bookkeeping.unjournalled(self._database.cursor())

    def remarks(self) -> dict[tuple[str, str, str], int]:
        """How many messages were ignored by a rule or taken with a flag: (source, "ignored" or "flag", code)."""
        return bookkeeping.remarks(self._database.cursor())

    def rejections(self) -> list[Rejection]:
        """What was rejected and has not been read again since, oldest first."""
        return bookkeeping.rejections(self._database.cursor())

    def rejected_counts(self) -> dict[str, int]:
        """How many rows and messages were rejected, by the code of the rule, most frequent first."""
        return bookkeeping.rejected_counts(self._database.cursor())

    def traffic(self) -> Traffic:
        """What came of each source, and when."""
        return Traffic(self._database)

    def span(self) -> Span | None:
        """What the log holds; None while it is empty."""
        ((first, last, known, count),) = rows(self._database.cursor(), _SPAN)
        if not count:
            return None
        return Span(
            first_occurred_at=aware(first), last_occurred_at=aware(last), last_known_at=aware(known), count=count
        )

    def _fresh(self, messages: Messages) -> Messages:
        if self.kept_from is None:
            return messages
        return fresh_messages(messages, self.kept_from, partial(known_in, self._database.cursor()))

    @contextmanager
    def _at(self, journalled: Journalled | None) -> Iterator[datetime]:
        """The instant of a batch; views are let in when the block has ended, which must be after the commit."""
        if journalled is None:
            with self._storing() as instant:
                yield instant
        else:
            yield journalled.stored_at
            self.instants.indexed(journalled.stored_at)

    @contextmanager
    def _storing(self) -> Iterator[datetime]:
        last = bookkeeping.last_stored_at(self._database.cursor())
        with self.instants.storing(after=last or NEVER) as instant:
            yield instant

    def _table(self, query: str, **values: Any) -> pa.Table:
        return arrow(self._database.cursor(), query, **values).cast(SCHEMA)


def _in_the_world(table: pa.Table) -> pa.Table:
    """The rows in the order of the world; sorting here costs half of what the database takes for so few rows."""
    rank = pc.index_in(table["kind"], pa.array(BY_KIND))
    keys = pa.table({"occurred_at": table["occurred_at"], "rank": rank, "event_id": table["event_id"]})
    return table.take(pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names]))


def _given(table: pa.Table) -> pa.Table:
    """The table as the database holds it, if it is of the vocabulary."""
    check(table)
    return table.cast(STORED_SCHEMA)


def _appended(given: pa.Table, stored: Outcome, struck: Outcome, intake: Intake, stored_at: datetime) -> Appended:
    positions = np.union1d(stored.positions, struck.positions)
    return Appended(
        stored=stored.stored,
        duplicate=given.num_rows - stored.stored,
        versions=stored.versions,
        cancelled=struck.stored,
        stored_at=stored_at,
        account=bookkeeping.accounted(intake, len(positions)),
        stored_positions=positions,
    )


def _counts(appended: Appended, after: int, last_sequence: int) -> dict[str, int]:
    counts = {name: getattr(appended, name) for name in ("stored", "versions", "duplicate", "cancelled")}
    return counts | {"after": after, "last_sequence": last_sequence}
