"""What a scenario changes of how the hospital works: how long things last, where they lead, when wards let go.

Luck stays as it is: a duration is the same transform of the same number, times a factor; a way is chosen by the same
number among other probabilities; a ward's clock runs on otherwise. So each patient's difference is paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

import numpy as np
import numpy.typing as npt

from twin.arrivals import Calendar
from twin.demand import EVERYBODY, Crisis, Who
from twin.errors import ScenarioError
from twin.leaving import HOURS_A_DAY, HOURS_A_WEEK, clocks
from twin.parameters import Parameters, PatientClass

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_RAMP_MIN = 60.0
"""Within this time wards come to let patients go earlier: those who would have left within the next hours go then."""
_BACK = 0.98
"""How fast they come back to the usual hours: the clock all but stands meanwhile."""
_GRID_MIN = 15.0
"""Bounds of what is counted of a changed clock."""


@dataclass(frozen=True)
class Pace:
    """A duration, times a factor, where it begins in a window; a name that wards end means all of these."""

    duration: str
    factor: float
    from_min: float = 0.0
    until_min: float = inf
    who: Who = EVERYBODY

    def of(self, name: str) -> bool:
        """Does it change the duration of a name?"""
        return name == self.duration or name.startswith(f"{self.duration}:")


@dataclass(frozen=True)
class Way:
    """A share, its odds times a factor or another value in its place, for those who come in a window."""

    share: str
    odds: float | None = None
    value: float | None = None
    from_min: float = 0.0
    until_min: float = inf
    who: Who = EVERYBODY

    def of(self, usual: Array) -> Array:
        """The share changed."""
        if self.value is not None:
            return np.full_like(usual, self.value)
        weight = (1.0 if self.odds is None else self.odds) * usual
        return np.asarray(weight / (1.0 - usual + weight))


@dataclass(frozen=True)
class Discharging:
    """Wards' clocks: times a factor, earlier, every day alike; in a window, in wards by code or in all."""

    units: frozenset[int] | None = None
    factor: float = 1.0
    earlier_min: float = 0.0
    every_day_alike: bool = False
    from_min: float = 0.0
    until_min: float = inf


@dataclass(frozen=True)
class Law:
    """What is different from how the hospital works; nothing where empty."""

    paces: tuple[Pace, ...] = ()
    ways: tuple[Way, ...] = ()
    discharging: tuple[Discharging, ...] = ()

    @property
    def phase_edge_min(self) -> Array:
        """Minutes after the start at which durations begin to be others, rising."""
        bounds = {bound for pace in self.paces for bound in (pace.from_min, pace.until_min)}
        return np.array(sorted(bound for bound in bounds if 0.0 < bound < inf))


USUAL = Law()


def factors(law: Law, names: Sequence[str], classes: Sequence[PatientClass]) -> Array:
    """What each duration is multiplied by in each phase, `(phase, name, class)`."""
    starts = np.concatenate([[0.0], law.phase_edge_min])
    out = np.ones((starts.size, len(names), len(classes)))
    for pace in law.paces:
        mine = np.array([place for place, name in enumerate(names) if pace.of(name)], dtype=np.int64)
        on = np.flatnonzero((pace.from_min <= starts) & (starts < pace.until_min))
        out[np.ix_(on, mine, np.flatnonzero(pace.who.of(classes)))] *= pace.factor
    return out


class Variants:
    """Parameters with other shares, one for each way of being changed that some patients meet; the usual ones first."""

    def __init__(self, parameters: Parameters, law: Law, crises: Sequence[Crisis]) -> None:
        self.parameters = [parameters]
        self._law, self._crises = law, crises
        self._codes: dict[tuple[tuple[Way, ...], tuple[tuple[str, float], ...]], int] = {((), ()): 0}

    def of(self, at_min: Array, crisis: Index) -> Index:
        """Which parameters hold for each patient, `(patient,)`, by when they come (who is here: now) and the crisis."""
        out = np.zeros(at_min.size, dtype=np.int64)
        if not self._law.ways and not any(crisis.shares for crisis in self._crises):
            return out
        came = np.nan_to_num(at_min, nan=0.0)
        edges = sorted({b for way in self._law.ways for b in (way.from_min, way.until_min) if 0.0 < b < inf})
        window = np.searchsorted(edges, came, side="right")
        for phase, start in enumerate([0.0, *edges]):
            ways = tuple(way for way in self._law.ways if way.from_min <= start < way.until_min)
            for struck in range(-1, len(self._crises)):
                mine = (window == phase) & (crisis == struck)
                if mine.any():
                    out[mine] = self._code(ways, self._crises[struck].shares if struck >= 0 else ())
        return out

    def _code(self, ways: tuple[Way, ...], shares: tuple[tuple[str, float], ...]) -> int:
        if (ways, shares) not in self._codes:
            self._codes[ways, shares] = len(self.parameters)
            self.parameters.append(_with_shares(self.parameters[0], ways, shares))
        return self._codes[ways, shares]


@lru_cache(maxsize=16)  # what was learned on other days is let go
def _with_shares(parameters: Parameters, ways: tuple[Way, ...], shares: tuple[tuple[str, float], ...]) -> Parameters:
    """The parameters with some shares changed; those that they do not have are left out."""
    changed = dict(parameters.shares)
    for way in ways:
        if way.share in changed:
            mine = way.who.of(parameters.classes)[:, None]
            changed[way.share] = np.where(mine, way.of(changed[way.share]), changed[way.share])
    for name, value in shares:
        if name in changed:
            changed[name] = np.full_like(changed[name], value)
    return replace(parameters, shares=changed)


def check_sums(stage: str, probabilities: Array) -> None:
    """Raise ScenarioError where a scenario's shares send more than everybody on from a stage, `(class, block, way)`."""
    most = float(probabilities.sum(axis=2).max(initial=0.0))
    if most > 1.0 + 1e-9 or float(probabilities.min(initial=0.0)) < -1e-9:
        raise ScenarioError(f"stage.{stage}: the shares of those who go on must sum to 1 at most in every scenario")


def changed_clocks(
    hours: Calendar, speed: Array, changes: Sequence[Discharging], horizon_min: float
) -> tuple[Array, Array]:
    """Bounds in minutes, and what each unit's clock shows at them, `(unit, bound)`, under changes of discharging.

    A clock that runs earlier shows at t what it would have shown at t + earlier.
    """
    edge = _bounds(hours, changes, horizon_min)
    usual, alike = _Clock(hours, speed), _Clock(hours, _alike(speed))
    out = np.zeros((speed.shape[0], edge.size))
    for unit in range(speed.shape[0]):
        mine = [change for change in changes if change.units is None or unit in change.units]
        ahead = edge + sum((_ahead(change, edge) for change in mine), np.zeros(edge.size))
        middle = (edge[:-1] + edge[1:]) / 2
        even = np.array([any(c.every_day_alike and c.from_min <= m < c.until_min for c in mine) for m in middle])
        gone = np.where(even, np.diff(alike.shown(unit, ahead)), np.diff(usual.shown(unit, ahead)))
        for change in mine:
            gone = gone * np.where((change.from_min <= middle) & (middle < change.until_min), change.factor, 1.0)
        out[unit, 1:] = np.cumsum(gone)
    return edge, out


def _bounds(hours: Calendar, changes: Sequence[Discharging], horizon_min: float) -> Array:
    windows = [bound for change in changes for bound in (change.from_min, change.until_min) if 0 < bound < horizon_min]
    return np.unique(np.concatenate([hours.edge_min, np.arange(0.0, horizon_min, _GRID_MIN), windows]))


def _ahead(change: Discharging, at_min: Array) -> Array:
    """By how much a clock is ahead of the usual one."""
    rising = change.earlier_min * np.clip((at_min - change.from_min) / _RAMP_MIN, 0.0, 1.0)
    return np.asarray(np.maximum(rising - _BACK * np.maximum(at_min - change.until_min, 0.0), 0.0))


def _alike(speed: Array) -> Array:
    """The mean of all days at each hour."""
    day = speed.reshape(speed.shape[0], HOURS_A_WEEK // HOURS_A_DAY, HOURS_A_DAY).mean(axis=1)
    return np.asarray(np.tile(day, (1, HOURS_A_WEEK // HOURS_A_DAY)))


class _Clock:
    """What wards' clocks show, also in the day after a run."""

    def __init__(self, hours: Calendar, speed: Array) -> None:
        later = 60.0 * np.arange(1, HOURS_A_DAY + 1)
        last = int(hours.hour_of_week[-1])
        week = np.concatenate([hours.hour_of_week, (last + np.arange(1, HOURS_A_DAY + 1)) % HOURS_A_WEEK])
        self._edge = np.concatenate([hours.edge_min, hours.edge_min[-1] + later])
        self._shown = clocks(self._edge, week, speed)

    def shown(self, unit: int, at_min: Array) -> Array:
        return np.asarray(np.interp(at_min, self._edge, self._shown[unit]))
