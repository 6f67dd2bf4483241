"""Doctors that nobody tells: as many as contacts ask for in a queue, none where nobody queues; and what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecast.ensemble import Run, run_chunk
from forecast.lever import no_lever
from forecast.situation import Situation, situation_of
from ingest.events import Arrived, Event, EventId, StaffOnDuty, Triaged, VisitId
from tests.histories import NOON, hospital, scenarios, told
from tests.test_twin_contacts import MONDAY, department
from twin import calibrate as calibrate_module
from twin import supposed as module
from twin.calibrate import calibrate
from twin.contacts import steps_of
from twin.doctors import Roster
from twin.state import State, fold
from twin.story import Visits
from twin.supposed import supposed_roster

DAYS = 40
CROWD = 30


def roster_of(visits: Visits) -> Roster | None:
    grid = steps_of(visits)
    return supposed_roster(visits, grid, [MONDAY + timedelta(minutes=float(minute)) for minute in grid])


def nobody_queues(delay_min: float = 120.0) -> Visits:
    """Each is seen after a time of their own, however many wait."""
    visits, _ = department(15.0, hours=DAYS * 24)
    waited = np.random.default_rng(5).exponential(delay_min, visits.arrived_min.size)
    seen = visits.arrived_min + waited
    return replace(visits, seen_min=seen, departed_min=seen + 60.0)


def test_what_the_supposed_doctors_see_in_an_hour_is_what_those_who_are_there_do() -> None:
    """Two who take so long for a contact are as many as see two patients an hour each."""
    for slot_min in (10.0, 15.0, 30.0):
        found = roster_of(department(slot_min, hours=DAYS * 24)[0])
        assert found
        by_day = np.array(found)[:, 4:13]
        assert by_day.mean() == pytest.approx(2 * module.A_CONTACT_MIN / slot_min, rel=0.15)


def test_nobody_is_supposed_where_nobody_queues() -> None:
    assert roster_of(nobody_queues()) is None
    assert roster_of(department(15.0, load=0.4)[0]) is None, "hardly anybody waits"


def test_a_crowd_taken_for_a_queue_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant does not ask whether a larger crowd is seen any slower."""
    monkeypatch.setattr(module, "SEEN_NO_FASTER", np.inf)
    assert roster_of(nobody_queues()) is not None


# --- what it is for


def a_crowd() -> Iterator[Event]:
    """Who all came a moment ago and have been triaged."""
    for i in range(CROWD):
        for kind, ago in ((Arrived, 12), (Triaged, 2)):
            when = NOON - timedelta(minutes=ago)
            yield kind(event_id=EventId(f"crowd/{i}/{kind.__name__}"), visit=VisitId(f"crowd{i}"), occurred_at=when,
                       known_at=when, source="crowd")  # fmt: skip


def crowded(*, doctors: bool = False) -> Situation:
    """The hospital, whose log tells of doctors or does not, with a crowd that waits."""
    events = [event for event in told().known(NOON) if doctors or not isinstance(event, StaffOnDuty)]
    learned = calibrate(fold(State(), events), hospital(), NOON)
    return situation_of(fold(State(), [*events, *a_crowd()]), learned, NOON)


def still_waiting(situation: Situation) -> float:
    """Of those at noon, the share who still wait an hour later; in the mean of the members, those who came left out."""
    how = Run(members=30, horizon_min=60)
    [usual] = scenarios("as_usual")
    ran = run_chunk(situation, [usual], how, range(how.members))[usual.name]
    waiting, came = ran["ed_waiting"].mean(axis=1), ran["ed_arrivals"].mean(axis=1)
    return float((waiting[-1] - came[-1]) / waiting[0])


def test_a_crowd_is_seen_as_fast_as_those_who_are_there_can_and_not_as_fast_as_usual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nearly as where the log tells who is there; the mutant knows no queue, and sees four times as many."""
    found, known = still_waiting(crowded()), still_waiting(crowded(doctors=True))
    assert found == pytest.approx(known, abs=0.08)
    monkeypatch.setattr(calibrate_module, "supposed_roster", lambda *_: None)
    assert still_waiting(crowded()) < known - 0.2


def test_what_is_supposed_is_said_and_cannot_be_changed() -> None:
    situation = crowded()
    report, doctors = situation.calibration.report, situation.calibration.hospital
    assert (report["doctors_known"], "doctor" in doctors.limited, "doctor" in doctors.told) == (False, True, False)
    assert {len(day) for day in report["doctors_supposed"]} == {24}
    assert any("seem to be there" in gap for gap in report["not_known"])
    [more] = scenarios("extra_doctor")
    assert "do not tell how many" in str(no_lever(situation, more))
