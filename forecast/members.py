"""Members in the order of what they say, and back again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forecast.values import Array

Index = npt.NDArray[np.int64]

AROUND = 4
"""Leads to either side that break a tie between members which say the same."""


def ranked(values: Array) -> Index:
    """The members of each lead from the least to the most, `(lead, member)`; ties by what they say around it.

    Counts are whole numbers, so that many members are tied; by what they say before and after, each keeps its course
    from lead to lead.
    """
    total = np.cumsum(np.vstack([np.zeros(values.shape[1]), values]), axis=0)
    at = np.arange(len(values))
    low, high = np.maximum(at - AROUND, 0), np.minimum(at + AROUND + 1, len(values))
    around = (total[high] - total[low]) / (high - low)[:, None]
    return np.lexsort((around, values), axis=1)


def in_order(by_rank: Array, order: Index) -> Array:
    """What each rank says, given back to the member that holds it, `(lead, member)`."""
    back = np.empty_like(by_rank)
    np.put_along_axis(back, order, by_rank, axis=1)
    return back
