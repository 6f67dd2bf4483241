"""Random small hospitals in random situations under random scenarios, for engines that must agree.

Minutes are often rounded to a coarse grid, so that much happens at the same instant; places are few, so that everybody
queues; capacities rise and fall under the queues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import inf

import numpy as np

from ingest.events import RANK
from twin.defaults import default_parameters
from twin.demand import Crisis, Demand
from twin.durations import LEVELS, Duration
from twin.fate import Fate, cast
from twin.hospital import CARE, Profile, load_hospital
from twin.law import USUAL, Discharging, Law, Pace, Way
from twin.luck import draw
from twin.parameters import HOURS_OF_WEEK, Parameters, PatientClass, Stream
from twin.pathway import Path, load_path
from twin.present import Present
from twin.small_hospitals import HOSPITAL as SMALL
from twin.small_hospitals import QUEUE, START, WHOLE, Array, small_hospital, small_path
from twin.story import Story

EVERYTHING = """
name = "everything"
[stage.arrival]
comes = "Arrived"
patience = "patience"
needs = ["nurse"]
lasts = "short"
ends = "Triaged"
then = { box = 1 }
[stage.box]
patience = "patience"
takes = ["space:boxes", "care:doctor"]
needs = ["doctor", "nurse"]
unit = "boxes"
starts = "SeenByProvider"
frees_after = "slot"
lasts = "care"
then = { laboratory = 0.5, decision = "rest" }
[stage.laboratory]
lasts = "result"
at_most = 50
then = { look = 1 }
[stage.look]
needs = "doctor"
lasts = "short"
at_most = 50
then = { laboratory = 0.3, decision = "rest" }
[stage.decision]
wants = "ward"
ends = "DecidedToAdmit"
gives = "care:doctor"
then = { boarding = "p_admit", home = "rest" }
[stage.boarding]
takes = "wanted bed"
overflows_after = "overflow_after"
needs = "nurse"
starts = "BedRequested"
lasts = "short"
gives = "space:boxes"
then = { ward = 1 }
[stage.ward]
unit = "wanted"
starts = "Departed"
to = "ward"
lasts = "ward_stay:wanted"
gives = "wanted bed"
then = { ward_again = 0.3, ward_left = "rest" }
[stage.ward_again]
wants = "ward"
then = { second_boarding = 1 }
[stage.second_boarding]
takes = "wanted bed"
overflows_after = "overflow_after"
unit = "wanted"
lasts = "ward_stay:wanted"
gives = "wanted bed"
then = { ward_left = 1 }
[stage.ward_left]
starts = "LeftWard"
[stage.planned]
enters = true
takes = "wanted bed"
unit = "wanted"
starts = "EnteredWard"
lasts = "ward_stay:wanted"
then = { ward_after = 1 }
[stage.ward_after]
lasts = "short"
ends = "LeftWard"
gives = "wanted bed"
[stage.home]
starts = "Departed"
to = "home"
gives = "space:boxes"
"""
HOSPITAL = SMALL.replace("[pools]", 'geriatrics = { fr = "Gériatrie", en = "Geriatrics", beds = 2 }\n[pools]')
TABLES = (QUEUE, WHOLE, WHOLE, EVERYTHING, EVERYTHING, EVERYTHING)
OVERFLOWS: tuple[dict[str, tuple[str, ...]], ...] = (
    {},
    {"medicine": ("surgery",)},
    {"medicine": ("surgery", "geriatrics"), "surgery": ("medicine", "geriatrics")},
    {"medicine": ("geriatrics",), "surgery": ("geriatrics",), "geriatrics": ("medicine", "surgery")},
    {"medicine": ("geriatrics", "surgery"), "surgery": ("geriatrics", "medicine"), "geriatrics": ("surgery",)},
    {"medicine": ("surgery", "geriatrics"), "surgery": ("medicine",), "geriatrics": ("medicine",)},
)
"""Wards where the patients of others may lie."""
GRIDS_MIN = (0.0, 0.0, 1.0, 5.0, 15.0)
"""To which minutes are rounded; 0 for not at all."""


@dataclass(frozen=True)
class Case:
    """All that `run` is given."""

    capacity: Mapping[str, Profile]
    path: Path
    fate: Fate
    present: Present
    horizon_min: float


@cache
def _default() -> tuple[Path, Parameters]:
    hospital = load_hospital()
    path = load_path("full", hospital)
    return path, default_parameters(hospital, path)


def random_case(number: int) -> Case:
    """One of them, always the same."""
    dice = np.random.default_rng([2026, number])
    path, believed = _default() if number % 20 == 7 else _small(dice)
    grid, horizon_min = float(dice.choice(GRIDS_MIN)), float(dice.choice([60.0, 300.0, 720.5]))
    present = _present(dice, path, believed, grid)
    hospital = small_hospital()
    luck = draw(
        path, believed, present.count, seed=number, member=0, start=START, horizon_min=horizon_min, zone=hospital.zone
    )
    demand = _demand(dice, horizon_min)
    law = _law(np.random.default_rng([2027, number]), path, horizon_min)
    fate = _on_grid(cast(path, believed, luck, present, demand, law), grid)
    capacity = {pool: _profile(dice, pool, grid, horizon_min) for pool in path.pools}
    return Case(capacity, path, fate, present, horizon_min)


def _small(dice: np.random.Generator) -> tuple[Path, Parameters]:
    table = TABLES[dice.integers(len(TABLES))]
    path = small_path(table, small_hospital(HOSPITAL).with_overflow(OVERFLOWS[dice.integers(len(OVERFLOWS))]))
    loads, caseloads = int(dice.integers(1, 4)), int(dice.integers(1, 4))
    mix = dice.dirichlet(np.ones(3))
    wards = np.array([[0.0, 0.5, 0.3, 0.2]] * 3)
    streams = [_stream("emergency", path.enters[0], mix, float(dice.uniform(1, 12)))]
    if "planned" in path.names:
        streams.append(replace(_stream("planned", "planned", mix, float(dice.uniform(0, 2))), unit=1))
    durations = {name: _duration(dice, caseloads if name in path.slots_of_staff else loads) for name in path.durations}
    if "overflow_after" in durations:
        durations["overflow_after"] = durations["overflow_after"].scaled(0.1)
    return path, Parameters(
        classes=tuple(PatientClass(str(code), acuity=code) for code in (0, 2, -1)),
        block_of_hour=np.repeat([0, 1], 12),
        streams=tuple(streams),
        durations=durations,
        shares={name: np.full((3, 2), 0.5) for name in path.shares},
        wanted=dict.fromkeys(path.wanted, wards),
        leaving=_clocks(dice, len(path.units)) if dice.random() < 0.5 else None,
        leaving_earlier_min=float(dice.choice([0.0, 0.0, 90.0])),
        load_edges=np.sort(dice.integers(0, 8, (2, loads - 1)).astype(np.float64), axis=1),
    )


def _stream(name: str, enters: str, mix: Array, per_hour: float) -> Stream:
    return Stream(name, enters, np.full(HOURS_OF_WEEK, per_hour), np.array([mix, mix[::-1]]), day_cv=0.1)


def _clocks(dice: np.random.Generator, units: int) -> Array:
    """Wards that let patients go at some hours, or always."""
    speed = dice.choice([0.02, 0.5, 1.0, 3.0], (units, HOURS_OF_WEEK))
    return np.asarray(np.where(dice.random((units, 1)) < 0.3, 1.0, speed))


def _duration(dice: np.random.Generator, loads: int) -> Duration:
    """Skewed, longer or shorter by class and load; some last no time at all."""
    scale = dice.uniform(0.5, 1.5, (3, 1, loads, 1)) * float(dice.choice([4.0, 20.0, 60.0, 300.0]))
    table = -np.log1p(-LEVELS) * scale
    table[..., : dice.integers(0, 60)] = 0.0
    return Duration(table, scale[..., 0].copy())


def _present(dice: np.random.Generator, path: Path, believed: Parameters, grid: float) -> Present:
    """Some at every stage; holders may be more than there are places."""
    count = int(dice.integers(0, 25))
    stage = dice.integers(0, len(path.stages), count)
    wards = [path.units.index(ward) for ward in path.wards]
    unit = np.where([path.situations[k].wants for k in stage], dice.choice(wards, count), -1)
    since, residual = (_rounded(dice.exponential(40.0, count), grid) for _ in range(2))
    arrived = -since - _rounded(dice.exponential(30.0, count), grid)
    here = dice.random(count) < 0.9
    marks = tuple((float(arrived[row]), RANK["Arrived"], int(row), -1, -1) for row in np.flatnonzero(here))
    return Present(
        cls=dice.integers(0, len(believed.classes), count),
        block=dice.integers(0, believed.blocks, count),
        unit=unit.astype(np.int64),
        stage=stage,
        serving=dice.random(count) < 0.6,
        since_min=-since,
        arrived_min=np.where(dice.random(count) < 0.9, arrived, np.nan),
        residual_min=np.tile(residual[:, None], (1, believed.loads)),
        here=here,
        history=Story.of(marks),
    )


def _demand(dice: np.random.Generator, horizon_min: float) -> Demand:
    """As usual, more, fewer, or many victims at once."""
    level = ((0.0, float(dice.uniform(0.2, 2.5))), (horizon_min / 3, float(dice.uniform(0.2, 2.5))))
    crisis = Crisis(int(dice.integers(1, 30)), float(dice.integers(0, 60)), float(dice.choice([0.0, 20.0])), {0: 1.0})
    return Demand(
        level=level if dice.random() < 0.5 else ((0.0, 1.0),), crises=(crisis,) if dice.random() < 0.3 else ()
    )


def _law(dice: np.random.Generator, path: Path, horizon_min: float) -> Law:
    """As usual; or some durations longer or shorter for a while, other ways, other clocks."""
    if dice.random() < 0.4:
        return USUAL

    def window() -> tuple[float, float]:
        start = float(dice.choice([0.0, 7.5, horizon_min / 3]))
        return start, float(dice.choice([start + horizon_min / 3, inf]))

    names = dice.choice(path.durations, dice.integers(0, 4))
    shares = path.shares[: dice.integers(2)]
    return Law(
        paces=tuple(Pace(str(name), float(dice.choice([0.25, 0.5, 1.7, 3.0])), *window()) for name in names),
        ways=tuple(Way(share, float(dice.uniform(0.1, 1.0)), None, *window()) for share in shares),
        discharging=(Discharging(None, 2.0, float(dice.choice([0.0, 120.0])), dice.random() < 0.5, *window()),),
    )


def _profile(dice: np.random.Generator, pool: str, grid: float, horizon_min: float) -> Profile:
    """Few places, which become more and fewer; those who look after patients have room for some each."""
    each = 3 if pool.startswith(CARE) else 1
    minutes = np.unique(_rounded(dice.uniform(1.0, horizon_min, dice.integers(0, 5)), max(grid, 1.0)))
    counts = dice.integers(0, 5, minutes.size + 1) * each
    return ((0.0, int(counts[0])), *((float(m), int(c)) for m, c in zip(minutes, counts[1:], strict=True)))


def _on_grid(fate: Fate, grid: float) -> Fate:
    """Rounded, where there is a grid."""
    return replace(
        fate,
        at_min=_rounded(fate.at_min, grid),
        minutes=_rounded(fate.minutes, grid),
        freed_min=_rounded(fate.freed_min, grid),
        patience_min=_rounded(fate.patience_min, grid),
    )


def freed_by_stop(fate: Fate) -> Array:
    """When each stop frees what it needs, `(patient, stop, phase and caseload)`; NaN where that is at its end."""
    none = np.full((1, fate.freed_min.shape[1]), np.nan)
    return np.asarray(np.concatenate([fate.freed_min, none])[fate.freed_at])


def freeing(fate: Fate, by_stop: Array) -> Fate:
    """The fate whose stops free what they need at other minutes, as `freed_by_stop` gives them."""
    row, stop = np.nonzero(~np.isnan(by_stop).all(axis=2))
    at = np.full(by_stop.shape[:2], -1, dtype=np.int64)
    at[row, stop] = np.arange(row.size)
    return replace(fate, freed_at=at, freed_min=by_stop[row, stop])


def _rounded(minutes: Array, grid: float) -> Array:
    return np.round(minutes / grid) * grid if grid else minutes
