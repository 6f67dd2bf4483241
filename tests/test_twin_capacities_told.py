"""Beds and staff as told: a ward that closed beds this morning, beds to open again, doctors for tonight."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forecast.ensemble import Run, applied_to, run_chunk
from forecast.situation import Situation, situation_of
from ingest.events import BedsCounted, Event, EventId, StaffOnDuty, UnitId
from tests.histories import NOON, calibration, scenarios, state
from twin.capacities_told import as_told, told_ahead, with_beds_now
from twin.hospital import CARE
from twin.state import State, fold

MEDICINE = UnitId("medicine")
HOW = Run(members=1, horizon_min=600.0, step_min=60.0)


def counted(minute: float, count: int) -> Event:
    """So many open beds of medicine from a minute on, known at noon."""
    at = NOON + timedelta(minutes=minute)
    return BedsCounted(event_id=EventId(f"b{minute}"), occurred_at=at, known_at=NOON, unit=MEDICINE, count=count)


def on_duty(minute: float, count: int) -> Event:
    at = NOON + timedelta(minutes=minute)
    return StaffOnDuty(event_id=EventId(f"s{minute}"), occurred_at=at, known_at=NOON, pool="doctor", count=count)


def places(s: Situation) -> int:
    return s.calibration.hospital.unit("medicine").places


def told(*events: Event) -> Situation:
    return situation_of(fold(state(), events), calibration(), NOON)


def test_beds_that_closed_since_the_calibration_are_closed() -> None:
    """With last night's number, the mutant, they would be free."""
    before = calibration().hospital.unit("medicine").places
    after = told(counted(-60.0, before - 5))
    assert places(after) == before - 5
    assert places(told()) == before
    assert told().calibration is calibration()
    capacity = applied_to(after, scenarios("as_usual")[0], HOW).capacity["bed:medicine"]
    assert capacity == ((0.0, before - 5 - after.calibration.hospital.unit("medicine").held_back),)


def test_beds_that_are_to_open_again_do_and_are_free_then() -> None:
    """A closure with its end told: without it, the mutant, the beds would stay closed all day."""
    whole = calibration().hospital.unit("medicine").places
    closed, reopening = [counted(-60.0, whole - 5)], [counted(-60.0, whole - 5), counted(180.0, whole)]
    free = {}
    for name, events in (("stays", closed), ("opens", reopening)):
        here = told(*events)
        run = run_chunk(here, scenarios("as_usual"), HOW, range(20))["as_usual"]
        free[name] = (run["beds_free:medicine"] + run["census:medicine"]).mean(axis=1)
    assert (free["opens"] - free["stays"]).tolist() == [0.0] * 3 + [5.0] * 8


def test_what_was_told_of_a_ward_whose_beds_are_not_known_is_left_out() -> None:
    c = calibration()
    fresh = fold(State(), [counted(-60.0, 3), counted(60.0, 9)])
    assert with_beds_now(c.hospital, frozenset(), fresh, NOON) is c.hospital
    assert told_ahead(fresh, c.hospital, frozenset(), NOON) == {}


def test_a_change_of_the_roster_that_is_told_holds_until_the_roster_changes_by_itself() -> None:
    usual = ((0.0, 4), (120.0, 2), (600.0, 4))
    assert as_told(usual, ((60.0, 5),)) == ((0.0, 4), (60.0, 5), (120.0, 2), (600.0, 4))
    assert as_told(usual, ((120.0, 3), (240.0, 2))) == ((0.0, 4), (120.0, 3), (240.0, 2), (600.0, 4))
    assert as_told(usual, ()) is usual


def test_a_count_of_staff_told_before_its_time_holds_once_it_has_begun_until_the_roster_changes() -> None:
    """Told afterwards, the mutant, it says what was: forecasts take the roster."""
    hospital, caseload = calibration().hospital, next(p.caseload for p in calibration().hospital.rosters)
    begun = replace(on_duty(-20.0, 1), known_at=NOON - timedelta(minutes=30))
    afterwards = replace(begun, known_at=NOON - timedelta(minutes=10))
    (change, _), *_ = [s for s in hospital.capacities(("doctor",), NOON, 1440.0)["doctor"] if s[0] > 0]
    later = NOON + timedelta(minutes=change)
    for event, at, expected in (
        (begun, NOON, {"doctor": ((0.0, 1),), CARE + "doctor": ((0.0, caseload),)}),
        (begun, later - timedelta(minutes=1), {"doctor": ((0.0, 1),), CARE + "doctor": ((0.0, caseload),)}),
        (begun, later, {}), (afterwards, NOON, {}), (begun, NOON + timedelta(days=2), {}),
    ):  # fmt: skip
        assert told_ahead(fold(State(), [event]), hospital, frozenset(), at) == expected


def test_doctors_told_for_tonight_come_with_the_patients_they_look_after() -> None:
    here = told(on_duty(90.0, 7))
    caseload = next(p.caseload for p in here.calibration.hospital.rosters if p.name == "doctor")
    assert here.told_ahead == {"doctor": ((90.0, 7),), CARE + "doctor": ((90.0, 7 * caseload),)}
    usual, changed = (
        dict(applied_to(one, scenarios("as_usual")[0], HOW).capacity["doctor"])
        for one in (replace(here, told_ahead={}), here)
    )
    assert changed[90.0] == 7
    assert 90.0 not in usual
