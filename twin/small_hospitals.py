"""Small hospitals with paths of a few stages, run in a line: for checks of the twin's law by theory, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import numpy.typing as npt

from ingest.configuration import parse
from twin.demand import Demand
from twin.durations import Duration
from twin.fate import Fate, cast
from twin.hospital import Hospital, HospitalFile, Profile
from twin.law import USUAL, Law
from twin.luck import draw
from twin.model import run
from twin.parameters import HOURS_OF_WEEK, Parameters, PatientClass, Stream
from twin.pathway import Path, path_from
from twin.present import Present
from twin.story import Story, Visits

Array = npt.NDArray[np.float64]

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
"""A Monday, midnight in UTC; the small hospitals live in UTC."""

HOSPITAL = """
name = "Small"
zone = "UTC"
acuities = ["1", "2", "3", "4", "5"]
[units]
boxes    = { fr = "Box", en = "Boxes", spaces = 3, treatment = true }
medicine = { fr = "Médecine", en = "Medicine", beds = 4 }
surgery  = { fr = "Chirurgie", en = "Surgery", beds = 2 }
[pools]
doctor   = { fr = "Médecins", en = "Doctors", always = 1 }
nurse    = { fr = "Infirmiers", en = "Nurses", always = 2 }
"""

QUEUE = """
name = "queue"
[stage.contact]
comes = "Arrived"
needs = "doctor"
starts = "SeenByProvider"
lasts = "service"
then = { home = 1 }
[stage.home]
starts = "Departed"
to = "home"
"""

DELAY = """
name = "delay"
[stage.stay]
comes = "Arrived"
lasts = "service"
then = { home = 1 }
[stage.home]
starts = "Departed"
to = "home"
"""

WHOLE = """
name = "whole"
[stage.arrival]
comes = "Arrived"
lasts = "to_triage"
ends = "Triaged"
then = { contact = 1 }
[stage.contact]
patience = "patience"
needs = "doctor"
starts = "SeenByProvider"
frees_after = "doctor_slot"
lasts = "care"
then = { admit = "p_admit", home = "rest" }
[stage.admit]
wants = "ward"
ends = "DecidedToAdmit"
then = { boarding = 1 }
[stage.boarding]
takes = "wanted bed"
starts = "BedRequested"
lasts = "to_ward"
then = { ward = 1 }
[stage.ward]
unit = "wanted"
starts = "Departed"
to = "ward"
lasts = "ward_stay:wanted"
gives = "wanted bed"
ends = "LeftWard"
[stage.home]
starts = "Departed"
to = "home"
"""
"""Every kind of stage; each stage's start leaves a mark, so that the state can be read from the story."""


@cache
def small_hospital(text: str = HOSPITAL) -> Hospital:
    return parse(text, HospitalFile, place="small").hospital()


def small_path(text: str, hospital: Hospital | None = None) -> Path:
    return path_from(text, hospital or small_hospital())


def parameters(
    path: Path,
    durations: Mapping[str, Duration],
    *,
    per_hour: float | Array = 0.0,
    classes: Mapping[int, float] | None = None,
    shares: Mapping[str, float] | None = None,
    wanted: Mapping[str, float] | None = None,
    day_cv: float = 0.0,
) -> Parameters:
    """One stream into the path's first entry; `classes` gives shares by acuity code, `wanted` shares by ward."""
    mix = dict(classes or {-1: 1.0})
    ward = np.array([[(wanted or {}).get(unit, 0.0) for unit in path.units]] * len(mix))
    return Parameters(
        classes=tuple(PatientClass(f"acuity {code}", acuity=code) for code in mix),
        block_of_hour=np.zeros(24, dtype=np.int64),
        streams=(
            Stream(
                name="emergency",
                enters=path.enters[0],
                per_hour=np.broadcast_to(np.asarray(per_hour, dtype=np.float64), (HOURS_OF_WEEK,)).copy(),
                class_share=np.array([list(mix.values())]),
                day_cv=day_cv,
            ),
        ),
        durations=durations,
        shares={name: np.full((len(mix), 1), p) for name, p in (shares or {}).items()},
        wanted={"ward": ward},
        load_edges=np.zeros((1, 0)),
    )


@dataclass(frozen=True)
class Here:
    """A patient who is here at the start."""

    stage: str
    serving: bool
    since_min: float = 0.0
    arrived_min: float = 0.0
    residual_min: float = 0.0
    cls: int = 0
    unit: int = -1
    here: bool = True


def present(path: Path, *people: Here, history: tuple[tuple[float, int, int, int, int], ...] = ()) -> Present:
    return Present(
        cls=np.array([p.cls for p in people], dtype=np.int64),
        block=np.zeros(len(people), dtype=np.int64),
        unit=np.array([p.unit for p in people], dtype=np.int64),
        stage=np.array([path.index(p.stage) for p in people], dtype=np.int64),
        serving=np.array([p.serving for p in people], dtype=np.bool_),
        since_min=np.array([p.since_min for p in people], dtype=np.float64),
        arrived_min=np.array([p.arrived_min for p in people], dtype=np.float64),
        residual_min=np.array([[p.residual_min] for p in people], dtype=np.float64).reshape(len(people), 1),
        here=np.array([p.here for p in people], dtype=np.bool_),
        history=Story.of(history),
    )


@dataclass(frozen=True)
class Member:
    """A run and what it was made of."""

    story: Story
    fate: Fate
    present: Present
    capacity: Mapping[str, Profile]

    @property
    def visits(self) -> Visits:
        return Visits.of(self.story, self.fate.acuity)


def member(
    path: Path,
    believed: Parameters,
    *,
    hours: float,
    capacity: Mapping[str, int | Profile] | None = None,
    here: Present | None = None,
    demand: Demand | None = None,
    law: Law = USUAL,
    seed: int = 1,
    number: int = 0,
    hospital: Hospital | None = None,
    bend: Callable[[Fate], Fate] = lambda fate: fate,
) -> Member:
    """A run from START; `capacity` overrides the hospital's, `bend` changes the fate (for mutants)."""
    hospital, here, horizon_min = hospital or small_hospital(), here or present(path), hours * 60
    luck = draw(
        path, believed, here.count, seed=seed, member=number, start=START, horizon_min=horizon_min, zone=hospital.zone
    )
    profiles = hospital.capacities(path.pools, START, horizon_min)
    profiles |= {p: ((0.0, c),) if isinstance(c, int) else c for p, c in (capacity or {}).items()}
    fate = bend(cast(path, believed, luck, here, demand, law))
    return Member(run(profiles, path, fate, here, horizon_min), fate, here, profiles)


def arriving(fate: Fate, at_min: list[float]) -> Fate:
    """The fate with its first patients coming at the minutes given, and nobody else."""
    assert fate.at_min.size >= len(at_min), "raise per_hour: too few patients to place"
    rows = slice(0, len(at_min))
    return replace(
        fate,
        **{name: getattr(fate, name)[rows] for name in ("visit", "cls", "block", "priority", "stage", "unit")},
        minutes=fate.minutes[rows],
        freed_at=fate.freed_at[rows],
        patience_min=fate.patience_min[rows],
        at_min=np.array(at_min, dtype=np.float64),
    )


def same(one: Story, other: Story) -> bool:
    """Equal to the last bit."""
    names = ("at_min", "kind", "visit", "unit", "to")
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)
