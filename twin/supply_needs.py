"""How much of each item is needed to be expected, quarter by quarter, from the measures of members or of the past.

Measures are `(lead, member)` arrays by name on a `Grid`; a need is `(item, step, member)`, step s from lead s to s + 1.
Patients are counted at both ends of a step. A flow is told as the number of the hour before, so what falls into a step
is a quarter of the hour around it. Exits from wards are not told: in each hour as many left them as came from the
department less those by whom the wards are fuller, so that who is replaced at once by a planned patient is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from twin.supply_file import ED, HOSPITAL, WARDS, Item, Need, hours_of, minute_of

Array = npt.NDArray[np.float64]
HOUR_MIN = 60.0
_CENSUS = "census:"
_FLOWS = {"arrival": "ed_arrivals", "exit": "ed_departures", "admission": "admissions"}


@dataclass(frozen=True)
class Grid:
    """Instants at a distance of `step_min`, the first at `start_at` (aware); `steps` lie between them."""

    start_at: datetime
    steps: int
    zone: str
    step_min: float = 15.0

    def at(self, step: int) -> datetime:
        """The instant at which a step begins."""
        return self.start_at + timedelta(minutes=self.step_min * step)

    def step_of(self, instant: datetime) -> int:
        """The step in which an instant lies, its end included; below 0 before the grid, `steps` or more after it."""
        minutes = (instant - self.start_at) / timedelta(minutes=1)
        return int(np.ceil(minutes / self.step_min - 1e-9)) - 1

    def hours(self) -> npt.NDArray[np.int64]:
        """The local hour in which each step begins."""
        return np.array([local(self.at(step), self.zone).hour for step in range(self.steps)], dtype=np.int64)

    def times(self, clocks: Sequence[str], weekdays: Sequence[int]) -> list[datetime]:
        """The instants of local times within the grid, its end included, in order; `weekdays` has Monday as 1."""
        out = []
        first = local(self.start_at, self.zone).date()
        for number in range(int(self.steps * self.step_min // 1440) + 3):
            day = first + timedelta(days=number)
            if day.isoweekday() in weekdays:
                out += [_instant(day, minute_of(clock), self.start_at, self.zone) for clock in clocks]
        return sorted(at for at in out if self.start_at < at <= self.at(self.steps))


def _instant(day: object, minute: int, like: datetime, zone: str) -> datetime:
    """A local time of a day as an instant, by the offset of the zone then."""
    midnight = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=like.tzinfo)
    guess = midnight + timedelta(minutes=minute)
    there = local(guess, zone)
    offset = there.utcoffset() or timedelta(0)
    again = local(guess - offset, zone).utcoffset() or timedelta(0)
    return guess - again


@dataclass
class Exposures:
    """What needs are proportional to, each made once: `(step, member)` of a grid."""

    measures: Mapping[str, Array]
    grid: Grid
    _made: dict[tuple[str, str | None], Array] = field(default_factory=dict)

    def of(self, need: Need) -> Array:
        """Patient-hours, arrivals, exits, admissions or patients, step by step."""
        key = (need.per, need.where)
        if key not in self._made:
            self._made[key] = self._exposure(*key)
        return self._made[key]

    def patients(self, where: str) -> Array:
        """How many are there at each instant, `(lead, member)`; 0 where nobody counts them."""
        if where == ED:
            return self._measure("ed_census")
        if where == WARDS:
            wards = [values for name, values in self.measures.items() if name.startswith(_CENSUS)]
            return np.sum(wards, axis=0) if wards else self._nobody
        if where == HOSPITAL:
            return self.patients(ED) + self.patients(WARDS)
        return self._measure(_CENSUS + where)

    def _exposure(self, per: str, where: str | None) -> Array:
        step_h = self.grid.step_min / HOUR_MIN
        if per in _FLOWS:
            return step_h * self._within(self._measure(_FLOWS[per]))
        if per == "ward_exit":
            return step_h * self._within(self._left_wards())
        there = np.maximum(self.patients(str(where)), 0.0)
        if per == "patient_hour":
            return step_h * 0.5 * (there[:-1] + there[1:])
        return there[1:]

    def _within(self, hourly: Array) -> Array:
        """The number an hour in each step: of the hour around it, from numbers of the hour before each instant."""
        ahead = HOUR_MIN / 2 / self.grid.step_min
        low, high = (
            np.minimum(np.arange(self.grid.steps) + int(k), self.grid.steps)
            for k in (np.floor(ahead), np.ceil(ahead + 1))
        )
        return np.maximum(0.5 * (hourly[low] + hourly[high]), 0.0)

    def _left_wards(self) -> Array:
        """How many left the wards in the hour before each instant, but for those whom a planned patient replaced."""
        there, hour = self.patients(WARDS), max(1, round(HOUR_MIN / self.grid.step_min))
        left = self._measure("admissions").copy()
        if self.grid.steps < hour:
            return np.maximum(left, 0.0)
        left[hour:] -= there[hour:] - there[:-hour]
        left[:hour] = left[hour]
        return np.maximum(left, 0.0)

    def _measure(self, name: str) -> Array:
        return self.measures.get(name, self._nobody)

    @property
    def _nobody(self) -> Array:
        return np.zeros_like(next(iter(self.measures.values())))


def expected(items: Sequence[Item], exposures: Exposures, mix: Mapping[str, float]) -> Array:
    """How much of each item is expected to be needed, `(item, step, member)`; `mix` is the share of each acuity.

    Of devices it is how many are expected to be in use at the end of the step. NaN where a measure is.
    """
    hours = exposures.grid.hours()
    members = next(iter(exposures.measures.values())).shape[1]
    out = np.zeros((len(items), exposures.grid.steps, members))
    for place, item in enumerate(items):
        served = served_in(item, exposures.grid)
        for need in item.told.needs:
            factor = rate_of(need, mix) * _by_hour(need)[hours] * served
            busy = np.flatnonzero(factor)
            out[place, busy] += factor[busy, None] * exposures.of(need)[busy]
    return out


def rate_of(need: Need, mix: Mapping[str, float]) -> float:
    """The rate of a need, over the usual mix of acuities."""
    if not need.by_acuity:
        return need.rate
    shares = mix or {}
    return need.rate + sum((rate - need.rate) * shares.get(level, 0.0) for level, rate in need.by_acuity.items())


def served_in(item: Item, grid: Grid) -> Array:
    """1 in the steps in which the item is needed, else 0: meals at their servings alone."""
    if item.told.kitchen is None:
        return np.ones(grid.steps)
    out = np.zeros(grid.steps)
    for at in grid.times(item.told.kitchen.at, range(1, 8)):
        out[grid.step_of(at)] = 1.0
    return out


def _by_hour(need: Need) -> Array:
    out = np.ones(24)
    for text, factor in need.hours.items():
        out[hours_of(text)] = factor
    return out
