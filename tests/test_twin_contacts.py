"""What first contacts tell of doctors: the time each takes, how many patients one looks after at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

import numpy as np
import pytest

from twin import contacts as module
from twin.contacts import Stretches, busy_stretches, caseload, doctor_slot, steps_of
from twin.doctors import Roster
from twin.hospital import NO_LIMIT
from twin.story import Array, Visits

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DOCTORS = 2
FLAT: Roster = ((DOCTORS,) * 24, (DOCTORS,) * 24)
BLOCKS = 6


def department(slot_min: float, *, hours: int = 480, load: float = 1.3, care_min: float = 60.0) -> tuple[Visits, Array]:
    """A queue for doctors who take so long for each, and when each patient was decided on.

    It is busier than they can serve by day and empty by the morning.
    """
    chance = np.random.default_rng(1)
    minutes = np.arange(hours * 60.0)
    rate = DOCTORS / slot_min * np.where((minutes / 60) % 24 < 12, load, 0.3)
    arrived = np.sort(chance.choice(minutes, size=chance.poisson(rate.sum()), p=rate / rate.sum()))
    free, seen = [0.0] * DOCTORS, np.empty(arrived.size)
    for i, came in enumerate(arrived):
        seen[i] = max(came, heappop(free))
        heappush(free, seen[i] + chance.exponential(slot_min))
    decided = seen + chance.exponential(care_min, seen.size)
    nan, none = np.full(arrived.size, np.nan), np.empty(0, dtype=np.int64)
    code = np.zeros(arrived.size, dtype=np.int64)
    return Visits(arrived, nan, seen, nan, decided + 30.0, code, code, none, none, np.empty(0), np.empty(0)), decided


def busy_doctors(slot_min: Array, steps: int = 20_000) -> Stretches:
    """Three busy doctors; `slot_min` is what a contact takes with 0, 1 .. patients in care already."""
    chance = np.random.default_rng(3)
    each, doctors = chance.integers(0, slot_min.size, steps), np.full(steps, 3.0)
    started = chance.poisson(doctors * module.STEP_MIN / slot_min[each]).astype(np.float64)
    return Stretches(doctors, each, started, chance.integers(0, BLOCKS, steps))


GROWING = np.array([15.0, 18.0, 21.0, 24.0, 27.0, 30.0, 33.0, 36.0])
LIMITED = np.array([15.0] * 5 + [200.0] * 3)
"""Five patients are what a doctor looks after; with more, next to no contact begins."""


def stretches(visits: Visits, decided_min: Array) -> Stretches:
    grid = steps_of(visits)
    when = [MONDAY + timedelta(minutes=float(minute)) for minute in grid]
    block = np.array([at.hour * BLOCKS // 24 for at in when], dtype=np.int64)
    return busy_stretches(visits, decided_min, grid, when, FLAT, block)


@pytest.mark.parametrize("slot_min", [12.0, 25.0])
def test_the_time_of_a_contact_is_read_off_while_somebody_waits(slot_min: float) -> None:
    found = doctor_slot(stretches(*department(slot_min)), NO_LIMIT, BLOCKS)
    assert found is not None
    assert np.median(found.mean_min()) == pytest.approx(slot_min, rel=0.1)


def test_reading_it_off_all_hours_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY_WAIT_SHARE", 0.0)
    found = doctor_slot(stretches(*department(25.0)), NO_LIMIT, BLOCKS)
    assert found is not None
    assert found.mean_min()[0, :, 0].mean() > 1.25 * 25.0


def test_where_nobody_ever_waits_nothing_can_be_read() -> None:
    calm, decided = department(12.0, load=0.01)
    seen_at_once = Visits(**{**vars(calm), "seen_min": calm.arrived_min})
    busy = stretches(seen_at_once, decided)
    assert caseload(busy) == NO_LIMIT
    assert doctor_slot(busy, NO_LIMIT, BLOCKS) is None


def test_a_limit_to_the_patients_of_a_doctor_shows_in_the_contacts() -> None:
    assert caseload(busy_doctors(LIMITED)) == 5


def test_without_a_limit_none_is_found() -> None:
    """However many they have in care: a rule that looked at the numbers alone would find one."""
    busy = stretches(*department(12.0, care_min=120.0))
    assert busy.in_care_each.max() > 8
    assert caseload(busy) == NO_LIMIT
    assert caseload(busy_doctors(GROWING)) == NO_LIMIT


def test_a_few_steps_do_not_make_a_limit() -> None:
    assert caseload(busy_doctors(LIMITED, steps=20)) == NO_LIMIT


def test_a_contact_takes_longer_the_more_patients_a_doctor_has_already() -> None:
    slot_min = GROWING
    found = doctor_slot(busy_doctors(slot_min), NO_LIMIT, BLOCKS)
    assert found is not None
    assert found.mean_min()[0].mean(axis=0) == pytest.approx(slot_min, rel=0.08)


def test_steps_at_the_limit_do_not_make_a_contact_longer() -> None:
    with_limit, without = (doctor_slot(busy_doctors(LIMITED), limit, BLOCKS) for limit in (5, NO_LIMIT))
    assert with_limit is not None
    assert without is not None
    assert with_limit.loads == 5
    assert with_limit.mean_min().max() < 20.0 < without.mean_min()[0, :, 5].min()
