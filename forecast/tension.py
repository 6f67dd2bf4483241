"""The tension indicators of French emergency departments, as formulas: NEDOCS, HET, BJML.

NEDOCS after Weiss (Acad Emerg Med 2004): boarders are divided by the *hospital's* beds, and 13.4 stands before
ventilated patients. A well-known calculator divides by the department's beds and gives 13.4 to hours: its values are
far too high.
HET as the observatories of emergencies define them (est-rescue, FEDORU); BJML after the circular DGOS/R2/2019/235.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import numpy as np

from forecast.values import Array

Category = Literal["not_busy", "busy", "extremely_busy", "overcrowded", "severe", "dangerous"]
CATEGORIES: tuple[tuple[float, Category], ...] = (
    (20.0, "not_busy"), (60.0, "busy"), (100.0, "extremely_busy"), (140.0, "overcrowded"), (180.0, "severe"),
)  # fmt: skip
"""Up to which score, ends included; above the last it is dangerous."""
HIGHEST_LEVEL = 4.0
INVERTED = ("het1",)
"""Indicators of which little is bad."""
BJML_YEARS = 3
LEAST_DAYS = 5
"""Days of a week of the year below which there is no minimum to state."""


def nedocs(
    patients: Array | float,
    boarders: Array | float,
    *,
    ed_beds: float,
    hospital_beds: float,
    ventilated: float = 0.0,
    longest_boarding_h: float = 0.0,
    last_door_to_bed_h: float = 0.0,
) -> Array:
    """The National Emergency Department Overcrowding Score; arrays give one for each.

    Raises ValueError where there are no beds.
    """
    if ed_beds <= 0 or hospital_beds <= 0:
        raise ValueError(f"beds must be more than 0, but are {ed_beds:g} and {hospital_beds:g}")
    crowding = 85.8 * np.asarray(patients, dtype=np.float64) / ed_beds
    boarding = 600.0 * np.asarray(boarders, dtype=np.float64) / hospital_beds
    times = 13.4 * ventilated + 0.93 * longest_boarding_h + 5.64 * last_door_to_bed_h
    return np.asarray(-20.0 + crowding + boarding + times)


def category(score: float) -> Category:
    """What a NEDOCS means."""
    return next((name for most, name in CATEGORIES if score <= most), "dangerous")


def level(value: float, thresholds: tuple[float, float]) -> float:
    """The level of an indicator, 0 to 4: 1 at the first threshold, 2 at the second, linear between and beyond.

    Where little is bad the second threshold is below the first. With the mean and one and two standard deviations as
    thresholds it is 0 at the mean, and 4 at four deviations. Raises ValueError where both are one.
    """
    first, second = thresholds
    if first == second:
        raise ValueError(f"two thresholds must differ, but both are {first:g}")
    return float(np.clip(1.0 + (value - first) / (second - first), 0.0, HIGHEST_LEVEL))


def usual_thresholds(past: Array, *, inverted: bool) -> tuple[float, float] | None:
    """The mean of the past and one and two standard deviations, on the bad side; None where nothing varies."""
    known = past[~np.isnan(past)]
    if known.size < 2 * LEAST_DAYS or known.std(ddof=1) == 0:
        return None
    side = -1.0 if inverted else 1.0
    mean, spread = float(known.mean()), float(known.std(ddof=1))
    return mean + side * spread, mean + side * 2 * spread


def bjml(hospitalised: Mapping[date, int], day: date) -> tuple[float, int] | None:
    """The minimal daily need of beds of a day, and on how many years it rests.

    The 25 % quantile of daily hospitalisations in that ISO week of each of the last three years; None where the log
    does not reach back a year.
    """
    week, year = day.isocalendar().week, day.isocalendar().year
    years = range(year - BJML_YEARS, year)
    same = {d: n for d, n in hospitalised.items() if d.isocalendar().week == week and d.isocalendar().year in years}
    if len(same) < LEAST_DAYS:
        return None
    return float(np.quantile(list(same.values()), 0.25)), len({d.isocalendar().year for d in same})
