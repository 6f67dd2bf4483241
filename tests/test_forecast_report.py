"""The report's value: every part is there, days are explained by what was different, figures are those of the pairs."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from forecast import backtest as module
from forecast.backtest import Plan, Report, backtest
from forecast.day_facts import DayFacts, Fact, day_facts, holiday_names
from forecast.ensemble import Run
from forecast.peak_rivals import SAYING
from forecast.report import BacktestReport, Making, make_report
from ingest.events import Departed
from ingest.log import EventLog
from tests.histories import (
    DAYS,
    NOON,
    START,
    Remembered,
    fingerprint,
    hospital,
    log_of,
    scenarios,
    state,
    told,
    whole_log,
)
from tests.once import once_a_run
from twin.state import State

PLAN = Plan(
    START + timedelta(days=10), START + timedelta(days=16), timedelta(hours=4), (60.0, 240.0),
    Run(members=4, horizon_min=240.0, seed=4),
)  # fmt: skip
ZONE = "Europe/Paris"


@once_a_run
def found() -> Report:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "Memory", Remembered)
        return backtest(whole_log(), hospital(), scenarios("as_usual")[0], PLAN)


def making() -> Making:
    return Making(
        hospital="Saint-Jean <& fils>", zone=ZONE, kind="fabricated", command="edtwin backtest --every 240m",
        versions={"edtwin": "0.1.0"}, code="c0de", log="10c", plan=PLAN, n_issues=found().n_issues, first_day=START,
    )  # fmt: skip


@once_a_run
def report() -> BacktestReport:
    return make_report(found(), making(), whole_log(), hospital())


def test_every_headline_measure_and_the_peaks_are_told_at_every_lead() -> None:
    measures = [one.measure for one in report().measures]
    assert measures == ["ed_census", "ed_boarders", "ed_waiting", "ed_arrivals", "peak:ed_census", "peak_min:ed_census"]
    for one in report().measures:
        assert [at.lead_min for at in one.leads] == [60.0, 240.0]
    assert set(report().rivals) >= {"persistence", "climatology", "anomaly_persistence", "count_model"}
    assert report().of("unheard_of") is None
    for kind in ("peak:ed_census", "peak_min:ed_census"):
        peak = report().of(kind)
        assert peak is not None
        compared = [{name for name, gain in at.scores.skill.items() if np.isfinite(gain)} for at in peak.leads]
        assert compared == [set(SAYING)] * 2


def test_figures_are_those_of_the_pairs() -> None:
    census = report().of("ed_census")
    assert census is not None
    for at in census.leads:
        verified = found().verifications["ed_census"][at.lead_min]
        assert (at.scores.mae, at.scores.bias, at.scores.crps) == (verified.mae, verified.bias, verified.crps)
        assert at.scores.skill == pytest.approx(verified.skill)
        assert at.floor_mae is not None
        assert 1.0 < at.floor_mae < 6.0
    assert census.ranks.mean.sum() == pytest.approx(1.0)
    assert sum(one.n for one in census.weekdays if one) == sum(at.scores.n for at in census.leads)


def test_what_an_oracle_leaves_is_the_floor_where_there_is_one() -> None:
    floored = make_report(found(), making(), whole_log(), hospital(), floor_crps={240.0: 0.5}).of("ed_census")
    assert floored is not None
    one, four = floored.leads
    assert one.attained_crps is None
    usual = four.scores.crps / (1 - four.scores.skill["climatology"])
    assert four.attained_crps == pytest.approx((usual - four.scores.crps) / (usual - 0.5))


def test_thresholds_are_those_that_are_named_or_set_by_what_came() -> None:
    assert all(0.0 < t.came < 0.6 for t in report().thresholds)
    named = make_report(found(), making(), whole_log(), hospital(), thresholds=(17.0,))
    assert [t.threshold for t in named.thresholds] == [17.0]


def test_the_worst_days_are_the_worst_and_hold_what_was_forecast_of_them() -> None:
    worst = report().worst
    assert [day.crps for day in worst] == sorted((day.crps for day in worst), reverse=True)
    assert worst[0].crps > worst[0].usual_crps
    first = worst[0]
    assert len(first.at) == first.observed.size == first.quantiles[0.5].size
    assert list(first.at) == sorted(first.at)
    assert first.lead_min == 240.0


def test_a_period_without_a_pair_has_a_report_that_says_nothing() -> None:
    empty = replace(found(), pairs=found().pairs.taken(np.arange(0)), verifications={}, n_issues=0)
    told_of = make_report(empty, making(), whole_log(), hospital())
    assert (told_of.measures, told_of.worst, told_of.hours, told_of.thresholds) == ((), (), None, ())


# --- what was different on a day


def facts_of(log: EventLog, known: State, known_at: datetime) -> dict[date, DayFacts]:
    return day_facts(found().pairs, log, known, ZONE, known_at=known_at, holidays="FR")


def fact(facts: tuple[Fact, ...], name: str) -> Fact:
    return next(one for one in facts if one.name == name)


def test_a_day_on_which_the_feed_was_late_and_exits_were_lost_is_told_apart() -> None:
    """The same log, with what was known of a day's morning coming eight hours late, and half its exits lost."""
    day = START + timedelta(days=13)
    night = timedelta(hours=8)
    events = []
    for event in told().events:
        mine = day <= event.occurred_at < day + timedelta(days=1)
        if mine and isinstance(event, Departed) and event.occurred_at.minute % 2:
            continue
        if day <= event.occurred_at < day + night and event.known_at is not None:
            event = replace(event, known_at=max(event.known_at, day + night), recorded_at=None)
        events.append(event)
    late_log = log_of(events)
    until = START + timedelta(days=DAYS)
    usual, other = (
        facts_of(log, Remembered(log).at(until), until)[day.date()].facts for log in (whole_log(), late_log)
    )
    for name in ("late_share", "silence_h", "exits_untold"):
        assert not fact(usual, name).striking, name
        assert fact(other, name).striking, name
    assert fact(other, "silence_h").value > 3.0
    assert fact(other, "late_share").value > fact(other, "late_share").usual + 0.05


def test_arrivals_of_a_day_are_those_who_came_between_its_midnights() -> None:
    days = facts_of(whole_log(), state(), NOON)
    first = datetime(2025, 1, 17, 23, tzinfo=UTC)  # midnight in Paris
    came = [
        v
        for v in state().visits.values()
        if v.arrived_at and not v.planned and first <= v.arrived_at < first + timedelta(days=1)
    ]
    assert fact(days[date(2025, 1, 18)].facts, "arrivals").value == len(came) > 50


def test_holidays_are_named_in_both_languages() -> None:
    assert holiday_names("FR", date(2026, 5, 8)) == {"fr": "Fête de la Victoire", "en": "Victory Day"}
    assert holiday_names("FR-57", date(2026, 12, 26))["fr"]
    assert holiday_names("FR", date(2026, 5, 7)) == {}
    assert holiday_names("", date(2026, 5, 8)) == {}


def test_what_one_process_hands_the_others_is_the_report() -> None:
    """It is made once a run (`once.py`): what is read from what was kept is what is made here."""
    made = make_report(found(), making(), whole_log(), hospital())
    assert fingerprint(report()) == fingerprint(made)
    assert fingerprint(pickle.loads(pickle.dumps(made))) == fingerprint(made)
