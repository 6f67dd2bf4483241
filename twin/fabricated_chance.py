"""Chance in the fabricated hospital: dice by purpose, and delays that can be drawn again half-way.

Nothing is drawn before it begins. What has begun (a stay, a blood analysis, a patient's patience) is a lognormal
delay with its start, so that the rest of it can be drawn anew, given what has passed: that is how the oracle runs on
from the true state without knowing what is to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from statistics import NormalDist
from typing import TypeVar

import numpy as np

K = TypeVar("K")

_BLOCK = 512
_NORMAL = NormalDist()
_FARTHEST_Z = 6.0
"""Beyond this a lognormal's tail is taken at its edge: one in 10^9."""


class Dice:
    """Uniform, normal and exponential numbers of one purpose, drawn in blocks because single draws are slow."""

    def __init__(self, seed: np.random.SeedSequence) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))
        self._uniforms: list[float] = []
        self._normals: list[float] = []

    def uniform(self) -> float:
        """In [0, 1)."""
        if not self._uniforms:
            self._uniforms = self._generator.random(_BLOCK).tolist()
        return self._uniforms.pop()

    def normal(self) -> float:
        """Mean 0, variance 1."""
        if not self._normals:
            self._normals = self._generator.standard_normal(_BLOCK).tolist()
        return self._normals.pop()

    def exponential(self) -> float:
        """Mean 1."""
        return -log(1.0 - self.uniform())

    def happens(self, p: float) -> bool:
        """True with probability p."""
        return self.uniform() < p

    def lognormal(self, median: float, sigma: float) -> float:
        return median * exp(sigma * self.normal())

    def poisson(self, mean: float) -> int:
        return int(self._generator.poisson(mean))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def choice(self, shares: Mapping[K, float]) -> K:
        """One of the keys, with odds given by the values (they need not sum to 1)."""
        rest = self.uniform() * sum(shares.values())
        for key, share in shares.items():
            last, rest = key, rest - share
            if rest < 0:
                break
        return last

    def lognormal_rest(self, median: float, sigma: float, elapsed: float) -> float:
        """What remains of a lognormal delay that has already lasted `elapsed`."""
        if elapsed <= 0:
            return self.lognormal(median, sigma)
        passed = _NORMAL.cdf(min(log(elapsed / median) / sigma, _FARTHEST_Z))
        z = _NORMAL.inv_cdf(passed + (1.0 - passed) * (1.0 - self.uniform()) * (1 - 1e-12))
        return max(median * exp(sigma * z) - elapsed, 0.0)


def gamma_of_normal(z: float, cv: float) -> float:
    """The gamma variable of mean 1 and this coefficient of variation at a normal score z (Wilson-Hilferty)."""
    shape = 1.0 / (cv * cv)
    return float((1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape**0.5)) ** 3)
