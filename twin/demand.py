"""Who comes: the patients of members under a demand, picked from their luck.

A demand says how arrivals differ from an ordinary day. The same luck under another demand brings the same patients
where both bring them, with everything that luck has in store for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
Flags = npt.NDArray[np.bool_]


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
    """Who takes part: those here, the victims, and the candidates whose mark lies below the level of arrivals.

    One row each, in the order of luck, so that a member's rows stand together.
    """

    def __init__(
        self, path: Path, parameters: Parameters, luck: Luck, presents: Sequence[Present], demand: Demand
    ) -> None:
        self.at_min = luck.at_min.copy()
        victims = _victims(luck, demand, self.at_min)
        self.row = np.flatnonzero((luck.group == HERE) | victims | comes(luck, demand))
        self.first = np.searchsorted(self.row, luck.first)
        self.group = luck.group[self.row]
        self.at_min = self.at_min[self.row]
        self.block = parameters.block_of_hour[luck.hours.hour_of_day_at(self.at_min)]
        self.cls = _classes(parameters, self, luck.cls[self.row], demand)
        entry = np.array([path.index(s.enters) for s in parameters.streams] or [0], dtype=np.int64)
        ward = np.array([s.unit for s in parameters.streams] or [-1], dtype=np.int64)
        stream = np.maximum(self.group, 0)
        self.enters, self.unit = entry[stream], ward[stream]
        self.here = np.flatnonzero(self.group == HERE)
        """Rows of those who are here, in the order of the presents."""
        self.at_min[self.here] = np.nan
        for mine, given in (("block", "block"), ("cls", "cls"), ("unit", "unit"), ("enters", "stage")):
            getattr(self, mine)[self.here] = joined(presents, given)


def joined(presents: Sequence[Present], name: str) -> Any:
    """A column of several presents, one after the other."""
    return np.concatenate([getattr(present, name) for present in presents])


def comes(luck: Luck, demand: Demand, rows: Index | None = None) -> Flags:
    """Is this a candidate who comes, for each row of luck or for some: a mark below the level of arrivals?"""
    group, mark = (of if rows is None else of[rows] for of in (luck.group, luck.mark))
    factors = np.array([factor for _, factor in demand.level])
    if (factors > HEADROOM).any() or (factors < 0).any():
        raise ScenarioError(f"arrivals must be changed by a factor from 0 to {HEADROOM:g}, but by {factors.max():g}")
    if factors.size == 1:
        changed = factors[0]
    else:
        at_min = luck.at_min if rows is None else luck.at_min[rows]
        step = np.searchsorted([minute for minute, _ in demand.level], at_min, side="right") - 1
        changed = factors[np.maximum(step, 0)]
    return np.asarray((group >= 0) & (mark < np.where(group == 0, changed / HEADROOM, 1.0)))


def _victims(luck: Luck, demand: Demand, at_min: Array) -> Flags:
    """Rows of the reserve that come, in order of the crises; writes when they come."""
    asked = sum(crisis.patients for crisis in demand.crises)
    if asked > RESERVE:
        raise ScenarioError(f"a crisis may bring {RESERVE} patients, but brings {asked}")
    come = np.zeros(luck.group.size, dtype=bool)
    reserve = np.flatnonzero(luck.group == CRISIS).reshape(-1, RESERVE)
    for crisis, taken in _taken(demand):
        rows = reserve[:, taken : taken + crisis.patients]
        at_min[rows] = crisis.from_min + crisis.over_min * luck.mark[rows]
        come[rows] = True
    return come


def _taken(demand: Demand) -> Iterator[tuple[Crisis, int]]:
    """Each crisis, and how many of the reserve those before it have taken."""
    taken = 0
    for crisis in demand.crises:
        yield crisis, taken
        taken += crisis.patients


def _classes(parameters: Parameters, people: People, uniform: Array, demand: Demand) -> Index:
    """The class of each who comes, by stream and block; of victims, by the crisis's severity."""
    cls = np.zeros(people.row.size, dtype=np.int64)
    for code, stream in enumerate(parameters.streams):
        mine = np.flatnonzero(people.group == code)
        cls[mine] = pick_by(stream.class_share, people.block[mine], uniform[mine])
    victims = np.flatnonzero(people.group == CRISIS).reshape(people.first.size - 1, -1)
    for crisis, taken in _taken(demand):
        rows = victims[:, taken : taken + crisis.patients].ravel()
        cls[rows] = pick_by(_severe(parameters, crisis.severity), people.block[rows], uniform[rows])
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


def pick_by(share: Array, kind: Index, uniform: Array) -> Index:
    """What `pick` gives for shares by kind, `(kind, k)`, and the kind of each, `(n,)`."""
    running = np.cumsum(share, axis=1)[:, :-1]
    return np.asarray((running[kind] <= uniform[:, None]).sum(axis=1))
