"""The values that a forecast is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Packed = npt.NDArray[np.int16] | Array
"""Values in a quarter of the room where they are whole numbers, as they are otherwise."""

LEVELS: tuple[float, ...] = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
"""Quantile levels that every forecast keeps: the ends of the 50, 80, 90 and 95 % intervals, and the median."""


@dataclass(frozen=True)
class Members:
    """One scenario's runs: each measure as `(lead, member)`, NaN where the measure does not exist in a member.

    Two scenarios of one forecast share their luck: member i of one is paired with member i of the other.
    """

    lead_min: Array
    measures: Mapping[str, Array]

    @property
    def count(self) -> int:
        """How many members there are."""
        return int(next(iter(self.measures.values())).shape[1])


@dataclass(frozen=True)
class Series:
    """One measure ahead: the mean and the quantiles, each `(lead,)`; NaN where no member has the measure."""

    mean: Array
    quantiles: Mapping[float, Array]

    def at(self, places: Sequence[int] | npt.NDArray[np.int64]) -> Series:
        """Some of its leads, by their places."""
        return Series(self.mean[places], {level: values[places] for level, values in self.quantiles.items()})


@dataclass(frozen=True)
class Forecast:
    """What was said at `issued_at` of the hospital as of `as_of`, from what was known at `known_at`."""

    issued_at: datetime
    as_of: datetime
    known_at: datetime
    lead_min: Array
    scenarios: Mapping[str, Mapping[str, Series]]
    differences: Mapping[str, Mapping[str, Series]]
    """Paired differences from the first scenario, by scenario and measure."""
    provenance: Mapping[str, Any]
    raw: Mapping[str, Mapping[str, Series]] = field(default_factory=dict)
    """The scenarios as simulated, in the measures in which what is published was recalibrated."""
    members: Mapping[str, Members] = field(default_factory=dict, compare=False)
    """Kept for what is joint (peak, sums, exceedances); empty for a forecast read back from the archive."""


def series(values: Array, levels: tuple[float, ...] = LEVELS) -> Series:
    """Mean and quantiles over members of a measure given as `(lead, member)`; NaN members are left out."""
    known = np.count_nonzero(~np.isnan(values), axis=1)
    with np.errstate(all="ignore"):
        mean = np.nansum(values, axis=1) / known
    rising = np.sort(values, axis=1)  # NaN come last
    cuts = {level: _quantile(rising, known, level) for level in levels}
    return Series(np.where(known > 0, mean, np.nan), cuts)


def packed(values: Array) -> Packed:
    """Counts as small whole numbers; fractions, large ones and NaN as they are, so that nothing is lost."""
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int16)
    return whole if np.array_equal(whole, values) else values


def unpacked(values: Packed) -> Array:
    """What was packed."""
    return values.astype(np.float64, copy=False)


def or_none(value: float, digits: int | None = None) -> float | None:
    """A number as JSON and pages have it, to so many digits; None for NaN."""
    if isnan(value):
        return None
    return value if digits is None else round(float(value), digits)


def from_now(told: Series) -> Series:
    """A series of leads after 0 begun at lead 0, where it says nothing."""
    return Series(np.append(np.nan, told.mean), {q: np.append(np.nan, v) for q, v in told.quantiles.items()})


def _quantile(rising: Array, known: npt.NDArray[np.int64], level: float) -> Array:
    """What `numpy.nanquantile` by the rule "weibull" gives for rows that rise, each up to what is known of it."""
    place = np.clip(known * level + level - 1.0, 0.0, np.maximum(known - 1, 0))
    below = np.floor(place).astype(np.int64)
    row, share = np.arange(len(rising)), place - below
    low, high = rising[row, below], rising[row, np.minimum(below + 1, np.maximum(known - 1, 0))]
    return np.asarray(np.where(share < 0.5, low + (high - low) * share, high - (high - low) * (1.0 - share)))
