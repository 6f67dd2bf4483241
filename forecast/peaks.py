"""The highest census between now and a lead, and when it comes: read from whole paths, of members as of what came.

A peak is as a measure like any other: `peak:ed_census` at 8 h is the most patients present at any quarter of an hour
from now to then, `peak_min:ed_census` in how many minutes that is for the first time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecast.values import Array

PEAK_OF: tuple[str, ...] = ("ed_census",)
"""Measures whose peaks are looked for."""
HIGHEST, AT_MIN = "peak:", "peak_min:"
PEAKS: tuple[str, ...] = tuple(kind + measure for measure in PEAK_OF for kind in (HIGHEST, AT_MIN))


def peak_ahead(values: Array, lead_min: Array) -> tuple[float, tuple[float, float, float]]:
    """The highest value of each member after the first lead: the median of when it comes first, and what it is.

    `values` are `(lead, member)`; the three are the 10, 50 and 90 % quantiles.
    """
    ahead = values[1:]
    low, median, high = np.quantile(ahead.max(axis=0), (0.1, 0.5, 0.9)).tolist()
    lead = float(np.quantile(lead_min[1:][ahead.argmax(axis=0)], 0.5, method="lower"))
    return lead, (low, median, high)


def with_peaks(measures: Mapping[str, Array], lead_min: Array) -> dict[str, Array]:
    """The measures, each `(lead, ..)` from lead 0 on, and the peaks up to each lead of those that have some."""
    found = dict(measures)
    for measure in PEAK_OF:
        if measure in measures:
            found[HIGHEST + measure], found[AT_MIN + measure] = peaks(measures[measure], lead_min)
    return found


def peaks(path: Array, lead_min: Array) -> tuple[Array, Array]:
    """The highest value from the first lead to each, and the lead at which it stands first; `path` is `(lead, ..)`.

    NaN from the first lead on at which the path is NaN.
    """
    highest = np.maximum.accumulate(path, axis=0)
    before = np.concatenate([np.full_like(highest[:1], -np.inf), highest[:-1]])
    place = np.arange(len(path)).reshape(-1, *[1] * (path.ndim - 1))
    first = np.maximum.accumulate(np.where(highest > before, place, 0), axis=0)
    return highest, np.where(np.isnan(highest), np.nan, lead_min[first])
