"""Days that are over for good: what is kept of them when their events are gone, in the journal and in the database.

    log.keep_days(Days(until, table))      # journalled, then stored; from here on nothing older is taken in
    read_days(cursor, first, last)

A record of the journal holds the figures of some days and the instant before which no event is kept any more, so a
database that is made anew has them again. The record says too whether the journal has forgotten those events yet: it is
changed by the very rewriting that takes them out (`ingest/retention.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from ingest.database import arrow, aware, naive, registered, rows
from ingest.journal_frames import DAYS, Entry, Record

DAYS_SOURCE = "edtwin/days"
SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("day", pa.date32(), nullable=False),
        pa.field("measure", pa.string(), nullable=False),
        pa.field("hour", pa.int64()),
        pa.field("by", pa.string()),
        pa.field("part", pa.string()),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
"""A row a figure: of a local day, perhaps of an hour of it; of all, or of a part `by` a feature."""
_TOLD = b"edtwin"
_INSERT = 'INSERT INTO day BY NAME SELECT day, measure, hour, "by", part, value FROM given'
_INSERT_ENDED = "INSERT INTO ended VALUES ($until, $stored_at, $is_done)"
_LAST = "SELECT until, stored_at, is_done FROM ended ORDER BY until DESC, stored_at DESC LIMIT 1"
_READ = """
SELECT day, measure, hour, "by", part, value FROM day WHERE day >= $first AND day < $last
ORDER BY day, measure, hour, "by", part
"""
_SPAN = "SELECT min(day), max(day) FROM day"


@dataclass(frozen=True, slots=True)
class Days:
    """Figures of days (`SCHEMA`), and the end of what is kept no more."""

    until: datetime
    """What happened before is gone, or goes: a local midnight."""
    table: pa.Table
    is_done: bool = False
    """The journal has forgotten it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last time that events came to their end."""

    until: datetime
    stored_at: datetime
    is_done: bool


def days_entry(days: Days) -> Entry:
    """The days as they are journalled."""
    return Entry(format=DAYS, source=DAYS_SOURCE, payload=_payload(days))


def days_of(record: Record) -> Days:
    """The days of a record."""
    with pa.ipc.open_stream(record.payload) as stream:
        table = stream.read_all()
    facts = json.loads(table.schema.metadata[_TOLD])
    return Days(datetime.fromisoformat(facts["until"]), table.replace_schema_metadata(None), facts["is_done"])


def as_done(record: Record, until: datetime) -> Record:
    """The record as the journal has it when what happened before an instant is gone."""
    days = days_of(record)
    if days.is_done or days.until > until:
        return record
    return replace(record, payload=_payload(replace(days, is_done=True)))


def _payload(days: Days) -> bytes:
    facts = {"until": days.until.isoformat(), "is_done": days.is_done}
    table = days.table.cast(SCHEMA).replace_schema_metadata({_TOLD: json.dumps(facts)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_table(table)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload


def store_days(cursor: Any, days: Days, stored_at: datetime) -> None:
    """Store them, within the caller's transaction."""
    with registered(cursor, given=days.table.cast(SCHEMA)):
        rows(cursor, _INSERT)
    rows(cursor, _INSERT_ENDED, until=naive(days.until), stored_at=naive(stored_at), is_done=days.is_done)


def last_ended(cursor: Any) -> Ended | None:
    """The last end; None where all that ever happened is kept."""
    for until, stored_at, is_done in rows(cursor, _LAST):
        return Ended(aware(until), aware(stored_at), bool(is_done))
    return None


def read_days(cursor: Any, first: date, last: date) -> pa.Table:
    """The figures of the days of [first, last), in their order."""
    return arrow(cursor, _READ, first=first, last=last).cast(SCHEMA)


def span_of_days(cursor: Any) -> tuple[date, date] | None:
    """The first and the last day of which there are figures."""
    ((first, last),) = rows(cursor, _SPAN)
    return None if first is None else (first, last)
