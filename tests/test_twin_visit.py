"""One visit from its events: milestones, exits, stays; what comes after an instant left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.events import Event, VisitId
from tests.worlds import at, told
from twin.visit import Stay, Visit
from twin.visit_story import visit_of

A = VisitId("a")


def visit(*events: Event) -> Visit:
    row = visit_of(A, sorted(events, key=lambda e: e.occurred_at))
    assert row is not None
    return row


def test_no_event_is_no_visit() -> None:
    assert visit_of(A, []) is None


def test_milestones_are_the_first_of_their_kind_and_the_exit_the_last() -> None:
    row = visit(
        told("Arrived", "a", "08:00"),
        told("Triaged", "a", "08:10", acuity="3A"),
        told("Triaged", "a", "09:00", nth=1, acuity="2"),
        told("SeenByProvider", "a", "09:30"),
        told("SeenByProvider", "a", "10:00", nth=1),
        told("Departed", "a", "11:00", to="home"),
        told("Departed", "a", "12:00", nth=1, to="transfer", told_at=at("13:00")),
    )
    assert (row.triaged_at, row.seen_at) == (at("08:10"), at("09:30"))
    assert row.acuity == "2"
    assert (row.departed_at, row.departure_known_at, row.to) == (at("12:00"), at("13:00"), "transfer")


def test_what_is_known_of_the_patient_is_what_was_told_last() -> None:
    row = visit(
        told("Arrived", "a", "08:00", mode="ambulance", age_band="18-74"),
        told("DecidedToAdmit", "a", "10:00", unit="medicine"),
        told("Changed", "a", "10:30", age_band="75+", unit="surgery"),
        told("Changed", "a", "11:00", nth=1, acuity="2"),
    )
    assert (row.mode, row.age_band, row.acuity, row.unit_wanted) == ("ambulance", "75+", "2", "surgery")


WAITS = [
    (["Arrived"], "triage", "08:00"),
    (["Arrived", "Triaged"], "provider", "09:00"),
    (["Arrived", "SeenByProvider"], "decision", "09:00"),
    (["Arrived", "Triaged", "DecidedToDischarge"], "departure", "10:00"),
    (["Arrived", "SeenByProvider", "DecidedToDischarge", "DecidedToAdmit"], "bed", "11:00"),
]


@pytest.mark.parametrize(("kinds", "waits_for", "since"), WAITS, ids=[w for _, w, _ in WAITS])
def test_what_a_visit_waits_for_follows_from_its_last_milestone(kinds: list[str], waits_for: str, since: str) -> None:
    row = visit(*(told(kind, "a", f"{8 + hour:02}:00") for hour, kind in enumerate(kinds)))
    assert (row.waits_for, row.since_at) == (waits_for, at(since))


def test_stays_follow_moves_and_the_exit_to_a_ward() -> None:
    row = visit(
        told("Arrived", "a", "08:00"),
        told("Moved", "a", "08:30", unit="boxes"),
        told("Moved", "a", "08:40", nth=1, unit="boxes"),
        told("Departed", "a", "12:00", to="ward", unit="medicine"),
        told("Moved", "a", "15:00", nth=2, unit="surgery"),
        told("LeftWard", "a", "20:00", to="home", told_at=at("22:00")),
    )
    assert row.stays == (
        Stay("boxes", at("08:30"), at("12:00"), False, at("12:00")),  # type: ignore[arg-type]
        Stay("medicine", at("12:00"), at("15:00"), True, at("15:00")),  # type: ignore[arg-type]
        Stay("surgery", at("15:00"), at("20:00"), True, at("22:00")),  # type: ignore[arg-type]
    )
    assert row.ward_stay is None
    assert row.as_of(at("19:00")).ward_stay == replace(row.stays[-1], until_at=None, end_known_at=None)


def test_who_comes_by_appointment_enters_a_ward_without_the_department() -> None:
    row = visit(told("EnteredWard", "a", "08:00", unit="surgery", planned=True))
    assert (row.arrived_at, row.departed_at, row.planned) == (None, None, True)
    assert row.ward_stay == Stay("surgery", at("08:00"), None, True)  # type: ignore[arg-type]


def test_who_enters_a_ward_from_the_department_has_left_it() -> None:
    row = visit(told("Arrived", "a", "08:00"), told("EnteredWard", "a", "12:00", unit="surgery"))
    assert (row.departed_at, row.to) == (at("12:00"), "ward")
    assert [s.unit for s in row.stays] == ["surgery"]
    recorded = visit(
        told("Arrived", "a", "08:00"),
        told("Departed", "a", "12:00", to="ward", unit="surgery"),
        told("EnteredWard", "a", "12:05", unit="surgery"),
    )
    assert recorded.departed_at == at("12:00")


@pytest.mark.parametrize(
    ("kind", "to"), [("LeftWithoutBeingSeen", "left_without_being_seen"), ("LeftDuringCare", "left_during_care")]
)
def test_leaving_is_an_exit(kind: str, to: str) -> None:
    row = visit(told("Arrived", "a", "08:00"), told(kind, "a", "09:00"))
    assert (row.departed_at, row.to) == (at("09:00"), to)


def test_as_of_an_instant_nothing_later_is_there() -> None:
    row = visit(
        told("Arrived", "a", "08:00"),
        told("Triaged", "a", "08:10", acuity="2"),
        told("SeenByProvider", "a", "08:20"),
        told("Departed", "a", "12:00", to="ward", unit="medicine"),
    )
    assert row.as_of(at("12:00")) is row
    earlier = row.as_of(at("08:15"))
    assert (earlier.triaged_at, earlier.seen_at, earlier.departed_at) == (at("08:10"), None, None)
    assert (earlier.to, earlier.departure_known_at, earlier.stays) == (None, None, ())
