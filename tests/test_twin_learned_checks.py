"""A calibration looks at itself: what a log leaves out, doubles or turns round shows in the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from ingest.events import Departed, Event, EventId, LeftDuringCare, LeftWard, LeftWithoutBeingSeen, Triaged
from tests.histories import NOON, NOTHING_MISSING, calibration, hospital, told
from twin.alike import group_of
from twin.calibrate import calibrate
from twin.durations import fixed
from twin.history import History, completed, history_of
from twin.learned_checks import _law, checks
from twin.minutes import Minutes
from twin.reporting import Reporting, with_ends
from twin.settled import learning_window
from twin.state import State, fold
from twin.story import Array

Looks = list[dict[str, Any]]


def looks(events: Iterable[Event], learned: Mapping[str, Any] | None = None) -> Looks:
    """What the checks say of a log, with the durations that are told or those of the calibration."""
    state = fold(State(), events)
    known = calibration(NOTHING_MISSING).hospital
    codes = {u.name: i for i, u in enumerate(known.units)}
    history = history_of(state, Minutes(NOON), 0.0, known.acuities, codes, known.zone)
    durations = calibration(NOTHING_MISSING).parameters.durations
    return checks(history, completed(history), learning_window(history, 60), known, {**durations, **(learned or {})})


def of(found: Looks, check: str, what: str) -> dict[str, Any]:
    [one] = [c for c in found if c["check"] == check and c["what"] == what]
    return one


def whole() -> list[Event]:
    return told(NOTHING_MISSING).known(NOON)


def test_a_whole_log_is_good_at_its_department() -> None:
    found = looks(whole())
    assert of(found, "little", "department")["verdict"] == "good"
    assert {c["verdict"] for c in found if c["check"] != "little"} == {"good"}


def test_stays_taken_for_longer_than_they_are_break_the_law_of_little() -> None:
    """The mutant of the calibration: a ward's stays are learned twice as long."""
    usual = of(looks(whole()), "little", "uhcd")
    twice = of(looks(whole(), {"ward_stay:uhcd": fixed(2 * 60.0 * 24)}), "little", "uhcd")
    assert usual["verdict"] == "good"
    assert twice["verdict"] == "bad"
    assert twice["expected"] > 1.5 * twice["seen"]


@pytest.mark.parametrize(
    ("kinds", "field", "share", "verdict"),
    [((Triaged,), "triage", 0.75, "doubtful"), ((Triaged,), "triage", 0.3, "bad"), (
        (Departed, LeftDuringCare, LeftWithoutBeingSeen), "exit", 0.75, "doubtful")],
)  # fmt: skip
def test_what_is_not_told_shows(kinds: tuple[type[Event], ...], field: str, share: float, verdict: str) -> None:
    kept = [e for i, e in enumerate(whole()) if not isinstance(e, kinds) or i % 100 < share * 100]
    found = of(looks(kept), "completeness", field)
    assert found["seen"] == pytest.approx(share, abs=0.05)
    assert found["verdict"] == verdict


def test_exits_before_arrivals_show() -> None:
    day = timedelta(days=1)
    turned = [
        replace(e, occurred_at=e.occurred_at - day) if isinstance(e, Departed) and i % 20 == 0 else e
        for i, e in enumerate(whole())
    ]
    assert of(looks(turned), "implausible", "department")["verdict"] in ("doubtful", "bad")
    assert of(looks(whole()), "implausible", "department")["seen"] == 0.0


def test_the_report_has_them_and_a_verdict() -> None:
    report = calibration(NOTHING_MISSING).report
    assert {c["check"] for c in report["checks"]} == {"little", "implausible", "completeness"}
    assert report["verdict"] in ("good", "doubtful")
    kept = [e for e in whole() if not isinstance(e, LeftWard)]
    assert calibrate(fold(State(), kept), hospital(), NOON).report["verdict"] != "good"


def test_an_event_id_is_told_nowhere() -> None:
    assert EventId(str(whole()[0].event_id)) not in str(calibration(NOTHING_MISSING).report)


def test_who_is_still_there_has_come_all_the_same() -> None:
    """One a day for sixty days, each for ten days: one a day has come, though the last ten have not left."""
    day = 1440.0
    start = np.arange(0.0, 60 * day, day)
    end = np.where(start + 10 * day < 60 * day, start + 10 * day, np.nan)
    law = _law(start, end, (0.0, 60 * day))
    assert law.per_hour * 24 == pytest.approx(1.0)
    assert law.stay_h == pytest.approx(240.0)
    assert _law(start[~np.isnan(end)], end[~np.isnan(end)], (0.0, 60 * day)).per_hour * 24 < 0.9, "the mutant"


def test_exits_that_nobody_told_do_not_break_the_law_of_a_ward_of_short_stays() -> None:
    """The mutant leaves stays open whose end was not told: in a ward of hours they soon are all its census."""
    lost = {e.event_id for k, e in enumerate(e for e in whole() if isinstance(e, LeftWard)) if k % 8 == 0}
    state = fold(State(), [e for e in whole() if e.event_id not in lost])
    known = calibration(NOTHING_MISSING)
    codes = {u.name: i for i, u in enumerate(known.hospital.units)}
    history = history_of(state, Minutes(NOON), 0.0, known.hospital.acuities, codes, known.hospital.zone)
    visits, window = completed(history), learning_window(history, 60)
    closed = with_ends(history, visits, ways_out(history))
    seen = [
        of(checks(history, v, window, known.hospital, known.parameters.durations), "little", "uhcd")
        for v in (closed, visits)
    ]
    usual = of(looks(whole()), "little", "uhcd")
    assert abs(seen[0]["seen"] / usual["seen"] - 1) < 0.25
    assert seen[1]["seen"] > 2 * usual["seen"]


def ways_out(history: History) -> Reporting:
    """One in eight exits from a ward is never told, the others at once."""
    stay = np.tile(np.quantile(uhcd_stays(history), np.linspace(0.01, 0.99, 50)), 8)
    group = np.repeat([group_of(np.array([code]), np.array([b]))[0] for code in range(20) for b in range(6)], stay.size)
    delay = np.tile(np.where(np.arange(stay.size) % 8 == 0, np.inf, 0.0), 120)
    return Reporting(group, np.tile(stay, 120), delay, np.full(group.size, np.inf))


def uhcd_stays(history: History) -> Array:
    uhcd = next(i for i, u in enumerate(calibration(NOTHING_MISSING).hospital.units) if u.name == "uhcd")
    stays = (history.visits.stay_until_min - history.visits.stay_from_min)[history.visits.stay_unit == uhcd]
    return np.asarray(stays[~np.isnan(stays)])
