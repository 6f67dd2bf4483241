"""Tiny worlds: events written in a line each, on one day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ingest import events as vocabulary
from ingest.events import Cancelled, EventId, VisitEvent

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(clock: str, day: int = 0) -> datetime:
    """ "14:05" on the world's day, or on a later one."""
    hours, minutes = clock.split(":")
    return DAY + timedelta(days=day, hours=int(hours), minutes=int(minutes))


def told(
    kind: str, visit: str, clock: str, *, day: int = 0, nth: int = 0, told_at: datetime | None = None, **fields: Any
) -> VisitEvent:
    """An event of a visit, known when it happens unless `told_at` says otherwise."""
    cls: Any = vocabulary.BY_KIND[kind]
    happened = at(clock, day)
    event: VisitEvent = cls(
        event_id=EventId(f"w/{visit}/{kind}/{nth}"), visit=visit, occurred_at=happened, known_at=told_at or happened,
        source="w", **fields,
    )  # fmt: skip
    return event


def struck(event: VisitEvent | Cancelled, told_at: datetime, nth: int = 0) -> Cancelled:
    """The cancellation of an event."""
    return Cancelled(
        event_id=EventId(f"{event.event_id}/Cancelled/{nth}"), target=event.event_id, occurred_at=event.occurred_at,
        known_at=told_at, source="w",
    )  # fmt: skip


def day_of_visits() -> list[VisitEvent]:
    """Four visits: one home, one to a ward and out again, one who leaves unseen, one still waiting."""
    return [
        told("Arrived", "a", "08:00", age_band="75+", mode="ambulance"),
        told("Triaged", "a", "08:10", acuity="2"),
        told("SeenByProvider", "a", "08:20"),
        told("DecidedToAdmit", "a", "10:00", unit="medicine"),
        told("Departed", "a", "12:00", to="ward", unit="medicine"),
        told("LeftWard", "a", "20:00", to="home"),
        told("Arrived", "b", "09:00", age_band="18-74"),
        told("Triaged", "b", "09:10", acuity="4"),
        told("SeenByProvider", "b", "10:30"),
        told("Departed", "b", "11:30", to="home"),
        told("Arrived", "c", "09:30"),
        told("LeftWithoutBeingSeen", "c", "11:00"),
        told("Arrived", "d", "10:40", age_band="0-17"),
        told("Triaged", "d", "10:50", acuity="4"),
    ]
