"""Parameters from a log: the path that it can tell, what it says of who comes, and nothing from the future."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from ingest.events import Arrived, Departed, Event, LeftDuringCare, LeftWithoutBeingSeen
from tests.histories import (
    NOON,
    NOTHING_MISSING,
    START,
    calibration,
    fingerprint,
    hospital,
    state,
    told,
)
from twin.calibrate import Calibration, calibrate
from twin.errors import TwinError
from twin.state import State, fold

REPORT = {
    "as_of", "version", "path", "days", "visits", "year_days", "year_visits", "arrivals_per_day", "recent_level",
    "day_cv", "come_together", "arrivals_per_hour", "calendar", "classes", "stay_min", "durations", "recorded_share",
    "ghost_share", "shares", "wards", "ward_stays", "beds_known", "beds_held_back", "bed_turnaround_min",
    "doctors_known", "doctors_supposed", "doctor_caseload", "doctor_slot_min", "excluded", "not_known", "checks",
    "names", "verdict",
}  # fmt: skip
SHORT = (Arrived, Departed, LeftWithoutBeingSeen, LeftDuringCare)


def of(events: Iterable[Event]) -> Calibration:
    return calibrate(fold(State(), events), hospital(), NOON)


@cache
def short() -> Calibration:
    """From a log of arrivals and exits alone; the ward of an exit is not told."""
    kept = [e for e in told().known(NOON) if isinstance(e, SHORT)]
    return of(replace(e, unit=None) if isinstance(e, Departed) else e for e in kept)


# --- a function of what is known; that nothing later is read is shown in test_forecast_situation.py


def test_the_same_log_gives_the_same_parameters() -> None:
    assert fingerprint(calibrate(state(), hospital(), NOON)) == fingerprint(calibration())


def test_the_order_of_the_log_does_not_matter() -> None:
    backwards = fold(State(), list(reversed(told().known(NOON))))
    again = calibrate(backwards, hospital(), NOON)
    assert again.report == calibration().report


# --- which path


def test_a_log_with_milestones_is_walked_by_them_and_one_without_by_lengths_of_stay() -> None:
    assert calibration().path.name == "milestones"
    assert short().path.name == "stay"
    assert "waiting, decisions and boarding inside the stay" in short().report["not_known"]


def test_a_log_that_seldom_tells_the_decision_is_walked_by_lengths_of_stay() -> None:
    kept = [e for i, e in enumerate(told().known(NOON)) if e.kind != "DecidedToAdmit" or i % 3 == 0]
    assert of(kept).path.name == "stay"


# --- what it says


def arrivals_a_day(events: Iterable[Event]) -> float:
    since = NOON - timedelta(days=14)
    return sum(isinstance(e, Arrived) and since <= e.occurred_at < NOON for e in events) / 14


def test_arrivals_are_those_of_the_log_and_half_the_log_has_half() -> None:
    known = told().known(NOON)
    assert calibration().report["arrivals_per_day"] == pytest.approx(arrivals_a_day(known), rel=0.05)
    visits = {e.visit for e in known if isinstance(e, Arrived)}
    dropped = {v for v in visits if int(v[-1], 16) % 2}
    half = of(e for e in known if getattr(e, "visit", None) not in dropped)
    assert half.report["arrivals_per_day"] == pytest.approx(arrivals_a_day(known) / 2, rel=0.1)


def test_more_come_by_day_than_by_night() -> None:
    rate = calibration().parameters.streams[0].per_hour.reshape(7, 24)
    assert rate[:, 10:20].mean() > 2 * rate[:, 1:6].mean()


def test_ghosts_are_the_exits_that_nobody_entered() -> None:
    assert calibration().report["ghost_share"] == pytest.approx(0.10, abs=0.03)
    assert calibration(NOTHING_MISSING).report["ghost_share"] == 0.0


def test_what_is_recorded_is_reported() -> None:
    assert set(calibration().report) == REPORT
    told_share = calibration().report["recorded_share"]
    assert told_share["triage"] == pytest.approx(0.95, abs=0.02)
    assert calibration().report["excluded"]["not yet settled (48 h)"] == pytest.approx(180, abs=40)
    assert calibration().report["not_known"] == []


@pytest.mark.parametrize("which", [calibration, short], ids=["milestones", "stay"])
def test_shares_are_shares(which: object) -> None:
    parameters = (calibration() if which is calibration else short()).parameters
    exclusive = {"milestones": [("p_lwbs",), ("p_admit",), ("p_elsewhere",), ("p_transfer", "p_died", "p_left")],
                 "stay": [("p_ward", "p_other", "p_lwbs"), ("p_died",), ("p_ward_followed",)]}  # fmt: skip
    groups = exclusive["stay" if "p_ward" in parameters.shares else "milestones"]
    assert {name for group in groups for name in group} == set(parameters.shares)
    for group in groups:
        total = np.sum([parameters.shares[name] for name in group], axis=0)
        assert ((total >= 0) & (total <= 1 + 1e-12)).all()
    assert np.allclose(parameters.wanted["ward"].sum(axis=1), 1.0)
    assert np.allclose(parameters.streams[0].class_share.sum(axis=1), 1.0)


def test_the_elderly_are_admitted_more_often_than_the_young() -> None:
    by_class = calibration().parameters.shares["p_admit"].mean(axis=1)
    names = [c.label for c in calibration().parameters.classes]
    assert by_class[names.index("3A 75+")] > by_class[names.index("3A 0-74")]


def test_each_future_lasts_as_long_as_it_did() -> None:
    c = short()
    rows = np.zeros(c.parameters.classes.__len__(), dtype=np.int64)
    cls = np.arange(rows.size)
    medians = {
        name: float(np.median(d.at(np.full(rows.size, 0.5), cls, rows))) for name, d in c.parameters.durations.items()
    }
    assert medians["stay_ward"] > 1.3 * medians["stay_home"]


def test_stays_in_wards_count_those_that_still_last() -> None:
    assert set(calibration().report["ward_stays"]) == set(calibration().report["beds_known"])
    assert all(n > 0 for n in calibration().report["ward_stays"].values())


# --- too little


def test_less_than_a_week_is_too_little() -> None:
    early = START + timedelta(days=7)
    with pytest.raises(
        TwinError, match=r"needs 7 days of visits that are 48 hours old or more, but the log holds 4\.\d"
    ):
        calibrate(state(early), hospital(), early)


def test_an_empty_log_is_too_little() -> None:
    with pytest.raises(TwinError, match=r"needs 7 days of visits"):
        calibrate(State(), hospital(), NOON)


def test_a_log_without_exits_cannot_be_learned_from() -> None:
    arrivals = [e for e in told().known(NOON) if isinstance(e, Arrived)]
    with pytest.raises(TwinError, match="needs visits with arrival and departure"):
        of(arrivals)
