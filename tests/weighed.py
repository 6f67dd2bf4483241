"""What would have been published, from verified forecasts alone: learned from those whose truth was known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np

from forecast.calibrated import WINDOW, Recalibration, learn
from forecast.scores import crps_quantiles
from forecast.usual import A_DAY, valid_quarters
from forecast.values import Array
from forecast.verify import Pairs
from forecast.weighting import level_shares


def published(pairs: Pairs, zone: str, *, every: timedelta, late: timedelta) -> Array:
    """The quantiles told at each pair, `(pair, level)`, by what was learned at the last turn before its issue.

    Turns begin with the first issue; at a turn the truth is known of what was valid `late` before it. NaN where
    nothing could be learned yet.
    """
    said = np.full((len(pairs), len(pairs.levels)), np.nan)
    valid = pairs.issued_at + (pairs.lead_min * 60e6).astype("timedelta64[us]")
    for turn in _turns(pairs, every):
        known = (valid <= turn - np.timedelta64(late)) & (pairs.issued_at >= turn - np.timedelta64(WINDOW))
        mine = np.flatnonzero((pairs.issued_at >= turn) & (pairs.issued_at < turn + np.timedelta64(every)))
        if mine.size:
            said[mine] = told(learn(pairs.taken(np.flatnonzero(known)), zone), pairs.taken(mine))
    return said


def told(by_past: Recalibration, pairs: Pairs) -> Array:
    """What a recalibration makes of what was simulated and what the rivals said, `(pair, level)`."""
    hour = valid_quarters(pairs.issued_at, pairs.lead_min, by_past.zone) % A_DAY / 4
    said = pairs.raw_quantiles.copy()
    for measure, of in by_past.measures.items():
        at = np.flatnonzero(pairs.measure == measure)
        cuts = np.stack([pairs.raw_quantiles[at], *(pairs.rivals[name].quantiles[at] for name in of.rivals)], axis=1)
        shares = level_shares(pairs.levels)
        said[at] = np.maximum(of.at(pairs.lead_min[at], hour[at]).marginal(cuts, shares), 0.0)
    return said


def without_rivals(pairs: Pairs) -> Pairs:
    """The pairs of a house that does not weigh: its simulation alone is recalibrated."""
    return replace(pairs, rivals={})


def crps_of(said: Array, pairs: Pairs) -> Array:
    """The crps of quantiles told at each pair."""
    return crps_quantiles(said, pairs.observed, levels=pairs.levels)


def _turns(pairs: Pairs, every: timedelta) -> Iterator[np.datetime64]:
    turn, last = pairs.issued_at.min(), pairs.issued_at.max()
    while turn <= last:
        yield turn
        turn = turn + np.timedelta64(every)
