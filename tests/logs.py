"""Logs for tests, in memory and on a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings

from ingest import versions
from ingest.clock import SimulatedClock
from ingest.database import Database, rows
from ingest.events import CONTENT_FREE_FIELDS, Cancelled, Departed, Destination, Event, EventId, VisitId
from ingest.log import Appended, EventLog, Extract, Position

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
FEW, MANY = settings(max_examples=4), settings(max_examples=200)
"""An example takes half a second in a log of its own: a few at each run, many in the soak."""


def memory_log(start: datetime = AT) -> tuple[EventLog, SimulatedClock]:
    clock = SimulatedClock(start)
    return EventLog(Database.open(None, threads=1), clock), clock


def departed(
    visit: str, to: Destination = "home", *, occurred_at: datetime = AT, recorded_at: datetime | None = None,
    known_at: datetime | None = None, position: int = 0, source: str = "s",
) -> Departed:  # fmt: skip
    return Departed(
        event_id=EventId(f"{source}/{visit}/Departed/0"), visit=VisitId(visit), occurred_at=occurred_at, to=to,
        recorded_at=recorded_at, known_at=known_at, position=position, source=source,
    )  # fmt: skip


def cancelled(event: Event, *, recorded_at: datetime | None = None, position: int = 0) -> Cancelled:
    return Cancelled(
        event_id=EventId(f"{event.event_id}/Cancelled"), target=event.event_id, occurred_at=event.occurred_at,
        recorded_at=recorded_at, position=position, source=event.source,
    )  # fmt: skip


def tell(log: EventLog, *events: Event, source: str = "s") -> Appended:
    """Append a live batch at the next offset of its source."""
    return log.append(events, next_position(log, source))


def take_in(
    log: EventLog, events: Sequence[Event], extracted_at: datetime, *, first_at: datetime | None = AT - 1000 * HOUR,
    complete_visits: bool = False, source: str = "s",
) -> Appended:  # fmt: skip
    """Append a whole extract."""
    extract = Extract(source=source, digest=f"at {extracted_at}", extracted_at=extracted_at, first_at=first_at)
    position = next_position(log, source)
    appended = log.append(events, position, extract=extract, complete_visits=complete_visits)
    log.finish(extract)
    return appended


def next_position(log: EventLog, source: str) -> Position:
    before = log.position(source)
    return Position(source=source, offset=before.offset + 1 if before else 1)


def standing(events: Iterable[Event]) -> dict[EventId, tuple[object, ...]]:
    """What the winning versions amount to: the content of each event that no cancellation, told later, strikes."""
    events = list(events)
    strikes = {e.target: said(e) for e in events if isinstance(e, Cancelled)}
    plain = [e for e in events if not isinstance(e, Cancelled)]
    return {e.event_id: content(e) for e in plain if e.event_id not in strikes or strikes[e.event_id] < said(e)}


def said(event: Event) -> tuple[datetime, int]:
    instant = event.recorded_at or event.known_at
    assert instant is not None
    return instant, event.position


def content(event: Event) -> tuple[object, ...]:
    return event.kind, *(getattr(event, f.name) for f in fields(event) if f.name not in CONTENT_FREE_FIELDS)


def count(log: EventLog, table: str) -> int:
    ((number,),) = rows(log._database.cursor(), COUNTS[table])
    return int(number)


COUNTS = {name: f"SELECT count(*) FROM {name}" for name in ("event", "superseded", "confirmed", "batch", "rejected")}


def mutate(monkeypatch: pytest.MonkeyPatch, statement: str, right: str, wrong: str) -> None:
    """A mutant of `ingest/versions.py`: one of its statements says something else."""
    text: str = getattr(versions, statement)
    assert right in text
    monkeypatch.setattr(versions, statement, text.replace(right, wrong))
