"""The stores of the fabricated hospital: what its patients truly use up, what is brought, counted and missing.

A law of its own, apart from the twin's and richer than it. Each patient has needs of their own (some need five times
as much as others, and a diet); staff of each shift have habits that the next shift partly keeps; weekends differ;
rounds have hours; some is wasted; deliveries come late and in whole packs; linen goes round and shrinks. Stocks are
counted by hand, twice a day, not quite exactly, and now and then not at all. Everything is determined by the seed and
by what happens in the hospital; the stores never change what happens there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ingest.events import (
    Arrived,
    Departed,
    EnteredWard,
    LeftDuringCare,
    LeftWard,
    LeftWithoutBeingSeen,
    Moved,
    StockCounted,
    SupplyDelivered,
    Triaged,
)
from twin.fabricated_facts import DAY_MIN, HOUR_MIN
from twin.fabricated_hospital import INTENSIVE_CARE, UNITS
from twin.fabricated_timeline import Fact

Array = npt.NDArray[np.float64]
TICK_MIN = 15.0
CARE, DRUGS, GAS, SAME = range(4)
"""What makes a patient need more than another: care, drugs, oxygen, nothing."""
_SPREAD = (0.55, 0.8, 1.1)
"""Sigma of the logarithm of each (our judgement)."""
ED, WARD, ICU = range(3)
_COUNT_HOURS = (6.5, 14.5)
_COUNTED_SHARE, _COUNT_ERROR = 0.96, 0.008
_SHIFTS_H = (7, 14, 21)
_HABIT_CV, _HABIT_KEPT = 0.10, 0.5
_WEEKEND = 5
_LATE_SHARES = (0.55, 0.25, 0.12, 0.08)
"""That a delivery is so many quarters of an hour late."""
_DIETS = {"meals_standard": 0.56, "meals_texture": 0.18, "meals_diabetic": 0.15, "meals_salt_free": 0.11}
_EATS = {7.5: 0.85, 12.0: 0.92, 18.75: 0.88}
_EATS_IN_DEPARTMENT = 0.12


class Law(NamedTuple):
    """What is truly used of one item: per hour of a patient in the department, a ward, intensive care; per event."""

    ed: float
    ward: float
    icu: float
    arrival: float
    urgent: float
    """Per patient of acuity 1 or 2, beside."""
    moved_up: float
    """Per patient who goes to a ward."""
    ward_exit: float
    kind: int
    rounds: Mapping[int, float]
    """Weight of the hours of a round; others have 1."""
    at_once: float
    wasted: float
    weekend: float
    cover_h: float
    """Hours of usual use that the stock holds when it is full."""
    brought: tuple[float, ...]
    days: tuple[int, ...]
    pack: int
    washed: bool = False


_DAILY, _WEEKDAYS, _SIX = tuple(range(7)), (0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5)
_MORNING = {6: 2.2, 7: 3.2, 8: 3.4, 9: 2.6, 10: 1.8, 22: 0.3, 23: 0.2, 0: 0.1, 1: 0.1, 2: 0.1, 3: 0.1, 4: 0.2}
_THRICE = {7: 2.4, 8: 2.6, 15: 2.5, 16: 2.2, 23: 2.0, 0: 1.8, 2: 0.2, 3: 0.2, 4: 0.2, 12: 0.5}
_TWICE = {7: 3.0, 8: 4.2, 18: 3.8, 19: 3.5, 1: 0.2, 2: 0.2, 3: 0.2, 4: 0.2, 13: 0.4}
LAWS: dict[str, Law] = {
    "linen_sets": Law(
        0.02, 0.013, 0.03, 0.26, 0.9, 0.2, 1.05,
        CARE, _MORNING, 1.4, 0.03, 0.9, 52, (7.0, 15.0), _SIX, 5, True,
    ),
    "gowns": Law(
        0.03, 0.018, 0.04, 0.32, 0.6, 0.3, 0.1,
        CARE, _MORNING, 1.5, 0.04, 0.95, 54, (7.0, 15.0), _SIX, 10, True,
    ),
    "infusion_fluids": Law(
        0.02, 0.033, 0.16, 0.22, 1.6, 0.3, 0.0,
        DRUGS, {}, 1.8, 0.05, 1.0, 98, (10.0,), _WEEKDAYS, 10,
    ),
    "analgesics_iv": Law(
        0.02, 0.040, 0.07, 0.33, 0.8, 0.2, 0.0,
        DRUGS, _THRICE, 1.5, 0.04, 1.0, 100, (10.0,), _WEEKDAYS, 10,
    ),
    "antibiotics_iv": Law(
        0.01, 0.028, 0.10, 0.04, 0.3, 0.5, 0.0,
        DRUGS, _THRICE, 1.6, 0.06, 1.0, 100, (10.0,), _WEEKDAYS, 10,
    ),
    "sedation": Law(
        0.0, 0.001, 0.40, 0.0, 0.35, 0.0, 0.0,
        DRUGS, {}, 2.0, 0.08, 1.0, 105, (10.0,), _WEEKDAYS, 5,
    ),
    "anticoagulants": Law(
        0.004, 0.027, 0.03, 0.02, 0.1, 0.1, 0.0,
        SAME, _TWICE, 1.1, 0.02, 1.0, 100, (10.0,), _WEEKDAYS, 10,
    ),
    "cannulas": Law(
        0.03, 0.012, 0.03, 0.42, 1.1, 0.1, 0.0,
        CARE, {}, 1.4, 0.05, 1.0, 98, (9.0,), _WEEKDAYS, 50,
    ),
    "infusion_sets": Law(
        0.02, 0.017, 0.05, 0.28, 1.2, 0.2, 0.0,
        CARE, {}, 1.3, 0.05, 1.0, 98, (9.0,), _WEEKDAYS, 25,
    ),
    "gloves": Law(
        0.055, 0.019, 0.05, 0.02, 0.1, 0.0, 0.0,
        CARE, {}, 1.6, 0.0, 0.95, 115, (9.0,), _WEEKDAYS, 10,
    ),
    "masks_ffp2": Law(
        0.02, 0.028, 0.05, 0.24, 0.8, 0.0, 0.0,
        CARE, {}, 2.6, 0.0, 0.9, 115, (9.0,), _WEEKDAYS, 50,
    ),
    "isolation_gowns": Law(
        0.04, 0.046, 0.12, 0.0, 0.3, 0.0, 0.2,
        CARE, {}, 2.6, 0.0, 0.9, 110, (9.0,), _WEEKDAYS, 10,
    ),
    "oxygen": Law(
        0.05, 0.025, 0.27, 0.0, 0.6, 0.0, 0.0,
        GAS, {}, 1.1, 0.03, 1.0, 200, (11.0,), (1, 4), 1,
    ),
    "oxygen_bottles": Law(
        0.002, 0.0012, 0.002, 0.02, 0.22, 0.2, 0.0,
        SAME, {}, 1.1, 0.0, 0.9, 96, (8.5,), (0, 2, 4), 1,
    ),
    "red_cells": Law(
        0.0006, 0.0017, 0.013, 0.004, 0.10, 0.02, 0.0,
        SAME, {}, 2.2, 0.03, 0.8, 48, (9.5, 16.5), _DAILY, 1,
    ),
}  # fmt: skip
ITEMS: tuple[str, ...] = tuple(LAWS)
_EVENTS: dict[str, int] = {"arrival": 3, "urgent": 4, "moved_up": 5, "ward_exit": 6}
_GONE = (LeftWard, LeftWithoutBeingSeen, LeftDuringCare)


@dataclass
class Truth:
    """What truly was, tick by tick: minute, needs and stocks by item, and meals by diet at servings."""

    minute: list[float] = field(default_factory=list)
    needs: list[npt.NDArray[np.int64]] = field(default_factory=list)
    stocks: list[npt.NDArray[np.int64]] = field(default_factory=list)
    """Just after the tick."""
    meals: list[tuple[float, dict[str, int]]] = field(default_factory=list)


class Stores:
    """The stores of a hospital, followed along its facts; `lean` ones hold less. `truth` is there if it is kept."""

    def __init__(
        self, origin_at: datetime, zone: str, seed: int, *, keep_truth: bool = False, lean: float = 1.0
    ) -> None:
        self._origin_at, self._zone, self._lean = origin_at, ZoneInfo(zone), lean
        needs, people, stores = (
            np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence([seed, 9]).spawn(3)
        )
        self._needs, self._people, self._stores = needs, people, stores
        self.truth = Truth() if keep_truth else None
        self._tick = 0
        self._here: dict[int | str, tuple[int, Array]] = {}
        self._diet: dict[int | str, str] = {}
        self._sums = np.zeros((3, 4))
        self._events = np.zeros(len(ITEMS))
        self._habit = np.zeros(len(ITEMS))
        rates = np.array([[law[column] for column in range(7)] for law in LAWS.values()], dtype=np.float64)
        self._hourly, self._each = rates[:, :3], rates[:, 3:]
        self._kind = np.array([law.kind for law in LAWS.values()])
        self._at_once = np.array([law.at_once for law in LAWS.values()])
        self._more = np.array([1.0 + law.wasted for law in LAWS.values()])
        self._weekend = np.array([law.weekend for law in LAWS.values()])
        self._round = np.array([_round(law.rounds) for law in LAWS.values()])
        self.full = np.zeros(len(ITEMS), dtype=np.int64)
        self.stock = np.zeros(len(ITEMS), dtype=np.int64)
        self._used_by_day = np.zeros(len(ITEMS))
        self._washing: list[tuple[int, npt.NDArray[np.int64]]] = []
        self._late: list[tuple[int, int]] = []

    def follow(self, facts: Iterable[Fact], minute: float) -> list[Fact]:
        """Take in what happened up to a minute; what the stores tell of it, in order."""
        told: list[Fact] = []
        for fact in facts:
            told += self._until(fact.at_min)
            self._take(fact)
        return told + self._until(minute)

    def open(self, minute: float) -> list[Fact]:
        """Size the stocks by what was used in the days so far, fill them, and count them for the first time."""
        hours = max(minute / HOUR_MIN, 1.0)
        cover = self._lean * np.array([law.cover_h for law in LAWS.values()])
        self.full = np.maximum(np.ceil(cover * self._used_by_day / hours), 2).astype(np.int64)
        self.stock = np.floor(self.full * self._stores.uniform(0.75, 1.0, len(ITEMS))).astype(np.int64)
        return [self._counted(place, minute) for place in range(len(ITEMS))]

    # --- patients ------------------------------------------------------------------------------------------------

    def _take(self, fact: Fact) -> None:
        if fact.kind is Arrived or fact.kind is EnteredWard:
            self._begin(fact)
        elif fact.key not in self._here:
            return
        elif fact.kind is Triaged and fact.fields["acuity"] in ("1", "2"):
            self._event("urgent", fact.key)
        elif fact.kind is Moved and fact.fields["unit"] in UNITS:
            self._to(fact.key, _zone_of(fact.fields["unit"]))
        elif fact.kind is Departed and fact.fields["to"] == "ward":
            self._event("moved_up", fact.key)
            self._to(fact.key, _zone_of(fact.fields["unit"]))
        elif fact.kind in _GONE or fact.kind is Departed:
            if fact.kind is LeftWard:
                self._event("ward_exit", fact.key)
            self._end(fact.key)

    def _begin(self, fact: Fact) -> None:
        own = np.ones(4)
        own[:3] = np.exp([s * z - s * s / 2 for s, z in zip(_SPREAD, self._people.standard_normal(3), strict=True)])
        zone = ED if fact.kind is Arrived else _zone_of(fact.fields["unit"])
        self._here[fact.key] = zone, own
        self._diet[fact.key] = str(self._people.choice(list(_DIETS), p=list(_DIETS.values())))
        self._sums[zone] += own
        if zone == ED:
            self._event("arrival", fact.key)

    def _to(self, key: int | str, zone: int) -> None:
        old, own = self._here[key]
        self._sums[old] -= own
        self._sums[zone] += own
        self._here[key] = zone, own

    def _end(self, key: int | str) -> None:
        zone, own = self._here.pop(key)
        self._sums[zone] -= own
        del self._diet[key]

    def _event(self, name: str, key: int | str) -> None:
        own = self._here[key][1]
        self._events += self._each[:, _EVENTS[name] - 3] * own[self._kind]

    # --- time ----------------------------------------------------------------------------------------------------

    def _until(self, minute: float) -> list[Fact]:
        told: list[Fact] = []
        while (self._tick + 1) * TICK_MIN <= minute:
            self._tick += 1
            told += self._turn(self._tick * TICK_MIN)
        return told

    def _turn(self, minute: float) -> list[Fact]:
        """A quarter of an hour: habits, what was used in it, what is brought, what is counted."""
        wall = (self._origin_at + timedelta(minutes=minute)).astimezone(self._zone)
        hour = wall.hour + wall.minute / 60.0
        if hour in _SHIFTS_H:
            fresh = self._needs.standard_normal(len(ITEMS))
            self._habit = _HABIT_KEPT * self._habit + np.sqrt(1 - _HABIT_KEPT**2) * _HABIT_CV * fresh
        need = self._use(wall)
        taken = np.minimum(need, self.stock)
        told: list[Fact] = []
        if self.full.any():
            self.stock -= taken
            self._washing.append((self._tick, taken))
            told += self._brought(minute, hour, wall.weekday())
        if self.truth is not None:
            self._keep(minute, hour, need)
        if self.full.any() and hour in _COUNT_HOURS:
            told += [self._counted(k, minute) for k in range(len(ITEMS)) if self._stores.random() < _COUNTED_SHARE]
        return told

    def _use(self, wall: datetime) -> npt.NDArray[np.int64]:
        hourly = sum(self._hourly[:, zone] * self._sums[zone][self._kind] for zone in (ED, WARD, ICU))
        habit = np.exp(self._habit) * np.where(wall.weekday() >= _WEEKEND, self._weekend, 1.0) * self._more
        mean = habit * (np.maximum(hourly, 0.0) * self._round[:, wall.hour] * TICK_MIN / HOUR_MIN + self._events)
        self._events[:] = 0.0
        times = self._needs.poisson(mean / self._at_once)
        need = np.asarray(times + self._needs.poisson(times * (self._at_once - 1.0)), dtype=np.int64)
        self._used_by_day += need
        return need

    def _brought(self, minute: float, hour: float, weekday: int) -> list[Fact]:
        for place, law in enumerate(LAWS.values()):
            if hour in law.brought and weekday in law.days:
                self._late.append((self._tick + int(self._stores.choice(4, p=_LATE_SHARES)), place))
        due = [place for tick, place in self._late if tick <= self._tick]
        self._late = [(tick, place) for tick, place in self._late if tick > self._tick]
        told = []
        for place in due:
            quantity = self._quantity(place)
            if quantity > 0:
                self.stock[place] += quantity
                told.append(
                    Fact(minute, SupplyDelivered, ITEMS[place], None, {"pool": ITEMS[place], "count": quantity})
                )
        self._washing = [(tick, used) for tick, used in self._washing if tick > self._tick - DAY_MIN * 8 / TICK_MIN]
        return told

    def _quantity(self, place: int) -> int:
        """Whole packs towards a full stock; of linen, what has been washed, and what replaces worn pieces."""
        law = LAWS[ITEMS[place]]
        if law.washed:
            ready = self._tick - round((25.0 + 3.0 * self._stores.random()) * HOUR_MIN / TICK_MIN)
            back = sum(int(used[place]) for tick, used in self._washing if tick <= ready)
            for tick, used in self._washing:
                if tick <= ready:
                    used[place] = 0
            return int(self._stores.binomial(back, 0.985)) + max(
                0, (int(self.full[place]) - int(self.stock[place]) - back) // 12
            )
        lacking = int(self.full[place] - self.stock[place])
        return max(0, -(-lacking // law.pack) * law.pack if lacking > law.pack // 2 else 0)

    def _counted(self, place: int, minute: float) -> Fact:
        error = 1.0 + _COUNT_ERROR * float(self._stores.standard_normal())
        count = max(0, round(int(self.stock[place]) * error))
        return Fact(minute, StockCounted, ITEMS[place], None, {"pool": ITEMS[place], "count": count})

    def _keep(self, minute: float, hour: float, need: npt.NDArray[np.int64]) -> None:
        assert self.truth is not None
        self.truth.minute.append(minute)
        self.truth.needs.append(need)
        self.truth.stocks.append(self.stock.copy())
        if hour in _EATS:
            eaten = dict.fromkeys(_DIETS, 0)
            for key, (zone, _) in self._here.items():
                eats = self._people.random() < (_EATS_IN_DEPARTMENT if zone == ED else _EATS[hour] * (zone == WARD))
                eaten[self._diet[key]] += int(eats)
            self.truth.meals.append((minute, eaten))


def _zone_of(unit: str) -> int:
    return ICU if unit == INTENSIVE_CARE else WARD


def _round(weights: Mapping[int, float]) -> Array:
    out = np.ones(24)
    for hour, weight in weights.items():
        out[hour] = weight
    return np.asarray(out / out.mean())
