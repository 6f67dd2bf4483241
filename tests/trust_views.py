"""Example values of the page of trust, from made-up forecasts met by made-up truths: the same every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from forecast.trust import SHOWN, judged
from forecast.trust_view import Judged, TrustView
from forecast.values import Array, Forecast, Series, series
from forecast.verify import VERIFIED_LEADS_MIN, Pairs, joined, score
from tests.boards import MADE_AT

LEADS = np.array(VERIFIED_LEADS_MIN)
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
SIZE = 200
"""Members of a forecast."""
USUAL = {"ed_census": 45.0, "ed_waiting": 12.0, "ed_boarders": 9.0}
SHARES = {"ed_census": {60: 0.95, 120: 0.72, 240: 0.5, 480: 0.31, 720: 0.12, 1440: 0.04}}
MASTERED_MIN = 720.0
"""From this lead on the rule "as usual" is the better forecast."""


def told(centre: Array, spread: Array, rng: np.random.Generator) -> Series:
    """What a forecaster says, about a centre `(lead,)`."""
    return series(np.maximum(centre[:, None] + spread[:, None] * rng.standard_normal((LEADS.size, SIZE)), 0.0))


def made_pairs(*, days: int = 30, too_high: float = 0.0, width: float = 1.0, seed: int = 1) -> Pairs:
    """Four forecasts a day; `too_high` patients too high, their spread so many times what it should be."""
    rng = np.random.default_rng(seed)
    off = np.sqrt(LEADS / 60.0)
    parts = []
    for at in (FIRST + timedelta(hours=6 * k) for k in range(4 * days)):
        said: dict[str, Series] = {}
        came: dict[str, Array] = {}
        rivals: dict[str, dict[str, Series]] = {name: {} for name in ("persistence", "climatology", "count_model")}
        for measure in SHOWN:
            usual = USUAL[measure]
            scale = usual / 45.0
            came[measure] = np.maximum(np.rint(usual + 6 * scale * rng.standard_normal(LEADS.size)), 0.0)
            error = scale * off * rng.standard_normal(LEADS.size)
            said[measure] = told(came[measure] + error + too_high * scale, width * scale * off, rng)
            guess = 2.5 * scale * off * rng.standard_normal(LEADS.size)
            rivals["persistence"][measure] = told(came[measure] + guess, 2.5 * scale * off, rng)
            near = np.where(LEADS >= MASTERED_MIN, 0.4, 1.6) * scale * off
            rivals["climatology"][measure] = told(came[measure] + near * rng.standard_normal(LEADS.size), near, rng)
            rivals["count_model"][measure] = told(came[measure] + 1.3 * error, 1.3 * scale * off, rng)
        forecast = Forecast(at, at, at, LEADS, {"as_usual": said}, {}, {})
        parts.append(score(forecast, came, rivals, weight_of_simulation=0.5))
    return joined(parts)


@cache
def made(*, too_high: float = 0.0, width: float = 1.0, replayed: bool = False) -> Judged:
    """The same, summed up."""
    pairs = made_pairs(too_high=too_high, width=width)
    found = judged((pairs.taken(np.flatnonzero(pairs.measure == m)) for m in SHOWN), replayed=replayed)
    assert found is not None
    return found


def nothing_yet() -> TrustView:
    """A house that has just begun."""
    return TrustView(MADE_AT, "Europe/Paris", "Centre hospitalier de Valmont", "live")


def measuring() -> TrustView:
    """The history is being replayed."""
    return replace(nothing_yet(), measured_days=(12, 60))


def ordinary_trust() -> TrustView:
    """A house of some weeks, with a report."""
    learned_at, report_at = MADE_AT - timedelta(hours=10), MADE_AT - timedelta(days=3)
    return replace(
        nothing_yet(), judged=made(), shares=SHARES, learned_at=learned_at, learned_days=41, report_at=report_at
    )


def poor_trust() -> TrustView:
    """Forecasts too high and too sure of themselves, from a replay."""
    return replace(ordinary_trust(), judged=made(too_high=3.0, width=0.5, replayed=True), report_at=None)


VIEWS: dict[str, Callable[[], TrustView]] = {
    "nothing": nothing_yet, "measuring": measuring, "ordinary": ordinary_trust, "poor": poor_trust,
}  # fmt: skip
