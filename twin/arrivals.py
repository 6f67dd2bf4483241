"""The arrival model: a Poisson stream whose rate follows the local hour of the week, times the level of the day.

Arrivals are candidates, more than are needed, each with a uniform mark: a candidate comes when its mark lies below
level / HEADROOM. So a scenario with more arrivals keeps every patient it had and adds others, one with fewer thins
them out (Lewis and Shedler 1979, Naval Research Logistics 26, "Simulation of nonhomogeneous Poisson processes by
thinning"). Some bring another one along, who comes at the same instant and has the same mark: a compound Poisson
stream, whose numbers differ more. The level of a day is gamma with mean 1; for the present day it is drawn given what
was seen since midnight: the gamma is conjugate to the Poisson, and people who come in groups tell less.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

from ingest.clock import local
from twin.minutes import Minutes
from twin.parameters import Stream

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

HEADROOM = 3.0
"""Candidates per patient of an ordinary day; a scenario cannot raise arrivals above this factor. Streams that no
scenario changes have as many as come."""
_HOUR_MIN = 60.0
_CELL_MIN = 2.0


@dataclass(frozen=True, eq=False)
class Calendar:
    """The hours that a run touches, `(hour,)`: bounds in minutes from its start, and what they are locally."""

    edge_min: Array
    """Bounds of the hours, `(hour + 1,)`; the first is 0, the last the horizon."""
    hour_of_week: Index
    day: Index
    """Local days counted from the day of the start."""
    first_day: int = 0
    """The ordinal of the local date of the start."""

    def hour_at(self, minute: Array) -> Index:
        """The index of the hour that holds each minute."""
        found = np.searchsorted(self.edge_min, minute, side="right") - 1
        return np.clip(found, 0, self.hour_of_week.size - 1)

    def hour_of_day_at(self, minute: Array) -> Index:
        """The local hour of the day at each minute."""
        return np.asarray(self.hour_of_week[self.hour_at(minute)] % 24)

    def expected(self, per_hour: Array) -> Array:
        """Arrivals expected in each hour, `(hour,)`, from a rate by hour of week, `(168,)`."""
        return np.asarray(per_hour[self.hour_of_week] * np.diff(self.edge_min) / _HOUR_MIN)

    def expected_of(self, stream: Stream) -> Array:
        """Arrivals of a stream expected in each hour, `(hour,)`, its holidays heeded."""
        factor = dict(stream.on_days)
        by_day = np.array([factor.get(self.first_day + day, 1.0) for day in range(int(self.day.max(initial=0)) + 1)])
        return np.asarray(self.expected(stream.per_hour) * by_day[self.day])


@lru_cache(maxsize=16)
def calendar(start: datetime, horizon_min: float, zone: str) -> Calendar:
    """The hours of a run from an aware instant on, true to the zone on the nights when clocks change."""
    minutes = Minutes(start)
    hours = int(np.ceil((horizon_min + minutes.past_the_hour()) / _HOUR_MIN))
    bounds = np.arange(hours + 1) * _HOUR_MIN - minutes.past_the_hour()
    today = local(start, zone).date()
    days = [(local(minutes.at(bound), zone).date() - today).days for bound in bounds[:-1]]
    return Calendar(
        edge_min=np.clip(bounds, 0.0, horizon_min),
        hour_of_week=minutes.hours_of_week(minutes.epoch_hour(), hours, zone),
        day=np.maximum(np.array(days, dtype=np.int64), 0),
        first_day=today.toordinal(),
    )


def expected_today(stream: Stream, start: datetime, zone: str) -> float:
    """Arrivals that the stream expects from local midnight to an instant."""
    midnight = local(start, zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(start.tzinfo)
    return expected_between(stream, midnight, start, zone)


def expected_between(stream: Stream, start: datetime, end: datetime, zone: str) -> float:
    """Arrivals that the stream expects from an instant to a later one."""
    minutes = (end - start) / timedelta(minutes=1)
    return float(calendar(start, minutes, zone).expected_of(stream).sum()) if minutes > 0 else 0.0


def unheard_today(stream: Stream, start: datetime, zone: str, told_after_min: Array, silent_min: float) -> float:
    """Of the arrivals expected from local midnight to an instant, those of which nothing is heard yet.

    `told_after_min` is a sample, rising, of how late arrivals are told; nothing has been heard for `silent_min`.
    """
    midnight = local(start, zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(start.tzinfo)
    elapsed_min = (start - midnight) / timedelta(minutes=1)
    if elapsed_min <= 0 or not told_after_min.size:
        return 0.0
    hours = calendar(midnight, elapsed_min, zone)
    edge = np.append(np.arange(0.0, elapsed_min, _CELL_MIN), elapsed_min)
    come = np.diff(np.interp(edge, hours.edge_min, np.concatenate([[0.0], np.cumsum(hours.expected_of(stream))])))
    age_when_heard = elapsed_min - silent_min - (edge[:-1] + edge[1:]) / 2
    heard = np.searchsorted(told_after_min, age_when_heard, side="right") / told_after_min.size
    return float((come * (1.0 - heard)).sum())


def day_levels(uniform: Array, day_cv: float, *, seen: float, expected: float, dispersion: float = 1.0) -> Array:
    """The level of today and of the days after it, `(.., day)`, from one uniform each.

    Today's is gamma with shape 1/cv^2 + seen/dispersion and rate 1/cv^2 + expected/dispersion, the others' with 1/cv^2
    for both.
    """
    if day_cv == 0:
        return np.ones_like(uniform)
    shape = np.full(uniform.shape[-1], day_cv**-2)
    rate = shape.copy()
    shape[0] += seen / dispersion
    rate[0] += expected / dispersion
    return np.asarray(special.gammaincinv(shape, uniform) / rate)


def reached_by(expected: Array, headroom: float = HEADROOM) -> Array:
    """How many candidates are expected by each bound of the hours, `(.., hour + 1)`, from arrivals `(.., hour)`."""
    begin = np.zeros((*expected.shape[:-1], 1))
    return np.concatenate([begin, np.cumsum(expected, axis=-1)], axis=-1) * headroom
