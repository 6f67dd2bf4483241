"""Forecasts met by what came: hand-made pairs, intervals of the skill that hold, the stated JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm

from forecast.board import Skill
from forecast.dayblocks import skill_interval
from forecast.scores import crps, crps_quantiles
from forecast.values import LEVELS, Array, Forecast, Series, series
from forecast.verify import (
    VERIFIED_LEADS_MIN,
    Pairs,
    as_json,
    as_skills,
    joined,
    score,
    valid_at,
    verify,
)

NAN = float("nan")
ISSUED = datetime(2026, 3, 2, 6, tzinfo=UTC)
LEADS = np.arange(15.0, 1441.0, 15.0)
SIX = len(VERIFIED_LEADS_MIN)


def point(value: Array) -> Series:
    """A distribution that is sure of itself."""
    return Series(value, dict.fromkeys(LEVELS, value))


def normal(centre: Array, sd: float) -> Series:
    return Series(centre, {level: centre + sd * float(norm.ppf(level)) for level in LEVELS})


def forecast(measures: dict[str, Series], issued_at: datetime = ISSUED, lead_min: Array = LEADS) -> Forecast:
    return Forecast(issued_at, issued_at, issued_at, lead_min, {"as_usual": measures, "other": {}}, {}, {})


def hand_made() -> Pairs:
    """Two issues, one measure, two leads: the forecast says lead / 60, persistence 9, the truth is given."""
    parts = []
    for issue, came in enumerate(([2.0, 2.0], [1.0, NAN])):
        rivals = {"persistence": {"ed_census": point(np.array([9.0, 9.0]))}}
        parts.append(
            score(
                forecast({"ed_census": point(LEADS / 60)}, ISSUED + timedelta(hours=issue)),
                {"ed_census": np.array(came)},
                rivals,
                lead_min=(60.0, 240.0),
            )
        )
    return joined(parts)


def test_hand_made_pairs_give_hand_made_scores() -> None:
    found = verify(hand_made())["ed_census"]
    one, four = found[60.0], found[240.0]
    assert (one.n, one.left_out) == (2, 0)
    assert (one.mae, one.bias, one.crps, one.raw_crps) == pytest.approx((0.5, -0.5, 0.5, 0.5))
    assert one.coverage == {50: 0.5, 80: 0.5, 95: 0.5}
    assert vars(one.baselines["persistence"]) == pytest.approx({"mae": 7.5, "crps": 7.5})
    assert one.skill["persistence"] == pytest.approx(1 - 0.5 / 7.5)
    assert (four.n, four.left_out, four.mae, four.bias) == (1, 1, 2.0, 2.0)
    assert one.weight_of_simulation == 1.0


def test_the_forecast_is_read_at_its_own_leads() -> None:
    pairs = score(forecast({"ed_census": point(LEADS)}), {"ed_census": np.array(VERIFIED_LEADS_MIN)}, {})
    assert pairs.error.tolist() == [0.0] * SIX
    assert pairs.lead_min.tolist() == list(VERIFIED_LEADS_MIN)
    assert valid_at(forecast({}))[-1] == ISSUED + timedelta(days=1)


def test_published_quantiles_score_as_their_members_do() -> None:
    rng = np.random.default_rng(4)
    members, came = rng.normal(40.0, 5.0, size=(400, 2000)), rng.normal(40.0, 5.0, size=400)
    leads = np.arange(1.0, 401.0)
    pairs = score(forecast({"x": series(members)}, lead_min=leads), {"x": came}, {}, lead_min=leads.tolist())
    assert pairs.crps.mean() == pytest.approx(crps(members, came).mean(), rel=3e-3)


def test_recalibration_leaves_the_simulation_its_own_score() -> None:
    came = {"x": np.full(SIX, 10.0)}
    published, raw = point(np.full(LEADS.size, 11.0)), point(np.full(LEADS.size, 14.0))
    found = verify(score(forecast({"x": published}), came, {}, raw={"x": raw}, weight_of_simulation=0.6))["x"][60.0]
    assert (found.crps, found.raw_crps, found.weight_of_simulation) == pytest.approx((1.0, 4.0, 0.6))


def test_a_baseline_is_compared_where_it_had_something_to_say() -> None:
    rival = point(np.array([9.0, NAN]))
    pairs = score(
        forecast({"x": point(LEADS * 0)}),
        {"x": np.array([1.0, 5.0])},
        {"persistence": {"x": rival}, "climatology": {}},
        lead_min=(60.0, 240.0),
    )
    found = verify(pairs)["x"]
    assert found[60.0].skill == {"persistence": pytest.approx(1 - 1 / 8)}
    assert found[240.0].n == 1
    assert np.isnan(found[240.0].skill["persistence"])


def test_only_common_measures_are_scored_and_none_is_none() -> None:
    pairs = score(forecast({"x": point(LEADS), "y": point(LEADS)}), {"y": np.zeros(SIX), "z": np.zeros(SIX)}, {})
    assert set(pairs.measure) == {"y"}
    none = score(forecast({"x": point(LEADS)}), {}, {})
    assert (len(none), verify(none), as_skills(verify(none))) == (0, {}, ())
    assert len(joined([none, pairs])) == SIX


def test_a_forecast_without_the_lead_or_truth_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lacks \[1500\.0\] min"):
        score(forecast({"x": point(LEADS)}), {"x": np.zeros(1)}, {}, lead_min=(1500.0,))
    with pytest.raises(ValueError, match="x must be observed at 6 leads"):
        score(forecast({"x": point(LEADS)}), {"x": np.zeros(3)}, {})


def test_an_unknown_measure_of_a_rival_is_nan_when_joined() -> None:
    first = score(forecast({"x": point(LEADS)}), {"x": np.zeros(SIX)}, {"a": {"x": point(np.ones(SIX))}})
    second = score(forecast({"x": point(LEADS)}), {"x": np.zeros(SIX)}, {"b": {"x": point(np.ones(SIX))}})
    both = joined([first, second])
    assert both.rivals["a"].crps.tolist()[:SIX] == pytest.approx([1.0] * SIX)
    assert np.isnan(both.rivals["a"].crps[SIX:]).all()
    assert np.isnan(both.rivals["b"].absolute_error[:SIX]).all()
    assert np.isnan(both.rivals["b"].quantiles[:SIX]).all()
    assert (both.rivals["b"].quantiles[SIX:] == 1.0).all()


def test_pairs_hold_the_quantiles_that_were_scored() -> None:
    """What is scored again from them is the score."""
    said, raw, rival = normal(LEADS / 60, 3.0), normal(LEADS / 60, 2.0), normal(np.full(SIX, 9.0), 4.0)
    came = np.linspace(0.0, 20.0, SIX)
    pairs = score(forecast({"x": said}), {"x": came}, {"a": {"x": rival}}, raw={"x": raw})
    other = score(forecast({"x": point(LEADS)}), {"x": came}, {}, raw=None)
    both = joined([other, pairs, joined([])]).taken(np.arange(SIX, 2 * SIX))
    for scored, told in (
        (both.crps, both.quantiles),
        (both.raw_crps, both.raw_quantiles),
        (both.rivals["a"].crps, both.rivals["a"].quantiles),
    ):
        assert told.shape == (SIX, len(LEVELS))
        assert crps_quantiles(told, came, levels=both.levels).tolist() == scored.tolist()
    assert (other.raw_quantiles == other.quantiles).all()


def test_pairs_of_other_levels_are_not_joined() -> None:
    few = dict.fromkeys((0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975), LEADS)
    other = score(forecast({"x": Series(LEADS, few)}), {"x": np.zeros(SIX)}, {})
    with pytest.raises(ValueError, match="must share the levels"):
        joined([hand_made(), other])


Interval = Callable[[Array, Array, npt.NDArray[np.int64], int], tuple[float, float]]


def share_that_holds_no_skill(interval: Interval) -> float:
    """How often the interval holds 0 for two forecasts that are equally good, with errors alike within a day."""
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        day = np.repeat(np.arange(40), 8)
        ours, theirs = (5.0 + np.repeat(rng.normal(size=40), 8) + 0.2 * rng.normal(size=320) for _ in range(2))
        low, high = interval(ours, theirs, day, seed)
        held += low <= 0.0 <= high
    return held / 100


def test_the_interval_of_the_skill_draws_days_because_single_pairs_are_too_sure() -> None:
    def by_day(ours: Array, theirs: Array, day: npt.NDArray[np.int64], seed: int) -> tuple[float, float]:
        return skill_interval(ours, theirs, day, seed=seed, resamples=400)

    def by_pair(ours: Array, theirs: Array, day: npt.NDArray[np.int64], seed: int) -> tuple[float, float]:
        return skill_interval(ours, theirs, np.arange(day.size), seed=seed, resamples=400)

    assert share_that_holds_no_skill(by_day) > 0.88
    assert share_that_holds_no_skill(by_pair) < 0.6


def test_the_interval_is_repeatable_needs_days_and_a_fallible_rival() -> None:
    day = np.repeat(np.arange(6), 4)
    ours, theirs = np.linspace(1, 2, 24), np.linspace(3, 2, 24)
    once, again = (skill_interval(ours, theirs, day, seed=3) for _ in range(2))
    assert once == again
    assert once[0] < 1 - ours.sum() / theirs.sum() < once[1]
    assert np.isnan(skill_interval(ours, theirs, day // 2, seed=3)).all()
    assert np.isnan(skill_interval(ours, np.zeros(24), day, seed=3)).all()
    assert np.isnan(skill_interval(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), seed=3)).all()


def a_fortnight(*, better: float) -> Pairs:
    """14 days of hourly issues; forecast and climatology centred on the truth's mean, one wider than the other."""
    rng = np.random.default_rng(8)
    parts = [
        score(
            forecast({"ed_census": normal(np.full(LEADS.size, 40.0), 4.0)}, ISSUED + timedelta(hours=hour)),
            {"ed_census": rng.normal(40.0, 4.0, SIX)},
            {"climatology": {"ed_census": normal(np.full(SIX, 40.0 + better), 4.0)}},
        )
        for hour in range(14 * 24)
    ]
    return joined(parts)


def test_a_better_forecast_has_skill_and_calibrated_ones_cover() -> None:
    found = verify(a_fortnight(better=4.0))["ed_census"][240.0]
    assert found.n == 336
    assert found.skill["climatology"] == pytest.approx(0.29, abs=0.08)
    low, high = found.skill_ci95["climatology"]
    assert 0.0 < low < found.skill["climatology"] < high
    for percent, share in found.coverage.items():
        assert share == pytest.approx(percent / 100, abs=0.06)


def test_json_is_as_stated_and_nan_is_null() -> None:
    text = json.dumps(as_json(verify(hand_made()), n_issues=2), allow_nan=False)
    whole = json.loads(text, parse_float=lambda digits: round(float(digits), 9))
    assert whole["n_issues"] == 2
    assert whole["measures"]["ed_census"]["60"] == {
        "n": 2, "left_out": 0, "mae": 0.5, "bias": -0.5, "crps": 0.5,
        "coverage_50": 0.5, "coverage_80": 0.5, "coverage_95": 0.5,
        "baselines": {"persistence": {"mae": 7.5, "crps": 7.5}},
        "skill": {"persistence": round(1 - 0.5 / 7.5, 9)}, "skill_ci95": {"persistence": [None, None]},
        "raw": {"crps": 0.5, "bias": -0.5, "coverage_80": 0.5}, "weight_of_simulation": 1.0,
    }  # fmt: skip


def test_the_wall_gets_what_has_pairs_and_skills_that_are_known() -> None:
    none_came = score(forecast({"y": point(LEADS)}), {"y": np.full(SIX, NAN)}, {})
    shown = as_skills(verify(joined([hand_made(), none_came])), backtested=True)
    assert [(s.measure, s.lead_min, s.n, s.backtested) for s in shown] == [
        ("ed_census", 60, 2, True),
        ("ed_census", 240, 1, True),
    ]
    assert isinstance(shown[0], Skill)
    assert shown[0].skill == {"persistence": pytest.approx(1 - 0.5 / 7.5)}


def test_scores_are_of_forecast_and_truth_in_that_order() -> None:
    def too_high_is_positive(judge: Callable[[Series, Array], float]) -> bool:
        return judge(point(LEADS * 0 + 12.0), np.full(SIX, 10.0)) > 0

    def judged(said: Series, came: Array) -> float:
        return verify(score(forecast({"x": said}), {"x": came}, {}))["x"][60.0].bias

    assert too_high_is_positive(judged)
    assert not too_high_is_positive(lambda said, came: -judged(said, came))
