"""What was learned beside what is true, where the twin's own law makes the truth (`identical.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecast.values import Array
from ingest.events import RANK
from twin.calibrate import Calibration
from twin.identical import Lived
from twin.measures import inside

RARE = 0.02
"""A share below this is too rare to be learned from some weeks."""
BEGINS = {
    "to_triage": ("arrival", "Arrived"),
    "care_admit": ("contact_admit", "SeenByProvider"),
    "care_home": ("contact_home", "SeenByProvider"),
    "to_exit": ("discharge", "DecidedToDischarge"),
}
"""The stage that lasts for each duration looked at, and what marks its beginning."""


@dataclass(frozen=True)
class Recovered:
    """One parameter: its true value and the one learned; `tolerance` is how far apart they may be, of the true one."""

    name: str
    unit: str
    true: float
    learned: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Is what was learned near enough?"""
        return abs(self.learned - self.true) <= self.tolerance * max(abs(self.true), 1e-9)


def recovered(lived: Lived, learned: Calibration) -> tuple[Recovered, ...]:
    """The main parameters of the law that a hospital lived by beside those learned.

    Shares that differ by class and block are averaged over the patients who came; durations over those who came to
    their stage, each at the load then: the classes of load that are learned need not be those of the law.
    """
    law, weight = lived.law, _mix(lived)
    return (
        *_arrivals(law, learned),
        *_shares(law, learned, weight),
        *_durations(lived, learned),
        *_stays(law, learned),
        *_beds(law, learned),
    )


def _arrivals(law: Calibration, learned: Calibration) -> Iterator[Recovered]:
    true, found = law.parameters.streams[0], learned.parameters.streams[0]
    yield Recovered("arrivals", "a day", float(true.per_hour.sum() / 7), float(found.per_hour.sum() / 7), 0.08)
    planned = [sum(float(s.per_hour.sum() / 7) for s in c.parameters.streams[1:]) for c in (law, learned)]
    if planned[0]:
        yield Recovered("planned stays", "a day", planned[0], planned[1], 0.15)


def _shares(law: Calibration, learned: Calibration, weight: Array) -> Iterator[Recovered]:
    for name, tolerance in (("p_admit", 0.15), ("p_elsewhere", 0.4)):
        true, found = (float((c.parameters.shares[name] * weight).sum()) for c in (law, learned))
        if true >= RARE:
            yield Recovered(name, "share", true, found, tolerance)


def _durations(lived: Lived, learned: Calibration) -> Iterator[Recovered]:
    for name in BEGINS:
        true, found = (_mean(lived, believed, name) for believed in (lived.law, learned))
        yield Recovered(name, "min", true, found, 0.05)


def _stays(law: Calibration, learned: Calibration) -> Iterator[Recovered]:
    for ward in law.hospital.wards:
        told = [c.parameters.durations.get(f"ward_stay:{ward.name}") for c in (law, learned)]
        true, found = (float(d.mean_min().mean()) / 60.0 if d else None for d in told)
        if true is not None and found is not None:
            yield Recovered(f"ward_stay:{ward.name}", "h", true, found, 0.25)


def _beds(law: Calibration, learned: Calibration) -> Iterator[Recovered]:
    true, found = (float(sum(w.places for w in c.hospital.wards if w.name in c.beds_known)) for c in (law, learned))
    yield Recovered("beds", "beds", true, found, 0.0)


def _mix(lived: Lived) -> Array:
    """Share of the emergency patients by class and block, `(class, block)`."""
    fate, law = lived.fate, lived.law.parameters
    came = ~np.isnan(lived.visits.arrived_min[fate.visit])
    out = np.zeros((len(law.classes), law.blocks))
    np.add.at(out, (fate.cls[came], fate.block[came]), 1.0)
    return np.asarray(out / out.sum())


def _mean(lived: Lived, believed: Calibration, name: str) -> float:
    """What a duration lasts by some parameters, in the mean of all whose stage began, at the load then; minutes."""
    fate, visits, (stage, mark) = lived.fate, lived.visits, BEGINS[name]
    began = _when(lived, mark)[fate.visit]
    rows = np.flatnonzero((fate.stage == lived.law.path.index(stage)).any(axis=1) & ~np.isnan(began))
    census = inside(visits.arrived_min, visits.departed_min, began[rows])
    told = believed.parameters
    load = (census[:, None] >= told.load_edges[fate.block[rows]]).sum(axis=1)
    shape = (len(told.classes), told.blocks, told.loads)
    by_cell = np.broadcast_to(told.durations[name].mean_min(), shape)
    return float(by_cell[fate.cls[rows], fate.block[rows], load].mean())


def _when(lived: Lived, mark: str) -> Array:
    """The minute of a mark by visit; NaN where there is none."""
    out, mine = np.full(lived.visits.arrived_min.size, np.nan), lived.story.kind == RANK[mark]
    out[lived.story.visit[mine]] = lived.story.at_min[mine]
    return out
