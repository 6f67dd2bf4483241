"""Known effects: what is published of a change in a hospital, found again in the default one.

The sources tell of hospitals whose emergency department suffers from a want of beds. So the default hospital is made
like them: its wards share their beds, of which there are some fewer, until about as many hours a day are spent in
waiting for one as in the first source (77); patients leave wards in the afternoon. Then one thing is changed, on the
same luck, over several replications.
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
from twin.fate import Fate, cast
from twin.hospital import NO_LIMIT, Hospital, load_hospital
from twin.luck import draw
from twin.measures import inside
from twin.parameters import Parameters
from twin.pathway import Path, load_path
from twin.present import Present
from twin.stages import WANTED
from twin.story import DESTINATIONS, Array, Visits

START = datetime(2026, 3, 2, tzinfo=UTC)
FILLING_DAYS, DAYS = 21, 63
REPLICATIONS = 4
BEDS_SHARE = 0.95
"""Of the default hospital's beds; its short-stay unit has enough, so that who waits waits for a ward."""
UHCD_BEDS = 30
PEAK_H, SPREAD_H = 15.5, 2.0
"""When patients leave wards: about this local hour, so many hours to either side."""
EARLIER_MIN = 240.0
TO_WARD_MIN = 300.0
PUT_OFF_SHARE = 0.5
"""Of those who would leave a ward at a weekend, how many stay until Monday, where discharges are not smoothed."""
_DAY_MIN = 1440.0
_SATURDAY = 5
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
    """Of stays that end at a weekend, those put off until Monday."""
    beds_for_all: bool = False


@dataclass(frozen=True)
class Suffered:
    """What a hospital went through, a replication each, `(replication,)`."""

    boarding_h: Array
    """Hours a day spent between the decision to admit and the departure."""
    crowded_share: Array
    """Of the time, more patients in the department than treatment spaces."""
    lwbs_share: Array


def effects(change_early: Change = Change(earlier_min=EARLIER_MIN)) -> list[Check]:
    """The checks; `change_early` is what should remove most boarding (tests plant another)."""
    usual, early, weekend = suffered(Change()), suffered(change_early), suffered(Change(put_off_share=PUT_OFF_SHARE))
    free = suffered(Change(beds_for_all=True))
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
    believed = _believed(hospital, path)
    rows = [_replication(hospital, path, believed, change, seed) for seed in range(1, REPLICATIONS + 1)]
    boarding, crowded, lwbs = np.array(rows).T
    return Suffered(boarding, crowded, lwbs)


def _hospital(beds_for_all: bool) -> Hospital:
    """The default hospital, whose wards share their beds."""
    hospital = load_hospital()
    sharing = [u.name for u in hospital.wards if u.overflow or u.name != "uhcd"]
    beds = {n: NO_LIMIT if beds_for_all else round(hospital.unit(n).places * BEDS_SHARE) for n in sharing}
    units = tuple(
        replace(u, overflow=tuple(n for n in sharing if n != u.name)) if u.name in sharing else u
        for u in hospital.units
    )
    return hospital.with_units(units).with_beds({**beds, "uhcd": NO_LIMIT if beds_for_all else UHCD_BEDS})


def _believed(hospital: Hospital, path: Path) -> Parameters:
    """The default parameters; days alike, and wards that patients leave in the afternoon."""
    found = default_parameters(hospital, path)
    return replace(
        found,
        streams=tuple(replace(stream, day_cv=0.0) for stream in found.streams),
        durations={**found.durations, "overflow_after": fixed(1.0)},
        leaving=np.tile(_afternoons(), (len(hospital.units), 1)),
        to_ward_min=TO_WARD_MIN,
    )


def _afternoons() -> Array:
    """The speed of a ward's clock by local hour of the week, `(168,)`, with mean 1."""
    off = np.abs(np.arange(24) + 0.5 - PEAK_H)
    day = np.exp(-(np.minimum(off, 24 - off) ** 2) / (2 * SPREAD_H**2)) + 0.02
    return np.asarray(np.tile(day / day.mean(), 7))


def _replication(
    hospital: Hospital, path: Path, believed: Parameters, change: Change, seed: int
) -> tuple[float, float, float]:
    nobody, horizon_min = Present.of_nobody(), DAYS * _DAY_MIN
    luck = draw(path, believed, 0, seed=seed, member=0, start=START, horizon_min=horizon_min, zone=hospital.zone)
    fate = _changed(cast(path, believed, luck, nobody), path, change, seed)
    story = kernel.run(hospital.capacities(path.pools, START, horizon_min), path, fate, nobody, horizon_min)
    visits = Visits.of(story, fate.acuity)
    grid = np.arange(FILLING_DAYS * _DAY_MIN, horizon_min, 30.0)
    boarding = inside(visits.decided_min, visits.departed_min, grid)
    census = inside(visits.arrived_min, visits.departed_min, grid)
    came = visits.arrived_min > FILLING_DAYS * _DAY_MIN
    return 24.0 * boarding.mean(), (census > hospital.spaces).mean(), (visits.to[came] == _LWBS).mean()


def _changed(fate: Fate, path: Path, change: Change, seed: int) -> Fate:
    """Stays in wards that end earlier, or are put off from a weekend until Monday."""
    wards = np.array([stage.lasts is not None and stage.lasts.endswith(f":{WANTED}") for stage in path.stages])
    row, stop = np.nonzero((fate.stage >= 0) & wards[fate.stage])
    minutes = fate.minutes.copy()
    stay = minutes[row, stop]
    ends_min = fate.at_min[row] + np.where(stop > 0, TO_WARD_MIN, 0.0) + stay[:, 0]
    weekday = (START.weekday() + ends_min // _DAY_MIN) % 7
    luck = np.random.Generator(np.random.PCG64(seed)).random(row.size)
    later = np.where((weekday >= _SATURDAY) & (luck < change.put_off_share), (7 - weekday) * _DAY_MIN, 0.0)
    minutes[row, stop] = np.maximum(stay - change.earlier_min, 60.0) + later[:, None]
    return replace(fate, minutes=minutes)
