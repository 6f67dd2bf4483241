"""A story in the vocabulary: the simulator makes the same events as the readers of messages do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.events import EVENT_CLASSES, RANK, Event, EventId, VisitId
from twin.minutes import Minutes
from twin.story import DESTINATIONS, Story

Index = npt.NDArray[np.int64]

_WITH_UNIT = frozenset(RANK[kind] for kind in ("DecidedToAdmit", "BedRequested", "Moved", "Departed", "EnteredWard"))
_WITH_DESTINATION = frozenset(RANK[kind] for kind in ("Departed", "LeftWard"))
_TRIAGED, _ENTERED = RANK["Triaged"], RANK["EnteredWard"]


def events(
    story: Story,
    start: datetime,
    *,
    units: Sequence[str],
    acuities: Sequence[str] = (),
    acuity: Index | None = None,
    source: str = "twin",
    count: Counter[tuple[int, int]] | None = None,
) -> list[Event]:
    """The marks of a story as events, in its order; `start` is the instant of minute 0.

    `units` and `acuities` name the codes, `acuity` gives the code of each visit. Ids are
    `<source>/<visit>/<Kind>/<occurrence>`; an event is known when it happens. `count` is how often each kind was told
    of each visit: it goes on from there, so that a story can be told part by part.
    """
    minutes = Minutes(start)
    told: list[Event] = []
    count = Counter() if count is None else count
    columns = (story.at_min, story.kind, story.visit, story.unit, story.to)
    for at_min, kind, visit, unit, to in zip(*(column.tolist() for column in columns), strict=True):
        fields: dict[str, Any] = {"visit": VisitId(f"{source}/{visit}")}
        if kind in _WITH_UNIT and unit >= 0:
            fields["unit"] = units[unit]
        if kind in _WITH_DESTINATION and to >= 0:
            fields["to"] = DESTINATIONS[to]
        if kind == _TRIAGED and acuity is not None and acuity[visit] >= 0:
            fields["acuity"] = acuities[acuity[visit]]
        if kind == _ENTERED:
            fields["planned"] = True
        name = f"{source}/{visit}/{EVENT_CLASSES[kind].__name__}/{count[visit, kind]}"
        at = minutes.at(at_min)
        told.append(EVENT_CLASSES[kind](event_id=EventId(name), occurred_at=at, known_at=at, source=source, **fields))
        count[visit, kind] += 1
    return told
