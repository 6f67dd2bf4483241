"""When in the week a ward lets patients go: the clock on which stays in wards are measured.

Patients are fit to leave at any time, and leave after the morning's round, fewer on Sundays and more on Mondays. A
ward's own clock runs fast when it lets patients go and almost stands at night: on it, a stay is as likely to end in
this minute as in the next. Stays are learned, and what is left of one is drawn, in minutes of that clock; a run reads
the clock when a stay begins (`on_clock`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.minutes import Minutes
from twin.rates import product_rates

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

HOUR_MIN = 60.0
HOURS_A_DAY, HOURS_A_WEEK = 24, 168
EXITS_PRIOR = 1.0
"""Exits at which an hour's, or a kind of day's, own speed and that of the whole week weigh alike."""
WEEKDAY_PRIOR = 25.0
"""Exits to be expected of a weekday at which its own count and that of all such days weigh alike: weekdays differ by a
fifth or so."""
SLOWEST = 0.02
"""The clock never stands quite still."""
_SATURDAY = 5
_OFF = (np.arange(HOURS_A_WEEK) // HOURS_A_DAY >= _SATURDAY).astype(np.int64)
_HOUR, _WEEKDAY = np.arange(HOURS_A_WEEK) % HOURS_A_DAY, np.arange(HOURS_A_WEEK) // HOURS_A_DAY


@dataclass(frozen=True, eq=False)
class Timeline:
    """The hours of a stretch: their bounds, `(hour + 1,)`, and the local hour of the week of each, `(hour,)`."""

    edge_min: Array
    hour_of_week: Index

    @classmethod
    def of(cls, minutes: Minutes, from_min: float, until_min: float, zone: str) -> Timeline:
        """The whole hours that hold a stretch, minutes from `minutes.origin`; true to the zone when clocks change."""
        past = minutes.past_the_hour()
        first = int(np.floor((from_min + past) / HOUR_MIN))
        last = int(np.ceil((until_min + past) / HOUR_MIN))
        week = minutes.hours_of_week(minutes.epoch_hour() + first, last - first, zone)
        return cls(np.asarray(HOUR_MIN * np.arange(first, last + 1) - past, dtype=np.float64), week)

    def shown(self, speed: Array, at_min: Array) -> Array:
        """What a clock of this speed by hour of week, `(168,)`, shows at given minutes, from 0 at the first hour."""
        return np.interp(at_min, self.edge_min, self._risen(speed))

    def _risen(self, speed: Array) -> Array:
        return np.concatenate([[0.0], np.cumsum(speed[self.hour_of_week] * np.diff(self.edge_min))])


def clocks(edge_min: Array, hour_of_week: Index, speed: Array) -> Array:
    """What each unit's clock shows at the bounds of hours, `(unit, hour + 1)`; `speed` is `(unit, 168)`."""
    risen = np.cumsum(speed[:, hour_of_week] * np.diff(edge_min), axis=1)
    return np.concatenate([np.zeros((speed.shape[0], 1)), risen], axis=1)


def on_clock(edge_min: Sequence[float], shown: Sequence[float], now: float, clock_min: float) -> float:
    """In how many minutes from now a clock goes on by `clock_min`; `shown` is what it shows at the bounds of hours.

    Beyond the last hour it goes at speed 1.
    """
    hour = min(bisect_right(edge_min, now), len(edge_min) - 1) - 1
    share = (now - edge_min[hour]) / (edge_min[hour + 1] - edge_min[hour])
    reached = shown[hour] + share * (shown[hour + 1] - shown[hour]) + clock_min
    if reached >= shown[-1]:
        return max(edge_min[-1] + (reached - shown[-1]) - now, 0.0)
    hour = bisect_right(shown, reached) - 1
    share = (reached - shown[hour]) / (shown[hour + 1] - shown[hour])
    return max(edge_min[hour] + share * (edge_min[hour + 1] - edge_min[hour]) - now, 0.0)


def learn_leaving(timeline: Timeline, start_min: Array, end_min: Array, ended: npt.NDArray[np.bool_]) -> Array:
    """The speed of a ward's clock by local hour of week, `(168,)`, with mean 1; from its stays, `(stay,)`.

    Exits over the time that patients lay there, as an hour's factor times that of weekdays or weekends, times that of
    the weekday among these.
    """
    exits = np.histogram(end_min[ended], timeline.edge_min)[0].astype(np.float64)
    lay = _patient_minutes(timeline.edge_min, start_min, end_min)
    counted, exposed = _by_hour_of_week(timeline, exits), _by_hour_of_week(timeline, lay)
    if not counted.any():
        return np.ones(HOURS_A_WEEK)
    speed = product_rates(_by_hour(counted), _by_hour(exposed), EXITS_PRIOR)[_HOUR, _OFF]
    speed *= _weekdays(counted, speed * exposed)[_WEEKDAY]
    speed = np.maximum(speed / speed.mean(), SLOWEST)
    return np.asarray(speed / speed.mean())


def _by_hour_of_week(timeline: Timeline, hourly: Array) -> Array:
    return np.bincount(timeline.hour_of_week, hourly, minlength=HOURS_A_WEEK).astype(np.float64)


def _by_hour(of_week: Array) -> Array:
    """Sums by hour of the day, on weekdays and at weekends, `(hour, 2)`."""
    out = np.zeros((HOURS_A_DAY, 2))
    np.add.at(out, (_HOUR, _OFF), of_week)
    return out


def _weekdays(counted: Array, expected: Array) -> Array:
    """The factor of each weekday, `(7,)`, from what was counted and what was to be expected by hour of the week."""
    exits, usual = (x.reshape(-1, HOURS_A_DAY).sum(axis=1) + WEEKDAY_PRIOR for x in (counted, expected))
    return np.asarray(exits / usual)


def _patient_minutes(edges: Array, start_min: Array, end_min: Array) -> Array:
    """Minutes that patients lay there in each hour."""

    def until(at: Array) -> Array:
        begun, over = (np.sort(x) for x in (start_min, end_min))
        return _passed(begun, at) - _passed(over, at)

    return np.diff(until(edges))


def _passed(sorted_min: Array, at: Array) -> Array:
    """The sum over all before it of how long ago each is, `(at,)`."""
    count = np.searchsorted(sorted_min, at)
    total = np.concatenate([[0.0], np.cumsum(sorted_min)])
    return np.asarray(count * at - total[count])


def lasted(timeline: Timeline, speed_of: Array, unit: Index, start_min: Array, end_min: Array) -> Array:
    """How long stays in wards lasted on their wards' clocks, `(stay,)`; `speed_of` is `(unit, 168)`."""
    out = np.empty(start_min.size)
    for code in np.unique(unit):
        mine = unit == code
        begun, over = (timeline.shown(speed_of[code], at[mine]) for at in (start_min, end_min))
        out[mine] = over - begun
    return out
