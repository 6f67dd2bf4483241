"""Where stages lead and which ward is wanted: the route of each patient as a row of stops, by luck."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.demand import People, pick
from twin.errors import RepeatsError
from twin.luck import Luck
from twin.parameters import Parameters
from twin.pathway import Path
from twin.stages import REST, Stage

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

OUT = -1
"""In place of a stage: the visit is over."""


class Stops(NamedTuple):
    """Routes, one row a patient."""

    stage: Index
    """`(patient, stop)`; OUT after the end."""
    slot: Index
    """Stage and repeat, by which luck is drawn, `(patient, stop)`."""
    unit: Index
    """Ward wanted when coming to each stop and after the last, `(patient, stop + 1)`; -1 where none."""


def stops_of(path: Path, parameters: Parameters, people: People, luck: Luck) -> Stops:
    """Every stage that each patient comes to, unless patience ends before.

    Raises RepeatsError if that is the same stage more often than its `at_most` allows.
    """
    then = _leads_to(path, parameters, people, luck.then[people.row])
    wanted = _wards_wanted(path, parameters, people, luck.wanted[people.row])
    first, at_most = np.array(path.first_slot), np.array([stage.at_most for stage in path.stages])
    everyone = np.arange(people.row.size)
    times = np.zeros((people.row.size, len(path.stages)), dtype=np.int64)
    stages: list[Index] = []
    slots: list[Index] = []
    at, units = people.enters, [people.unit]
    while (going := at != OUT).any() or not stages:
        k = np.maximum(at, 0)
        repeat = times[everyone, k]
        if (over := going & (repeat >= at_most[k])).any():
            raise RepeatsError(_too_often(path, int(k[over][0])))
        slot = np.where(going, first[k] + repeat, 0)
        stages.append(at)
        slots.append(slot)
        times[everyone, k] += going
        changed = np.where(going, wanted[everyone, slot], -1)
        units.append(np.where(changed >= 0, changed, units[-1]))
        at = np.where(going, then[everyone, slot], OUT)
    return Stops(stage=np.stack(stages, axis=1), slot=np.stack(slots, axis=1), unit=np.stack(units, axis=1))


def probabilities(stage: Stage, parameters: Parameters) -> Array:
    """Where a stage leads, `(class, block, target)`, in the order of its `then`; rows sum to 1."""
    shape = (len(parameters.classes), parameters.blocks)
    columns = [
        np.zeros(shape) if p == REST else np.broadcast_to(parameters.shares[p] if isinstance(p, str) else p, shape)
        for p in stage.then.values()
    ]
    out = np.stack(columns, axis=2).astype(np.float64)
    if REST in stage.then.values():
        out[:, :, list(stage.then.values()).index(REST)] = 1.0 - out.sum(axis=2)
    return out


def _leads_to(path: Path, parameters: Parameters, people: People, uniform: Array) -> Index:
    """The next stage, `(patient, slot)`."""
    then = np.full((people.row.size, path.slots), OUT, dtype=np.int64)
    for stage, first in zip(path.stages, path.first_slot, strict=True):
        targets = np.array([path.index(target) for target in stage.then], dtype=np.int64)
        slots = slice(first, first + stage.at_most)
        if targets.size == 1:
            then[:, slots] = targets[0]
        elif targets.size:
            share = probabilities(stage, parameters)[people.cls, people.block]
            for slot in range(slots.start, slots.stop):
                then[:, slot] = targets[pick(share, uniform[:, slot])]
    return then


def _wards_wanted(path: Path, parameters: Parameters, people: People, uniform: Array) -> Index:
    """The ward wanted from the stage's end on, `(patient, slot)`; -1 where that does not change."""
    wanted = np.full((people.row.size, path.slots), -1, dtype=np.int64)
    for stage, first in zip(path.stages, path.first_slot, strict=True):
        for slot in range(first, first + stage.at_most if stage.wants else first):
            if stage.wants in path.units:
                wanted[:, slot] = path.units.index(stage.wants)
            elif stage.wants:
                wanted[:, slot] = pick(parameters.wanted[stage.wants][people.cls], uniform[:, slot])
    return wanted


def _too_often(path: Path, stage: int) -> str:
    name, at_most = path.names[stage], path.stages[stage].at_most
    return f"stage.{name} of path {path.name}: a patient may come here {at_most} times (at_most), but comes once more"
