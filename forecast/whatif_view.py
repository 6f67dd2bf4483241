"""The page of what-if as plain values. What is not known is NaN in curves, and None elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FREE = "beds_free"
"""Beds free in all wards together whose beds are known."""


@dataclass(frozen=True)
class WhatIfView:
    """What stands at the head of the page."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str


@dataclass(frozen=True)
class Curve:
    """One measure ahead: the mean and the quantiles, each `(lead,)`."""

    mean: Array
    quantiles: Mapping[float, Array]


@dataclass(frozen=True)
class ComparedView:
    """One measure as usual, changed, and the paired difference between them."""

    usual: Curve
    changed: Curve
    difference: Curve
    p_less: Array
    """Share of members in which it is less than as usual, `(lead,)`."""
    p_more: Array
    error: Array
    """Half the 95 % interval of the mean difference, `(lead,)`."""


@dataclass(frozen=True)
class AnswerView:
    """What a scenario would change, from so many members so far."""

    sentence_fr: str
    sentence_en: str
    as_of: datetime
    lead_min: Array
    measures: Mapping[str, ComparedView]
    members: int
    of: int
    why_fr: str | None = None
    """Why it moves nothing here; None where it has a lever."""
    why_en: str | None = None

    @property
    def is_whole(self) -> bool:
        """Every member was asked."""
        return self.members >= self.of


@dataclass(frozen=True)
class StandingView:
    """How far a question is; `refused` where it was not as it must be, and nothing was run."""

    state: Literal["waking", "rebuilding", "full", "asked", "failed", "refused"]
    answer: AnswerView | None = None
    fault_fr: str = ""
    fault_en: str = ""
