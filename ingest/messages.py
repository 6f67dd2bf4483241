"""Records of the journal read into events: what the log stores in one transaction.

Reading needs no secret and depends on the record and the format alone, so that it can be done again at any time. What
a message tells is known from when it was journalled.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest.bookkeeping import Intake, Position, Rejected
from ingest.columns import TIME, check, to_table
from ingest.control_ids import REUSED
from ingest.errors import EventError, ReaderMissingError
from ingest.events import Event
from ingest.formats import Format, Place, Reading
from ingest.journal_frames import EMPTIED, Again, Record

logger = logging.getLogger(__name__)

Readers = Callable[[Record], "Format | None"]
"""Which format reads a record; None where this house is not set up for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journalled:
    """Where in the journal a batch comes from: the number and the instant of its last record."""

    number: int
    stored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMessages:
    """What came of the messages of one source: how far it stands, and what became of each message."""

    position: Position
    intake: Intake
    numbers: NDArray[np.int64]
    """Of the records that told events."""
    rejected_at: Sequence[datetime] = ()
    """When each of the rejected was journalled."""
    remarks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many messages were ignored by a rule, or taken with a flag: ("ignored" or "flag", its code) to number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Some messages as events: `table` has the columns of the vocabulary, `position` being the record's number."""

    journalled: Journalled
    table: pa.Table
    sources: Sequence[SourceMessages]
    again: Sequence[tuple[str, int]] = ()
    """Source and number of the records that had been rejected and are read again among these."""


NONE_LATER: Mapping[int, Again] = {}


def read_messages(
    records: Sequence[Record],
    readers: Readers,
    later: Mapping[int, Again] = NONE_LATER,
    reused: frozenset[int] = frozenset(),
) -> Messages:
    """The events of some records, and the account. `reused`: those that bear the number of another message.

    `later`: records, by their numbers, that are read again further on: here they are rejected, as they were when they
    came, so that what was known then is the same again.
    """
    readings = [_reading(record, readers, later.get(record.number)) for record in records]
    table = _events_table(readings)
    if table is None:
        readings = [_OUT_OF_VOCABULARY if _events_table([reading]) is None else reading for reading in readings]
        table = _events_table(readings)
        assert table is not None
    readings = [_flagged(reading, record.number in reused) for record, reading in zip(records, readings, strict=True)]
    by_source: dict[str, list[tuple[Record, Reading]]] = {}
    for record, reading in zip(records, readings, strict=True):
        by_source.setdefault(record.position.source, []).append((record, reading))
    return Messages(
        journalled=Journalled(number=records[-1].number, stored_at=records[-1].stored_at),
        table=_stamped(table, records, readings),
        sources=[_of_source(read) for read in by_source.values()],
        again=[(record.position.source, record.again.number) for record in records if record.again],
    )


def read_record(record: Record, readers: Readers) -> Reading:
    """What one record tells. Raises ReaderMissingError: a missing setting must not fill the quarantine."""
    if record.format in EMPTIED:
        return Reading(ignored=EMPTIED[record.format])
    if record.fault is not None:
        return Reading(rejected=record.fault, sentence="the message cannot be read by any mapping")
    reader = readers(record)
    if reader is None:
        raise ReaderMissingError(
            f"record {record.number} of the journal is of the format {record.format} ({record.position.source}), which "
            f"nothing here is set up to read: name its mapping in the settings (--config)"
        )
    try:
        place = Place(source=record.position.source, position=record.number, stored_at=record.stored_at)
        return reader.read(record.payload, place)
    except Exception as error:  # a format never raises; should one, its message waits in the quarantine
        logger.error("the format %s has failed on record %d: %s", record.format, record.number, type(error).__name__)
        return Reading(rejected="reader_failed", sentence=f"the reader has failed: {type(error).__name__}")


def _reading(record: Record, readers: Readers, later: Again | None) -> Reading:
    return read_record(record, readers) if later is None else Reading(rejected=later.reason, sentence=later.text)


def _flagged(reading: Reading, is_reused: bool) -> Reading:
    return replace(reading, flags=(*reading.flags, REUSED)) if is_reused else reading


_OUT_OF_VOCABULARY = Reading(rejected="reader_failed", sentence="the reader made an event that cannot be")


def _events_table(readings: Sequence[Reading]) -> pa.Table | None:
    """All events of some readings; None where one is not of the vocabulary, which must not keep out the others."""
    events: list[Event] = [event for reading in readings for event in reading.events]
    try:
        table = to_table(events)
        check(table)
    except (EventError, pa.ArrowException, TypeError, ValueError, AttributeError):
        return None
    return table


def _stamped(table: pa.Table, records: Sequence[Record], readings: Sequence[Reading]) -> pa.Table:
    """The events, known from when their message was journalled; what the reader says of that does not count."""
    counts = np.array([len(reading.events) for reading in readings], dtype=np.int64)
    each = pa.array(np.repeat(np.arange(len(records)), counts))
    stored = pa.array([record.stored_at for record in records], TIME).take(each)
    sources = pa.array([record.position.source for record in records], pa.string()).take(each)
    numbers = pa.array([record.number for record in records], pa.int64()).take(each)
    for name, column in (("known_at", stored), ("stored_at", stored), ("source", sources), ("position", numbers)):
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)
    return table


def _of_source(read: Sequence[tuple[Record, Reading]]) -> SourceMessages:
    rejected = [_rejected(record, reading) for record, reading in read if reading.rejected is not None]
    ignored = [reading.ignored for _, reading in read if _is_ignored(reading)]
    flags = [("flag", flag) for _, reading in read for flag in reading.flags]
    told = [record.number for record, reading in read if reading.events and reading.rejected is None]
    return SourceMessages(
        position=_stands(read),
        intake=Intake(read=len(read), ignored=len(ignored), rejected=rejected),
        numbers=np.array(told, dtype=np.int64),
        rejected_at=[record.stored_at for record, reading in read if reading.rejected is not None],
        remarks=Counter([("ignored", code or "nothing_told") for code in ignored] + flags),
    )


def _is_ignored(reading: Reading) -> bool:
    return reading.rejected is None and (reading.ignored is not None or not reading.events)


def _stands(read: Sequence[tuple[Record, Reading]]) -> Position:
    """Where the source stands after these: what is read again says nothing of that."""
    plain = [record.position for record, _ in read if record.again is None]
    return plain[-1] if plain else Position(source=read[0][0].position.source, offset=0)


def _rejected(record: Record, reading: Reading) -> Rejected:
    place = f"{record.position.source}@{record.position.offset}"
    if record.again:
        place += f", read again as record {record.number}"
    return Rejected(position=record.number, place=place, reason=reading.rejected or "", text=reading.sentence)
