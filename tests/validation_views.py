"""Example values of the page of the validation, from the made-up pairs of the page of trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np

from forecast.day_facts import DayFacts, Fact
from forecast.exceedance import exceedance, usual_thresholds
from forecast.report import USUAL_LEAD_MIN, measure_report, of_measure, worst_days
from forecast.validation import corrected
from forecast.validation_view import Chosen, RunAsked, RunView, Validated, ValidationView
from tests.boards import MADE_AT
from tests.trust_views import FIRST, made_pairs

ZONE = "Europe/Paris"
ASKED = RunAsked(FIRST, FIRST + timedelta(days=30), 6, 50)


@cache
def found(*, too_high: float = 0.0, width: float = 1.0) -> Validated:
    """Thirty days of forecasts of the census."""
    mine = of_measure(made_pairs(too_high=too_high, width=width), "ed_census")
    at_lead = mine.taken(np.flatnonzero(mine.lead_min == USUAL_LEAD_MIN))
    days = [(FIRST + timedelta(days=k)).date() for k in range(31)]
    late = Fact("arrivals", 260.0, 190.0, 4.0)
    facts = {day: DayFacts(day, {}, {}, (late,)) for day in days}
    return Validated(
        measure_report("ed_census", mine, ZONE), tuple(mine.rivals), 120, FIRST, FIRST + timedelta(days=30),
        tuple(exceedance(at_lead, t) for t in usual_thresholds(at_lead.observed)), USUAL_LEAD_MIN,
        worst_days(at_lead, ZONE, USUAL_LEAD_MIN, facts),
        tuple(corrected(mine, float(lead)) for lead in np.unique(mine.lead_min)),
    )  # fmt: skip


def nothing_yet() -> ValidationView:
    """A house that has just begun."""
    return ValidationView(MADE_AT, ZONE, "Centre hospitalier de Valmont", "live", Chosen(), "own", measuring=False)


def measuring() -> ValidationView:
    """Being worked out."""
    return replace(nothing_yet(), measuring=True)


def ordinary_validation() -> ValidationView:
    """Some weeks, a report, the model's checks."""
    checks = (MADE_AT - timedelta(days=2), 24, 0)
    return replace(
        nothing_yet(), found=found(), report_at=MADE_AT - timedelta(days=3), checks=checks, corrected_days=41,
        shares={60: 0.95, 240: 0.5},
    )  # fmt: skip


def poor_validation() -> ValidationView:
    """Too high and too sure; a check that does not hold; a back-test that was stopped."""
    checks = (MADE_AT - timedelta(days=2), 24, 2)
    return replace(
        ordinary_validation(), found=found(too_high=3.0, width=0.5), checks=checks, run=RunView(asked=ASKED),
        source="backtest",
    )  # fmt: skip


def running() -> ValidationView:
    """A back-test runs."""
    run = RunView(ASKED, running=True, done=48, of=121, left=timedelta(minutes=4, seconds=20), ready=False)
    return replace(nothing_yet(), run=run)


def failed() -> ValidationView:
    """It could not be."""
    return replace(nothing_yet(), run=RunView(fault="the log holds 3.0 days, 10 are needed"))


VIEWS: dict[str, Callable[[], ValidationView]] = {
    "nothing": nothing_yet, "measuring": measuring, "ordinary": ordinary_validation, "poor": poor_validation,
    "running": running, "failed": failed,
}  # fmt: skip
