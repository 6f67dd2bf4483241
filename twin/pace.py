"""How much days differ in how long everything takes, beyond what class, hour and load explain.

Doctors tire, a laboratory is slow, a ward answers late: on such a day all stays are longer together. A run draws one
pace for its whole horizon; without it the members would agree with each other more than the days do.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from twin.learned_path import Sample
from twin.story import Array, Index

_DAY_MIN = 1440.0
_LEAST_A_DAY = 20
"""Visits that a day must have to say something of its pace."""


def learn_pace(sample: Sample) -> float:
    """The standard deviation of a day's mean log stay, beyond what its number of visits makes it vary.

    Method of moments on the residuals from the mean of each visit's cell (class, block, load).
    """
    stay = np.maximum(sample.visits.departed_min - sample.visits.arrived_min, 1.0)
    residual = _residuals(np.log(stay), _cells(sample))
    _, day = np.unique(np.floor(sample.visits.arrived_min / _DAY_MIN), return_inverse=True)
    count = np.bincount(day).astype(np.float64)
    enough = count >= _LEAST_A_DAY
    if enough.sum() < 2:
        return 0.0
    mean = np.bincount(day, weights=residual)[enough] / count[enough]
    noise = residual.var() / count[enough]
    return float(np.sqrt(max(float((mean**2 - noise).mean()), 0.0)))


def pace_of(uniform: float, sigma: float) -> float:
    """The factor on everything that lasts in the department: lognormal with mean 1, by one uniform."""
    return float(np.exp(sigma * special.ndtri(uniform) - sigma**2 / 2))


def _cells(sample: Sample) -> Index:
    cells = sample.cells
    return np.asarray((cells.cls * cells.shape[1] + cells.block) * cells.shape[2] + cells.load)


def _residuals(values: Array, cell: Index) -> Array:
    count = np.bincount(cell).astype(np.float64)
    mean = np.bincount(cell, weights=values) / np.maximum(count, 1.0)
    return np.asarray(values - mean[cell])
