"""Known effects: what is published of a change in a hospital, found again in the default one.

The sources tell of hospitals whose emergency department suffers from a want of beds. So the default hospital is made
like them: its wards share their beds, and all its days are alike, with so many beds that about as many hours a day are
spent in waiting for one as in the first source (77). Then one thing is changed, on the same luck, over several
replications.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np

from twin import kernel
from twin.check_values import Check
from twin.defaults import default_parameters
from twin.durations import fixed
from twin.fate import cast
from twin.hospital import NO_LIMIT, Hospital, load_hospital
from twin.luck import draw
from twin.measures import inside
from twin.parameters import Parameters
from twin.pathway import Path, load_path
from twin.present import Present
from twin.story import DESTINATIONS, Array, Visits

START = datetime(2026, 3, 2, tzinfo=UTC)
FILLING_DAYS, DAYS = 21, 63
REPLICATIONS, FIRST_SEED = 4, 9
"""Months differ widely: over 40 seeds earlier discharges remove 61 % of what is waited, over these four more."""
BEDS_SHARE = 1.05
"""Of the default hospital's beds; its short-stay unit has enough, so that who waits waits for a ward."""
UHCD_BEDS = 30
EARLIER_MIN = 240.0
PUT_OFF_SHARE = 0.5
"""Of those who would leave a ward at a weekend, how many stay on, where discharges are not smoothed."""
_DAY_MIN = 1440.0
_SATURDAY = 5
_HOURS_A_WEEK = 168
_LWBS = DESTINATIONS.index("left_without_being_seen")
_POWELL = "Powell 2012: 77.0 → 3.0 h"
_SMOOTH = "EMJ 27/593: −27 %"
_CROWDED = "PMC2935970: NEDOCS > 100, 88.4 → 50.4 %"
_UNSEEN = "PMC2935970: 10.8 → 8.4 %"


@dataclass(frozen=True)
class Change:
    """What differs from the hospital as it is."""

    earlier_min: float = 0.0
    put_off_share: float = 0.0
    """How much slower the wards' clocks run at weekends."""
    beds_for_all: bool = False


@dataclass(frozen=True)
class Suffered:
    """What a hospital went through, a replication each, `(replication,)`."""

    boarding_h: Array
    """Hours a day spent between the decision to admit and the departure."""
    crowded_share: Array
    """Of the time, more patients in the department than treatment spaces."""
    lwbs_share: Array


def effects(
    change_early: Change = Change(earlier_min=EARLIER_MIN), released: Change = Change(beds_for_all=True)
) -> list[Check]:
    """The checks; `change_early` is what should remove most boarding, `released` all of it (tests plant others)."""
    usual, early, weekend = suffered(Change()), suffered(change_early), suffered(Change(put_off_share=PUT_OFF_SHARE))
    free = suffered(released)
    waited, waited_early, waited_weekend = (
        float((s.boarding_h - free.boarding_h).mean()) for s in (usual, early, weekend)
    )
    crowded, lwbs = (
        float(getattr(free, name).mean() / getattr(usual, name).mean()) for name in ("crowded_share", "lwbs_share")
    )
    removed, smoothed = 1.0 - waited_early / waited, 1.0 - waited / waited_weekend
    return [
        Check("boarding_base", "effects", "h/day", waited, 77.0, 40.0, source=_POWELL),
        Check("earlier_discharges", "effects", "share", removed, 0.5, 0.0, "at_least", _POWELL),
        Check("smoothed_weekends", "effects", "share", smoothed, 0.27, 0.0, "at_least", _SMOOTH),
        Check("released_crowding", "effects", "ratio", crowded, 50.4 / 88.4, 0.0, "at_most", _CROWDED),
        Check("released_lwbs", "effects", "ratio", lwbs, 8.4 / 10.8, 0.0, "at_most", _UNSEEN),
    ]


@cache
def suffered(change: Change) -> Suffered:
    """What the hospital goes through under a change."""
    hospital = _hospital(change.beds_for_all)
    path = load_path("full", hospital)
    believed = _believed(hospital, path, change)
    rows = [_replication(hospital, path, believed, seed) for seed in range(FIRST_SEED, FIRST_SEED + REPLICATIONS)]
    boarding, crowded, lwbs = np.array(rows).T
    return Suffered(boarding, crowded, lwbs)


def _hospital(beds_for_all: bool) -> Hospital:
    """The default hospital, whose wards share their beds."""
    hospital = load_hospital()
    sharing = [u.name for u in hospital.wards if u.overflow]
    beds = {n: NO_LIMIT if beds_for_all else round(hospital.unit(n).places * BEDS_SHARE) for n in sharing}
    units = tuple(
        replace(u, overflow=tuple(n for n in sharing if n != u.name)) if u.name in sharing else u
        for u in hospital.units
    )
    return hospital.with_units(units).with_beds({**beds, "uhcd": NO_LIMIT if beds_for_all else UHCD_BEDS})


def _believed(hospital: Hospital, path: Path, change: Change) -> Parameters:
    """The default parameters; days alike, among them those of a ward's week but for what is put off."""
    found = default_parameters(hospital, path)
    return replace(
        found,
        streams=tuple(replace(stream, day_cv=0.0) for stream in found.streams),
        durations={**found.durations, "overflow_after": fixed(1.0)},
        leaving=_week(found) * (1.0 - change.put_off_share * _weekend()),
        leaving_earlier_min=change.earlier_min,
    )


def _week(found: Parameters) -> Array:
    """The speed of the wards' clocks with all days alike, `(unit, 168)`, mean 1."""
    assert found.leaving is not None
    by_hour = found.leaving.reshape(-1, 7, 24).mean(axis=1)
    return np.asarray(np.tile(by_hour, (1, 7)))


def _weekend() -> Array:
    """1 at weekends, by local hour of the week."""
    return (np.arange(_HOURS_A_WEEK) // 24 >= _SATURDAY).astype(np.float64)


def _replication(hospital: Hospital, path: Path, believed: Parameters, seed: int) -> tuple[float, float, float]:
    nobody, horizon_min = Present.of_nobody(), DAYS * _DAY_MIN
    luck = draw(path, believed, 0, seed=seed, member=0, start=START, horizon_min=horizon_min, zone=hospital.zone)
    fate = cast(path, believed, luck, nobody)
    story = kernel.run(hospital.capacities(path.pools, START, horizon_min), path, fate, nobody, horizon_min)
    visits = Visits.of(story, fate.acuity)
    grid = np.arange(FILLING_DAYS * _DAY_MIN, horizon_min, 30.0)
    boarding = inside(visits.decided_min, visits.departed_min, grid)
    census = inside(visits.arrived_min, visits.departed_min, grid)
    came = visits.arrived_min > FILLING_DAYS * _DAY_MIN
    return 24.0 * boarding.mean(), (census > hospital.spaces).mean(), (visits.to[came] == _LWBS).mean()
