"""Who comes: the patients of members under a demand, picked from their luck.

A demand says how arrivals differ from an ordinary day. The same luck under another demand brings the same patients
where both bring them, with everything that luck has in store for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import inf, log
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from twin.arrivals import HEADROOM
from twin.errors import ScenarioError
from twin.luck import CRISIS, HERE, Luck
from twin.parameters import Parameters, PatientClass
from twin.pathway import Path
from twin.present import Present

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Who:
    """Which patients a change concerns: those of some acuities, by code, and of some ages; of all where not said."""

    acuities: frozenset[int] | None = None
    ages: frozenset[str] | None = None

    @property
    def everybody(self) -> bool:
        """Does it concern everybody?"""
        return self.acuities is None and self.ages is None

    def of(self, classes: Sequence[PatientClass]) -> Flags:
        """Is a class concerned? `(class,)`; one whose acuity or age is not known is not, where that is asked for."""
        return np.array(
            [(self.acuities is None or c.acuity in self.acuities) and (self.ages is None or c.age_band in self.ages)
             for c in classes]
        )  # fmt: skip


EVERYBODY = Who()


@dataclass(frozen=True)
class Crisis:
    """Victims who come at once, or as an outbreak rises and falls: how many, when, and how severe."""

    patients: int
    from_min: float
    over_min: float
    """Within this time evenly; where there is a median, it does not count."""
    severity: Mapping[int, float]
    """Share by acuity code; what the parameters do not tell apart has their usual mix."""
    median_min: float | None = None
    dispersion: float = 1.5
    clusters: int = 1
    """So many groups of equal size fall ill one after the other, `apart_min`."""
    apart_min: float = 0.0
    ages: Mapping[str, float] | None = None
    shares: tuple[tuple[str, float], ...] = ()
    """Where the path leads victims, where that differs from others: probabilities by the path's names."""

    def at_min(self, mark: Array) -> Array:
        """When each comes, from one uniform each, `(.., patient)`."""
        if self.median_min is None:
            return self.from_min + self.over_min * mark
        group = np.arange(self.patients) * self.clusters // self.patients
        after = self.median_min * np.exp(log(self.dispersion) * special.ndtri(mark))
        return np.asarray(self.from_min + group * self.apart_min + after)


@dataclass(frozen=True)
class Level:
    """A factor on those who come in a window: some of the first stream, or those who come by appointment."""

    factor: float
    from_min: float = 0.0
    until_min: float = inf
    who: Who = EVERYBODY
    planned: bool = False
    units: frozenset[int] | None = None
    """Wards, by code, that a factor on appointments concerns; all where not said."""


@dataclass(frozen=True)
class Demand:
    """Who comes, compared with an ordinary day."""

    level: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    """Factor on the arrivals of the first stream, in steps of (minute, factor)."""
    crises: tuple[Crisis, ...] = ()
    some: tuple[Level, ...] = ()
    """Factors on some of those who come."""

    @property
    def by_class(self) -> bool:
        """Does it depend on who they are?"""
        return any(not level.who.everybody for level in self.some)

    @property
    def victims(self) -> int:
        """How many its crises bring."""
        return sum(crisis.patients for crisis in self.crises)


class People:
    """Who takes part: those here, the victims, and the candidates who come under one of some demands.

    The demands have the same crises. One row each, in the order of luck, so that a member's rows stand together.
    """

    def __init__(
        self, path: Path, parameters: Parameters, luck: Luck, presents: Sequence[Present], demands: Sequence[Demand]
    ) -> None:
        self.at_min = luck.at_min.copy()
        victims = _victims(luck, demands[0], self.at_min)
        coming = _Coming(path, parameters, luck)
        come = reduce(np.logical_or, (coming.under(demand) for demand in demands))
        self.row = np.flatnonzero((luck.group == HERE) | victims | come)
        self.first = np.searchsorted(self.row, luck.first)
        self.group = luck.group[self.row]
        self.at_min = self.at_min[self.row]
        self.block = parameters.block_of_hour[luck.hours.hour_of_day_at(self.at_min)]
        self.cls = _classes(parameters, self.group, self.block, luck.cls[self.row])
        self.crisis = np.full(self.row.size, -1)
        """Which crisis a victim is of; -1 for the others."""
        self._strike(parameters, luck.cls[self.row], demands[0])
        entry = np.array([path.index(s.enters) for s in parameters.streams] or [0], dtype=np.int64)
        ward = np.array([s.unit for s in parameters.streams] or [-1], dtype=np.int64)
        stream = np.maximum(self.group, 0)
        self.enters, self.unit = entry[stream], ward[stream]
        self.here = np.flatnonzero(self.group == HERE)
        """Rows of those who are here, in the order of the presents."""
        self.at_min[self.here] = np.nan
        for mine, given in (("block", "block"), ("cls", "cls"), ("unit", "unit"), ("enters", "stage")):
            getattr(self, mine)[self.here] = joined(presents, given)

    def _strike(self, parameters: Parameters, uniform: Array, demand: Demand) -> None:
        """The crisis and the class of each victim."""
        victims = np.flatnonzero(self.group == CRISIS).reshape(self.first.size - 1, -1)
        for place, (crisis, taken) in enumerate(_taken(demand)):
            rows = victims[:, taken : taken + crisis.patients].ravel()
            self.crisis[rows] = place
            self.cls[rows] = pick_by(_struck(parameters, crisis), self.block[rows], uniform[rows])


def joined(presents: Sequence[Present], name: str) -> Any:
    """A column of several presents, one after the other."""
    return np.concatenate([getattr(present, name) for present in presents])


class _Coming:
    """Which candidates come under a demand; classes are worked out once, where one asks for them."""

    def __init__(self, path: Path, parameters: Parameters, luck: Luck) -> None:
        self._path, self._parameters, self._luck = path, parameters, luck
        self._cls: Index | None = None

    def under(self, demand: Demand) -> Flags:
        if demand.by_class and self._cls is None:
            luck, block_of_hour = self._luck, self._parameters.block_of_hour
            block = block_of_hour[luck.hours.hour_of_day_at(luck.at_min)]
            self._cls = _classes(self._parameters, luck.group, block, luck.cls)
        return comes(self._luck, demand, self._path, self._parameters, cls=self._cls)


def comes(
    luck: Luck, demand: Demand, path: Path, parameters: Parameters, rows: Index | None = None, cls: Index | None = None
) -> Flags:
    """Is this a candidate who comes, for each row of luck or for some: a mark below the level of arrivals?

    `cls` gives the class of each of these rows, where the demand depends on it. Raises ScenarioError for a level that
    luck was not drawn for.
    """
    group = luck.group if rows is None else luck.group[rows]
    mark, at_min = (of if rows is None else of[rows] for of in (luck.mark, luck.at_min))
    level = np.where(group == 0, _stepped(demand, at_min) / HEADROOM, 1.0)
    for change in demand.some:
        level *= np.where(_concerned(change, path, parameters, group, at_min, cls), change.factor, 1.0)
    if (level > 1.0 + 1e-12).any():
        raise ScenarioError(_too_many(float(level.max()) * HEADROOM))
    return np.asarray((group >= 0) & (mark < level))


def _stepped(demand: Demand, at_min: Array) -> Array | np.float64:
    factors = np.array([factor for _, factor in demand.level])
    if (factors > HEADROOM).any() or (factors < 0).any():
        raise ScenarioError(_too_many(float(factors.max())))
    if factors.size == 1:
        return np.float64(factors[0])
    step = np.searchsorted([minute for minute, _ in demand.level], at_min, side="right") - 1
    return np.asarray(factors[np.maximum(step, 0)])


def _too_many(factor: float) -> str:
    return f"arrivals must be changed by a factor from 0 to {HEADROOM:g}, but by {factor:g}"


def _concerned(
    change: Level, path: Path, parameters: Parameters, group: Index, at_min: Array, cls: Index | None
) -> Flags:
    """Whom a factor concerns, of candidates."""
    streams = (
        np.flatnonzero(planned_streams(path, parameters, change.units)) if change.planned else np.zeros(1, dtype=int)
    )
    mine = np.isin(group, streams) & (change.from_min <= at_min) & (at_min < change.until_min)
    if change.who.everybody or cls is None:
        return mine
    return mine & change.who.of(parameters.classes)[cls]


def planned_streams(path: Path, parameters: Parameters, units: frozenset[int] | None = None) -> Flags:
    """Which streams come by appointment, `(stream,)`, to some wards or to all: those that come into a ward at once."""
    return np.array(
        [path.stages[path.index(s.enters)].starts == "EnteredWard" and (units is None or s.unit in units)
         for s in parameters.streams]
    )  # fmt: skip


def _victims(luck: Luck, demand: Demand, at_min: Array) -> Flags:
    """Rows of the reserve that come, in order of the crises; writes when they come."""
    if demand.victims > luck.reserve:
        raise ScenarioError(f"a crisis may bring {luck.reserve} patients, but brings {demand.victims}")
    come = np.zeros(luck.group.size, dtype=bool)
    reserve = np.flatnonzero(luck.group == CRISIS).reshape(luck.first.size - 1, -1)
    for crisis, taken in _taken(demand):
        rows = reserve[:, taken : taken + crisis.patients]
        at_min[rows] = crisis.at_min(luck.mark[rows])
        come[rows] = True
    return come


def _taken(demand: Demand) -> Iterator[tuple[Crisis, int]]:
    """Each crisis, and how many of the reserve those before it have taken."""
    taken = 0
    for crisis in demand.crises:
        yield crisis, taken
        taken += crisis.patients


def _classes(parameters: Parameters, group: Index, block: Index, uniform: Array) -> Index:
    """The class of each who comes, by stream and block; that of the others is to be said."""
    cls = np.zeros(group.size, dtype=np.int64)
    for code, stream in enumerate(parameters.streams):
        mine = np.flatnonzero(group == code)
        cls[mine] = pick_by(stream.class_share, block[mine], uniform[mine])
    return cls


def _struck(parameters: Parameters, crisis: Crisis) -> Array:
    """Shares of classes, `(block, class)`, with a given mix of acuities and the usual mix within each acuity; where
    ages are given too, with these, of each acuity alike."""
    usual = parameters.streams[0].class_share
    acuity = np.array([c.acuity for c in parameters.classes])
    by_acuity = [(acuity == code, weight) for code, weight in crisis.severity.items()]
    share = _mixed(usual, by_acuity)
    if crisis.ages is None:
        return share
    ages = np.array([c.age_band or "" for c in parameters.classes])
    return _mixed(share, [(ages == band, weight) for band, weight in crisis.ages.items()])


def _mixed(usual: Array, parts: Sequence[tuple[Flags, float]]) -> Array:
    """Shares of classes with given weights of some of them, and the usual mix within each; as usual where none is."""
    share = np.zeros_like(usual)
    for mine, weight in parts:
        within = np.where(mine, usual, 0.0)
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
