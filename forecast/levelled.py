"""Rivals that follow their level: as usual at this hour, at the level of late.

What is usual is learned from twelve weeks, so that for weeks after a change of the level it lies on the wrong side of
what comes. Here it is multiplied by the level at which the last days were beside it, followed as the level of arrivals
is (`twin/levels.py`): slowly while nothing changes, within days after a change.

- `level_climatology`: as usual at this hour, at the level of late.
- `level_anomaly`: the same, and the part of today's departure from it that has lasted in the past.

Days are counted back from the present, so that the last one is whole. The distribution of each is its centre plus the
errors that this very rule made in the past, by the level that was known then and on weeks that were not seen. A measure
that can be below zero has no level: it is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecast.usual import A_DAY, Integers, earlier, errors_by_block, lasting_share
from forecast.values import Array
from twin.levels import levels_after

LEVELLED: tuple[str, ...] = ("level_climatology", "level_anomaly")
FOLLOWERS: Mapping[str, str] = {"climatology": "level_climatology", "anomaly_persistence": "level_anomaly"}
"""What each rival is called that does the same and follows its level."""
LEAST_USUAL = 1e-6
"""What is hardly ever there has no level."""


@dataclass(frozen=True)
class Levelled:
    """What the past of one measure says of them; of several, with an axis for them in front."""

    level: Array
    """At which the last days were beside the usual, one number."""
    lasting: Array
    """The share of a departure from the usual at its level that lasts, `(lead,)`."""
    errors: Mapping[str, Array]
    """Rival to the mean and quantiles of its errors, `(block, lead, 1 + level)`."""


def learn(
    values: Array, others: Array, by_day: Array, level: Array, places: Array, steps: Integers,
    levels: tuple[float, ...],
) -> Levelled:  # fmt: skip
    """What the past `(time,)`, at local quarter hours of the week, says for leads of so many steps.

    `others` is what was usual at each time by the other weeks alone and `by_day` the level beside it after each day;
    `level` is that of now, beside what is usual by all weeks.
    """
    before = level_before(by_day, steps, values.size)
    off = values[:, None] - others[:, None] * before
    seen = earlier(values, steps) - earlier(others, steps) * before
    lasting = lasting_share(seen, off)
    errors = {"level_climatology": off, "level_anomaly": off - lasting * seen}
    return Levelled(
        level,
        lasting,
        {name: errors_by_block(found, places, levels) for name, found in errors.items()},
    )


def centres(learned: Levelled, usual: Array, usual_now: Array, now: Array) -> dict[str, Array]:
    """What each says is the middle of each measure, `(measure, lead)`; `usual` is that of the valid times.

    A departure that is not known is 0.
    """
    at_level = usual * learned.level[:, None]
    departure = now - usual_now * learned.level
    lasts = np.where(np.isnan(departure)[:, None], 0.0, learned.lasting * departure[:, None])
    return {"level_climatology": at_level, "level_anomaly": at_level + lasts}


def level_by_day(values: Array, usual: Array) -> Array:
    """The level after each day of values on the grid, `(.., time)`, beside what was usual then, `(.., day)`.

    The last day ends now. One of which nothing is known leaves the level where it was; 1 before any, and of what can be
    below zero.
    """
    days = values.shape[-1] // A_DAY
    if not days:
        return np.ones((*values.shape[:-1], 1))
    known = ~np.isnan(values) & ~np.isnan(usual)
    came, expected = (_by_day(np.where(known, x, 0.0), days) for x in (values, usual))
    has_a_level = ~np.any(known & (values < 0.0), axis=-1, keepdims=True) & (expected > LEAST_USUAL)
    return levels_after(np.where(has_a_level, came / np.maximum(expected, LEAST_USUAL), np.nan))


def level_before(by_day: Array, steps: Integers, size: int) -> Array:
    """The level known so many steps before each time of the grid, `(time, lead)`: that after the last whole day; 1
    before the first."""
    known_at = np.arange(size)[:, None] - steps
    back = -((known_at - (size - 1)) // A_DAY)  # whole days from the present to the last one over by then
    day = by_day.size - 1 - back
    return np.where(day >= 0, by_day[np.maximum(day, 0)], 1.0)


def _by_day(values: Array, days: int) -> Array:
    whole = values[..., values.shape[-1] - days * A_DAY :]
    return np.asarray(whole.reshape(*values.shape[:-1], days, A_DAY).sum(axis=-1))
