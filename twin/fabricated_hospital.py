"""The fabricated hospital as it is built and staffed: what is chosen (kind, size, zone) and what follows from it.

Two kinds: `roomy` has beds and doctors to spare; `congested` is short of both, so that admitted patients board for
hours. Three sizes: about 90, 150 and 220 arrivals a day. The figures are our own, sized on the demand of
`twin/fabricated_facts.py`; they belong to a hospital that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.errors import EdtwinError
from ingest.events import UnitId

HospitalKind = Literal["roomy", "congested"]
HospitalSize = Literal["small", "medium", "large"]

MEDICINE, GERIATRICS = UnitId("medicine"), UnitId("geriatrics")
SURGERY, CARDIOLOGY = UnitId("surgery"), UnitId("cardiology")
INTENSIVE_CARE, UHCD = UnitId("intensive_care"), UnitId("uhcd")
WARDS: tuple[UnitId, ...] = (MEDICINE, GERIATRICS, SURGERY, CARDIOLOGY)
UNITS: tuple[UnitId, ...] = (*WARDS, INTENSIVE_CARE, UHCD)
"""Units with beds. UHCD, the short-stay unit, is one of them: who goes there has departed from the department."""

WAITING_ROOM, BOX, SAUV, CORRIDOR = UnitId("waiting_room"), UnitId("box"), UnitId("sauv"), UnitId("corridor")
"""Zones of the department. Waiting room and corridor (the overflow) have no capacity."""


class FabricationError(EdtwinError):
    """A fabricated hospital, period or fault that cannot be."""


@dataclass(frozen=True, slots=True)
class FabricatedHospital:
    """Which hospital to fabricate; `zone` is the IANA name of its time zone."""

    kind: HospitalKind = "congested"
    size: HospitalSize = "large"
    zone: str = "Europe/Paris"

    def __post_init__(self) -> None:
        for name, allowed in (("kind", get_args(HospitalKind)), ("size", get_args(HospitalSize))):
            if getattr(self, name) not in allowed:
                raise FabricationError(f"{name} must be one of {', '.join(allowed)}, but is {getattr(self, name)!r}")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise FabricationError(f"zone must be an IANA name such as Europe/Paris, but is {self.zone!r}") from error


@dataclass(frozen=True, slots=True)
class LevelShift:
    """From `after_days` local days after the start on, arrivals and the steps of a stay are so many times as before."""

    after_days: float
    arrivals: float = 1.0
    stays: float = 1.0

    def __post_init__(self) -> None:
        for name, least in (("after_days", 0.0), ("arrivals", 0.1), ("stays", 0.1)):
            if not least <= getattr(self, name) < float("inf"):
                raise FabricationError(
                    f"{name} of a level shift must be {least:g} or more, but is {getattr(self, name)}"
                )


@dataclass(frozen=True, slots=True)
class Intervention:
    """What people do about it, from an instant on: so many more doctors for some hours, so many more beds open in the
    largest ward."""

    doctors: int = 0
    beds: int = 0
    hours: int = 12
    """How long the doctors stay: whole hours below a day; beds stay open."""

    def __post_init__(self) -> None:
        for name, least, most in (("doctors", 0, 20), ("beds", 0, 200), ("hours", 1, 23)):
            if not least <= getattr(self, name) <= most:
                raise FabricationError(
                    f"{name} of an intervention must be {least} to {most}, but is {getattr(self, name)}"
                )


class Shift(NamedTuple):
    """So many `people` who start at a local hour and stay so many hours."""

    hour: int
    hours: int
    people: int


@dataclass(frozen=True, slots=True)
class Plant:
    """What the hospital has: spaces, beds, machines, and who is on duty when."""

    arrivals_per_day: float
    boxes: int
    sauv: int
    beds: Mapping[UnitId, int]
    doctor_shifts: tuple[Shift, ...]
    off_day_doctors: int
    """How many fewer doctors the day shift of a weekend or holiday has."""
    triage_nurse_shifts: tuple[Shift, ...]
    imaging_day: int
    imaging_night: int


ARRIVALS_PER_DAY: Mapping[HospitalSize, float] = {"small": 90.0, "medium": 150.0, "large": 220.0}
BOXES: Mapping[HospitalSize, int] = {"small": 14, "medium": 22, "large": 32}
SAUV_PLACES: Mapping[HospitalSize, int] = {"small": 2, "medium": 3, "large": 4}
IMAGING_DAY: Mapping[HospitalSize, int] = {"small": 1, "medium": 2, "large": 2}
IMAGING_NIGHT = 1

BED_DEMAND: Mapping[UnitId, float] = {
    MEDICINE: 86.0, GERIATRICS: 77.0, SURGERY: 76.0, CARDIOLOGY: 42.0, INTENSIVE_CARE: 8.5, UHCD: 14.5,
}  # fmt: skip
"""Mean beds in use at 220 arrivals a day if none ever lacked."""
BED_MARGIN: Mapping[HospitalKind, float] = {"roomy": 1.15, "congested": 0.85}
UHCD_MARGIN: Mapping[HospitalKind, float] = {"roomy": 1.25, "congested": 0.82}
SMALL_NUMBERS_BEDS = 0.25
"""Beds added per square root of the demand: small units need proportionally more."""

DOCTOR_SHIFTS: Mapping[tuple[HospitalKind, HospitalSize], tuple[Shift, ...]] = {
    ("roomy", "small"): (Shift(20, 12, 1), Shift(8, 12, 2), Shift(13, 10, 1)),
    ("congested", "small"): (Shift(20, 12, 1), Shift(8, 12, 1), Shift(10, 9, 1), Shift(15, 9, 1)),
    ("roomy", "medium"): (Shift(20, 12, 2), Shift(8, 12, 2), Shift(10, 10, 1), Shift(14, 10, 2)),
    ("congested", "medium"): (Shift(20, 12, 1), Shift(8, 12, 2), Shift(10, 10, 1), Shift(14, 10, 1), Shift(16, 12, 1)),
    ("roomy", "large"): (Shift(20, 12, 3), Shift(8, 12, 4), Shift(10, 10, 2), Shift(14, 10, 2)),
    ("congested", "large"): (Shift(20, 12, 2), Shift(8, 12, 3), Shift(10, 10, 2), Shift(14, 10, 2)),
}
TRIAGE_NURSE_SHIFTS: Mapping[HospitalSize, tuple[Shift, ...]] = {
    "small": (Shift(7, 12, 1), Shift(19, 12, 1), Shift(10, 11, 1)),
    "medium": (Shift(7, 12, 2), Shift(19, 12, 1), Shift(12, 10, 1)),
    "large": (Shift(7, 12, 2), Shift(19, 12, 2), Shift(9, 13, 1)),
}


def plant_of(hospital: FabricatedHospital) -> Plant:
    """The spaces, beds, machines and rosters of a hospital of this kind and size."""
    per_day = ARRIVALS_PER_DAY[hospital.size]
    scale = per_day / ARRIVALS_PER_DAY["large"]
    return Plant(
        arrivals_per_day=per_day,
        boxes=BOXES[hospital.size],
        sauv=SAUV_PLACES[hospital.size],
        beds={unit: _beds(unit, hospital.kind, BED_DEMAND[unit] * scale) for unit in UNITS},
        doctor_shifts=DOCTOR_SHIFTS[hospital.kind, hospital.size],
        off_day_doctors=1 if hospital.size == "large" else 0,
        triage_nurse_shifts=TRIAGE_NURSE_SHIFTS[hospital.size],
        imaging_day=IMAGING_DAY[hospital.size],
        imaging_night=IMAGING_NIGHT,
    )


def _beds(unit: UnitId, kind: HospitalKind, demand: float) -> int:
    margin = UHCD_MARGIN if unit == UHCD else BED_MARGIN
    return ceil(demand * margin[kind] + SMALL_NUMBERS_BEDS * sqrt(demand))
