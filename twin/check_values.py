"""A check of the model: what it measured beside what it should have, and how far apart they may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["theory", "effects", "conservation", "extremes", "restart", "identical"]
Comparison = Literal["near", "at_most", "at_least"]


@dataclass(frozen=True)
class Curve:
    """What was measured beside what should have been, along something: a plot of two lines."""

    along: tuple[float, ...]
    measured: tuple[float, ...]
    expected: tuple[float, ...]


@dataclass(frozen=True)
class Check:
    """One figure of the model beside the one that it should have.

    `tolerance` is in the unit of the figure: how far off it may be, or how far above or below the bound.
    """

    name: str
    group: Group
    unit: str
    measured: float
    expected: float
    tolerance: float
    comparison: Comparison = "near"
    source: str = ""
    curve: Curve | None = None

    @property
    def holds(self) -> bool:
        """Is the figure where it should be? One that is not a number never is."""
        off = self.measured - self.expected
        if self.comparison == "near":
            return abs(off) <= self.tolerance
        return off <= self.tolerance if self.comparison == "at_most" else off >= -self.tolerance
