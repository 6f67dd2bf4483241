"""What was learned beside what is true, where the twin's own law makes the truth (`identical.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecast.values import Array
from twin.calibrate import Calibration
from twin.durations import Duration


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


def recovered(law: Calibration, learned: Calibration) -> tuple[Recovered, ...]:
    """The main parameters of a law beside those learned; averaged over the law's patients where they differ by class."""
    return tuple([*_arrivals(law, learned), *_shares(law, learned), *_durations(law, learned), *_beds(law, learned)])


def _arrivals(law: Calibration, learned: Calibration) -> Iterator[Recovered]:
    true, found = law.parameters.streams[0], learned.parameters.streams[0]
    yield Recovered("arrivals", "a day", *(float(s.per_hour.sum() / 7) for s in (true, found)), 0.08)
    planned = [sum(float(s.per_hour.sum() / 7) for s in c.parameters.streams[1:]) for c in (law, learned)]
    if planned[0]:
        yield Recovered("planned stays", "a day", planned[0], planned[1], 0.15)


def _shares(law: Calibration, learned: Calibration) -> Iterator[Recovered]:
    weight = _mix(law)
    for name in ("p_admit", "p_elsewhere"):
        true, found = (float((c.parameters.shares[name] * weight).sum()) for c in (law, learned))
        if true >= 0.02:
            yield Recovered(name, "share", true, found, 0.15 if name == "p_admit" else 0.4)


def _durations(law: Calibration, learned: Calibration) -> Iterator[Recovered]:
    weight = _mix(law)
    for name in ("to_triage", "care_admit", "care_home", "to_exit"):
        pair = (_mean(c.parameters.durations[name], weight) for c in (law, learned))
        yield Recovered(name, "min", *pair, 0.10)
    for ward in law.hospital.wards:
        name = f"ward_stay:{ward.name}"
        if name in law.parameters.durations and name in learned.parameters.durations:
            pair = (_mean(c.parameters.durations[name], weight) / 60.0 for c in (law, learned))
            yield Recovered(name, "h", *pair, 0.25)


def _beds(law: Calibration, learned: Calibration) -> Iterator[Recovered]:
    pair = (float(sum(w.places for w in c.hospital.wards if w.name in c.beds_known)) for c in (law, learned))
    yield Recovered("beds", "beds", *pair, 0.0)


def _mix(law: Calibration) -> Array:
    """Share of the law's patients by class and block, `(class, block)`."""
    stream, blocks = law.parameters.streams[0], law.parameters.block_of_hour
    by_hour = stream.per_hour.reshape(7, 24).sum(axis=0)
    by_block = np.bincount(blocks, by_hour, minlength=law.parameters.blocks) / by_hour.sum()
    return np.asarray((stream.class_share * by_block[:, None]).T)


def _mean(duration: Duration, weight: Array) -> float:
    """The mean over the law's patients, load classes alike."""
    return float((np.broadcast_to(duration.mean_min().mean(axis=2), weight.shape) * weight).sum())
