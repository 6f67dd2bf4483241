"""The law that the identical twin lives by (`forecast/identical.py`): one learned from the fabricated hospital."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from twin.calibrate import Calibration, calibrate
from twin.fabricate import FabricatedHospital, Habits, HospitalSize, World
from twin.hospital import load_hospital
from twin.state import State, fold

LAW_DAYS = 62
MORE_BEDS = 1.1
ALL_TOLD = Habits(
    exit_missing_share=0.0, exit_late_share=0.0, ward_exit_missing_share=0.0, triage_missing_share=0.0,
    seen_missing_share=0.0, seen_misordered_share=0.0, exit_at_shift_change_share=0.0,
)  # fmt: skip
"""Clerks who forget nothing."""


def a_law(size: HospitalSize = "large", *, days: int = LAW_DAYS, seed: int = 3) -> Calibration:
    """A law to live by: what is learned from a fabricated hospital of which everything is told.

    Of its wards each has a tenth more beds: the law has none of the ways out that the hospital had when it was full
    (early exits, other wards, other hospitals), and a hospital that lives by it would fill up for ever.
    """
    start = datetime(2025, 1, 6, tzinfo=UTC)
    end = start + timedelta(days=days)
    told = World(FabricatedHospital("roomy", size), start, seed, habits=ALL_TOLD).run_until(end)
    learned = calibrate(fold(State(), told), load_hospital(), end)
    beds = {ward.name: round(ward.places * MORE_BEDS) for ward in learned.hospital.wards}
    return replace(learned, hospital=learned.hospital.with_beds(beds))
