"""At which level days are now, where it may have changed on any of them.

A day's ratio is what came over what was expected of it, or how long things lasted over how long they usually do. It is
the level plus chance. The level hardly drifts, and now and then it changes: on any day with the same small
probability, to one that lies around what days were at in the last months. When it changed last is not known, so all
answers are kept, each with its probability given the days since and the level that they tell, and the level now is
the mean over them (Adams and MacKay 2007, with a Kalman filter in each answer). While nothing changes memory is
long; after a change what was before it is forgotten as fast as days tell that there was one; an epidemic that is over
is a change back.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CHANGES_EVERY_DAYS = 60.0
"""A change of the level is expected once in so many days: epidemics begin and end."""
CHANGE_SIZE = 0.15
"""How far from the usual a level lies after a change, in standard deviations."""
DRIFT = 0.004
"""How much a level drifts from one day to the next."""
FARTHEST = 3.0
"""A day further from the level than this, in standard deviations, counts as one so far away."""
USUAL_HALF_LIFE_DAYS = 40.0
"""What is usual: days count half as much as those so many days younger."""
LONGEST_DAYS = 60
"""Changes longer ago than this are one answer."""
LOOKED_AT_DAYS = 120
"""Days that are looked at."""
FIRST_DAYS = 14
"""Days whose mean is the usual level to begin with."""
NORMAL_MEDIAN = 0.6745
"""Of the distances from the mean, in standard deviations."""
DAYS_RESEMBLE = 1.15
"""How much more days differ than from the next, which they resemble a little."""


def level_now(ratio: Array, chance: Array) -> float:
    """The level of the last of the days `(day,)`; `chance` is the variance that a day's ratio has at least.

    NaN days are passed over; 1 without a day.
    """
    known = ~np.isnan(ratio)
    days, least = ratio[known][-LOOKED_AT_DAYS:], chance[known][-LOOKED_AT_DAYS:]
    if not days.size:
        return 1.0
    *_, level = _followed(days, np.maximum(_spread(days) ** 2, least))
    return level


def levels_after(ratio: Array) -> Array:
    """The level after each of the days `(day,)`, as far as days until then tell; NaN days leave it, 1 before any."""
    known = ~np.isnan(ratio)
    if not known.any():
        return np.ones(ratio.size)
    days = ratio[known]
    found = np.array([1.0, *_followed(days, np.full(days.size, _spread(days) ** 2))])
    return np.asarray(found[np.cumsum(known)])


def lasting_now(day: Array, minutes: Array, usual_min: Array) -> float:
    """How much longer things last now than usual, from some that began on given days, `(n,)`; 1 without any.

    A day's chance is what that of one makes in as many, the longer ones weighing more.
    """
    _, number = np.unique(day, return_inverse=True)
    total, usual, squares = (np.bincount(number, weights=x) for x in (minutes, usual_min, usual_min**2))
    of_one = float(np.mean((minutes / usual_min - 1.0) ** 2)) if minutes.size else 0.0
    return level_now(total / usual, of_one * squares / usual**2)


def _followed(days: Array, noise: Array) -> Iterator[float]:
    """The mean level after each day over all answers to when it changed, the longest ago first."""
    usual = _usual_before(days)
    mean, variance, p = usual[:1], np.array([CHANGE_SIZE**2]), np.ones(1)
    for told, around, of_day in zip(days, usual, noise, strict=True):
        day = _believable(told, float(p @ mean), float(of_day))
        mean, variance = np.append(mean, around), np.append(variance + DRIFT**2, CHANGE_SIZE**2)
        p = np.append(p * (1.0 - 1.0 / CHANGES_EVERY_DAYS), 1.0 / CHANGES_EVERY_DAYS)
        p = p * _likely(day - mean, variance + of_day)
        gain = variance / (variance + of_day)
        mean, variance = mean + gain * (day - mean), (1.0 - gain) * variance
        mean, variance, p = _oldest_together(mean, variance, p / p.sum())
        yield float(p @ mean)


def _believable(day: float, level: float, noise: float) -> float:
    """A day, no further from the level than days lie: a feed that was down or an accident is one day, no new level."""
    reach = FARTHEST * float(np.sqrt(noise))
    return float(np.clip(day, level - reach, level + reach))


def _likely(off: Array, variance: Array) -> Array:
    """How likely each answer makes a day, but for a factor that is the same for all; never 0 for all."""
    log = -0.5 * (off**2 / variance + np.log(variance))
    return np.asarray(np.exp(log - log.max()) + 1e-12)


def _oldest_together(mean: Array, variance: Array, p: Array) -> tuple[Array, Array, Array]:
    """The two answers of the longest ago as one, once there are more than `LONGEST_DAYS`."""
    if p.size <= LONGEST_DAYS:
        return mean, variance, p
    both = p[:2] / p[:2].sum()
    joined = (np.append(both @ x[:2], x[2:]) for x in (mean, variance))
    return next(joined), next(joined), np.append(p[:2].sum(), p[2:])


def _usual_before(days: Array) -> Array:
    """What was usual before each day, `(day,)`; that of the first days until there are as many."""
    weight = 0.5 ** (np.arange(days.size) / USUAL_HALF_LIFE_DAYS)
    usual = np.convolve(days, weight)[: days.size] / np.cumsum(weight)
    first = min(FIRST_DAYS, days.size)
    return np.concatenate([np.full(first, days[:first].mean()), usual[first - 1 : -1]])


def _spread(ratio: Array) -> float:
    """How much days differ, from each to the next: a shift of the level moves one of these differences only."""
    if ratio.size < 2:
        return CHANGE_SIZE
    apart = float(np.median(np.abs(np.diff(ratio)))) / (NORMAL_MEDIAN * float(np.sqrt(2.0)))
    return max(apart * DAYS_RESEMBLE, 1e-6)
