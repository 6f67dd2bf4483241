"""What days of errors tell: how much on the whole, and how much wider or narrower intervals should have been.

Errors of one day resemble one another, so days are what is counted: each day is its mean, days count by how recent they
are, and what is found is drawn towards "nothing to correct" as far as it may be chance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from forecast.values import Array

Index = npt.NDArray[np.int64]

COVERED = 0.8
"""The share of truths that the interval between the outer deciles has to hold."""
USUAL_DAYS = 14.0
"""Days of forecasts at which what they held and what they should have held weigh alike."""
LEAST_DAYS = 5
"""Fewer days than this tell nothing of the errors on the whole."""
DAYS_ALIKE = 4.0
"""So many days in a row tell as much of the errors on the whole as one that has nothing to do with another."""
FACTORS: Array = np.linspace(0.6, 2.5, 191)
_OUTER_DECILE = float(special.ndtri(0.5 + COVERED / 2))


def daily(values: Array, day: Index, heed: Array) -> tuple[Array, Array]:
    """The mean of each day that has a value, and how much the day counts."""
    count = np.bincount(day)
    some = count > 0
    total, weight = np.bincount(day, weights=values), np.bincount(day, weights=heed)
    return np.asarray(total[some] / count[some]), np.asarray(weight[some] / count[some])


def credible(by_day: Array, heed: Array) -> float:
    """The mean of days as far as it is not chance: less its variance / itself, 0 at least (James and Stein 1961)."""
    if by_day.size < LEAST_DAYS:
        return 0.0
    share = heed / heed.sum()
    mean = float(share @ by_day)
    among = float(share @ (by_day - mean) ** 2) / max(1.0 - float(share @ share), 1e-9)
    variance = among * DAYS_ALIKE * float(share @ share)
    return mean * max(0.0, 1.0 - variance / mean**2) if mean else 0.0


def factor(distance: Array, day: Index, heed: Array, usual_days: float = USUAL_DAYS) -> float:
    """The least factor with which intervals hold `COVERED` of the truths, `distance` half-widths from their middle.

    The share held is drawn towards that of intervals that are right, as if by `usual_days` days of them.
    """
    if not distance.size:
        return 1.0
    count = np.bincount(day)[day]
    order = np.argsort(distance)
    weight = np.concatenate([[0.0], np.cumsum((_daily_heed(day, heed) / count)[order])])
    held = weight[np.searchsorted(distance[order], FACTORS, side="right")]
    right = 2.0 * special.ndtr(_OUTER_DECILE * FACTORS) - 1.0
    share = (held + usual_days * right) / (weight[-1] + usual_days)
    enough = np.flatnonzero(share >= COVERED - 1e-9)
    return float(FACTORS[enough[0] if enough.size else -1])


def _daily_heed(day: Index, heed: Array) -> Array:
    """How much the day of each value counts."""
    return np.asarray((np.bincount(day, weights=heed) / np.maximum(np.bincount(day), 1))[day])
