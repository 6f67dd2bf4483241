"""Who comes, learned from a log: the rate by hour of week, the recent level, how much days differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from twin.learned_calendar import CalendarEffects, DayTotals, learn_effects, recent_level
from twin.minutes import Minutes
from twin.outside import Effect, Learned, learn_files

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

HOUR_MIN = 60.0
DAYS_A_WEEK, HOURS_A_DAY = 7, 24
HALF_LIFE_DAYS = 10.0
"""Days after which a day weighs half in what is told of the next, by which it is judged how much days differ."""
PROFILE_HALF_LIFE_DAYS = 120.0
"""Days after which a day weighs half in the week's profile, which changes slowly."""
AHEAD_DAYS = 8
"""Days from the last on for which the factor of the calendar is told."""
MOST_DISPERSED = 5.0 / 3.0
"""Variance over mean where every second one brings another along."""
CELL_PRIOR = 200.0
"""Arrivals expected in an hour of the week at which its own count and the product of hour and weekday weigh alike."""


@dataclass(frozen=True, eq=False)
class Calendar:
    """The whole hours of a period: when each begins, its local hour of week and its local day."""

    start_min: Array
    hour_of_week: Index
    day: Index
    """Number of the local day within the period, from 0."""
    first_day: int = 0
    """The ordinal of the first local day."""

    @classmethod
    def of(cls, minutes: Minutes, from_min: float, until_min: float, zone: str) -> Calendar:
        """The hours that lie wholly within [from, until); true to the zone when clocks change."""
        lead = (HOUR_MIN - (minutes.past_the_hour() + from_min) % HOUR_MIN) % HOUR_MIN
        start = np.arange(from_min + lead, until_min - HOUR_MIN + 1e-6, HOUR_MIN)
        when = [local(minutes.at(float(m)) + timedelta(seconds=1), zone) for m in start]
        week = np.array([t.weekday() * 24 + t.hour for t in when], dtype=np.int64)
        days = np.array([t.date().toordinal() for t in when], dtype=np.int64)
        first = int(days.min()) if days.size else 0
        return cls(start, week, days - first, first)

    @property
    def weekdays(self) -> Index:
        """The weekday of each day, `(day,)`, 0 = Monday."""
        out = np.zeros(int(self.day.max(initial=-1)) + 1, dtype=np.int64)
        out[self.day] = self.hour_of_week // 24
        return out

    def counts(self, at_min: Array) -> Array:
        """How many instants fall in each hour, `(hour,)`."""
        known = np.sort(at_min[~np.isnan(at_min)])
        edges = np.append(self.start_min, self.start_min[-1] + HOUR_MIN if self.start_min.size else 0.0)
        return np.diff(np.searchsorted(known, edges)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class ArrivalProfile:
    """Arrivals an hour by local hour of week `(168,)` at the recent level, and how much days differ."""

    per_hour: Array
    day_cv: float
    level: float
    """The recent level against the whole period's mean."""
    together: float
    """How often somebody brings another one along."""
    effects: CalendarEffects = field(default_factory=CalendarEffects)
    on_days: tuple[tuple[int, float], ...] = ()
    """Days to come on which holidays or series from outside change the number of arrivals, by ordinal, with the factor.
    """
    outside: tuple[Learned, ...] = ()
    """What was learned of series from outside."""


@dataclass(frozen=True)
class Around:
    """What is around a hospital that moves its arrivals."""

    place: str = ""
    """Whose public holidays count (`FR`, `FR-57`, "" for none)."""
    school_zone: str = ""
    """Whose school holidays count (`A`, `B`, `C`, "" for none)."""
    outside: tuple[str, ...] = ()
    """Files of series from outside; they are read at `as_of`, in the hospital's zone."""
    zone: str = "UTC"
    as_of: datetime | None = None


def learn_arrivals(calendar: Calendar, at_min: Array, around: Around | None = None) -> ArrivalProfile:
    """The profile of a period's arrivals.

    The rate of an hour of the week is the product of an hour's and a weekday's share, drawn towards the cell's own
    count the more it has seen. The level is the weighted ratio of counts to that profile and to the factors of the
    calendar and of series from outside, recent days weighing more.
    """
    around = around or Around()
    counts = calendar.counts(at_min)
    shape = _shape(calendar, counts)
    by_day, usual = _by_day(calendar, counts), _by_day(calendar, shape[calendar.hour_of_week])
    whole = slice(1, -1) if by_day.size > 4 else slice(None)  # the first and last days may be parts
    first = calendar.first_day + (whole.start or 0)
    effects = learn_effects(DayTotals(first, by_day[whole], usual[whole]), around.place, around.school_zone)
    days = calendar.first_day + np.arange(by_day.size)
    expected = usual * effects.factor(days)
    soon = days[-1:].sum() + np.arange(AHEAD_DAYS) if days.size else days
    outside = _outside(around, days, by_day, expected, calendar.weekdays, soon)
    expected = expected * np.prod([np.ones(days.size), *(effect.past for effect in outside)], axis=0)
    dispersion = _dispersion(calendar, counts, shape[calendar.hour_of_week])
    level = recent_level(by_day, expected) * float(effects.seasonal(days[-1:])[0]) if days.size else 1.0
    told = _told_before(by_day[whole], expected[whole], calendar.weekdays[whole])
    return ArrivalProfile(
        per_hour=shape * level,
        day_cv=_day_cv(by_day[whole], told, dispersion),
        level=level,
        together=(dispersion - 1.0) / (3.0 - dispersion),  # the inverse of `Stream.dispersion`
        effects=effects,
        on_days=_ahead(effects, soon, outside),
        outside=tuple(effect.learned for effect in outside),
    )


def _outside(around: Around, days: Index, by_day: Array, expected: Array, weekdays: Index, soon: Index) -> list[Effect]:
    """The effects of the series from outside, beside what was told of each whole day before it."""
    if not around.outside or around.as_of is None or days.size < DAYS_A_WEEK:
        return []
    told = np.full(days.size, np.nan)
    told[1:-1] = _told_before(by_day[1:-1], expected[1:-1], weekdays[1:-1])
    return learn_files(around.outside, around.zone, days, told, by_day, soon, around.as_of)


def _ahead(effects: CalendarEffects, soon: Index, outside: Sequence[Effect]) -> tuple[tuple[int, float], ...]:
    """The factors of the days from the period's last day on, where they are not 1."""
    factor = np.prod([effects.holiday(soon), *(effect.ahead for effect in outside)], axis=0)
    return tuple((int(day), float(x)) for day, x in zip(soon, factor, strict=True) if x != 1.0)


def _shape(calendar: Calendar, counts: Array) -> Array:
    age = calendar.day.max(initial=0) - calendar.day
    weight = 0.5 ** (age / PROFILE_HALF_LIFE_DAYS)
    weight *= weight.size / max(weight.sum(), 1e-9)
    seen = np.bincount(calendar.hour_of_week, weights=weight, minlength=168).astype(np.float64)
    total = np.bincount(calendar.hour_of_week, weights=weight * counts, minlength=168).astype(np.float64)
    product = _product(total.reshape(7, 24), seen.reshape(7, 24)).ravel()
    expected = product * seen
    ratio = np.divide(total + CELL_PRIOR, expected + CELL_PRIOR, out=np.ones(168), where=expected > 0)
    return np.asarray(product * ratio)


def _product(total: Array, seen: Array) -> Array:
    """Rates as weekday factor x hour rate, fitted by alternating sums (the Poisson likelihood's fixed point)."""
    weekday = np.ones(7)
    hour = np.zeros(24)
    for _ in range(20):
        hour = _ratio(total.sum(axis=0), (weekday[:, None] * seen).sum(axis=0))
        weekday = _ratio(total.sum(axis=1), (hour[None, :] * seen).sum(axis=1), empty=1.0)
    return weekday[:, None] * hour[None, :]


def _ratio(above: Array, below: Array, empty: float = 0.0) -> Array:
    return np.divide(above, below, out=np.full_like(above, empty), where=below > 0)


def _by_day(calendar: Calendar, per_hour: Array) -> Array:
    return np.bincount(calendar.day, weights=per_hour).astype(np.float64)


def _told_before(by_day: Array, expected: Array, weekday: Index) -> Array:
    """What would have been expected of each day without knowing it, `(day,)`; NaN in the first week.

    The level is that of the days before it, the weekday's share that of the other such days: how much a day differs
    from this is how much tomorrow may differ, what is wrongly believed of level and weekdays included.
    """
    weight = 0.5 ** (np.arange(by_day.size) / HALF_LIFE_DAYS)
    above, below = (np.convolve(x, weight)[: by_day.size] for x in (by_day, expected))
    level = np.concatenate([[np.nan], _ratio(above, below, empty=np.nan)[:-1]])
    level[:DAYS_A_WEEK] = np.nan
    came = np.bincount(weekday, weights=by_day, minlength=DAYS_A_WEEK)[weekday] - by_day
    usual = np.bincount(weekday, weights=expected, minlength=DAYS_A_WEEK)[weekday] - expected
    return np.asarray(expected * level * _ratio(came, usual, empty=1.0))


def _dispersion(calendar: Calendar, counts: Array, expected: Array) -> float:
    """Variance over mean of an hour's arrivals given its day's, from 1 to `MOST_DISPERSED`.

    Given the day's number, a Poisson stream's hours are multinomial: variance = mean x (1 - share of the day); less by
    as many hours as the profile has free numbers, because it was fitted to these.
    """
    of_day = _by_day(calendar, counts)[calendar.day]
    share = _ratio(expected, _by_day(calendar, expected)[calendar.day])
    mean = of_day * share
    variance = float((mean * (1.0 - share)).sum())
    left = counts.size - _free_numbers(calendar, expected)
    if variance <= 0 or left <= 0:
        return 1.0
    return float(np.clip(((counts - mean) ** 2).sum() / variance * counts.size / left, 1.0, MOST_DISPERSED))


def _free_numbers(calendar: Calendar, expected: Array) -> float:
    """Those of the product, and each cell as far as it speaks for itself."""
    of_cell = np.bincount(calendar.hour_of_week, weights=expected, minlength=168)
    return HOURS_A_DAY + DAYS_A_WEEK - 1 + float((of_cell / (of_cell + CELL_PRIOR)).sum())


def _day_cv(by_day: Array, expected: Array, dispersion: float) -> float:
    """Method of moments: variance of a day = dispersion x its mean + (cv x mean)^2; NaN days are left out."""
    known = ~np.isnan(expected)
    n, e = by_day[known], expected[known]
    beyond = float(((n - e) ** 2 - dispersion * e).sum())
    return float(np.sqrt(max(beyond, 0.0) / max(float((e**2).sum()), 1e-9)))
