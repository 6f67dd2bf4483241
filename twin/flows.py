"""How many a day walk each way of a path, and how long each stage holds them: no run, only sums.

Where a stage leads does not depend on the other patients (`routing.py`), so the expected number who come to each stage
follows from arrivals and shares alone. Patients are kept apart by class, by block of arrival and by ward wanted, so
that what depends on them is added up right. Waits are not in it: they are what the model is run for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.durations import LEVELS, Duration
from twin.parameters import HOURS_OF_WEEK, Parameters
from twin.pathway import Path
from twin.routing import probabilities
from twin.stages import WANTED, Stage

Array = npt.NDArray[np.float64]

HOURS_A_DAY = 24
_ROUNDS = 1_000
_NOBODY = 1e-9
"""Visits a day below which nobody goes on."""
_LEVEL_WEIGHT = np.gradient(LEVELS)


@dataclass(frozen=True, eq=False)
class Flows:
    """What a path and its parameters expect of a usual week."""

    path: Path
    parameters: Parameters
    came: tuple[Array, ...]
    """By stage, who comes a day, `(class, block, unit + 1)`: the ward wanted, last where none is."""
    went: tuple[tuple[Array, ...], ...]
    """By stage and way on, in the order of `then`, visits a day in the same shape."""
    after: tuple[Array, ...]
    """By stage, who goes on from it, with the ward that they want by then."""

    def visits(self, stage: int) -> float:
        """Visits a day that come to a stage."""
        return float(self.came[stage].sum())

    def mean_min(self, stage: int, name: str | None) -> Array:
        """Mean minutes of a duration for those who come to a stage, `(class, block, unit + 1)`; 0 without a name."""
        if name is None:
            return np.zeros_like(self.came[stage])
        return self._of_wards(name, self.came[stage], lambda told: told.mean_min().mean(axis=2))

    def median_min(self, stage: int, name: str) -> float | None:
        """The median of a duration among those who come to a stage; None where nobody does."""
        return self.median_of(self._parts(name, self.came[stage]))

    def median_of(self, parts: Sequence[tuple[str, Array]]) -> float | None:
        """The median over several durations, each with whom it concerns, `(class, block)`; None where nobody is."""
        if sum(float(part.sum()) for _, part in parts) <= _NOBODY:
            return None
        values, weights = [], []
        for duration, part in parts:
            told = self.parameters.durations[duration].table
            share = np.broadcast_to(part[:, :, None], (*part.shape, told.shape[2])) / told.shape[2]
            values.append(np.broadcast_to(told, (*share.shape, LEVELS.size)).ravel())
            weights.append((share[..., None] * _LEVEL_WEIGHT).ravel())
        return weighted_median(np.concatenate(values), np.concatenate(weights))

    def _parts(self, name: str, came: Array) -> list[tuple[str, Array]]:
        """A duration's own names, each with whom it concerns, `(class, block)`."""
        head, _, tail = name.rpartition(":")
        if not head or tail != WANTED:
            return [(name, came.sum(axis=2))]
        units = self.path.units
        return [(f"{head}:{ward}", came[:, :, units.index(ward)]) for ward in self.path.wards]

    def _of_wards(self, name: str, came: Array, of: Callable[[Duration], Array]) -> Array:
        out = np.zeros_like(came)
        head, _, tail = name.rpartition(":")
        if not head or tail != WANTED:
            return out + of(self.parameters.durations[name])[:, :, None]
        for ward in self.path.wards:
            code = self.path.units.index(ward)
            out[:, :, code] = of(self.parameters.durations[f"{head}:{ward}"])
        return out


def flows_of(path: Path, parameters: Parameters) -> Flows:
    """The expected flow through every stage; those who come again to a stage are counted each time."""
    came = [np.zeros(_shape(path, parameters)) for _ in path.stages]
    went = [[np.zeros(_shape(path, parameters)) for _ in stage.then] for stage in path.stages]
    after = [np.zeros(_shape(path, parameters)) for _ in path.stages]
    leads = [probabilities(stage, parameters) if stage.then else None for stage in path.stages]
    now = _entering(path, parameters)
    for _ in range(_ROUNDS):
        if sum(part.sum() for part in now.values()) < _NOBODY:
            break
        following: dict[int, Array] = {}
        for code, part in now.items():
            stage, on = path.stages[code], _with_ward(path, parameters, path.stages[code], part)
            came[code] += part
            after[code] += on
            for way, target in enumerate(stage.then):
                gone = on * _lead(leads[code], way)
                went[code][way] += gone
                at = path.index(target)
                following[at] = following[at] + gone if at in following else gone
        now = following
    return Flows(path, parameters, tuple(came), tuple(map(tuple, went)), tuple(after))


def per_hour(parameters: Parameters) -> Array:
    """Arrivals an hour by local hour of the day, all streams, the mean of the week, `(24,)`."""
    return sum((s.per_hour.reshape(-1, HOURS_A_DAY).mean(axis=0) for s in parameters.streams), np.zeros(HOURS_A_DAY))


def weighted_median(values: Array, weights: Array) -> float:
    """The value below which half of the weight lies."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def _shape(path: Path, parameters: Parameters) -> tuple[int, int, int]:
    return len(parameters.classes), parameters.blocks, len(path.units) + 1


def _lead(leads: Array | None, way: int) -> Array:
    assert leads is not None
    return np.asarray(leads[:, :, way, None])


def _entering(path: Path, parameters: Parameters) -> dict[int, Array]:
    """Who comes from outside, a day, by the stage where they come in."""
    out: dict[int, Array] = {}
    block = parameters.block_of_hour[np.arange(HOURS_OF_WEEK) % HOURS_A_DAY]
    for stream in parameters.streams:
        a_day = np.bincount(block, weights=stream.per_hour, minlength=parameters.blocks) / 7
        share = np.broadcast_to(stream.class_share, (parameters.blocks, len(parameters.classes)))
        part = np.zeros(_shape(path, parameters))
        part[:, :, stream.unit] = (share * a_day[:, None]).T  # -1, no ward, is the last
        at = path.index(stream.enters)
        out[at] = out[at] + part if at in out else part
    return out


def _with_ward(path: Path, parameters: Parameters, stage: Stage, part: Array) -> Array:
    """Those who go on from a stage, with the ward that they want by then."""
    if stage.wants is None:
        return part
    everyone = part.sum(axis=2)
    out = np.zeros_like(part)
    if stage.wants in path.units:
        out[:, :, path.units.index(stage.wants)] = everyone
    else:
        out[:, :, :-1] = everyone[:, :, None] * parameters.wanted[stage.wants][:, None, :]
    return out
