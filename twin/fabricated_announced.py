"""What the fabricated hospital says beforehand: exits that wards plan, patients who are announced.

Off unless `Habits` ask for it. It is added to a fabricated period when all of it has happened, since only then is it
known who came and who left; a hospital that goes on live announces nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ingest.events import (
    ArrivalExpected,
    Arrived,
    DischargePlanned,
    EnteredWard,
    Event,
    EventId,
    LeftWard,
    VisitEvent,
    VisitId,
)
from twin.fabricated_chance import Dice
from twin.fabricated_records import SOURCE, Habits, Names
from twin.fabricated_timeline import Fact

ANNOUNCED_MODES = ("ambulance", "fire_service", "smur", "helicopter")
"""Who can be announced: those whom somebody brings."""
_EVE_SHARE, _EVE_HOUR, _ROUND_HOUR = 0.4, 16, 10
"""How many planned exits are told on the eve, and when; the others after the morning's round."""
_EXIT_ERROR_MIN = (20.0, 75.0)
_STAYS_ON_SHARE = 0.12
"""Planned exits that come a day later than planned."""
_NOTICE_MIN = (35.0, 0.8)
"""Median and spread of how long before an arrival it is announced: 20 to 25 % more than an hour (Norway, BMC Emergency
Medicine 2019, 10.1186/s12873-019-0256-z)."""
_ARRIVAL_ERROR_MIN = (3.0, 8.0)
_NEVER_COMES_SHARE = 0.08
"""Announcements of somebody who never comes, beside those who do."""
_ELECTIVE_NOTICE_MIN = 18 * 60.0
_ELECTIVE_ERROR_MIN = 45.0
_QUARTER_MIN = 15.0


def announcements(
    facts: Sequence[Fact], origin_at: datetime, zone: str, seed: int, habits: Habits, position: int
) -> list[Event]:
    """What was said beforehand of what happened, each known when it is said; positions follow the one given."""
    told = _Told(origin_at, ZoneInfo(zone), Dice(np.random.SeedSequence([seed, 5])), Names(seed), habits)
    events = [event for fact in facts for event in told.of(fact)]
    return [replace(event, position=number) for number, event in enumerate(events, position + 1)]


class _Told:
    def __init__(self, origin_at: datetime, zone: ZoneInfo, dice: Dice, names: Names, habits: Habits) -> None:
        self._origin_at, self._zone, self._dice, self._names, self._habits = origin_at, zone, dice, names, habits
        self._made_up = 0

    def of(self, fact: Fact) -> Iterator[VisitEvent]:
        """What was said of a fact before it happened."""
        if fact.kind is LeftWard and self._habits.exits_planned_share:
            yield from self._exit(fact)
        elif fact.kind is Arrived and self._habits.arrivals_announced_share:
            yield from self._arrival(fact)
        elif fact.kind is EnteredWard and fact.fields.get("planned") and self._habits.arrivals_announced_share:
            yield from self._elective(fact)

    def _exit(self, fact: Fact) -> Iterator[VisitEvent]:
        planned, on_the_eve = (self._dice.happens(p) for p in (self._habits.exits_planned_share, _EVE_SHARE))
        stays_on, error = self._dice.happens(_STAYS_ON_SHARE), self._normal(_EXIT_ERROR_MIN)
        due = self._at(_quarter(fact.at_min - error)) - timedelta(days=1 if stays_on else 0)
        told = self._wall(due, _EVE_HOUR if on_the_eve else _ROUND_HOUR) - timedelta(days=1 if on_the_eve else 0)
        told += timedelta(minutes=30.0 * self._dice.uniform())
        if planned and told < min(due, self._at(fact.at_min)):
            yield self._event(DischargePlanned, fact.key, told, expected_at=due)

    def _arrival(self, fact: Fact) -> Iterator[VisitEvent]:
        announced, never = (self._dice.happens(p) for p in (self._habits.arrivals_announced_share, _NEVER_COMES_SHARE))
        notice, error = self._dice.lognormal(*_NOTICE_MIN), self._normal(_ARRIVAL_ERROR_MIN)
        mode = fact.fields["mode"]
        if not announced or mode not in ANNOUNCED_MODES:
            return
        told, due = self._at(fact.at_min - notice), self._at(fact.at_min - min(error, notice))
        yield self._event(ArrivalExpected, fact.key, told, expected_at=due, mode=mode)
        if never:
            self._made_up += 1
            yield self._event(ArrivalExpected, f"nobody{self._made_up}", told, expected_at=due, mode=mode)

    def _elective(self, fact: Fact) -> Iterator[VisitEvent]:
        announced, error = (
            self._dice.happens(self._habits.arrivals_announced_share), self._normal((0.0, _ELECTIVE_ERROR_MIN)),
        )  # fmt: skip
        if announced:
            told, due = self._at(fact.at_min - _ELECTIVE_NOTICE_MIN), self._at(_quarter(fact.at_min - error))
            unit = fact.fields["unit"]
            yield self._event(ArrivalExpected, fact.key, told, expected_at=due, mode="planned", unit=unit)

    def _event(self, kind: type[VisitEvent], key: int | str, told: datetime, **fields: Any) -> VisitEvent:
        visit = self._names.visit(key) if isinstance(key, int) else VisitId(key)
        return kind(
            event_id=EventId(f"{SOURCE}/{visit}/{kind.__name__}/0"), visit=visit, occurred_at=told, recorded_at=told,
            known_at=told, source=SOURCE, **fields,
        )  # fmt: skip

    def _normal(self, of: tuple[float, float]) -> float:
        return of[0] + of[1] * self._dice.normal()

    def _at(self, minute: float) -> datetime:
        return self._origin_at + timedelta(seconds=round(minute * 60.0))

    def _wall(self, instant: datetime, hour: int) -> datetime:
        there = instant.astimezone(self._zone).replace(hour=hour, minute=0, second=0, microsecond=0)
        return there.astimezone(instant.tzinfo)


def _quarter(minute: float) -> float:
    return round(minute / _QUARTER_MIN) * _QUARTER_MIN
