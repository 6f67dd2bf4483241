"""Where stages lead and which ward is wanted: the route of each patient as a row of stops, by luck."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.demand import People, pick_by
from twin.errors import RepeatsError
from twin.fate_loop import BY_CLASS, UNCHANGED, ready
from twin.fate_loop import OUT as _OUT
from twin.law import check_sums
from twin.luck import Luck
from twin.parameters import Parameters
from twin.pathway import Path
from twin.stages import REST, Stage

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

OUT = _OUT
"""In place of a stage: the visit is over."""


class Stops(NamedTuple):
    """Routes, one row a patient."""

    stage: Index
    """`(patient, stop)`; OUT after the end."""
    slot: Index
    """Stage and repeat, by which luck is drawn, `(patient, stop)`."""
    unit: Index
    """Ward wanted when coming to each stop and after the last, `(patient, stop + 1)`; -1 where none."""


def stops_of(path: Path, variants: Sequence[Parameters], variant: Index, people: People, luck: Luck) -> Stops:
    """Every stage that each patient comes to, unless patience ends before; `variant` says which parameters are theirs.

    Raises RepeatsError if that is the same stage more often than its `at_most` allows, ScenarioError if more than
    everybody would go on from a stage.
    """
    parameters = variants[0]
    table, n = _table(path, parameters), people.row.size
    kinds = len(parameters.classes) * parameters.blocks
    running = np.concatenate([_table(path, one).running for one in variants], axis=1)
    kind = variant * kinds + people.cls * parameters.blocks + people.block
    if ready and (found := _by_loop(table, running, kind, people, luck)):
        return found
    times = np.zeros((n, len(path.stages)), dtype=np.int8)
    who, at = np.arange(n), people.enters
    stages, slots, units = list[Index](), list[Index](), [people.unit]
    while who.size or not stages:
        repeat = times[who, at]
        if (over := repeat >= table.at_most[at]).any():
            raise RepeatsError(_too_often(path, int(at[over][0])))
        times[who, at] += 1
        slot = table.first_slot[at] + repeat
        stages.append(_spread(at, who, np.full(n, OUT)))
        slots.append(_spread(slot, who, np.zeros(n, dtype=np.int64)))
        units.append(units[-1].copy())
        for k in table.wanting:
            mine = np.flatnonzero(at == k)
            units[-1][who[mine]] = _ward_wanted(path, parameters, people, luck, k, who[mine], slot[mine])
        at = _next(table, running, kind, people, luck, who, at, slot)
        who, at = who[at != OUT], at[at != OUT]
    return Stops(stage=np.stack(stages, axis=1), slot=np.stack(slots, axis=1), unit=np.stack(units, axis=1))


def _by_loop(table: _Table, running: Array, kind: Index, people: People, luck: Luck) -> Stops | None:
    """The same by the compiled loop; None where a route leads to a stage too often."""
    given = (
        people.enters, people.unit, luck.key[people.row], kind, people.cls, luck.places["then"],
        luck.places["wanted"], table.first_slot, table.at_most, table.targets, running, table.ward, table.wards,
    )  # fmt: skip

    def room(stops: int) -> list[Index]:
        return [np.empty((people.row.size, width), dtype=np.int64) for width in (stops, stops, stops + 1)]

    written = room(table.longest or ready[0].route(*given, *room(0)))
    return Stops(*written) if ready[0].route(*given, *written) else None


def _spread(values: Index, who: Index, over: Index) -> Index:
    over[who] = values
    return over


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


class _Table(NamedTuple):
    """The stages of a path under some parameters, for many patients at once."""

    first_slot: Index
    at_most: Index
    wanting: tuple[int, ...]
    """Stages from whose end on a ward is wanted."""
    branches: npt.NDArray[np.bool_]
    """Does it lead to one of several? `(stage,)`."""
    running: Array
    """Sums of probabilities up to each target but the last, `(stage, class and block, target - 1)`; 1 for none."""
    targets: Index
    """`(stage, target)`; OUT where there is none."""
    ward: Index
    """Which ward is wanted from a stage's end on, `(stage,)`; BY_CLASS, or UNCHANGED."""
    longest: int
    """How many stops a route may have; 0 where some stages may be come to again."""
    wards: Array
    """Sums of the shares of wards up to each but the last, where one is drawn, `(stage, class, ward - 1)`."""


@lru_cache(maxsize=16)  # what was learned on other days is let go
def _table(path: Path, parameters: Parameters) -> _Table:
    most = max(2, *(len(stage.then) for stage in path.stages))
    running = np.ones((len(path.stages), len(parameters.classes) * parameters.blocks, most - 1))
    targets = np.full((len(path.stages), most), OUT, dtype=np.int64)
    for k, stage in enumerate(path.stages):
        targets[k, : len(stage.then)] = [path.index(target) for target in stage.then]
        if len(stage.then) > 1:
            share = probabilities(stage, parameters)
            check_sums(path.names[k], share)
            share = share.reshape(-1, len(stage.then))
            running[k, :, : len(stage.then) - 1] = np.cumsum(share, axis=1)[:, :-1]
    return _Table(
        first_slot=np.array(path.first_slot),
        at_most=np.array([stage.at_most for stage in path.stages]),
        wanting=tuple(k for k, stage in enumerate(path.stages) if stage.wants),
        branches=np.array([len(stage.then) > 1 for stage in path.stages]),
        running=running,
        targets=targets,
        ward=np.array([_ward_code(path, stage) for stage in path.stages]),
        longest=_longest(targets),
        wards=_wards(path, parameters),
    )


def _longest(targets: Index) -> int:
    """How many stages lie on the longest way; 0 where there are circles."""
    at, stops = np.arange(len(targets)), 0
    while at.size and stops <= len(targets):
        at, stops = np.setdiff1d(targets[at], OUT), stops + 1
    return 0 if at.size else stops


def _ward_code(path: Path, stage: Stage) -> int:
    if not stage.wants:
        return UNCHANGED
    return path.units.index(stage.wants) if stage.wants in path.units else BY_CLASS


def _wards(path: Path, parameters: Parameters) -> Array:
    out = np.ones((len(path.stages), len(parameters.classes), max(len(path.units) - 1, 1)))
    for k, stage in enumerate(path.stages):
        if _ward_code(path, stage) == BY_CLASS:
            running = np.cumsum(parameters.wanted[str(stage.wants)], axis=1)[:, :-1]
            out[k, :, : running.shape[1]] = running
    return out


def _next(
    table: _Table, running: Array, kind: Index, people: People, luck: Luck, who: Index, at: Index, slot: Index
) -> Index:
    """The next stage of each, by the stage and slot that they are at."""
    out = table.targets[at, 0]
    some = np.flatnonzero(table.branches[at])
    uniform = luck.of("then", people.row[who[some]], slot[some])
    chosen = (running[at[some], kind[who[some]]] <= uniform[:, None]).sum(axis=1)
    out[some] = table.targets[at[some], chosen]
    return np.asarray(out)


def _ward_wanted(
    path: Path, parameters: Parameters, people: People, luck: Luck, stage: int, who: Index, slot: Index
) -> Index | int:
    """The ward wanted from the stage's end on, by those who are at it."""
    wants = str(path.stages[stage].wants)
    if wants in path.units:
        return path.units.index(wants)
    return pick_by(parameters.wanted[wants], people.cls[who], luck.of("wanted", people.row[who], slot))


def _too_often(path: Path, stage: int) -> str:
    name, at_most = path.names[stage], path.stages[stage].at_most
    return f"stage.{name} of path {path.name}: a patient may come here {at_most} times (at_most), but comes once more"
