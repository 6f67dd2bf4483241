"""The pages of the comparison and of the robustness map as plain values. What cannot be said is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Named:
    """Something with a name in both languages."""

    name: str
    fr: str
    en: str


@dataclass(frozen=True)
class CriterionView:
    """One criterion, and its mean as usual."""

    name: str
    fr: str
    en: str
    unit_fr: str
    unit_en: str
    better: Literal["less", "more"]
    usual: float | None = None


@dataclass(frozen=True)
class EffectView:
    """What a scenario changes of one criterion."""

    value: float
    """The mean under the scenario."""
    mean: float
    """Of the differences, member by member."""
    low: float
    high: float
    """Ends of the mean's 95 % interval."""
    p_better: float
    p_same: float

    @property
    def sure(self) -> bool:
        """Is the interval clear of 0?"""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class ChoiceView:
    """A scenario of the catalogue, and what it comes to where it is chosen."""

    name: str
    fr: str
    en: str
    chosen: bool
    why_not_fr: str | None = None
    why_not_en: str | None = None
    """Why it has no lever here; None where it has one."""
    effects: Mapping[str, EffectView | None] = field(default_factory=dict)
    """By criterion; None where no member has it."""
    dominated_by: tuple[str, ...] = ()
    """Scenarios that are better or equal on all criteria shown, and better on one; "" is as usual."""


@dataclass(frozen=True)
class CompareView:
    """The page of the comparison, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    views: tuple[Named, ...]
    """The points of view."""
    view: str
    """The one that is shown."""
    choices: tuple[ChoiceView, ...]
    criteria: tuple[CriterionView, ...] = ()
    as_of: datetime | None = None
    """The present that all start from; None before the first forecast."""
    hours: float = 24.0
    members: int = 0
    """That were compared so far; 0 before the first answer."""
    of: int = 0
    usual_dominated_by: tuple[str, ...] = ()
    """Scenarios before which as usual need not be considered."""
    fault: str | None = None
    """Why nothing can be compared, where something is wrong."""


# --- the robustness map ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CellView:
    """One service under one crisis."""

    p_breaks: float
    p_because: float
    """In a member in which it does not break as usual."""
    after_min: float | None
    margin: float | None


@dataclass(frozen=True)
class CrisisView:
    """One row of the map."""

    name: str
    fr: str
    en: str
    cells: Mapping[str, CellView]
    first: str | None
    p_first: float
    p_any: float


@dataclass(frozen=True)
class MoverView:
    """What moves a criterion: a scenario or one of its numbers."""

    fr: str
    en: str
    effect: float
    low: float
    high: float
    variance_share: float


@dataclass(frozen=True)
class MovedView:
    """A criterion, and what moves it most."""

    criterion: CriterionView
    movers: tuple[MoverView, ...]


@dataclass(frozen=True)
class RobustnessView:
    """The page of the robustness map, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    views: tuple[Named, ...]
    view: str
    services: tuple[Named, ...] = ()
    limits: Mapping[str, tuple[str, float | None, float]] = field(default_factory=dict)
    """By service: "most" or "least", the limit (None: as many as there are), for how many minutes."""
    rows: tuple[CrisisView, ...] = ()
    """As usual first; then each scenario alone, the one that breaks most first."""
    pairs: tuple[CrisisView, ...] = ()
    """Several at once: those that break most."""
    moved: tuple[MovedView, ...] = ()
    as_of: datetime | None = None
    """The present that the map starts from; None before there is one."""
    begun_at: datetime | None = None
    hours: float = 24.0
    combinations: int = 0
    members: int = 0
    done: int | None = None
    """Members run so far, while a grid runs; None while none does."""
    of: int = 0
    cancelled: bool = False
    """The last one was stopped before it was whole."""
    ready: bool = False
    """Can one be run now?"""
    fault: str | None = None
