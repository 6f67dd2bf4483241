"""What the log keeps besides the events: positions, accounts, rejected rows, extracts, snapshots.

Each function works within the caller's transaction, on the caller's cursor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.database import aware, naive, registered, rows
from ingest.errors import PositionError

if TYPE_CHECKING:
    from ingest.messages import Journalled, Messages

JOURNAL = "journal"
"""The source name under which is stored how far the journal is indexed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a source has been read; `offset` must move forward from one batch to the next.

    A stream has its own offset; for extracts it is the number of rows read of the source in all, over all files.
    `detail` is for the reader, such as the digest of the file it is in.
    """

    source: str
    offset: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """A file that says how things stood at `extracted_at`.

    It covers what occurred from `first_at` to `extracted_at`: once it is in to its end (`EventLog.finish`), what it
    covers and does not hold was not known by then. With `first_at` None it covers nothing and proves nothing, which is
    right where `extracted_at` is a guess.
    """

    source: str
    digest: str
    extracted_at: datetime
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row or message that could not become an event: where, the code of the rule, and what may be kept of it."""

    position: int
    place: str
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A rejected row or message as it is stored."""

    source: str
    rejected: Rejected
    stored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What was read to make a batch, in rows or messages; `read` counts those ignored and rejected too."""

    read: int
    ignored: int = 0
    rejected: Sequence[Rejected] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of what was read, in rows or messages: read = stored + duplicate + ignored + rejected."""

    read: int
    stored: int
    duplicate: int
    ignored: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a reader of the log kept so as not to read it all again."""

    name: str
    at: datetime
    known_at: datetime
    blob: bytes


_INSERT_REJECTED = """
INSERT INTO rejected
SELECT source, min("position"), place, reason, text, min(stored_at) FROM given g
WHERE NOT EXISTS (FROM rejected r WHERE r.source = g.source AND r.place = g.place AND r.reason = g.reason
                  AND r.text = g.text)
GROUP BY source, place, reason, text
"""
_REJECTED_COUNTS = "SELECT reason, count(*) FROM rejected GROUP BY reason ORDER BY count(*) DESC, reason"

_REJECTIONS = """
SELECT source, "position", place, reason, text, stored_at FROM rejected r
WHERE NOT EXISTS (FROM read_again a WHERE a.record = r."position" AND a.source = r.source)
ORDER BY stored_at, "position"
"""

_INSERT_EXTRACT = """
INSERT INTO extract SELECT $source, $digest, $first_at, $extracted_at, $finished_at
WHERE NOT EXISTS (FROM extract WHERE source = $source AND digest = $digest AND extracted_at = $extracted_at)
"""

_INSERT_BATCH = """
INSERT INTO batch BY NAME
SELECT $stored_at AS stored_at, $source AS source, $offset AS "offset", $detail AS detail,
       $last_sequence AS last_sequence,
       (SELECT min(known_at) FROM event WHERE sequence > $after) AS first_known_at,
       $stored AS stored, $versions AS versions, $duplicate AS duplicate, $cancelled AS cancelled,
       $read_rows AS read_rows, $stored_rows AS stored_rows, $ignored_rows AS ignored_rows,
       $rejected_rows AS rejected_rows
"""
_DIGEST = """
SELECT count(*), sum(hash(kind, event_id, content_key, known_at)::HUGEINT)::VARCHAR FROM event
WHERE known_at <= $known_at
"""
_LENGTH = "SELECT coalesce(max(last_sequence), 0) FROM batch"
_LAST_STORED = "SELECT max(stored_at) FROM batch"
_POSITIONS = """SELECT source, max("offset"), arg_max(detail, "offset") FROM batch GROUP BY source ORDER BY source"""
_OFFSET = """SELECT max("offset") FROM batch WHERE source = $source"""
_ACCOUNTS = """
SELECT source, sum(read_rows)::BIGINT, sum(stored_rows)::BIGINT, sum(ignored_rows)::BIGINT, sum(rejected_rows)::BIGINT
FROM batch GROUP BY source ORDER BY source
"""
_INDEXED = """SELECT arg_max(stored_at, "offset"), max("offset") FROM batch WHERE source = $source"""
_UNJOURNALLED = """
SELECT source, count(*) FROM batch b
WHERE source <> $journal AND NOT EXISTS (FROM batch j WHERE j.source = $journal AND j.stored_at = b.stored_at)
GROUP BY source ORDER BY source
"""
_INSERT_REMARK = "INSERT INTO remark VALUES ($stored_at, $source, $what, $code, $count)"
_INSERT_READ_AGAIN = "INSERT INTO read_again VALUES ($source, $record, $stored_at)"
_REMARKS = "SELECT source, what, code, sum(count)::BIGINT FROM remark GROUP BY source, what, code ORDER BY ALL"
_INSERT_SNAPSHOT = "INSERT INTO snapshot VALUES ($name, $at, $known_at, $seen, $blob)"

_PRUNE_SNAPSHOTS = """
DELETE FROM snapshot WHERE name = $name AND known_at < (
    SELECT min(known_at) FROM (SELECT known_at FROM snapshot WHERE name = $name ORDER BY known_at DESC LIMIT $keep))
"""
_LATE = """SELECT count(*) FROM batch WHERE last_sequence > $length AND first_known_at <= $known_at"""
_ANY_SNAPSHOT = "SELECT count(*) FROM snapshot WHERE name = $name"
_VALID_SNAPSHOT = """
SELECT "at", known_at, blob FROM snapshot s
WHERE name = $name AND known_at <= $known_at
  AND NOT EXISTS (FROM batch b WHERE b.last_sequence > s.seen AND b.first_known_at <= s.known_at)
ORDER BY known_at DESC, "at" DESC LIMIT 1
"""


def last_stored_at(cursor: Any) -> datetime | None:
    """The instant of the last batch; None before the first."""
    ((last,),) = rows(cursor, _LAST_STORED)
    return aware(last) if last else None


def length(cursor: Any) -> int:
    """Number of rows in the log, which is the sequence of the last."""
    ((last,),) = rows(cursor, _LENGTH)
    return int(last)


def digest(cursor: Any, known_at: datetime) -> str:
    """A short name for the events that were known at an instant, in whatever order they were stored."""
    ((count, total),) = rows(cursor, _DIGEST, known_at=naive(known_at))
    return hashlib.sha256(f"{count} {total}".encode()).hexdigest()[:16]


def positions(cursor: Any) -> dict[str, Position]:
    """How far each source has been read."""
    found = rows(cursor, _POSITIONS)
    return {source: Position(source=source, offset=offset, detail=detail) for source, offset, detail in found}


def check_forward(cursor: Any, position: Position) -> None:
    """Raises PositionError for a position at or before where the source stands."""
    ((last,),) = rows(cursor, _OFFSET, source=position.source)
    if last is not None and position.offset <= last:
        raise PositionError(
            f"offset of {position.source} must be beyond {last}, where it stands, but is {position.offset}"
        )


def accounted(intake: Intake, stored_rows: int) -> Account:
    """The account of a batch. Raises ValueError if more was stored than read."""
    return account_of(intake.read, stored_rows, intake.ignored, len(intake.rejected))


def accounts(cursor: Any) -> dict[str, Account]:
    """What became of what was read of each source, over all its batches."""
    return {source: account_of(*counts) for source, *counts in rows(cursor, _ACCOUNTS) if source != JOURNAL}


def account_of(read: int, stored: int, ignored: int, rejected: int) -> Account:
    """The account of these; the rest are duplicates. Raises ValueError if more became of it than was read."""
    duplicate = read - stored - ignored - rejected
    if duplicate < 0:
        raise ValueError(
            f"read must be stored + ignored + rejected or more, but is {read} ({stored}, {ignored}, {rejected})"
        )
    return Account(read=read, stored=stored, duplicate=duplicate, ignored=ignored, rejected=rejected)


def store_batch(cursor: Any, position: Position, stored_at: datetime, events: dict[str, int], account: Account) -> None:
    """Record a batch: the position after it, the account of its rows, and counts of its `events`.

    These are `after` and `last_sequence` (length of the log before and after it), stored, versions, duplicate and
    cancelled.
    """
    counts = {f"{name}_rows": getattr(account, name) for name in ("read", "stored", "ignored", "rejected")}
    place = {"source": position.source, "offset": position.offset, "detail": position.detail}
    rows(cursor, _INSERT_BATCH, stored_at=naive(stored_at), **place, **events, **counts)


def store_rejected(cursor: Any, rejected: Sequence[Rejected], source: str, stored_at: Sequence[datetime]) -> None:
    """Store what is not there already; each was met at its own instant."""
    if not rejected:
        return
    columns = {name: [getattr(row, name) for row in rejected] for name in ("position", "place", "reason", "text")}
    met_at = pa.array([naive(instant) for instant in stored_at], pa.timestamp("us"))
    given = pa.table({"source": [source] * len(rejected), **columns, "stored_at": met_at})
    with registered(cursor, given=given):
        rows(cursor, _INSERT_REJECTED)


NO_ROWS = {"stored": 0, "versions": 0, "duplicate": 0, "cancelled": 0}
NOTHING = Account(read=0, stored=0, duplicate=0, ignored=0, rejected=0)


def store_indexed(cursor: Any, journalled: Journalled | None, events: dict[str, int] | None = None) -> None:
    """Record how far the journal is indexed, with the counts of the events of its messages."""
    if journalled is None:
        return
    last = length(cursor)
    position = Position(source=JOURNAL, offset=journalled.number)
    counts = events or NO_ROWS | {"after": last, "last_sequence": last}
    store_batch(cursor, position, journalled.stored_at, counts, NOTHING)


def indexed(cursor: Any) -> Journalled | None:
    """The last record of the journal that is in the log."""
    from ingest.messages import Journalled

    ((stored_at, number),) = rows(cursor, _INDEXED, source=JOURNAL)
    return None if number is None else Journalled(number=int(number), stored_at=aware(stored_at))


def unjournalled(cursor: Any) -> dict[str, int]:
    """How many batches of each source have no record of the journal behind them."""
    return dict(rows(cursor, _UNJOURNALLED, journal=JOURNAL))


def store_messages(cursor: Any, messages: Messages, stored: NDArray[np.int64], last_sequence: int) -> None:
    """Record what became of the messages of each source. `stored`: the records that brought something new."""
    stored_at = messages.journalled.stored_at
    counts = NO_ROWS | {"after": last_sequence, "last_sequence": last_sequence}
    for told in messages.sources:
        account = accounted(told.intake, int(np.isin(told.numbers, stored).sum()))
        store_rejected(cursor, told.intake.rejected, told.position.source, told.rejected_at)
        store_batch(cursor, told.position, stored_at, counts, account)
        for (what, code), count in told.remarks.items():
            values = {"source": told.position.source, "what": what, "code": code, "count": count}
            rows(cursor, _INSERT_REMARK, stored_at=naive(stored_at), **values)
    for source, number in messages.again:
        rows(cursor, _INSERT_READ_AGAIN, source=source, record=number, stored_at=naive(stored_at))


def remarks(cursor: Any) -> dict[tuple[str, str, str], int]:
    """How many messages were ignored by a rule or taken with a flag: by source, "ignored" or "flag", and code."""
    return {(source, what, code): int(count) for source, what, code, count in rows(cursor, _REMARKS)}


def rejections(cursor: Any) -> list[Rejection]:
    """What was rejected and has not been read again since, oldest first."""
    return [
        Rejection(
            source=source,
            rejected=Rejected(position=position, place=place, reason=reason, text=text),
            stored_at=aware(stored_at),
        )
        for source, position, place, reason, text, stored_at in rows(cursor, _REJECTIONS)
    ]


def rejected_counts(cursor: Any) -> dict[str, int]:
    """How many were rejected, by the code of the rule, most frequent first."""
    return dict(rows(cursor, _REJECTED_COUNTS))


def store_extract(cursor: Any, extract: Extract, first_at: datetime, finished_at: datetime) -> None:
    """Record that an extract is in to its end, once."""
    instants = {"first_at": first_at, "extracted_at": extract.extracted_at, "finished_at": finished_at}
    stored = {name: naive(instant) for name, instant in instants.items()}
    rows(cursor, _INSERT_EXTRACT, source=extract.source, digest=extract.digest, **stored)


def store_snapshot(cursor: Any, snapshot: Snapshot, seen: int, keep: int) -> None:
    """Keep a snapshot made when the log had `seen` rows, and only the `keep` latest of its name."""
    instants = {"at": naive(snapshot.at), "known_at": naive(snapshot.known_at)}
    rows(cursor, _INSERT_SNAPSHOT, name=snapshot.name, **instants, seen=seen, blob=snapshot.blob)
    rows(cursor, _PRUNE_SNAPSHOTS, name=snapshot.name, keep=keep)


def has_learned(cursor: Any, length: int, known_at: datetime) -> bool:
    """True where a batch stored since the log had so many rows holds what was known by the instant."""
    ((late,),) = rows(cursor, _LATE, length=length, known_at=naive(known_at))
    return bool(late)


def latest_snapshot(cursor: Any, name: str, known_at: datetime) -> Snapshot | None:
    """The last one known by the instant that no batch since has added an earlier knowledge to."""
    for at, known, blob in rows(cursor, _VALID_SNAPSHOT, name=name, known_at=naive(known_at)):
        return Snapshot(name=name, at=aware(at), known_at=aware(known), blob=blob)
    return None


def has_snapshot(cursor: Any, name: str) -> bool:
    """True where a snapshot of a name is kept, be it of use or not."""
    ((count,),) = rows(cursor, _ANY_SNAPSHOT, name=name)
    return bool(count)
