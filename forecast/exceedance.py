"""Thresholds: how good the probabilities to exceed them were.

A threshold is exceeded by more than it: of counts, 60 by 61. Probabilities are read from the published quantiles, those
of the rivals from theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.dayblocks import days_of, mean_interval, skill_interval
from forecast.scores import brier, crps_above, mean, p_above, skill
from forecast.values import Array
from forecast.verify import Pairs

EDGES: tuple[float, ...] = (0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 1.0)
"""Between these probabilities forecasts are counted together."""
USUAL_SHARES = (0.25, 0.1)
"""Thresholds are set so that about such shares of what came lay above, unless the site names its own."""


@dataclass(frozen=True)
class Said:
    """Forecasts of like probabilities: what they said on average, and how often it came."""

    p: float
    share: float
    share_ci95: tuple[float, float]
    n: int


@dataclass(frozen=True)
class Exceedance:
    """How good the probabilities to exceed a threshold were."""

    threshold: float
    n: int
    came: float
    """The share of outcomes above it."""
    brier: float
    skill: Mapping[str, float]
    """1 - brier / the rival's."""
    skill_ci95: Mapping[str, tuple[float, float]]
    crps_above: float
    """The crps of what lies above the threshold."""
    crps_above_skill: Mapping[str, float]
    said: tuple[Said, ...]


def exceedance(pairs: Pairs, threshold: float, *, seed: int = 0) -> Exceedance:
    """Of pairs of one measure that met their truth."""
    kept = pairs.taken(np.flatnonzero(~np.isnan(pairs.crps)))
    day, levels = days_of(kept.issued_at), kept.levels
    came = (kept.observed > threshold).astype(np.float64)
    p = p_above(kept.quantiles, np.full(len(kept), threshold), levels=levels)
    loss = brier(p, came)
    above = crps_above(kept.quantiles, kept.observed, threshold, levels=levels)
    theirs: dict[str, tuple[Array, Array]] = {}
    for name, rival in kept.rivals.items():
        told = p_above(rival.quantiles, np.full(len(kept), threshold), levels=levels)
        theirs[name] = brier(told, came), crps_above(rival.quantiles, kept.observed, threshold, levels=levels)
    return Exceedance(
        threshold=threshold,
        n=len(kept),
        came=mean(came).value,
        brier=mean(loss).value,
        skill={name: skill(loss, other) for name, (other, _) in theirs.items()},
        skill_ci95={name: skill_interval(loss, other, day, seed=seed) for name, (other, _) in theirs.items()},
        crps_above=mean(above).value,
        crps_above_skill={name: skill(above, other) for name, (_, other) in theirs.items()},
        said=reliability(p, came, day, seed=seed),
    )


def reliability(p: Array, came: Array, day: np.ndarray, *, seed: int = 0) -> tuple[Said, ...]:
    """Forecasts of like probabilities beside how often it came; parts without a forecast are left out."""
    part = np.clip(np.searchsorted(EDGES, p, side="right") - 1, 0, len(EDGES) - 2)
    found = []
    for number in range(len(EDGES) - 1):
        mine = part == number
        if mine.any():
            ends = mean_interval(came[mine], day[mine], seed=seed)
            found.append(Said(float(p[mine].mean()), float(came[mine].mean()), ends, int(mine.sum())))
    return tuple(found)


def usual_thresholds(observed: Array, shares: Sequence[float] = USUAL_SHARES) -> tuple[float, ...]:
    """Whole numbers that about such shares of what came exceeded."""
    known = observed[~np.isnan(observed)]
    return tuple(sorted({float(np.floor(np.quantile(known, 1.0 - share))) for share in shares})) if known.size else ()
