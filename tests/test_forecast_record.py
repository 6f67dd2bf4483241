"""The record: rivals kept as they were told, forecasts met at the very instants they spoke of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pytest

from forecast.archive import SCHEMA_SQL, Archive
from forecast.baselines import BASELINES
from forecast.board import Skill
from forecast.calibrated import Correction, Recalibration
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.past import truth
from forecast.record import HEADLINES, Record, with_rivals
from forecast.situation import Situation
from forecast.values import Forecast, Series, series
from forecast.verify import joined
from ingest.database import Database
from tests.histories import LOOKS, NOON, calibration, scenarios, situation, state

HOW = Run(members=4, horizon_min=120.0)
WEEK_AGO = NOON - timedelta(days=7, minutes=130)
"""Ten minutes past a quarter of an hour; its last lead is a week old at noon."""
LEADS = np.array([60.0, 120.0])


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        yield Archive(database)


@cache
def said(at: datetime) -> Forecast:
    return issue(then(at), scenarios("as_usual", "arrivals_up_20"), HOW, Times(at, at, at))


def then(at: datetime) -> Situation:
    """The situation at noon, taken for that of another instant."""
    return replace(situation(), as_of=at)


def rivals(value: float = 20.0) -> dict[str, dict[str, Series]]:
    told = series(np.full((HOW.lead_min.size - 1, 3), value))
    return {name: dict.fromkeys(HEADLINES, told) for name in BASELINES}


def test_rivals_stand_beside_the_scenarios_from_lead_0_on_which_they_do_not_know() -> None:
    whole = with_rivals(said(NOON), rivals())
    assert list(whole.scenarios) == ["as_usual", "arrivals_up_20", *(f"rival:{name}" for name in BASELINES)]
    told = whole.scenarios["rival:persistence"]["ed_census"]
    assert np.isnan(told.mean[0])
    assert (told.quantiles[0.5][1:] == 20.0).all()
    assert whole.members == {}


def test_what_is_kept_is_read_back_with_its_rivals(archive: Archive) -> None:
    Record(archive).keep(said(WEEK_AGO), rivals(33.0))
    [kept] = archive.forecasts(WEEK_AGO, NOON)
    assert (kept.scenarios["rival:climatology"]["ed_census"].mean[1:] == 33.0).all()


def test_forecasts_are_met_at_the_instants_they_spoke_of(archive: Archive) -> None:
    record = Record(archive)
    record.keep(said(WEEK_AGO), rivals())
    record.verify(state(), calibration(), NOON)
    times = [WEEK_AGO + timedelta(minutes=lead) for lead in LEADS]
    came = truth(state(), calibration(), times, NOON)
    pairs = archive.pairs(WEEK_AGO, NOON)
    for measure in HEADLINES:
        assert pairs.observed[pairs.measure == measure].tolist() == came[measure].tolist()
    on_the_quarter = truth(state(), calibration(), [t - timedelta(minutes=10) for t in times], NOON)
    assert any(on_the_quarter[m].tolist() != came[m].tolist() for m in HEADLINES)  # the mutant: what came just before


def test_rivals_are_judged_by_what_they_said_then(archive: Archive) -> None:
    record = Record(archive)
    record.keep(said(WEEK_AGO), rivals(20.0))
    record.verify(state(), calibration(), NOON)
    pairs = archive.pairs(WEEK_AGO, NOON, measure="ed_census")
    np.testing.assert_allclose(pairs.rivals["persistence"].absolute_error, np.abs(pairs.observed - 20.0))


def test_the_record_is_summed_up_for_the_wall(archive: Archive) -> None:
    record = Record(archive)
    assert len(record.skills) == 0
    for minutes in (0, 40, 80):
        record.keep(said(WEEK_AGO - timedelta(minutes=minutes)), rivals())
    record.verify(state(), calibration(), NOON)
    shown: tuple[Skill, ...] = record.skills
    assert {(s.measure, s.lead_min) for s in shown} == {(m, lead) for m in HEADLINES for lead in (60, 120)}
    assert {s.n for s in shown} == {3}
    assert not any(s.backtested for s in shown)
    assert set(shown[0].skill) <= set(BASELINES)


def test_what_is_not_a_week_old_is_not_judged_yet(archive: Archive) -> None:
    record = Record(archive)
    record.keep(said(NOON - timedelta(days=6)), rivals())
    record.verify(state(), calibration(), NOON)
    assert len(archive.pairs(NOON - timedelta(days=20), NOON)) == 0
    assert record.skills == ()


def test_a_replay_stands_in_until_forecasts_are_verified_and_gives_way_then(archive: Archive) -> None:
    record = Record(archive)
    record.keep(said(WEEK_AGO), rivals())
    record.verify(state(), calibration(), NOON)
    verified = archive.skill(WEEK_AGO, NOON)
    fresh = Record(archive)
    fresh.replayed(joined([]), verified)
    assert all(s.backtested for s in fresh.skills)
    fresh.verify(state(LOOKS[1]), calibration(), LOOKS[1])
    assert fresh.skills
    assert not any(s.backtested for s in fresh.skills)


def test_an_archive_without_rivals_is_judged_alone(archive: Archive) -> None:
    archive.store(replace(said(WEEK_AGO), members={}))
    record = Record(archive)
    record.verify(state(), calibration(), NOON)
    assert {s.skill == {} for s in record.skills} == {True}


# --- as simulated, and as published -----------------------------------------------------------------------------------


def recalibrated() -> Forecast:
    """A forecast whose census is lowered by three."""
    leads = np.array(HOW.lead_min[1:])
    lower = Recalibration(
        "UTC", {"ed_census": Correction(leads, np.full((4, leads.size), 3.0), np.ones((4, leads.size)))}
    )
    times = Times(WEEK_AGO, WEEK_AGO, WEEK_AGO)
    return issue(then(WEEK_AGO), scenarios("as_usual", "arrivals_up_20"), HOW, times, recalibration=lower)


def test_what_was_simulated_is_kept_and_judged_beside_what_was_published(archive: Archive) -> None:
    record = Record(archive)
    record.keep(recalibrated(), rivals())
    record.verify(state(), calibration(), NOON)
    pairs = archive.pairs(WEEK_AGO, NOON, measure="ed_census")
    assert (pairs.raw_error - pairs.error) == pytest.approx(3.0, abs=0.2)
    waiting = archive.pairs(WEEK_AGO, NOON, measure="ed_waiting")
    assert waiting.raw_error.tolist() == waiting.error.tolist()


def test_recalibration_learns_from_what_was_verified_by_then(archive: Archive) -> None:
    record = Record(archive)
    record.keep(recalibrated(), rivals())
    record.verify(state(), calibration(), NOON)
    assert record.recalibration(NOON - timedelta(minutes=1), "UTC").days == 0
    assert record.recalibration(NOON, "UTC").days == 1
    assert set(record.recalibration(NOON, "UTC").measures) == set(HEADLINES)


# --- what is told but not final yet


def of_days_ago(archive: Archive, days: float) -> Record:
    record = Record(archive)
    record.keep(said(NOON - timedelta(days=days, hours=2)), rivals())
    return record


def test_what_is_two_days_old_teaches_though_it_is_not_judged_yet(archive: Archive) -> None:
    record = of_days_ago(archive, 2)
    record.verify(state(), calibration(), NOON)
    assert len(archive.pairs(NOON - timedelta(days=20), NOON)) == 0
    assert record.recalibration(NOON, "UTC", known=(state(), calibration())).days == 1
    assert record.recalibration(NOON, "UTC").days == 0, "the mutant: only final truth teaches"
    assert len(archive.pairs(NOON - timedelta(days=20), NOON)) == 0, "nothing is kept of it"


def test_what_is_younger_teaches_nothing(archive: Archive) -> None:
    record = of_days_ago(archive, 1 + 23.5 / 24)
    found = record.recalibration(NOON, "UTC", known=(state(), calibration()))
    assert found.days == 1
    assert set(found.measures["ed_census"].lead_min) == {60.0}, "two hours ahead it spoke of less than two days ago"


def test_final_truth_teaches_once_and_not_beside_what_was_known_before_it(archive: Archive) -> None:
    record = Record(archive)
    record.keep(said(WEEK_AGO), rivals())
    record.verify(state(), calibration(), NOON)
    both = record.recalibration(NOON, "UTC", known=(state(), calibration()))
    assert both.digest == record.recalibration(NOON, "UTC").digest
