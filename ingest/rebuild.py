"""The log made anew from the journal: the same events, the same state, the same view at every instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.clock import Clock, stopwatch
from ingest.database import Database
from ingest.errors import RebuildError
from ingest.indexer import Indexer
from ingest.journal import Journal
from ingest.journal_frames import Again
from ingest.log import EventLog
from ingest.messages import Readers
from ingest.unswept import seldom_swept


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """How many records of the journal became how many rows of the log, and how long that took."""

    records: int
    rows: int
    seconds: float


def require_journalled(log: EventLog) -> None:
    """Raises RebuildError for a log with batches that the journal does not hold: they would be lost."""
    missing = log.unjournalled()
    if missing:
        told = ", ".join(f"{count} of {source}" for source, count in missing.items())
        raise RebuildError(
            f"the log holds batches that are not in the journal, and that would be lost: {told}; "
            f"they were stored before there was a journal: begin a new folder and ingest their files again"
        )


def require_reached(log: EventLog, journal: Journal) -> None:
    """Raises RebuildError for a log that was made of records which the journal does not hold: they would be lost."""
    indexed = log.indexed()
    if indexed is not None and indexed.number > journal.last:
        raise RebuildError(
            f"the log was made of record {indexed.number} of the journal, which ends with {journal.last}: what is "
            f"between them would be lost; put the whole journal back, or restore the last good backup"
        )


def read_again_later(journal: Journal) -> dict[int, Again]:
    """The records that are read again further on, with the reason for which they were rejected at first."""
    return {record.again.number: record.again for record in journal.records() if record.again}


def rebuild(database: Database, clock: Clock, open_journal: Callable[[EventLog], Journal], readers: Readers) -> Rebuilt:
    """Fill an empty database from the journal; every record of it is checked on the way.

    Raises JournalDamagedError, with the place, for a record that is not as it was written.
    """
    began_s = stopwatch()
    log = EventLog(database, clock)
    with seldom_swept(), open_journal(log) as journal:
        indexer = Indexer(journal, log, readers, read_again_later(journal))
        records = indexer.catch_up()
        indexer.close()
    return Rebuilt(records=records, rows=log.length(), seconds=stopwatch() - began_s)
