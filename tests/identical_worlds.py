"""A small hospital that lives by the twin's own law, made once a process: for the tests of the identical twin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from tests.histories import calibration
from twin.calibrate import Calibration
from twin.identical import Lived, live

START = datetime(2025, 3, 3, tzinfo=UTC)
FILLING = timedelta(days=8)
LEARNED = timedelta(days=28)
JUDGED_DAYS = 8
MORE_BEDS = 1.4
"""The law was learned from a congested hospital, and has none of the ways out that one has when it is full."""


@cache
def law() -> Calibration:
    learned = calibration()
    beds = {ward.name: round(ward.places * MORE_BEDS) for ward in learned.hospital.wards}
    return replace(learned, hospital=learned.hospital.with_beds(beds))


@cache
def lived() -> Lived:
    return live(law(), START, (FILLING + LEARNED).days + JUDGED_DAYS + 2, seed=1)
