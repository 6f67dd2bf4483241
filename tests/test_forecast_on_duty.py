"""Who is on duty by the roster: local hours, and nobody whose number the twin does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from forecast.on_duty import OnDuty, on_duty
from tests.histories import calibration
from twin.hospital import NO_LIMIT, Pool

NIGHT = datetime(2026, 3, 28, 22, tzinfo=UTC)
"""An hour before the night in which the clock is put forward in France ends its first hour."""
DOCTOR = Pool("doctor", tuple(range(24)), tuple(range(100, 124)), "Médecins", "Doctors", profession="doctor")


def test_counts_follow_the_local_hour_and_the_day_of_the_week() -> None:
    known = calibration()
    hospital = replace(known.hospital, zone="Europe/Paris", rosters=(DOCTOR,))
    monday = datetime(2026, 3, 23, 7, tzinfo=UTC)
    found = on_duty(replace(known, hospital=hospital), [monday, NIGHT, NIGHT.replace(day=29, hour=1)])
    assert found == (OnDuty("Médecins", "Doctors", (8, 123, 103)),)


def test_who_is_not_counted_here_or_is_equipment_is_not_told() -> None:
    known = calibration()
    many = replace(DOCTOR, weekday=(NO_LIMIT,) * 24)
    machine = replace(DOCTOR, profession=None)
    elsewhere = replace(DOCTOR, name="nobody queues for them")
    supposed = replace(DOCTOR, supposed=True)
    for pool in (many, machine, elsewhere, supposed):
        hospital = replace(known.hospital, rosters=(pool,))
        assert on_duty(replace(known, hospital=hospital), [datetime(2026, 3, 23, 7, tzinfo=UTC)]) == ()
    assert on_duty(None, [NIGHT]) == ()
