"""Doctors on duty, as the log tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.events import EventId, StaffOnDuty
from twin.doctors import on_duty_at, roster
from twin.state import State, fold

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def on_duty(at: datetime, count: int, pool: str = "doctor") -> StaffOnDuty:
    return StaffOnDuty(
        event_id=EventId(f"{pool}/{at}"), occurred_at=at, known_at=at, source="w", pool=pool, count=count
    )


def shifts(days: int, weekend: int = 1) -> State:
    """Two doctors from 8 to 20, one at night; `weekend` by day on Saturday and Sunday."""
    events = []
    for day in range(days):
        midnight = MONDAY + day * DAY
        events += [on_duty(midnight + 8 * HOUR, 2 if day % 7 < 5 else weekend), on_duty(midnight + 20 * HOUR, 1)]
    return fold(State(), events)


def test_the_roster_is_what_was_told_by_hour_and_kind_of_day() -> None:
    found = roster(shifts(28), "doctor", MONDAY + 28 * DAY, "UTC")
    assert found is not None
    weekday, weekend = found
    assert weekday == (1,) * 8 + (2,) * 12 + (1,) * 4
    assert weekend == (1,) * 24


def test_the_roster_is_in_local_hours() -> None:
    found = roster(shifts(28), "doctor", MONDAY + 26 * DAY, "Europe/Paris")
    assert found is not None
    assert found[0].index(2) == 9


def test_the_roster_follows_the_last_weeks_and_not_what_comes_after() -> None:
    state = fold(shifts(60), [on_duty(MONDAY + 60 * DAY + 9 * HOUR, 9)])
    found = roster(state, "doctor", MONDAY + 60 * DAY, "UTC")
    assert found is not None
    assert max(found[0]) == 2


def test_a_log_that_tells_of_no_doctor_has_no_roster() -> None:
    assert roster(fold(State(), [on_duty(MONDAY, 3, pool="triage_nurse")]), "doctor", MONDAY + DAY, "UTC") is None


def test_saturday_and_sunday_have_a_roster_of_their_own() -> None:
    doctors = (tuple(range(24)), (9,) * 24)
    assert [on_duty_at(doctors, MONDAY + day * DAY + 5 * HOUR) for day in (0, 4, 5, 6)] == [5, 5, 9, 9]
