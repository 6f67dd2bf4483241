"""Rates in a table of cells as the product of one factor a row and one a column."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_ROUNDS = 20


def product_rates(counted: Array, exposed: Array, prior: float) -> Array:
    """Rates `(row, column)` from counts and the exposure in which they were counted, of the same shape.

    A row's factor times a column's rate, by alternating sums, which is the fixed point of the Poisson likelihood; each
    is drawn towards the whole's as if by `prior` counts at that. Needs one count.
    """
    usual = counted.sum() / exposed.sum()
    row, rate = np.ones(counted.shape[0]), np.full(counted.shape[1], usual)
    for _ in range(_ROUNDS):
        expected = (row[:, None] * exposed).sum(axis=0)
        rate = (counted.sum(axis=0) + prior) / (expected + prior / usual)
        row = (counted.sum(axis=1) + prior) / ((rate * exposed).sum(axis=1) + prior)
    return np.asarray(row[:, None] * rate[None, :])
