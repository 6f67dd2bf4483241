"""The page of the forecast by unit: what is likely at one hour, unit by unit, and together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Levels that are told."""
RowKind = Literal["department", "ward", "group", "all"]
Counted = Literal["ed_census", "ed_waiting", "ed_boarders", "patients", "free"]
"""What a row counts: people in the department, people in wards, free beds of wards."""


@dataclass(frozen=True)
class Likely:
    """What members say at one instant: their mean, and quantiles by level."""

    mean: float
    quantiles: dict[float, float]
    sure: int
    """At least so many with 9 chances in 10."""
    likely: int
    """At least so many with 7 chances in 10."""


@dataclass(frozen=True)
class UnitRow:
    """One unit, or several together. `throughout` is of the least at any time until the hour."""

    kind: RowKind
    counted: Counted
    fr: str
    en: str
    beds: int | None
    at_hour: Likely
    throughout: Likely | None = None
    """Of free beds only."""


@dataclass(frozen=True)
class ByUnitView:
    """The page, whole. `hours` are those that can be chosen, by how many ahead they are; `at` is the chosen one."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    issued_at: datetime
    at: datetime
    hours: dict[int, datetime]
    morning_at: datetime | None
    """The next 8 am, where the forecast reaches so far."""
    members: int
    rows: tuple[UnitRow, ...]
    form: Literal["words", "quantiles"] = "words"
