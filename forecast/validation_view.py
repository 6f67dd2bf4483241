"""The page of the validation as plain values; `validation_desk.py` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from forecast.exceedance import Exceedance
from forecast.report import MeasureReport, WorstDay

Source = Literal["own", "backtest"]
"""Forecasts as they were published, or those of the last back-test."""
SINCE_DAYS = (28, 90, 365)
"""How far back own forecasts are looked at."""
DAYS, EVERY_H, MEMBERS = (7, 14, 30, 60, 90), (1, 3, 6, 12, 24), (20, 50, 100, 300)
"""What may be asked of a back-test: days, hours between two forecasts, members."""


@dataclass(frozen=True)
class Chosen:
    """What the page's address asks for."""

    measure: str = "ed_census"
    source: Source | None = None
    """None for own forecasts where there are any, else the back-test's."""
    days: int = SINCE_DAYS[0]
    run: tuple[int, int, int] = (14, 6, 50)
    """Of a back-test that may be begun: days, hours between two forecasts, members."""


@dataclass(frozen=True)
class Corrected:
    """What recalibration did at one lead: as simulated, and as published."""

    lead_min: float
    raw_bias: float
    bias: float
    raw_width_80: float
    width_80: float
    raw_inside_80: float
    inside_80: float
    raw_crps: float
    crps: float
    share: float
    """The simulation's, in what was published; the rest is what simple rules said."""


@dataclass(frozen=True, eq=False)
class Validated:
    """One measure of one source, as far as forecasts met what came."""

    measure: MeasureReport
    rivals: tuple[str, ...]
    n_issues: int
    first_at: datetime
    last_at: datetime
    thresholds: tuple[Exceedance, ...]
    thresholds_lead_min: float
    worst: tuple[WorstDay, ...]
    corrected: tuple[Corrected, ...]


@dataclass(frozen=True)
class RunAsked:
    """A back-test that is asked for."""

    first_at: datetime
    last_at: datetime
    every_h: int
    members: int

    @property
    def days(self) -> int:
        """How many days it goes through."""
        return max((self.last_at - self.first_at) // timedelta(days=1), 1)


@dataclass(frozen=True)
class RunView:
    """How the back-test of the page does."""

    asked: RunAsked | None = None
    """The one that runs, or the one that was stopped before its end; None where there is none."""
    running: bool = False
    done: int = 0
    of: int = 0
    left: timedelta | None = None
    """About how long it will still take; None while nothing can be said of it."""
    fault: str | None = None
    ready: bool = True
    """Whether one may be begun."""


@dataclass(frozen=True)
class ValidationView:
    """The page of the validation, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    chosen: Chosen
    source: Source
    measuring: bool
    """What is shown is being worked out."""
    found: Validated | None = None
    """None where no forecast of the source has met what came."""
    fault: str | None = None
    run: RunView = field(default_factory=RunView)
    report_at: datetime | None = None
    checks: tuple[datetime, int, int] | None = None
    """When the model was last checked, how many checks, and how many do not hold."""
    shares: Mapping[int, float] = field(default_factory=dict)
    """The simulation's share in what is published now, by lead in minutes."""
    corrected_days: int = 0
