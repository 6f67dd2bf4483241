"""The figures that campaigns print: worked out from made-up forecasts and alarms, and red where those are bad."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from forecast.alert_budget import OWN, Trial
from forecast.alert_rules import load_rules
from forecast.verify import Pairs
from tests import bench_alerts
from tests.bench_forecast import census, figures, table
from tests.trust_views import made_pairs

FORECAST_DAYS, DAYS, HOUR_MIN = 20, 60, 60.0


@cache
def judged(*, too_high: float = 0.0, width: float = 1.0) -> Pairs:
    """Forecasts of a census, with all the rivals that are named; what lasts of today says what persistence says."""
    of = census(made_pairs(days=FORECAST_DAYS, too_high=too_high, width=width))
    return replace(of, rivals={**of.rivals, "anomaly_persistence": of.rivals["persistence"]})


@cache
def printed(*, too_high: float = 0.0, width: float = 1.0) -> str:
    of = judged(too_high=too_high, width=width)
    return table("made up", figures(of, "Europe/Paris", np.where(of.lead_min == 120.0, 0.5 * of.crps, np.nan)))


def test_each_figure_that_is_asked_for_is_printed() -> None:
    said = printed()
    assert [line.split(" h |")[0] for line in said.splitlines()[2:8]] == [f"| {h}" for h in (1, 2, 4, 8, 12, 24)]
    assert "better than climatology at 1, 2, 4 h by +" in said
    assert "the band holds 80 in 6 of 6" in said


def test_the_share_of_what_can_be_had_is_between_climatology_and_the_floor() -> None:
    of = judged()
    floor = np.where(of.lead_min == 120.0, 0.5 * of.crps, np.nan)
    found = figures(of, "Europe/Paris", floor)["floor"]
    assert found["n"] == 4 * FORECAST_DAYS
    assert found["share"] == pytest.approx(
        (found["climatology"] - found["published"]) / (found["climatology"] - 0.5 * found["published"])
    )


def test_forecasts_that_are_too_sure_or_too_high_are_told_apart_from_good_ones() -> None:
    """The mutants of what is judged."""
    assert "the band holds 80 in 6 of 6" not in printed(width=0.3)
    low, high = figures(judged(too_high=4.0), "Europe/Paris", np.full(len(judged()), np.nan))["bias_ci95"]
    assert 3 < low < high < 5


# --- alarms -----------------------------------------------------------------------------------------------------------


def trial() -> Trial:
    """An event on every fourth day, foreseen by us six hours ahead, by nobody else."""
    said = np.arange(0.0, 2 * DAYS * 24) * HOUR_MIN
    onset = (np.arange(2.0, 2 * DAYS, 4.0) * 24.0 + 12.5) * HOUR_MIN
    ahead = onset[np.minimum(np.searchsorted(onset, said), onset.size - 1)] - said
    foreseen = np.where((ahead > 0) & (ahead <= 6 * HOUR_MIN), 0.9, 0.01)
    chances = {OWN: foreseen, "blind": np.full(said.size, 0.01)}
    return Trial(said, chances, onset, onset + HOUR_MIN, np.ones(onset.size, dtype=bool), 8 * HOUR_MIN)


def test_alarms_are_judged_on_the_second_half_with_the_chance_of_the_first() -> None:
    rule = next(rule for rule in load_rules(None).rule.values() if rule.false_a_week is not None)
    found = bench_alerts.second_year(trial(), rule)
    ours, blind = found[OWN][1], found["blind"][1]
    assert (ours.events, ours.hits, blind.hits) == (15, 15, 0)
    assert ours.notice_min is not None
    assert ours.notice_min[0] == pytest.approx(330.0)
    assert bench_alerts.more_seen(found[OWN][0], found["blind"][0]) == (1.0, 1.0, 1.0)
    assert f"| {OWN} | 15: 100% (100% to 100%) |" in bench_alerts.table("made up", found)


def test_a_chance_set_by_a_half_in_which_all_went_otherwise_is_no_good_in_the_other() -> None:
    """The mutant: in the first half we said the same as the blind, so nothing is learned from which chance on."""
    one = trial()
    late = one.said_min > one.said_min[-1] / 2
    unlearned = replace(one, chances={**one.chances, OWN: np.where(late, one.chances[OWN], 0.01)})
    rule = next(rule for rule in load_rules(None).rule.values() if rule.false_a_week is not None)
    assert bench_alerts.second_year(unlearned, rule)[OWN][1].hits == 0
