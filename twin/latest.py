"""Cancellations of "the last one", whichever it was: settled by the set of what was told, not by its order.

Some messages cancel a move without a word of which. Such a cancellation targets `../move/*`, and strikes, of the moves
that were told no later than itself and stood when it was told, the last in the world. A second one strikes the one
before. One that finds nothing to strike does nothing, until what it could have meant arrives.

What was told is the winning version of each event, here as everywhere. So a move that was struck so, and is told again
changed for the same instant, stands, and the cancellation then means the move before it; told again unchanged it is a
duplicate for the log, and stays struck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ingest.events import Cancelled, Event, EventId
from ingest.hl7_ids import LATEST


def undone(events: Sequence[Event], strikes: Callable[[EventId], Iterable[Cancelled]]) -> set[EventId]:
    """Which of a visit's events the cancellations of "the last" strike; `strikes` gives those that target an id."""
    alike: dict[EventId, list[Event]] = {}
    for event in events:
        alike.setdefault(_target_of(event.event_id), []).append(event)
    return {event_id for target, group in alike.items() for event_id in _struck(group, [*strikes(target)], strikes)}


def _target_of(event_id: str) -> EventId:
    """What a cancellation of the last of its kind would target."""
    return EventId(f"{event_id.rpartition('/')[0]}/{LATEST}")


def _struck(
    events: Sequence[Event], last_ones: Sequence[Cancelled], strikes: Callable[[EventId], Iterable[Cancelled]]
) -> set[EventId]:
    """All is told again in its order; what a cancellation of "the last" finds standing last in the world it strikes."""
    if not last_ones:
        return set()
    standing: dict[EventId, datetime] = {}
    struck: set[EventId] = set()
    for event in sorted([*events, *last_ones, *(s for e in events for s in strikes(e.event_id))], key=_when_told):
        if not isinstance(event, Cancelled):
            standing[event.event_id] = event.occurred_at
        elif not event.target.endswith(LATEST):
            standing.pop(event.target, None)
        elif standing:
            last = max(standing, key=lambda event_id: (standing[event_id], event_id))
            del standing[last]
            struck.add(last)
    return struck


def _when_told(event: Event) -> tuple[datetime, bool, EventId]:
    """A cancellation comes after what was told at its own instant."""
    return event.recorded_at or event.known_at or event.occurred_at, isinstance(event, Cancelled), event.event_id
