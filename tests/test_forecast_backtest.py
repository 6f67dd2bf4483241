"""History replayed: the shape that is printed, the same however it is run, and a broken twin found out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from forecast import backtest as module
from forecast import ensemble, relearned, spread
from forecast.backtest import Plan, Report, backtest, seed_of
from forecast.baselines import BASELINES
from forecast.ensemble import Run
from forecast.errors import ForecastError
from forecast.past import VINTAGE, truth
from forecast.simulated import Lesson
from ingest.log import EventLog
from tests.histories import DAYS, NOON, START, Remembered, fingerprint, hospital, other_log, scenarios, whole_log
from twin.calibrate import Calibration
from twin.errors import TwinError
from twin.known import Known
from twin.present import Present
from twin.present_draw import draw_presents
from twin.state import State
from twin.story import Story

HOW = Run(members=8, horizon_min=120.0, seed=4)
LEADS = (60.0, 120.0)
PLAN = Plan(START + timedelta(days=10, hours=6), START + timedelta(days=11), timedelta(hours=6), LEADS, HOW)
[USUAL] = scenarios("as_usual")


@pytest.fixture(autouse=True)
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Memory", Remembered)


def of(plan: Plan = PLAN, log: EventLog | None = None) -> Report:
    return backtest(log or whole_log(), hospital(), USUAL, plan)


@cache
def report() -> Report:
    return of()


def test_it_is_printed_with_the_keys_of_the_command() -> None:
    printed = json.loads(json.dumps(report().as_json(), allow_nan=False))
    assert set(printed) == {"n_issues", "measures", "paired"}
    assert printed["n_issues"] == 4 == len(PLAN.issue_times)
    assert set(printed["measures"]) >= {"ed_census", "ed_waiting", "ed_boarders", "ed_arrivals", "census:medicine"}
    by_lead = printed["measures"]["ed_census"]
    assert list(by_lead) == ["60", "120"]
    assert set(by_lead["60"]) == {
        "n", "left_out", "mae", "bias", "crps", "coverage_50", "coverage_80", "coverage_95", "baselines", "skill",
        "skill_ci95", "raw", "weight_of_simulation",
        "bias_ci95", "covered_80_by_rank", "width_80", "pinball", "quantile_bias",
    }  # fmt: skip
    assert len(printed["paired"]["issued_at"]) == 4
    assert len(printed["paired"]["measures"]["ed_census"]["120"]["crps"]) == 4
    assert by_lead["60"]["n"] == 4
    assert set(by_lead["60"]["baselines"]) == {*BASELINES, "count_model"}


def test_forecasts_are_met_by_what_came() -> None:
    pairs = report().pairs
    census = pairs.observed[pairs.measure == "ed_census"]
    assert census.size == 8
    assert 5 < census.min() <= census.max() < 60
    assert np.abs(pairs.error[pairs.measure == "ed_census"]).mean() < 8


def test_run_elsewhere_it_gives_the_same_and_so_it_does_a_second_time() -> None:
    with ThreadPoolExecutor(2) as executor:
        elsewhere = backtest(whole_log(), hospital(), USUAL, PLAN, executor=executor)
    assert fingerprint(elsewhere.pairs) == fingerprint(report().pairs)


def test_leads_may_come_in_any_order() -> None:
    one = replace(PLAN, last_at=PLAN.first_at, how=replace(HOW, members=2))
    assert fingerprint(of(one).pairs) == fingerprint(of(replace(one, lead_min=LEADS[::-1])).pairs)


def test_what_becomes_known_after_the_truth_was_taken_does_not_matter() -> None:
    assert PLAN.last_at + timedelta(minutes=max(LEADS)) + VINTAGE < NOON
    assert fingerprint(of(log=other_log()).pairs) == fingerprint(report().pairs)


def test_what_becomes_known_before_changes_the_truth_and_not_what_was_forecast() -> None:
    late = replace(PLAN, first_at=NOON - timedelta(hours=3), last_at=NOON - timedelta(hours=3))
    one, other = of(late).pairs, of(late, other_log()).pairs
    assert not np.array_equal(one.observed, other.observed)
    both = ~np.isnan(one.error + other.error)
    np.testing.assert_allclose((one.observed + one.error)[both], (other.observed + other.error)[both])


def emptied(known: Known, calibration: Calibration, *, seed: int, members: range) -> list[Present]:
    """The mutant: nobody is here when a run begins."""
    drawn = draw_presents(known, calibration, seed=seed, members=members)
    return [replace(made, here=np.zeros(made.count, dtype=bool), history=Story.of(())) for made in drawn]


def crps(found: Report, lead_min: float) -> float:
    return found.verifications["ed_census"][lead_min].crps


def test_a_twin_that_begins_with_an_empty_department_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = report()
    monkeypatch.setattr(ensemble, "draw_presents", emptied)
    broken = of()
    assert crps(sound, 60.0) < 0.5 * crps(broken, 60.0)
    assert broken.verifications["ed_census"][60.0].bias < -5


def test_beyond_the_end_of_the_log_nothing_is_scored() -> None:
    end = START + timedelta(days=DAYS)
    at = end - timedelta(minutes=90)
    late = replace(PLAN, first_at=at, last_at=at, how=replace(HOW, members=1))
    found = of(late).verifications["ed_census"]
    assert {lead: (v.n, v.left_out) for lead, v in found.items()} == {60.0: (1, 0), 120.0: (0, 1)}


def test_issue_times_run_from_first_to_last() -> None:
    assert PLAN.issue_times[0] == PLAN.first_at
    assert PLAN.issue_times[-1] == PLAN.last_at
    assert replace(PLAN, last_at=PLAN.first_at - timedelta(hours=1)).issue_times == []


def test_a_period_without_an_issue_has_no_scores() -> None:
    found = of(replace(PLAN, last_at=PLAN.first_at - timedelta(hours=1)))
    assert found.as_json() == {
        "n_issues": 0, "measures": {}, "paired": {"issued_at": [], "measures": {}},
    }  # fmt: skip


def test_each_issue_time_has_luck_of_its_own() -> None:
    seeds = {seed_of(seed, NOON + timedelta(minutes=m)) for seed in (1, 2) for m in range(50)}
    assert len(seeds) == 100


def test_progress_counts_issues() -> None:
    counted: list[tuple[int, int]] = []
    backtest(
        whole_log(),
        hospital(),
        USUAL,
        replace(PLAN, last_at=PLAN.first_at, how=replace(HOW, members=1)),
        progress=lambda done, whole: counted.append((done, whole)),
    )
    assert counted == [(1, 1)]


# --- faults


@pytest.mark.parametrize("leads", [(60.0, 1440.0), (50.0,), (0.0,), ()])
def test_leads_that_the_runs_do_not_reach_are_refused(leads: tuple[float, ...]) -> None:
    with pytest.raises(ForecastError, match=r"leads must be multiples of 15 min up to 120, but are"):
        replace(PLAN, lead_min=leads)


def test_too_little_history_before_the_first_issue_is_refused() -> None:
    with pytest.raises(TwinError, match="needs 7 days"):
        of(replace(PLAN, first_at=START + timedelta(days=6)))


# --- recalibrated by what was known at the time --------------------------------------------------------------------

LONG = replace(
    PLAN, first_at=START + timedelta(days=10), last_at=START + timedelta(days=14), how=replace(HOW, members=4)
)


@cache
def long_report() -> Report:
    """To be asked for while it is learned fast."""
    return of(LONG)


def learning_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The truth is known after a day, and a day of forecasts is enough to learn from."""
    monkeypatch.setattr(relearned, "LEARNED_AFTER", timedelta(days=1))
    monkeypatch.setattr(spread, "LEAST_DAYS", 2)


def corrected(found: Report) -> list[bool]:
    """By issue, whether anything was published that was not simulated."""
    pairs = found.pairs.taken(np.flatnonzero(~np.isnan(found.pairs.error)))
    differs = pairs.error != pairs.raw_error
    return [bool(differs[pairs.issued_at == at].any()) for at in np.unique(pairs.issued_at)]


def test_forecasts_are_recalibrated_once_the_truth_of_earlier_ones_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(corrected(report())), "two days have not passed: nothing is known of the first"
    learning_fast(monkeypatch)
    found = corrected(long_report())
    assert not any(found[:8])
    assert any(found[8:])


def test_after_a_warm_up_the_first_issue_is_corrected_and_only_those_asked_for_are_scored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learning_fast(monkeypatch)
    late = replace(LONG, first_at=LONG.first_at + timedelta(days=2, hours=12))
    warmed, cold = of(replace(late, warm_up=timedelta(days=2, hours=14))), of(late)
    assert warmed.plan.made_times[0] == LONG.first_at
    assert warmed.n_issues == cold.n_issues == len(late.issue_times)
    assert not any(at < np.datetime64(late.first_at.replace(tzinfo=None)) for at in warmed.pairs.issued_at)
    assert corrected(warmed)[0]
    assert not corrected(cold)[0], "the mutant: nothing was made before it"


def test_recalibration_learns_nothing_that_became_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taught by all truth at once, the mutant, the first forecasts are corrected by what came after them."""
    learning_fast(monkeypatch)
    half = of(replace(LONG, last_at=LONG.first_at + timedelta(days=3))).pairs
    whole = long_report().pairs.taken(np.arange(len(half)))
    both = ~np.isnan(half.error + whole.error)
    np.testing.assert_allclose((whole.observed + whole.error)[both], (half.observed + half.error)[both])

    def of_the_future(state: State, calibration: Calibration, as_of: datetime, valid: list[datetime]) -> object:
        times, valid[:] = list(valid), []
        known = Remembered(whole_log()).at(NOON)
        return Lesson(as_of, times, truth(known, calibration, times, NOON) if times else {})

    monkeypatch.setattr(module, "lesson_of", of_the_future)
    monkeypatch.setattr(module, "_recalibrated", partial(taught_by_all, module._recalibrated))
    assert any(corrected(of(LONG))[:8])


def taught_by_all(honest: Callable[..., Any], simulated: Iterable[Any], *rest: Any) -> Any:
    """Every issue after all others: the first ones once more at the end."""
    done = list(simulated)
    again = [replace(one, lesson=done[0].lesson if i == 0 else None) for i, one in enumerate(done)]
    told = list(honest([*done, *again], *rest))
    return told[len(done) :]
