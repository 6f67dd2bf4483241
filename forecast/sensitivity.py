"""Which variable of a design moves a result, by how much, and what share of the differences it explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from forecast.designs import Design
from forecast.values import Array, or_none

FEWEST_BINS, MOST_BINS, EACH_BIN = 4, 32, 15
"""Parts of a variable's range among which the result's means are compared: as many as have so many combinations."""
LEAST = 8
"""Combinations below which nothing is said of a variable."""
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Sensitivity:
    """What one variable does to one result."""

    variable: str
    effect: float
    """What the result changes by from the variable's lowest level to its highest, all others as they come."""
    ci95: tuple[float, float]
    variance_share: float
    """Share of the variance between all combinations that its own level explains (first-order Sobol index); 0 to 1."""
    n: int
    """Combinations in which it applies."""

    @property
    def sure(self) -> bool:
        """Is the interval clear of 0?"""
        return self.ci95[0] > 0 or self.ci95[1] < 0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "variable": self.variable, "effect": or_none(self.effect, 4),
            "ci95": [or_none(end, 4) for end in self.ci95],
            "variance_share": or_none(self.variance_share, 4), "n": self.n,
        }  # fmt: skip


def sensitivity(design: Design, result: Array) -> list[Sensitivity]:
    """Every variable's, the one first that explains most; `result` is by combination, `(combination,)`.

    The effect is the slope of a line by least squares, times the variable's range, with its interval (mean ± 1.96
    standard errors); the variance share is that of the means by level or part of the range, corrected for what chance
    alone would explain (Kelley's epsilon squared): the first-order Sobol index where the design is random. Of a
    variable that applies in some combinations only, it is its part in the variance of all.
    """
    found = [one for name in design.variables if (one := _of(name, design.levels(name), result)) is not None]
    return sorted(found, key=lambda one: -one.variance_share)


def _of(name: str, levels: Array, result: Array) -> Sensitivity | None:
    known = ~(np.isnan(levels) | np.isnan(result))
    x, y = levels[known], result[known]
    if x.size < LEAST or np.ptp(x) == 0:
        return None
    slope, error = _line(x, y)
    range_ = float(np.ptp(x))
    half = _Z95 * error * range_
    share = _share(x, y) * _spread(y) / max(_spread(result[~np.isnan(result)]), _spread(y), 1e-300)
    return Sensitivity(name, slope * range_, (slope * range_ - half, slope * range_ + half), share, int(x.size))


def _spread(y: Array) -> float:
    """The sum of squares about the mean."""
    return float(((y - y.mean()) ** 2).sum())


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Slope by least squares and its standard error."""
    if np.ptp(y) == 0:
        return 0.0, 0.0
    centred = x - x.mean()
    spread = float((centred**2).sum())
    slope = float((centred * y).sum() / spread)
    rest = y - y.mean() - slope * centred
    return slope, sqrt(float((rest**2).sum()) / max(x.size - 2, 1) / spread)


def _share(x: Array, y: Array) -> float:
    """How much of y's variance the means by part of x explain."""
    total = float(((y - y.mean()) ** 2).sum())
    if total == 0:
        return 0.0
    parts = _parts(x)
    groups, number = np.unique(parts, return_inverse=True)
    sizes = np.bincount(number)
    means = np.bincount(number, weights=y) / sizes
    within = float(((y - means[number]) ** 2).sum())
    free = max(x.size - groups.size, 1)
    return min(max(1.0 - within / free * (x.size - 1) / total, 0.0), 1.0)


def _parts(x: Array) -> Sequence[int] | Array:
    """Each level a part where there are few; else parts of equal counts."""
    levels, bins = np.unique(x), min(max(x.size // EACH_BIN, FEWEST_BINS), MOST_BINS)
    if levels.size <= bins:
        return np.asarray(np.searchsorted(levels, x))
    edges = np.quantile(x, np.linspace(0, 1, bins + 1)[1:-1])
    return np.asarray(np.searchsorted(edges, x, side="right"))
