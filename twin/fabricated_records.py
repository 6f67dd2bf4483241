"""What the fabricated hospital's system keeps of what happened: late, missing, misordered; and a feed that may fail.

`Habits` are the faults of ordinary life, in every fabricated period. `Faults` are those of the feed, on request.
Three times follow from one fact: `occurred_at` as typed, `recorded_at` in the hospital's system, `known_at` when the
feed delivers it. Without faults of the feed `known_at` is `recorded_at`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ingest.events import (
    Arrived,
    BedsCounted,
    DecidedToAdmit,
    DecidedToDischarge,
    Departed,
    EnteredWard,
    Event,
    EventId,
    LeftDuringCare,
    LeftWard,
    LeftWithoutBeingSeen,
    Moved,
    PatientId,
    SeenByProvider,
    StaffOnDuty,
    SupplyEvent,
    Triaged,
    UnitId,
    VisitEvent,
    VisitId,
)
from twin.fabricated_chance import Dice
from twin.fabricated_facts import HOUR_MIN, Delay
from twin.fabricated_hospital import FabricationError
from twin.fabricated_timeline import Fact

SOURCE = "fabricated"
EXITS: tuple[type[VisitEvent], ...] = (Departed, LeftWithoutBeingSeen, LeftDuringCare)
"""The ways out of the department."""

_TYPED_AFTER: dict[type[Event], Delay] = {
    Arrived: Delay(1.0, 0.5), Triaged: Delay(2.0, 0.7), SeenByProvider: Delay(5.0, 0.9), Moved: Delay(6.0, 0.9),
    DecidedToAdmit: Delay(7.0, 0.9), DecidedToDischarge: Delay(7.0, 0.9), Departed: Delay(6.0, 0.9),
    LeftWithoutBeingSeen: Delay(25.0, 0.8), LeftDuringCare: Delay(20.0, 0.8), EnteredWard: Delay(12.0, 0.8),
    LeftWard: Delay(15.0, 0.9), BedsCounted: Delay(10.0, 0.8), StaffOnDuty: Delay(3.0, 0.5),
}  # fmt: skip
_AT_ONCE = Delay(1.0, 0.5)
"""How long after the fact it is typed in; tests and bed requests come from systems and are quick."""
_EXIT_LATE = Delay(150.0, 1.0)
"""The clerk catches up hours later, now and then the next day."""
_SPIKE_HOURS = (7, 15)
"""Exits of the hour before a change of shift are often stamped at the change: the spikes of the Alsace data."""
_STOCK_TYPED = Delay(12.0, 0.7)
"""Counts and deliveries are typed in by the stores themselves."""
_MISORDERED_MIN = 15.0
_BACKLOG_MIN = 2.0
_REPEATED_WITHIN_MIN = 30.0
_MISSING_WEIGHT = {"home": 1.18, "ward": 0.3, "transfer": 0.3, "died": 0.0}
_LEFT_MISSING_WEIGHT = 1.18
"""Which exits go missing: mostly of those who went home or left on their own; the weights average about 1."""


@dataclass(frozen=True, slots=True)
class Habits:
    """The faults of ordinary record keeping, as shares of the records of a kind."""

    exit_missing_share: float = 0.10
    exit_late_share: float = 0.12
    ward_exit_missing_share: float = 0.02
    triage_missing_share: float = 0.05
    seen_missing_share: float = 0.05
    seen_misordered_share: float = 0.005
    exit_at_shift_change_share: float = 0.35
    exits_planned_share: float = 0.0
    """Of exits from wards, how many are planned and told beforehand (`fabricated_announced.py`)."""
    arrivals_announced_share: float = 0.0
    """Of patients whom somebody brings, and of planned ones, how many are announced."""

    def __post_init__(self) -> None:
        _check_shares(self)


@dataclass(frozen=True, slots=True)
class Silence:
    """The feed is silent from an hour after the start, for some hours; what it held back then comes at once."""

    from_hour: float
    hours: float


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of the feed on request; the default has none.

    `silences` hold messages back; `duplicates_share` of the messages come twice; the hospital's clock is
    `clock_skew_min` ahead (behind if negative), in all it stamps; of `frozen_unit` nothing is heard any more from
    `frozen_from_hour` after the start on.
    """

    silences: tuple[Silence, ...] = field(default=())
    duplicates_share: float = 0.0
    clock_skew_min: float = 0.0
    frozen_unit: UnitId | None = None
    frozen_from_hour: float = 0.0

    def __post_init__(self) -> None:
        _check_shares(self)
        for silence in self.silences:
            if silence.hours <= 0:
                raise FabricationError(f"a silence must last more than 0 hours, but lasts {silence.hours}")


class Names:
    """Pseudonyms and event ids: `fabricated/<visit>/<Kind>/<n>`, n counting the kind within the visit."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._visits: dict[int | str, str] = {}
        self._counts: dict[int | str, dict[type[Event], int]] = {}

    def visit(self, number: int) -> VisitId:
        return VisitId("v" + self._hash(f"visit/{number}"))

    def patient(self, number: int) -> PatientId:
        return PatientId("p" + self._hash(f"patient/{number}"))

    def of(self, fact: Fact) -> tuple[str, EventId]:
        """The pseudonym of the visit (or the unit or pool), and the next event id of this kind.

        A visit that ends is forgotten, so that a hospital can run for years.
        """
        about, counts = self._known(fact.key)
        n = counts[fact.kind] = counts.get(fact.kind, -1) + 1
        if ends_visit(fact):
            del self._visits[fact.key], self._counts[fact.key]
        return about, EventId(f"{SOURCE}/{about}/{fact.kind.__name__}/{n}")

    def _known(self, key: int | str) -> tuple[str, dict[type[Event], int]]:
        if key not in self._counts:
            self._visits[key] = self.visit(key) if isinstance(key, int) else key
            self._counts[key] = {}
        return self._visits[key], self._counts[key]

    def _hash(self, text: str) -> str:
        return blake2b(f"{self._seed}/{text}".encode(), digest_size=8).hexdigest()


class Recorder:
    """Turns facts into events, each delivered once its time has come."""

    def __init__(self, origin_at: datetime, start_min: float, zone: str, seed: int, habits: Habits, faults: Faults):
        self._origin_at, self._start_min, self._zone = origin_at, start_min, ZoneInfo(zone)
        self._habits, self._faults = habits, faults
        self._names = Names(seed)
        self._dice = Dice(np.random.SeedSequence([seed, 2]))
        self._stock_dice = Dice(np.random.SeedSequence([seed, 10]))
        self._arrived_min: dict[int | str, float] = {}
        self._pending: list[tuple[float, int, Event]] = []
        self._position = 0

    def record(self, facts: Iterable[Fact]) -> None:
        """Type the facts in, in the order in which they happened."""
        for fact in facts:
            if issubclass(fact.kind, SupplyEvent):
                self._type_in_stock(fact)
                continue
            if fact.kind is Arrived:
                self._arrived_min[fact.key] = fact.at_min
            about, event_id = self._names.of(fact)
            if not self._dice.happens(missing_share(fact, self._habits)) and not self._is_frozen(fact):
                self._type_in(fact, about, event_id)
            if fact.kind in EXITS:
                self._arrived_min.pop(fact.key, None)

    def delivered_until(self, minute: float) -> list[Event]:
        """The events not handed out before that the feed delivers by the minute, in that order."""
        delivered: list[Event] = []
        while self._pending and self._pending[0][0] <= minute:
            delivered.append(heappop(self._pending)[2])
        return delivered

    @property
    def next_min(self) -> float | None:
        """When the next event will be delivered; None when nothing is pending."""
        return self._pending[0][0] if self._pending else None

    def at(self, minute: float) -> datetime:
        """The instant, to the second."""
        return self._origin_at + timedelta(seconds=round(minute * 60.0))

    def _type_in(self, fact: Fact, about: str, event_id: EventId) -> None:
        late = fact.kind in EXITS and self._dice.happens(self._habits.exit_late_share)
        typed_min = fact.at_min if late else self._as_typed(fact)
        delay = _EXIT_LATE if late else _TYPED_AFTER.get(fact.kind, _AT_ONCE)
        recorded_min = max(fact.at_min, typed_min) + self._dice.lognormal(*delay)
        known_min, skew_min = self._through_the_feed(recorded_min), self._faults.clock_skew_min
        recorded_at = self.at(recorded_min + skew_min)
        known_at = recorded_at if known_min == recorded_min + skew_min else self.at(known_min)
        self._position += 1
        told = _told(fact, about, self._names)
        event = fact.kind(
            event_id=event_id, occurred_at=self.at(typed_min + skew_min), recorded_at=recorded_at, known_at=known_at,
            source=SOURCE, position=self._position, **told,
        )  # fmt: skip
        heappush(self._pending, (known_min, self._position, event))
        if self._faults.duplicates_share and self._dice.happens(self._faults.duplicates_share):
            self._repeat(event, known_min + _REPEATED_WITHIN_MIN * self._dice.uniform())

    def _type_in_stock(self, fact: Fact) -> None:
        """With dice of its own, so that what else is typed in is the same without stores."""
        _, event_id = self._names.of(fact)
        recorded_min = fact.at_min + self._stock_dice.lognormal(*_STOCK_TYPED)
        known_min, skew_min = self._through_the_feed(recorded_min), self._faults.clock_skew_min
        self._position += 1
        occurred_at, recorded_at = self.at(fact.at_min + skew_min), self.at(recorded_min + skew_min)
        event = fact.kind(
            event_id=event_id, occurred_at=occurred_at, recorded_at=recorded_at,
            known_at=self.at(known_min), source=SOURCE, position=self._position, **fact.fields,
        )  # fmt: skip
        heappush(self._pending, (known_min, self._position, event))

    def _repeat(self, event: Event, minute: float) -> None:
        self._position += 1
        heappush(
            self._pending, (minute, self._position, replace(event, known_at=self.at(minute), position=self._position))
        )

    def _as_typed(self, fact: Fact) -> float:
        """The time as typed: usually the true one."""
        if fact.kind is SeenByProvider and self._dice.happens(self._habits.seen_misordered_share):
            return max(fact.at_min - _MISORDERED_MIN, self._arrived_min.get(fact.key, fact.at_min))
        if fact.kind in EXITS and self._dice.happens(self._habits.exit_at_shift_change_share):
            return self._at_shift_change(fact.at_min)
        return fact.at_min

    def _at_shift_change(self, minute: float) -> float:
        wall = self.at(minute).astimezone(self._zone)
        to_next_hour = HOUR_MIN - wall.minute - wall.second / 60.0
        return minute + to_next_hour if wall.hour + 1 in _SPIKE_HOURS else minute

    def _is_frozen(self, fact: Fact) -> bool:
        unit, since_min = self._faults.frozen_unit, self._start_min + self._faults.frozen_from_hour * HOUR_MIN
        return unit is not None and fact.at_min >= since_min and unit in (fact.place, fact.fields.get("unit"))

    def _through_the_feed(self, minute: float) -> float:
        for silence in self._faults.silences:
            begins = self._start_min + silence.from_hour * HOUR_MIN
            ends = begins + silence.hours * HOUR_MIN
            if begins <= minute < ends:
                return ends + _BACKLOG_MIN * (minute - begins) / (ends - begins)
        return minute


def truth(facts: Iterable[Fact], origin_at: datetime, seed: int) -> list[Event]:
    """The facts as complete and faultless events, known at once; ids as in the recorded ones."""
    names, events = Names(seed), []
    for position, fact in enumerate(facts, 1):
        at = origin_at + timedelta(seconds=round(fact.at_min * 60.0))
        about, event_id = names.of(fact)
        told = _told(fact, about, names)
        events.append(
            fact.kind(
                event_id=event_id, occurred_at=at, recorded_at=at, known_at=at, source=SOURCE, position=position, **told
            )
        )
    return events


def _told(fact: Fact, about: str, names: Names) -> dict[str, Any]:
    """The fields of the event: numbers become pseudonyms, and what no event tells (the age) is left out."""
    told = fact.fields
    if isinstance(fact.key, int):
        told = {**told, "visit": about}
    if fact.kind is Arrived:
        told["patient"] = names.patient(told["patient"])
        del told["age"]
    return told


def ends_visit(fact: Fact) -> bool:
    """True for the last fact of a visit."""
    return fact.kind in (LeftWard, LeftWithoutBeingSeen, LeftDuringCare) or (
        fact.kind is Departed and fact.fields["to"] != "ward"
    )


def missing_share(fact: Fact, habits: Habits) -> float:
    """How likely it is that nobody ever types this fact in."""
    kind = fact.kind
    if kind is Departed:
        return habits.exit_missing_share * _MISSING_WEIGHT[fact.fields["to"]]
    if kind in EXITS:
        return habits.exit_missing_share * _LEFT_MISSING_WEIGHT
    if kind is LeftWard:
        return habits.ward_exit_missing_share
    if kind is Triaged:
        return habits.triage_missing_share
    return habits.seen_missing_share if kind is SeenByProvider else 0.0


def _check_shares(settings: Habits | Faults) -> None:
    for name in type(settings).__dataclass_fields__:
        value = getattr(settings, name)
        if name.endswith("_share") and not 0.0 <= value <= 1.0:
            raise FabricationError(f"{name} must be between 0 and 1, but is {value}")
