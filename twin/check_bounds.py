"""What must hold whatever the numbers: nobody is lost, no bed is given twice, extremes do what they must.

And a run that is stopped and started again is the same in distribution (Chapman and Kolmogorov).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np

from ingest.events import RANK
from twin import kernel
from twin.check_values import Check
from twin.defaults import default_parameters
from twin.durations import lognormal
from twin.fate import Fate, cast
from twin.hospital import NO_LIMIT, Hospital, load_hospital
from twin.luck import draw
from twin.measures import measure
from twin.parameters import Parameters
from twin.pathway import Path, load_path
from twin.present import Present
from twin.small_hospitals import DELAY, Here, member, parameters, present, small_path
from twin.stages import LEAVING
from twin.story import Array, Story, Visits

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 14
HOURS = np.arange(0.0, DAYS * 1440.0, 60.0)
_ON_THE_WAY = ("boarding", "transport")
"""How stages between the decision to admit and the ward are named."""
_ARRIVED, _LEFT = RANK["Arrived"], [RANK[kind] for kind in LEAVING]
Spoil = Callable[[Story], Story]


def as_told(story: Story) -> Story:
    """No mutant."""
    return story


@cache
def _default() -> tuple[Hospital, Path, Parameters]:
    hospital = load_hospital()
    path = load_path("full", hospital)
    return hospital, path, default_parameters(hospital, path)


def _run(believed: Parameters | None = None, hospital: Hospital | None = None, days: int = DAYS) -> tuple[Story, Fate]:
    """The default hospital from empty on, or with other parameters or places."""
    house, path, usual = _default()
    house, believed, nobody = hospital or house, believed or usual, Present.of_nobody()
    horizon_min = days * 1440.0
    luck = draw(path, believed, 0, seed=2, member=0, start=START, horizon_min=horizon_min, zone=house.zone)
    fate = cast(path, believed, luck, nobody)
    return kernel.run(house.capacities(path.pools, START, horizon_min), path, fate, nobody, horizon_min), fate


@cache
def _usual() -> tuple[Story, Fate]:
    return _run()


# --- conservation -----------------------------------------------------------------------------------------------------


def conservation(spoil: Spoil = as_told) -> list[Check]:
    """Two weeks of the default hospital, hour by hour; `spoil` changes what it told."""
    story, fate = _usual()
    story = spoil(story)
    hospital, path, _ = _default()
    visits = Visits.of(story, fate.acuity)
    lost = _lost(story, visits, fate, path)
    return [
        Check("nobody_lost", "conservation", "patients", float(np.abs(lost).max()), 0.0, 0.0),
        Check("one_exit", "conservation", "patients", _left_twice(story), 0.0, 0.0),
        Check("beds_given_twice", "conservation", "beds", _beyond_beds(visits, hospital), 0.0, 0.0, "at_most"),
    ]


def _lost(story: Story, visits: Visits, fate: Fate, path: Path) -> Array:
    """Who should have come by each hour, less who left and who is there; each counted on its own."""
    enters = np.array([stage.enters for stage in path.stages])[fate.stage[:, 0]]
    due = np.searchsorted(np.sort(fate.at_min[~enters]), HOURS, side="right")
    left = np.searchsorted(np.sort(story.at_min[np.isin(story.kind, _LEFT)]), HOURS, side="right")
    return np.asarray(due - left - measure(visits, HOURS)["ed_census"])


def _left_twice(story: Story) -> float:
    """Visits with more exits than one, or an exit before the arrival."""
    exits = np.isin(story.kind, _LEFT)
    count = np.bincount(story.visit[exits])
    came, left = (np.full(count.size + 1, fill) for fill in (-np.inf, np.inf))
    arrived = (story.kind == _ARRIVED) & (story.visit < count.size)
    came[story.visit[arrived]] = story.at_min[arrived]
    left[story.visit[exits]] = story.at_min[exits]
    return float((count > 1).sum() + (left < came).sum())


def _beyond_beds(visits: Visits, hospital: Hospital) -> float:
    """By how many patients a ward was ever fuller than its beds, the worst of all; 0 or less where none was."""
    worst = -np.inf
    for code, unit in enumerate(hospital.units):
        mine = visits.stay_unit == code
        if unit.ward and mine.any():
            begun, over = visits.stay_from_min[mine], visits.stay_until_min[mine]
            changes = np.concatenate([over[~np.isnan(over)], begun])
            step = np.concatenate([-np.ones((~np.isnan(over)).sum()), np.ones(begun.size)])
            most = np.cumsum(step[np.argsort(changes, kind="stable")]).max()
            worst = max(worst, float(most) - unit.places)
    return max(worst, 0.0)


# --- extreme values ---------------------------------------------------------------------------------------------------


def extremes(*, none_mean: float = 0.0, beds: int = NO_LIMIT, spoil: Spoil = as_told) -> list[Check]:
    """No arrivals, no doctors, beds for all, everybody to resuscitation.

    Mutants: `none_mean` is what "no" means, `beds` those of each ward that has enough for all, `spoil` changes what is
    told of those in resuscitation.
    """
    return [_no_arrivals(none_mean), _no_doctors(int(none_mean)), _beds_for_all(beds), _all_to_sauv(spoil)]


def _no_arrivals(level: float) -> Check:
    believed = _default()[2]
    streams = tuple(replace(s, per_hour=s.per_hour * level) for s in believed.streams)
    story, _ = _run(replace(believed, streams=streams), days=3)
    return Check("no_arrivals", "extremes", "events", float(story.at_min.size), 0.0, 0.0)


def _no_doctors(on_duty: int) -> Check:
    hospital = _default()[0]
    for pool in ("doctor", "fast_track_doctor"):
        hospital = hospital.with_roster(pool, (on_duty,) * 24)
    story, _ = _run(hospital=hospital, days=3)
    seen = float((story.kind == RANK["SeenByProvider"]).sum())
    return Check("no_doctors", "extremes", "patients", seen, 0.0, 0.0)


def _beds_for_all(beds: int) -> Check:
    """With beds, isolation rooms and porters for all, boarding is the way to the ward and nothing else."""
    hospital, path, _ = _default()
    hospital = hospital.with_beds({u.name: beds for u in hospital.wards})
    for pool in ("porter", "isolation_room"):
        hospital = hospital.with_roster(pool, (NO_LIMIT,) * 24)
    story, fate = _run(hospital=hospital, days=7)
    visits = Visits.of(story, fate.acuity)
    ways = [k for k, name in enumerate(path.names) if path.inside_serving[k] and name.endswith(_ON_THE_WAY)]
    boards = np.isin(fate.stage, ways)
    way = np.where(boards, fate.minutes[:, :, 0], 0.0).sum(axis=1)
    boarded = (visits.departed_min - visits.decided_min)[fate.visit]
    waited = np.nanmax(np.where(boards.any(axis=1), boarded - way, np.nan))
    return Check("beds_for_all", "extremes", "min", float(waited), 0.0, 1e-6)


def _all_to_sauv(spoil: Spoil) -> Check:
    """Everybody to resuscitation: there are never more patients in it than spaces."""
    hospital, _, believed = _default()
    every = np.ones_like(believed.shares["p_sauv"])
    story, fate = _run(replace(believed, shares={**believed.shares, "p_sauv": every, "p_fast_track": 0 * every}))
    visits = Visits.of(spoil(story), fate.acuity)
    mine = visits.stay_unit == hospital.unit_code("sauv")
    times = np.sort(visits.stay_from_min[mine])
    over = np.sort(visits.stay_until_min[mine & ~np.isnan(visits.stay_until_min)])
    inside = np.arange(1, times.size + 1) - np.searchsorted(over, times, side="right")
    places = float(hospital.unit("sauv").places)
    return Check("all_to_sauv", "extremes", "patients", float(inside.max()), places, 0.0)


# --- stopping and starting again ----------------------------------------------------------------------------------


def restart(*, spoil: bool = False, members: int = 150) -> list[Check]:
    """Mean census at 260 min of those here at 200: run on, or stopped at 200 with what is left drawn anew.

    The difference is told in its standard errors; `spoil` draws what is left as if nothing had lasted yet.
    """
    path, stay = small_path(DELAY), lognormal(120.0, 0.35)
    believed, nobody = parameters(path, {"service": stay}, per_hour=10.0), parameters(path, {"service": stay})
    straight, again = [], []
    for number in range(members):
        visits = member(path, believed, hours=5, number=number).visits
        here = (visits.arrived_min < 200) & ~(visits.departed_min < 200)
        straight.append(int((here & ~(visits.departed_min < 260)).sum()))
        lasted = 200 - visits.arrived_min[here]
        zero = np.zeros(lasted.size, dtype=np.int64)
        uniform = np.random.default_rng(number).random(lasted.size)
        left = stay.residual(uniform, 0 * lasted if spoil else lasted, zero, zero)[:, 0]
        people = [Here("stay", True, -since, -since, rest) for since, rest in zip(lasted, left, strict=True)]
        gone = member(path, nobody, hours=1, here=present(path, *people)).visits.departed_min
        again.append(lasted.size - int((gone < 60).sum()))
    difference = np.array(straight, dtype=np.float64) - np.array(again)
    error = float(difference.std() / difference.size**0.5)
    off = float(difference.mean()) / error
    return [Check("run_on", "restart", "standard errors", off, 0.0, 3.0, source="Chapman, Kolmogorov")]
