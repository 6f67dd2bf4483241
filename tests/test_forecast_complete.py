"""A forecast from a late feed starts where the data are complete, and is wider for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecast.board import Feed
from forecast.complete import complete_at
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.situation import situation_of
from forecast.values import Forecast
from tests.histories import NOON, calibration, scenarios, state

MINUTE, STEP, HOUR = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1)
TWENTY = Run(members=20, horizon_min=120.0, seed=3)


def feed(state: str = "late", age_min: float = 0, lag_min: float | None = None) -> Feed:
    """A feed that may be silent for five minutes."""
    lag = None if lag_min is None else lag_min * MINUTE
    is_lagging = lag is not None and lag > 5 * MINUTE
    return Feed(state, NOON, age_min * MINUTE, 5 * MINUTE, lag=lag, is_lagging=is_lagging)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "behind_min"),
    [
        (feed("live"), 0), (feed("quiet", 5), 0), (feed("late", 0.3), 0),  # nothing, or nothing more, is missing
        (feed("late", 6), 15), (feed("late", 15), 15), (feed("late", 16), 30),
        (feed("late", 1, lag_min=4), 0), (feed("late", 1, lag_min=40), 45), (feed("late", 20, lag_min=8), 30),
        (feed("inconsistent", 1, lag_min=40), 45),
        (feed("late", 2_000), 360),
        (feed("catching_up", 1, lag_min=40), 0), (feed("stale", 40), 0), (feed("off", 500), 0),
    ],
)  # fmt: skip
def test_what_is_known_is_complete_but_for_what_a_late_feed_leaves_out(told: Feed, behind_min: int) -> None:
    assert NOON - complete_at(told, NOON, STEP) == behind_min * MINUTE


def forecast_from(behind: timedelta, how: Run = TWENTY) -> Forecast:
    here = situation_of(state(), calibration(), NOON - behind)
    return issue(here, scenarios("as_usual", "ten_beds_closed"), how, Times(NOON, NOON, NOON))


def width(told: Forecast, lead_min: float, measure: str = "ed_census") -> float:
    """Of the interval that holds 8 in 10."""
    at = int(np.flatnonzero(told.lead_min == lead_min)[0])
    quantiles = told.scenarios["as_usual"][measure].quantiles
    return float(quantiles[0.9][at] - quantiles[0.1][at])


def test_a_forecast_from_before_says_the_same_leads_and_is_wider() -> None:
    late, prompt = forecast_from(HOUR), forecast_from(timedelta(0))
    assert late.lead_min.tolist() == prompt.lead_min.tolist() == TWENTY.lead_min.tolist()
    assert late.provenance["complete_until"] == (NOON - HOUR).isoformat()
    assert (late.as_of, late.provenance["run"]) == (prompt.as_of, prompt.provenance["run"])
    assert width(late, 0) > 2 * width(prompt, 0)
    assert width(late, 15) > width(prompt, 15)


def test_it_is_the_forecast_from_before_at_its_later_leads() -> None:
    """Nothing is made up: what is said of now is what was said an hour ago of now."""
    longer = replace(TWENTY, horizon_min=180.0)
    here = situation_of(state(), calibration(), NOON - HOUR)
    before = issue(here, scenarios("as_usual"), longer, Times(NOON, NOON - HOUR, NOON))
    late = forecast_from(HOUR)
    np.testing.assert_array_equal(
        late.members["as_usual"].measures["ed_census"], before.members["as_usual"].measures["ed_census"][4:]
    )


def test_scenarios_begin_now_and_not_where_the_run_begins() -> None:
    changed = forecast_from(HOUR).differences["ten_beds_closed"]["beds_free:medicine"].mean
    assert changed[0] <= 0 < abs(changed[-1])
    early = issue(
        situation_of(state(), calibration(), NOON - HOUR), scenarios("as_usual", "ten_beds_closed"),
        replace(TWENTY, horizon_min=180.0), Times(NOON, NOON - HOUR, NOON),
    )  # fmt: skip
    assert abs(early.differences["ten_beds_closed"]["beds_free:medicine"].mean[3]) > 0, "the mutant begins at once"


def test_a_situation_off_the_steps_or_of_later_is_refused() -> None:
    for behind in (7 * MINUTE, -15 * MINUTE):
        with pytest.raises(ValueError, match="whole steps of 15 min"):
            forecast_from(behind)
