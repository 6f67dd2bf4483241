"""What is heard of a run of the twin, part by part, as the feed of the hospital would tell it: visits, beds, doctors.

Those who were here when it began go on under the names that the log has for them. Everything is told when it happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from forecast.situation import Situation
from ingest.events import Arrived, BedsCounted, Event, EventId, StaffOnDuty, UnitId, VisitEvent, VisitId
from twin.fate import Fate
from twin.hospital import Profile
from twin.minutes import Minutes
from twin.present import Present
from twin.setting import at
from twin.story import Story
from twin.tell import events as told_as_events

SOURCE = "exercise"
ALWAYS = frozenset({"Arrived", "Departed", "LeftWithoutBeingSeen", "LeftDuringCare", "EnteredWard", "LeftWard"})
"""Without these nobody comes or goes; other milestones are told where the hospital's log tells them."""
_DOCTOR = "doctor"
Mark = tuple[float, int, int, int, int]


class Tale:
    """What was told of a run so far, and what comes next of it."""

    def __init__(self, situation: Situation, present: Present, usual: Mapping[str, Profile]) -> None:
        self._c, self._ids = situation.calibration, situation.known.ids
        self._minutes = Minutes(situation.as_of)
        self._here, self._before = present.count, present.history.at_min.size
        self._count: Counter[tuple[int, int]] = Counter()
        self._told_min = 0.0
        self._position = 0
        """Of the last event: the account of a feed counts by it."""
        self._at_last: set[Mark] = set()
        """What was told of the last minute: a run that is made again from there has it too."""
        self._counted = {pool: at(usual[pool], 0.0) for pool in self._pools(usual)}

    def told(self, story: Story, fate: Fate, capacity: Mapping[str, Profile], now_min: float) -> list[Event]:
        """What has happened since the last time, in order."""
        places = list(self._places(capacity, now_min))
        visits = self._visits(story, fate, now_min)
        self._told_min = now_min
        told = sorted([*places, *visits], key=lambda event: event.occurred_at)
        first, self._position = self._position + 1, self._position + len(told)
        return [replace(event, position=first + n) for n, event in enumerate(told)]

    # --- visits -----------------------------------------------------------------------------------------------------

    def _visits(self, story: Story, fate: Fate, now_min: float) -> list[Event]:
        """The marks of these minutes as events, under the log's own names."""
        new = self._new(story, now_min)
        hospital, ages = self._c.hospital, self._ages(fate)
        told = told_as_events(
            new, self._minutes.origin, units=[u.name for u in hospital.units], acuities=hospital.acuities,
            acuity=fate.acuity, source=SOURCE, count=self._count,
        )  # fmt: skip
        named = [self._named(event, int(v), ages) for event, v in zip(told, new.visit, strict=True)]
        kept = self._c.described.told | ALWAYS if self._c.described is not None else None
        return [event for event in named if kept is None or event.kind in kept]

    def _new(self, story: Story, now_min: float) -> Story:
        at_min = story.at_min[self._before :]
        first = self._before + int(np.searchsorted(at_min, self._told_min, side="left"))
        end = self._before + int(np.searchsorted(at_min, now_min, side="right"))
        mine = slice(first, end)
        marks = Story(story.at_min[mine], story.kind[mine], story.visit[mine], story.unit[mine], story.to[mine]).marks
        fresh = [mark for mark in marks if mark[0] > self._told_min or mark not in self._at_last]
        last = {mark for mark in marks if mark[0] == now_min}
        self._at_last = self._at_last | last if now_min == self._told_min else last
        return Story.of(fresh)

    def _ages(self, fate: Fate) -> Mapping[int, str | None]:
        bands = [one.age_band for one in self._c.parameters.classes]
        return {visit: bands[cls] for visit, cls in zip(fate.visit.tolist(), fate.cls.tolist(), strict=True)}

    def _named(self, event: Event, visit: int, ages: Mapping[int, str | None]) -> Event:
        if isinstance(event, VisitEvent) and visit < self._here:
            return replace(event, visit=VisitId(self._ids[visit]))
        if isinstance(event, Arrived):
            return replace(event, age_band=ages[visit])  # type: ignore[arg-type]
        return event

    # --- beds and doctors -------------------------------------------------------------------------------------------

    def _pools(self, capacity: Mapping[str, Profile]) -> Iterator[str]:
        """Pools whose number the hospital's log tells."""
        wards = (u.pool for u in self._c.hospital.wards if u.name in self._c.beds_known)
        doctors = (_DOCTOR,) if self._c.report["doctors_known"] else ()
        return (pool for pool in (*wards, *doctors) if pool in capacity)

    def _places(self, capacity: Mapping[str, Profile], now_min: float) -> Iterator[Event]:
        """How many there are, whenever that is another number than was told."""
        for pool in self._counted:
            profile = capacity[pool]
            steps = [self._told_min, *(m for m, _ in profile if self._told_min < m <= now_min)]
            for minute in steps:
                if (count := at(profile, minute)) != self._counted[pool]:
                    self._counted[pool] = count
                    yield self._place(pool, count, minute)

    def _place(self, pool: str, count: int, minute: float) -> Event:
        when = self._minutes.at(minute)
        self._count[-1, 0] += 1
        name = EventId(f"{SOURCE}/{pool}/{self._count[-1, 0]}")
        if pool == _DOCTOR:
            return StaffOnDuty(
                event_id=name, occurred_at=when, known_at=when, source=SOURCE, pool=pool, count=count
            )  # fmt: skip
        ward = next(u for u in self._c.hospital.wards if u.pool == pool)
        return BedsCounted(
            event_id=name, occurred_at=when, known_at=when, source=SOURCE, unit=UnitId(ward.name),
            count=count + ward.held_back,
        )  # fmt: skip
