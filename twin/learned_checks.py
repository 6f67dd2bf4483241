"""A calibration looked at by itself: does the census agree with who comes and how long they stay, is it complete?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twin.durations import Duration
from twin.history import WARD_SETTLED_MIN, History
from twin.hospital import Hospital
from twin.measures import inside
from twin.story import DESTINATIONS, Array, Visits

Flags = npt.NDArray[np.bool_]
Verdict = Literal["good", "doubtful", "bad"]

HOUR_MIN, DAY_MIN = 60.0, 1440.0
LITTLE_TOLERANCE, WARD_TOLERANCE = 0.05, 0.15
"""By how much the mean census may differ from rate x mean stay: stays in wards are long beside the period."""
LONGEST_MIN, LONGEST_WARD_MIN = 72 * HOUR_MIN, 365 * DAY_MIN
"""A longer stay in the department, or in a ward, is implausible."""
CHANCE = 2.0
"""Errors by chance alone, of so many stays that differ as exponential ones do, that are tolerated in any case."""
STAYS_A_PERIOD = 10.0
"""Mean stays that a period must last for the law to hold in it."""
IMPLAUSIBLE_TOLERANCE = 0.01
COMPLETE, USABLE = 0.9, 0.6
"""Share of visits that must tell a field for it to be complete, and to be of use."""
_WARD, _LWBS = DESTINATIONS.index("ward"), DESTINATIONS.index("left_without_being_seen")


@dataclass(frozen=True)
class Check:
    """One look: of what, what was seen and what was to be expected, how far they may differ, and the verdict."""

    check: Literal["little", "implausible", "completeness"]
    what: str
    seen: float
    expected: float
    tolerance: float
    verdict: Verdict
    n: int


def completeness(history: History, window: tuple[float, float]) -> dict[str, tuple[float, int]]:
    """By field the share of the visits that should tell it and do, and how many these are."""
    v = history.visits
    chosen = (v.arrived_min >= window[0]) & (v.arrived_min < window[1])
    seen, to_ward = chosen & (v.to != _LWBS), chosen & (v.to == _WARD)
    left = chosen & ~np.isnan(v.departed_min)
    stays = history.stay_ward & ~history.stay_untold & (v.stay_from_min < -WARD_SETTLED_MIN)
    fields = {
        "triage": (~np.isnan(v.triaged_min), seen),
        "acuity": (v.acuity >= 0, seen),
        "first contact": (~np.isnan(v.seen_min), seen),
        "decision to admit": (~np.isnan(v.decided_min), to_ward),
        "exit": (~np.isnan(v.departed_min) & ~history.untold, chosen),
        "destination": (v.to >= 0, left),
        "ward": (history.wanted >= 0, to_ward),
        "exit from ward": (~np.isnan(v.stay_until_min), stays),
    }
    return {
        name: (float(told[among].mean()), int(among.sum())) for name, (told, among) in fields.items() if among.any()
    }


def checks(
    history: History, visits: Visits, window: tuple[float, float], hospital: Hospital, learned: Mapping[str, Duration]
) -> list[dict[str, Any]]:
    """Every look, ready for JSON: Little's law by zone, implausible stays, completeness by field.

    `visits` are completed, and their stays in wards that are over though nobody said so are closed; `learned` are the
    durations that the model runs on.
    """
    found = [
        *_little(history, visits, window, hospital, learned),
        *_implausible(visits, history.stay_ward, window),
        *(_complete(name, share, n) for name, (share, n) in completeness(history, window).items()),
    ]
    return [asdict(check) for check in found]


def verdict_of(found: list[dict[str, Any]]) -> Verdict:
    """Of all looks: bad where the law of Little or the stays are, doubtful where anything is not good."""
    if any(c["verdict"] == "bad" and c["check"] != "completeness" for c in found):
        return "bad"
    return "good" if all(c["verdict"] == "good" for c in found) else "doubtful"


def _little(
    history: History, visits: Visits, window: tuple[float, float], hospital: Hospital, learned: Mapping[str, Duration]
) -> Iterator[Check]:
    """Mean census against arrivals an hour times mean stay in hours (Little 1961), of the department and each unit.

    The stay of a ward is the one that the model runs on, so that a wrong one shows.
    """
    whole = _law(visits.arrived_min, visits.departed_min, window)
    yield _of_law("department", whole, LITTLE_TOLERANCE)
    left = visits.departed_min[visits.stay_visit]
    until = np.where(history.stay_ward, visits.stay_until_min, np.fmin(visits.stay_until_min, left))
    for code, unit in enumerate(hospital.units):
        mine = (visits.stay_unit == code) & (history.stay_ward == unit.ward)
        if not mine.any():
            continue
        law = _law(visits.stay_from_min[mine], until[mine], window)
        duration = learned.get(f"ward_stay:{unit.name}")
        if duration is not None and unit.ward:
            law = replace(law, stay_h=float(duration.mean_min().mean()) / HOUR_MIN)
        yield _of_law(unit.name, law, WARD_TOLERANCE if unit.ward else LITTLE_TOLERANCE)


@dataclass(frozen=True)
class _Law:
    """Mean census, arrivals an hour, mean stay that the model runs on, how many came, over how many hours."""

    census: float
    per_hour: float
    stay_h: float
    n: int
    hours: float
    seen_h: float
    """Mean stay of those who came and left."""


def _law(start: Array, end: Array, window: tuple[float, float]) -> _Law:
    grid = np.arange(window[0], window[1], HOUR_MIN / 2)
    came = (start >= window[0]) & (start < window[1])
    over = came & ~np.isnan(end)
    hours = (window[1] - window[0]) / HOUR_MIN
    stay_h = float((end - start)[over].mean()) / HOUR_MIN if over.any() else 0.0
    return _Law(
        float(inside(start, end, grid).mean()), float(came.sum()) / hours, stay_h, int(came.sum()), hours, stay_h
    )


def _of_law(what: str, law: _Law, least: float) -> Check:
    """A period of a few stays cannot speak against a ward: those who lay there before it began count in its census."""
    expected = law.per_hour * law.stay_h
    off = abs(law.census - expected) / max(expected, 1e-9)
    tolerance = round(max(least, CHANCE * float(np.sqrt(2.0 / max(law.n, 1)))), 3)
    short = law.hours < STAYS_A_PERIOD * law.seen_h
    verdict: Verdict = "good" if off <= tolerance else "doubtful" if short or off <= 2 * tolerance else "bad"
    return Check("little", what, round(law.census, 2), round(expected, 2), tolerance, verdict, law.n)


def _implausible(visits: Visits, ward: Flags, window: tuple[float, float]) -> Iterator[Check]:
    """Stays that end before they begin, or last longer than any does."""
    yield _lasting("department", visits.departed_min - visits.arrived_min, visits.arrived_min, window, LONGEST_MIN)
    stays = (visits.stay_until_min - visits.stay_from_min)[ward]
    if stays.size:
        yield _lasting("wards", stays, visits.stay_from_min[ward], window, LONGEST_WARD_MIN)


def _lasting(what: str, stays: Array, start: Array, window: tuple[float, float], longest: float) -> Check:
    known = stays[(start >= window[0]) & (start < window[1]) & ~np.isnan(stays)]
    share = float(((known < 0) | (known > longest)).mean()) if known.size else 0.0
    off = share / IMPLAUSIBLE_TOLERANCE
    verdict: Verdict = "good" if off <= 1 else "doubtful" if off <= 5 else "bad"
    return Check("implausible", what, round(share, 4), 0.0, IMPLAUSIBLE_TOLERANCE, verdict, int(known.size))


def _complete(name: str, share: float, n: int) -> Check:
    verdict: Verdict = "good" if share >= COMPLETE else "doubtful" if share >= USABLE else "bad"
    return Check("completeness", name, round(share, 3), 1.0, round(1.0 - COMPLETE, 3), verdict, n)
