"""After a merge: what is told of a visit under its new number, about what was told under the old one.

A cancellation names its target by the visit's number of the day. So within merged visits, a cancellation told no
earlier than the merge strikes the record of that name under the old number too, and a movement told again under the
new number takes the place of the one under the old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ingest.events import Cancelled, EventId, VisitEvent, VisitId
from ingest.hl7_ids import parts_of, record_id

Told = tuple[Any, ...]
"""When something was told, comparable."""


def superseded(
    events: Sequence[VisitEvent],
    visits: Sequence[VisitId],
    merged: Mapping[VisitId, Told],
    strikes: Callable[[EventId], Iterable[Cancelled]],
    said: Callable[[Any], Told],
) -> set[EventId]:
    """Which events of merged visits no longer stand for what was told under another number of the visit.

    `visits` are all numbers of the visit, `merged` says of those that go on under another when that was told,
    `strikes` what targets an id.
    """
    told = {event.event_id: event for event in events}
    out = set()
    for event in events:
        since = merged.get(event.visit)
        if since is None:
            continue
        for other in _other_names(event, visits):
            again = told.get(other)
            moved_on = again is not None and "/movement/" in other and said(again) >= max(since, said(event))
            if moved_on or any(said(strike) >= max(since, said(event)) for strike in strikes(other)):
                out.add(event.event_id)
    return out


def _other_names(event: VisitEvent, visits: Iterable[VisitId]) -> list[EventId]:
    """The ids that the event would have under the other numbers of its visit."""
    parts = parts_of(event.event_id)
    if parts is None or parts[1] != event.visit:
        return []
    return [record_id(parts[0], visit, *parts[2]) for visit in visits if visit != event.visit]
