"""Cancellations of "the last one", whichever it was: settled by the set of what was told, not by its order.

Some messages cancel a move without a word of which. Such a cancellation targets `../move/*`, and strikes the move that
was told no later than itself, that nothing else strikes, and that is the last in the world. A second one strikes the
one before. One that finds nothing to strike does nothing, until what it could have meant arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ingest.events import Cancelled, Event, EventId, VisitId
from ingest.hl7_ids import LATEST, visit_of_latest


def visit_undone(event: Cancelled) -> VisitId | None:
    """The visit of which an event strikes the latest record; None for the cancellation of one event."""
    return visit_of_latest(event.target) if event.target.endswith(LATEST) else None


def undone(events: Sequence[Event], undoings: Callable[[EventId], Iterable[Cancelled]]) -> set[EventId]:
    """Which of a visit's events the cancellations of "the last" strike; `undoings` gives those of a target."""
    alike: dict[EventId, list[Event]] = {}
    for event in events:
        alike.setdefault(_target_of(event.event_id), []).append(event)
    return {event_id for target, group in alike.items() for event_id in _struck(group, [*undoings(target)])}


def _target_of(event_id: str) -> EventId:
    """What a cancellation of the last of its kind would target."""
    return EventId(f"{event_id.rpartition('/')[0]}/{LATEST}")


def _struck(events: Sequence[Event], undoings: Sequence[Cancelled]) -> set[EventId]:
    """Told one after the other, each cancellation strikes the last in the world of those that stand by then."""
    standing: set[tuple[datetime, EventId]] = set()
    struck: set[EventId] = set()
    for event in sorted([*events, *undoings] if undoings else [], key=_when_told):
        if not isinstance(event, Cancelled):
            standing.add((event.occurred_at, event.event_id))
        elif standing:
            last = max(standing)
            standing.discard(last)
            struck.add(last[1])
    return struck


def _when_told(event: Event) -> tuple[datetime, bool, EventId]:
    """A cancellation comes after what was told at its own instant."""
    return event.recorded_at or event.known_at or event.occurred_at, isinstance(event, Cancelled), event.event_id
