"""What was learned beside what is true, where the twin's own law makes the truth (`identical.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecast.values import Array
from twin.calibrate import Calibration
from twin.durations import Duration
from twin.identical import Lived
from twin.measures import inside

RARE = 0.02
"""A share below this is too rare to be learned from some weeks."""


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

    What differs by class, block or load is averaged over the patients who came, and over the loads that they met: the
    classes of load that are learned need not be those of the law.
    """
    law, weight = lived.law, _mix(lived)
    return (
        *_arrivals(law, learned),
        *_shares(law, learned, weight),
        *_durations(law, learned, weight, _loads(lived, law), _loads(lived, learned)),
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


def _durations(
    law: Calibration, learned: Calibration, weight: Array, loads: Array, loads_learned: Array
) -> Iterator[Recovered]:
    def both(name: str) -> tuple[float, float]:
        return tuple(  # type: ignore[return-value]
            _mean(c.parameters.durations[name], weight, met) for c, met in ((law, loads), (learned, loads_learned))
        )

    for name in ("to_triage", "care_admit", "care_home", "to_exit"):
        yield Recovered(name, "min", *both(name), 0.15)
    for ward in law.hospital.wards:
        name = f"ward_stay:{ward.name}"
        if name in law.parameters.durations and name in learned.parameters.durations:
            true, found = both(name)
            yield Recovered(name, "h", true / 60.0, found / 60.0, 0.25)


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


def _loads(lived: Lived, believed: Calibration) -> Array:
    """Share of the arrivals that met each of the load classes of some parameters, `(load,)`."""
    fate, visits = lived.fate, lived.visits
    arrived = visits.arrived_min[fate.visit]
    rows = np.flatnonzero(~np.isnan(arrived))
    census = inside(visits.arrived_min, visits.departed_min, arrived[rows])
    load = (census[:, None] >= believed.parameters.load_edges[fate.block[rows]]).sum(axis=1)
    return np.asarray(np.bincount(load, minlength=believed.parameters.loads) / load.size)


def _mean(duration: Duration, weight: Array, loads: Array) -> float:
    """The mean over patients and the loads that they met, in minutes."""
    by_load = duration.mean_min()
    met = by_load @ loads if by_load.shape[2] == loads.size else by_load.mean(axis=2)
    return float((np.broadcast_to(met, weight.shape) * weight).sum())
