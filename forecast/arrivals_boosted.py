"""A rival of the arrival model: gradient boosting of the Poisson likelihood (LightGBM, the extra `boosted`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from forecast.values import Array
from twin.hospital import Hospital
from twin.learned_calendar import public_holidays
from twin.school_calendar import school_breaks

if TYPE_CHECKING:
    from forecast.arrivals_trial import Day

Index = npt.NDArray[np.int64]

MISSING = "LightGBM is not installed: install edtwin with the extra boosted to have this rival"
WEEK, MONTH, YEAR = 7, 28, 365.25
REFITTED_DAYS = 14
ROUNDS = 200
SETTINGS: dict[str, Any] = {
    "objective": "poisson", "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 100, "lambda_l2": 1.0,
    "feature_fraction": 0.8, "seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip
LEAST_TOLD = 14
"""Days that it has forecast before it knows how much days differ."""


@dataclass
class Boosted:
    """What it has learned, and how its forecasts of past days did, from which it knows how much days differ."""

    hospital: Hospital
    _model: Any = None
    _fitted_on: int = 0
    _told: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, hospital: Hospital) -> Boosted | None:
        """The rival, or None where LightGBM is not installed."""
        return cls(hospital) if find_spec("lightgbm") else None

    def members(self, day: Day, dice: np.random.Generator, members: int) -> Array:
        """The day's hours, `(hour, member)`; learned anew every fortnight from what was known then."""
        table = _table(day)
        if self._model is None or day.ordinal - self._fitted_on >= REFITTED_DAYS:
            self._fit(day, table)
        own = np.full(day.hour_of_week.size, day.ordinal)
        rate = np.asarray(self._model.predict(self._features(table, day.past.first_day, own, day.hour_of_week)))
        cv = self._day_cv(table, day.past.first_day)
        self._told[day.ordinal] = float(rate.sum())
        level = dice.gamma(cv**-2, cv**2, members) if cv > 0 else np.ones(members)
        return dice.poisson(rate[:, None] * level).astype(np.float64)

    def _fit(self, day: Day, table: Array) -> None:
        lightgbm = import_module("lightgbm")  # an extra
        late = day.past.day >= min(MONTH, len(table) // 2)  # before, there is too little to be told by
        ordinals = day.past.first_day + day.past.day[late]
        x = self._features(table, day.past.first_day, ordinals, day.past.hour_of_week[late])
        told = lightgbm.Dataset(x, label=day.counts[late])
        self._model, self._fitted_on = lightgbm.train(SETTINGS, told, ROUNDS), day.ordinal

    def _features(self, table: Array, first_day: int, ordinals: Index, hour_of_week: Index) -> Array:
        """What is known of an hour at its day's midnight, `(hour, feature)`."""
        n, hour = ordinals - first_day, hour_of_week % 24
        totals = np.nansum(table, axis=1)
        week = [totals[np.maximum(n - lag, 0)] for lag in range(1, WEEK + 1)]
        weeks = [table[np.maximum(n - WEEK * k, 0), hour] for k in range(1, MONTH // WEEK + 1)]
        angle = 2 * np.pi * ordinals / YEAR
        days = [int(day) for day in (ordinals.min(), ordinals.max())]
        off = np.isin(ordinals, list(public_holidays(self.hospital.holidays, *days)))
        away = np.isin(ordinals, list(school_breaks(self.hospital.school_zone, *days)))
        columns = [hour, hour_of_week // 24, off, away, np.cos(angle), np.sin(angle), week[0], week[-1],
                   np.mean(week, axis=0), weeks[0], _mean(weeks)]  # fmt: skip
        return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)

    def _day_cv(self, table: Array, first_day: int) -> float:
        """By the method of moments, from the days that it has told and that are over; 0 while they are few."""
        over = {day: told for day, told in self._told.items() if 0 <= day - first_day < len(table)}
        if len(over) < LEAST_TOLD:
            return 0.0
        told = np.array(list(over.values()))
        came = np.array([np.nansum(table[day - first_day]) for day in over])
        beyond = float(((came - told) ** 2 - told).sum())
        return float(np.sqrt(max(beyond, 0.0) / float((told**2).sum())))


def _table(day: Day) -> Array:
    """Counts by day and hour of the day; NaN for an hour that a day has not."""
    table = np.full((int(day.past.day.max()) + 1, 24), np.nan)
    table[day.past.day, day.past.hour_of_week % 24] = day.counts
    return table


def _mean(rows: list[Array]) -> Array:
    found = np.stack(rows)
    known = ~np.isnan(found)
    return np.asarray(np.where(known, found, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
