"""Doctors on duty from the log, and the time that a first contact takes of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.events import EventId, StaffOnDuty
from twin import doctors as module
from twin.doctors import doctor_slot, roster
from twin.minutes import Minutes
from twin.state import State, fold
from twin.story import Visits

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FLAT = ((2,) * 24, (2,) * 24)


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


def queue(slot_min: float, *, doctors: int = 2, hours: int = 240, load: float = 1.3) -> Visits:
    """A queue for doctors who take so long for each; busier than they can serve by day, empty by the morning."""
    chance = np.random.default_rng(1)
    per_min = doctors / slot_min
    minutes = np.arange(hours * 60.0)
    rate = per_min * np.where((minutes / 60) % 24 < 12, load, 0.3)
    arrived = np.sort(chance.choice(minutes, size=chance.poisson(rate.sum()), p=rate / rate.sum()))
    free = np.zeros(doctors)
    seen = np.empty(arrived.size)
    for i, came in enumerate(arrived):
        doctor = int(free.argmin())
        seen[i] = max(came, free[doctor])
        free[doctor] = seen[i] + chance.exponential(slot_min)
    nan, none = np.full(arrived.size, np.nan), np.empty(0, dtype=np.int64)
    code = np.zeros(arrived.size, dtype=np.int64)
    return Visits(arrived, nan, seen, nan, seen + 60.0, code, code, none, none, np.empty(0), np.empty(0))


@pytest.mark.parametrize("slot_min", [12.0, 25.0])
def test_the_time_of_a_contact_is_read_off_while_somebody_waits(slot_min: float) -> None:
    found = doctor_slot(queue(slot_min), Minutes(MONDAY), "UTC", FLAT, 6)
    assert found is not None
    assert found.mean_min().mean() == pytest.approx(slot_min, rel=0.1)


def test_reading_it_off_all_hours_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY_WAIT_SHARE", 0.0)
    found = doctor_slot(queue(25.0), Minutes(MONDAY), "UTC", FLAT, 6)
    assert found is not None
    assert found.mean_min().mean() > 1.25 * 25.0


def test_where_nobody_ever_waits_nothing_can_be_read() -> None:
    calm = queue(12.0, load=0.01)
    seen_at_once = Visits(**{**vars(calm), "seen_min": calm.arrived_min})
    assert doctor_slot(seen_at_once, Minutes(MONDAY), "UTC", FLAT, 6) is None
