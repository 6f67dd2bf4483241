"""All scores side by side by lead, hour and day; thresholds; two back-tests compared pair by pair."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from forecast.dayblocks import days_of
from forecast.errors import ForecastError
from forecast.exceedance import exceedance, usual_thresholds
from forecast.slices import hour_of_week, ranks, slice_of
from forecast.values import LEVELS, Forecast, Series
from forecast.verify import Pairs, joined, score
from forecast.versus import PAIRED, compare, paired
from tests import theirs

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
LEADS = np.array([60.0, 240.0])
DAYS = 20


def normal(centre: float, sd: float) -> Series:
    at = np.full(2, centre)
    return Series(at, {level: at + sd * float(norm.ppf(level)) for level in LEVELS})


@cache
def pairs_of(off: float = 0.0, sd: float = 6.0, days: int = DAYS, measure: str = "ed_census") -> Pairs:
    """Hourly forecasts of a census that is 40 on average, `off` too high, beside a rival three times as wide."""
    rng = np.random.default_rng(2)
    parts = []
    for hour in range(24 * days):
        at = MONDAY + timedelta(hours=hour)
        middle = 40.0 + 5.0 * np.sin(hour)
        said = Forecast(at, at, at, LEADS, {"as_usual": {measure: normal(middle + off, sd)}}, {}, {})
        came = np.rint(rng.normal(middle, 6.0, 2))
        parts.append(
            score(said, {measure: came}, {"climatology": {measure: normal(middle, 18.0)}}, lead_min=LEADS.tolist())
        )
    return joined(parts)


@cache
def at_four_hours(off: float = 0.0, sd: float = 6.0) -> Pairs:
    pairs = pairs_of(off, sd)
    return pairs.taken(np.flatnonzero(pairs.lead_min == 240.0))


def test_a_slice_says_what_each_score_says_of_its_pairs() -> None:
    pairs = at_four_hours(2.0)
    found = slice_of(pairs, ranks(pairs))
    assert found.n == 24 * DAYS
    assert found.mae == pytest.approx(np.abs(pairs.quantiles[:, 4] - pairs.observed).mean())
    assert found.bias == pytest.approx(2.0, abs=0.6)
    assert found.bias_ci95[0] < found.bias < found.bias_ci95[1]
    for place, level in enumerate(LEVELS):
        other = theirs.scoringrules.quantile_score(pairs.observed, pairs.quantiles[:, place], level).mean()
        assert found.pinball[level] == pytest.approx(other)
    assert found.quantile_bias[0.5] == pytest.approx(norm.cdf(2.0 / 6.0) - 0.5, abs=0.05)
    assert found.width_80 == pytest.approx(2 * 1.28155 * 6.0, rel=1e-4)
    assert found.skill["climatology"] == pytest.approx(1 - pairs.crps.sum() / pairs.rivals["climatology"].crps.sum())
    assert found.skill_ci95["climatology"][0] < found.skill["climatology"] < found.skill_ci95["climatology"][1]
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["pinball"]["0.5"] == round(found.pinball[0.5], 6)


def test_ranks_of_a_calibrated_forecast_cover_as_said_and_of_one_too_narrow_do_not() -> None:
    def covered(sd: float) -> float:
        pairs = at_four_hours(0.0, sd)
        return slice_of(pairs, ranks(pairs)).covered_80

    assert covered(6.0) == pytest.approx(0.8, abs=0.05)
    assert covered(3.9) < 0.7


def test_hours_are_local_and_of_the_valid_time() -> None:
    pairs = at_four_hours()
    hours = hour_of_week(pairs, "Europe/Paris")
    assert hours[0] == 5, "Monday 0:00 UTC + 4 h is 5:00 in Paris in winter"
    assert hour_of_week(pairs, "UTC")[0] == 4
    assert hour_of_week(pairs, "UTC")[24] == 28
    assert hour_of_week(joined([]), "UTC").size == 0


# --- thresholds


def test_probabilities_that_are_right_are_reliable_and_better_than_wide_ones() -> None:
    found = exceedance(at_four_hours(), 46.0)
    pairs = at_four_hours()
    middle = pairs.quantiles[:, 4]
    p = norm.sf(46.5, middle, 6.0)
    assert found.brier == pytest.approx(
        theirs.scoringrules.brier_score((pairs.observed > 46.0).astype(float), p).mean()
    )
    assert found.came == pytest.approx(float((pairs.observed > 46.0).mean()))
    assert found.skill["climatology"] > 0.05
    assert sum(said.n for said in found.said) == found.n
    held = [
        low - 0.03 <= said.p <= high + 0.03 for said in found.said for low, high in [said.share_ci95] if said.n > 40
    ]
    assert all(held)
    assert any(abs(said.p - said.share) > 0.1 for said in exceedance(at_four_hours(8.0), 46.0).said), "too high"
    assert found.crps_above < float(pairs.crps.mean())


def test_usual_thresholds_are_whole_and_exceeded_about_as_often_as_said() -> None:
    came = at_four_hours().observed
    low, high = usual_thresholds(came)
    assert low == np.floor(low)
    assert float((came > low).mean()) == pytest.approx(0.25, abs=0.06)
    assert float((came > high).mean()) == pytest.approx(0.1, abs=0.06)
    assert usual_thresholds(np.array([np.nan])) == ()


# --- two back-tests


def answer(pairs: Pairs) -> dict[str, object]:
    return dict(json.loads(json.dumps({"n_issues": 1, PAIRED: paired(pairs)}, allow_nan=False)))


def test_two_back_tests_are_compared_on_the_issues_that_both_have() -> None:
    a, b = answer(pairs_of(6.0)), answer(pairs_of(0.0, days=DAYS - 4))
    found = compare(a, b)
    assert [(one.measure, one.lead_min, one.n) for one in found] == [
        ("ed_census", 60.0, 24 * (DAYS - 4)), ("ed_census", 240.0, 24 * (DAYS - 4)),
    ]  # fmt: skip
    for one in found:
        assert one.better == "B"
        assert one.gain == pytest.approx(1 - one.crps_b / one.crps_a)
        assert one.gain_ci95[0] < one.gain < one.gain_ci95[1]
        assert one.bias_a - one.bias_b == pytest.approx(6.0)
    assert {one.better for one in compare(b, a)} == {"A"}
    assert {one.better for one in compare(a, a)} == {None}


def test_what_pairs_tell_of_a_gain_strangers_do_not() -> None:
    """The mutant: scores of other issues beside one another: the days' own luck hides so small a gain."""
    a, b = at_four_hours(0.6), at_four_hours(0.0)
    gain = compare(answer(a), answer(b))[0].gain_ci95
    strangers = [float(np.nanmean(part.crps)) for part in (a, b)]
    day = days_of(a.issued_at)
    rng = np.random.default_rng(1)
    drawn: list[float] = []
    for _ in range(300):
        means = []
        for part in (a, b):
            counts = rng.multinomial(DAYS, np.full(DAYS, 1 / DAYS))
            means.append(float((counts @ np.bincount(day, weights=part.crps)) / (counts @ np.bincount(day))))
        drawn.append(1 - means[1] / means[0])
    low, high = np.quantile(np.array(drawn), (0.025, 0.975))
    assert strangers[0] > 0
    assert gain[1] - gain[0] < 0.5 * (high - low)


@pytest.mark.parametrize(("other", "why"), [({"n_issues": 3}, "must be an answer"), ("later", "none in common")])
def test_what_cannot_be_compared_is_said(other: object, why: str) -> None:
    a = answer(pairs_of(days=1))
    if other == "later":
        other = json.loads(json.dumps(a).replace("2026-03", "2027-03"))
    with pytest.raises(ForecastError, match=why):
        compare(a, other)  # type: ignore[arg-type]
