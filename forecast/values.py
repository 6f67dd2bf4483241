"""The values that a forecast is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

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
    with np.errstate(all="ignore"):
        empty = np.asarray(np.isnan(values).all(axis=1))
        filled = np.where(empty[:, None], 0.0, values)
        mean = np.where(empty, np.nan, np.nanmean(filled, axis=1))
        cuts = np.nanquantile(filled, levels, axis=1, method="weibull")
    return Series(mean, {level: np.where(empty, np.nan, cut) for level, cut in zip(levels, cuts, strict=True)})
