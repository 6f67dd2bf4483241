"""Forecasts met by what came, when that is told again: exits are told late, so a day's truth changes for a week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from forecast.scores import absolute_error, crps_quantiles, error, inside
from forecast.simulated import Lesson
from forecast.values import Array
from forecast.verify import INTERVALS, Pairs, RivalScores, joined
from ingest.database import naive


def told_again(pairs: Pairs, lesson: Lesson) -> Pairs:
    """Pairs met by the truth of a lesson where that speaks of them; elsewhere by what they were met by before."""
    times = np.array([naive(at) for at in lesson.times], dtype="datetime64[us]")
    valid = pairs.issued_at + (pairs.lead_min * 60e6).astype("timedelta64[us]")
    place = np.minimum(np.searchsorted(times, valid), times.size - 1)
    spoken_of, observed = times[place] == valid, pairs.observed.copy()
    for measure, came in lesson.came.items():
        mine = spoken_of & (pairs.measure == measure)
        observed[mine] = came[place[mine]]
    return met_anew(pairs, observed)


def met_anew(pairs: Pairs, observed: Array) -> Pairs:
    """The same forecasts met by other truths, `(pair,)`, as `score` would have met them; those that changed stand last.

    NaN where nothing is known. The mean is known by its error alone: without a truth at first, none is had now.
    """
    another = (observed != pairs.observed) & ~(np.isnan(observed) & np.isnan(pairs.observed))
    as_before, changed = np.flatnonzero(~another), np.flatnonzero(another)
    return joined([pairs.taken(as_before), _met(pairs.taken(changed), observed[changed])])


def _met(pairs: Pairs, came: Array) -> Pairs:
    lower, cuts = error(pairs.observed, came), _at_levels(pairs)
    return replace(
        pairs,
        observed=came,
        error=pairs.error + lower,
        absolute_error=absolute_error(cuts[0.5], came),
        crps=crps_quantiles(pairs.quantiles, came, levels=pairs.levels),
        inside={percent: inside((cuts[low], cuts[high]), came) for percent, (low, high) in INTERVALS.items()},
        raw_crps=crps_quantiles(pairs.raw_quantiles, came, levels=pairs.levels),
        raw_error=pairs.raw_error + lower,
        raw_inside_80=_raw_inside_80(pairs, came),
        rivals={name: _rival(rival, pairs.levels, came) for name, rival in pairs.rivals.items()},
    )


def _at_levels(pairs: Pairs) -> Mapping[float, Array]:
    return {level: pairs.quantiles[:, k] for k, level in enumerate(pairs.levels)}


def _raw_inside_80(pairs: Pairs, came: Array) -> Array:
    low, high = (pairs.raw_quantiles[:, pairs.levels.index(level)] for level in INTERVALS[80])
    return inside((low, high), came)


def _rival(rival: RivalScores, levels: tuple[float, ...], came: Array) -> RivalScores:
    middle = rival.quantiles[:, levels.index(0.5)]
    crps = crps_quantiles(rival.quantiles, came, levels=levels)
    return RivalScores(crps, absolute_error(middle, came), rival.quantiles)
