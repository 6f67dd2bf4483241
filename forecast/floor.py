"""How good a forecast of the census can be at all, and how much of what can be had is had.

Even who knew every rate of a hospital would be wrong by chance: arrivals and stays are drawn. Where the truth's own law
is known (a fabricated hospital: `twin/fabricate.py`, `oracle`) the floor is its crps from the true state; elsewhere it
is a rule of thumb for the absolute error, 0.8 times the root of the census to be expected (the mean absolute error of a
Poisson count; field guide 2.5).
"""

from __future__ import annotations

import numpy as np

from forecast.values import Array

OF_THE_ROOT = 0.8


def floor_mae(expected: Array) -> float:
    """The rule of thumb, in patients, over pairs whose census was to be expected so, `(pair,)`; NaN where none is."""
    known = expected[~np.isnan(expected)]
    return float(OF_THE_ROOT * np.sqrt(np.maximum(known, 0.0)).mean()) if known.size else float("nan")


def attained(climatology: float, ours: float, floor: float) -> float:
    """The share of what can be had over climatology: (climatology - ours) / (climatology - floor), all one score.

    1 is the floor, 0 climatology; NaN where climatology is at the floor already.
    """
    room = climatology - floor
    return (climatology - ours) / room if room > 0 else float("nan")
