"""What the calendar does to arrivals: public and school holidays, the season and the trend, and shifts of the level.

All of it from totals of days: how many came, `(day,)`, beside how many the week's profile expects of such days. A day
is known by its ordinal (`date.toordinal`), local.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache

import holidays
import numpy as np
import numpy.typing as npt

from twin.errors import TwinError
from twin.levels import level_now
from twin.school_calendar import SUMMER, learn_school, school_breaks

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

NEAR_DAYS = 14
"""A holiday is compared with so many days to either side."""
HOLIDAY_SPREAD = 0.08
"""How much holidays differ from other days, and days from one another, beyond chance: a holiday's own count and what is
usual of holidays weigh alike after (1 / n + 0.08^2) / 0.08^2 of them, n being the arrivals of a day."""
SEASON_FROM_DAYS = 330
"""Days without which a season cannot be told from a trend or a shift."""
SEASON_PRIOR = 0.05
"""How large seasons (half the swing) and trends (a year) are expected to be."""
ALIKE_DAYS = 5.0
"""Neighbouring days resemble one another, in epidemics too: so many tell as much as one."""
_YEAR = 365.25


@cache
def public_holidays(place: str, first_day: int, last_day: int) -> Mapping[int, str]:
    """The public holidays of a country (`FR`) or part of one (`FR-57`) by ordinal, with their names; none for "".

    Raises TwinError for a place that is not known.
    """
    if not place:
        return {}
    country, _, part = place.partition("-")
    years = range(date.fromordinal(first_day).year, date.fromordinal(last_day).year + 1)
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=years)
    except NotImplementedError as error:
        raise TwinError(
            f"holidays must be a country or a part of one, such as FR or FR-57, but is {place!r}"
        ) from error
    days = {day.toordinal(): name for day, name in found.items()}
    return {day: name for day, name in sorted(days.items()) if first_day <= day <= last_day}


@dataclass(frozen=True, eq=False)
class DayTotals:
    """Days one after the other: how many came, and how many the week's profile expects of each, `(day,)`."""

    first_day: int
    came: Array
    expected: Array

    @property
    def days(self) -> Index:
        """The ordinals."""
        return self.first_day + np.arange(self.came.size)


@dataclass(frozen=True, eq=False)
class CalendarEffects:
    """Factors of arrivals: of each holiday by name, of holidays nobody has seen yet, of the season and the trend."""

    place: str = ""
    of_holiday: Mapping[str, float] = field(default_factory=dict)
    other_holidays: float = 1.0
    season: tuple[float, float] = (0.0, 0.0)
    """Cosine and sine of the day of the year."""
    trend: float = 0.0
    """A year."""
    centre_day: float = 0.0
    school_zone: str = ""
    """Whose school holidays count: A, B or C; "" for none."""
    school_break: float = 1.0
    summer_break: float = 1.0

    def factor(self, days: Index) -> Array:
        """The factor of each day, `(day,)`."""
        return self.seasonal(days) * self.holiday(days)

    def holiday(self, days: Index) -> Array:
        """The part of public and of school holidays: 1 on other days."""
        return self.public(days) * self.school(days)

    def school(self, days: Index) -> Array:
        """The part of school holidays."""
        if not days.size:
            return np.ones(0)
        named = school_breaks(self.school_zone, int(days.min()), int(days.max()))
        of = {"": 1.0, SUMMER: self.summer_break}
        return np.array([of.get(named.get(int(day), ""), self.school_break) for day in days])

    def public(self, days: Index) -> Array:
        """The part of public holidays."""
        if not days.size:
            return np.ones(0)
        named = public_holidays(self.place, int(days.min()), int(days.max()))
        return np.array([
            self.of_holiday.get(named[int(day)], self.other_holidays) if int(day) in named else 1.0 for day in days
        ])  # fmt: skip

    def seasonal(self, days: Index) -> Array:
        """The part of season and trend, which changes little from one day to the next."""
        return np.asarray(np.exp(_terms(days, self.centre_day) @ np.array([*self.season, self.trend])))


def learn_effects(totals: DayTotals, place: str, school_zone: str = "") -> CalendarEffects:
    """The effects of the calendar on a period's totals; none where nobody came.

    School holidays first, from days that are no public ones; public ones beside what school holidays leave.
    """
    if not totals.expected.any() or not totals.came.any():
        return CalendarEffects(place, school_zone=school_zone)
    public = public_holidays(place, totals.first_day, totals.first_day + totals.came.size - 1)
    usual = ~np.isin(totals.days, list(public))
    short, summer = learn_school(totals.days, totals.came, totals.expected, school_zone, usual)
    found = CalendarEffects(place, school_zone=school_zone, school_break=short, summer_break=summer)
    of_holiday, other = _holidays(replace(totals, expected=totals.expected * found.school(totals.days)), place)
    found = replace(found, of_holiday=of_holiday, other_holidays=other)
    if totals.came.size < SEASON_FROM_DAYS:
        return found
    ratio = totals.came / np.maximum(totals.expected * found.holiday(totals.days), 1e-9)
    centre = float(totals.days.mean())
    swing = _ridge(_terms(totals.days, centre), ratio / ratio.mean() - 1.0)
    season = (float(swing[0]), float(swing[1]))
    return replace(found, season=season, trend=float(swing[2]), centre_day=centre)


def recent_level(came: Array, expected: Array) -> float:
    """The level of the last day, which may have changed on any of them (`levels.py`); days vary by chance at least."""
    known = expected > 0
    return level_now(came[known] / expected[known], 1.0 / expected[known])


def _holidays(totals: DayTotals, place: str) -> tuple[dict[str, float], float]:
    """The factor of each holiday of the period by name, each drawn towards that of all, and this one towards 1."""
    named = public_holidays(place, totals.first_day, totals.first_day + totals.came.size - 1)
    usual = ~np.isin(totals.days, list(named))
    rows = [(name, *_beside(totals, day - totals.first_day, usual)) for day, name in named.items()]
    known = [row for row in rows if row[2] > 0]
    if not known:
        return {}, 1.0
    prior = HOLIDAY_SPREAD**-2 + float(np.mean([usually for _, _, usually in known]))
    other = _drawn(known, 1.0, prior)
    return {name: _drawn([r for r in known if r[0] == name], other, prior) for name, _, _ in known}, other


def _drawn(rows: list[tuple[str, float, float]], towards: float, prior: float) -> float:
    came, usually = sum(row[1] for row in rows), sum(row[2] for row in rows)
    return (came + prior * towards) / (usually + prior)


def _beside(totals: DayTotals, row: int, usual: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """How many came on a day, and how many would have, by the level of the ordinary days around it."""
    near = np.zeros(totals.came.size, dtype=bool)
    near[max(row - NEAR_DAYS, 0) : row + NEAR_DAYS + 1] = True
    chosen = near & usual
    below = float(totals.expected[chosen].sum())
    level = float(totals.came[chosen].sum()) / below if below > 0 else 0.0
    return float(totals.came[row]), float(totals.expected[row]) * level


def _terms(days: Index, centre: float) -> Array:
    angle = 2 * np.pi * days / _YEAR
    return np.stack([np.cos(angle), np.sin(angle), (days - centre) / _YEAR], axis=1)


def _ridge(terms: Array, wanted: Array) -> Array:
    """Least squares drawn towards 0 as a normal prior of `SEASON_PRIOR` would, days counted as if fewer."""
    noise = float(wanted.var()) * ALIKE_DAYS
    precision = terms.T @ terms / noise + np.eye(terms.shape[1]) / SEASON_PRIOR**2
    return np.asarray(np.linalg.solve(precision, terms.T @ wanted / noise))
