"""Who comes: the patients of a member under a demand, picked from its luck.

A demand says how arrivals differ from an ordinary day. The same luck under another demand brings the same patients
where both bring them, with everything that luck has in store for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.arrivals import HEADROOM
from twin.errors import ScenarioError
from twin.luck import CRISIS, HERE, RESERVE, Luck
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Crisis:
    """Victims who come at once: how many, when, and how severe."""

    patients: int
    from_min: float
    over_min: float
    severity: Mapping[int, float]
    """Share by acuity code; what the parameters do not tell apart has their usual mix."""


@dataclass(frozen=True)
class Demand:
    """Who comes, compared with an ordinary day."""

    level: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    """Factor on the arrivals of the first stream, in steps of (minute, factor)."""
    crises: tuple[Crisis, ...] = ()


class People:
    """Who takes part: those here, the victims, and the candidates whose mark lies below the level of arrivals."""

    def __init__(self, path: Path, parameters: Parameters, luck: Luck, present: Present, demand: Demand) -> None:
        self.at_min = luck.at_min.copy()
        victims = _victims(luck, demand, self.at_min)
        candidates = np.flatnonzero((luck.group >= 0) & comes(luck, demand))
        self.row = np.concatenate([np.arange(present.count), victims, candidates])
        self.here = present.count
        self.group = luck.group[self.row]
        self.at_min = self.at_min[self.row]
        self.block = parameters.block_of_hour[luck.hours.hour_of_day_at(self.at_min)]
        self.cls = _classes(parameters, self, luck.cls[self.row], demand)
        entry = np.array([path.index(s.enters) for s in parameters.streams] or [0], dtype=np.int64)
        ward = np.array([s.unit for s in parameters.streams] or [-1], dtype=np.int64)
        stream = np.maximum(self.group, 0)
        self.enters, self.unit = entry[stream], ward[stream]
        self.at_min[: self.here] = np.nan
        for mine, given in ((self.block, present.block), (self.cls, present.cls), (self.unit, present.unit)):
            mine[: self.here] = given
        self.enters[: self.here] = present.stage


def comes(luck: Luck, demand: Demand) -> npt.NDArray[np.bool_]:
    """Whether a candidate comes, for each row of luck: their mark lies below the level of arrivals."""
    return np.asarray(luck.mark < _level(luck, demand.level) / HEADROOM)


def _level(luck: Luck, level: tuple[tuple[float, float], ...]) -> Array:
    """The factor on arrivals for each row: the first stream's at its time, 1 for the others."""
    factors = np.array([factor for _, factor in level])
    if (factors > HEADROOM).any() or (factors < 0).any():
        raise ScenarioError(f"arrivals must be changed by a factor from 0 to {HEADROOM:g}, but by {factors.max():g}")
    step = np.searchsorted([minute for minute, _ in level], luck.at_min, side="right") - 1
    return np.where(luck.group == 0, factors[np.maximum(step, 0)], 1.0)


def _victims(luck: Luck, demand: Demand, at_min: Array) -> Index:
    """Rows of the reserve that come, in order of the crises; writes when they come."""
    reserve = np.flatnonzero(luck.group == CRISIS)
    asked = sum(crisis.patients for crisis in demand.crises)
    if asked > reserve.size:
        raise ScenarioError(f"a crisis may bring {RESERVE} patients, but brings {asked}")
    taken = 0
    for crisis in demand.crises:
        rows = reserve[taken : taken + crisis.patients]
        at_min[rows] = crisis.from_min + crisis.over_min * luck.mark[rows]
        taken += crisis.patients
    return reserve[:taken]


def _classes(parameters: Parameters, people: People, uniform: Array, demand: Demand) -> Index:
    """The class of each who comes, by stream and block; of victims, by the crisis's severity."""
    cls = np.zeros(people.row.size, dtype=np.int64)
    for code, stream in enumerate(parameters.streams):
        mine = people.group == code
        cls[mine] = pick(stream.class_share[people.block[mine]], uniform[mine])
    first = int((people.group == HERE).sum())
    for crisis in demand.crises:
        mine_rows = np.arange(first, first + crisis.patients)
        share = _severe(parameters, crisis.severity)[people.block[mine_rows]]
        cls[mine_rows] = pick(share, uniform[mine_rows])
        first += crisis.patients
    return cls


def _severe(parameters: Parameters, severity: Mapping[int, float]) -> Array:
    """Shares of classes, `(block, class)`, with a given mix of acuities and the usual mix within each acuity."""
    usual = parameters.streams[0].class_share
    acuity = np.array([c.acuity for c in parameters.classes])
    share = np.zeros_like(usual)
    for code, weight in severity.items():
        within = np.where(acuity == code, usual, 0.0)
        total = within.sum(axis=1, keepdims=True)
        share += np.divide(weight * within, total, out=np.zeros_like(within), where=total > 0)
    found = share.sum(axis=1, keepdims=True)
    return np.where(found > 0, share / np.where(found > 0, found, 1.0), usual)


def pick(share: Array, uniform: Array) -> Index:
    """The index at which the running sum of shares passes each uniform, `(n, k)`, `(n,)` -> `(n,)`."""
    chosen = (np.cumsum(share, axis=1) <= uniform[:, None]).sum(axis=1)
    return np.asarray(np.minimum(chosen, share.shape[1] - 1))
