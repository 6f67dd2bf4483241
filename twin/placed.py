"""Where patients stand on a site's own path: which stage, queueing or in it, since when, and how much is left of it.

The stages between two milestones are drawn from walks (`walks.py`): of visits that were as far and no farther after as
long, one is taken, of the same acuity and at about that time of the day if there are enough of them; the patient
stands where that one stood. Nobody
queues for a bed of a ward that has some free. More people than there are doctors, boxes or beds can be put into a
stage so: those who came to it last queue for it instead, if a milestone does not tell that it has begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from twin.calibrate import Calibration
from twin.drawn_rows import Rows
from twin.futures import by_duration
from twin.hospital import NO_LIMIT
from twin.known import Known, OnOwnPath
from twin.present import AT_ONCE_MIN
from twin.stages import WANTED
from twin.steps import NONE, OF_WARD, beds_of, kept_at, steps_of
from twin.story import NOWHERE, Array, Index
from twin.waits import BED, SITUATIONS, TRIAGE, WARD
from twin.walks import Walks

Flags = npt.NDArray[np.bool_]

ENOUGH = 20
"""Stretches of an acuity that speak for themselves; with fewer, those of all do."""
_NEAR_HOURS = 2
_LONGEST_MIN = 10**6
_NEAREST = 10
"""Where nobody walked for as long, so many that lasted longest speak."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where each stands, one row a patient of a member, `(row,)`; `left_min` by load class."""

    unit: Index
    stage: Index
    serving: Flags
    since_min: Array
    left_min: Array
    by_clock: Flags
    """Is what is left told on a ward's clock?"""


def placed(known: Known, c: Calibration, full: Flags, rows: Rows, here: Flags, future: Array) -> Places:
    """Where each stands; `full` says by unit whether nobody is expected to find a bed there.

    `future` is a number a row, which draws where a patient is. `here` is `(member, patient)`.
    """
    assert c.described is not None
    assert known.on_own_path is not None
    found = _index(c, full.tobytes())
    elapsed = -rows.since_min
    which = found.drawn(rows, known.on_own_path.hour, future)
    walks = c.described.walks
    stage = _of(walks.stage, which, found.otherwise(rows))
    serving = _of(walks.serving, which, np.ones(which.size, dtype=bool))
    lasted = np.maximum(elapsed - _of(walks.from_min, which, np.zeros(which.size)), 0.0)
    unit = _of(walks.unit, which, rows.unit)
    told = (rows.situation == BED) & (rows.unit >= 0)
    unit = np.where(told & (unit != rows.unit) & found.asks_ward[stage], rows.unit, unit)
    serving = _within_capacity(c, known.on_own_path, (stage, unit, serving, lasted), here)
    by_clock = found.by_clock[stage] & (rows.situation == WARD)
    left = _left(c, rows, (stage, unit, serving), _on_clock(rows, lasted, elapsed, by_clock), rows.lasting)
    return Places(unit, stage, serving, -lasted, left, by_clock)


def wanted_unit(known: Known, c: Calibration, full: Flags, rows: Rows, boards: Index, uniform: Array) -> Index:
    """The wards that boarders want of whom the log does not tell: those of visits that were as far."""
    assert c.described is not None
    assert known.on_own_path is not None
    which = _index(c, full.tobytes()).drawn(rows.some(boards), known.on_own_path.hour, uniform)
    return _of(c.described.walks.unit, which, np.full(which.size, NOWHERE))


Value = TypeVar("Value", bound=np.generic)


def _of(column: npt.NDArray[Value], which: Index, otherwise: npt.NDArray[Value]) -> npt.NDArray[Value]:
    """A column of the stretches drawn; something else for who has none."""
    out = otherwise.copy()
    out[which >= 0] = column[which[which >= 0]]
    return out


# --- which stretch ------------------------------------------------------------------------------------------------


_Key = tuple[int, int, int, int, int]
"""Situation, ward (lain in, or wanted), acuity, hour of the day at which the situation began, minutes since."""


@dataclass(frozen=True, eq=False)
class _Index:
    """The stretches of walks, to be asked for those in which somebody may be."""

    c: Calibration
    walks: Walks
    open_: Flags
    """Which are no queue for a bed that is free."""
    asks_ward: Flags
    """By stage: is it on the way to the ward wanted?"""
    by_clock: Flags
    found: dict[_Key, Index] = field(default_factory=dict)

    def drawn(self, rows: Rows, hour_now: float, uniform: Array) -> Index:
        """A stretch for each row, `(row,)`; -1 where no visit ever was as far."""
        acuity = np.array([one.acuity for one in self.c.parameters.classes])[rows.cls]
        ward = np.where(rows.situation >= BED, rows.unit, NOWHERE)
        shape = (len(SITUATIONS), len(self.c.hospital.units) + 1, len(self.c.hospital.acuities) + 1, 24, _LONGEST_MIN)
        minute = np.clip(-rows.since_min, 0.0, _LONGEST_MIN - 1.0).astype(np.int64)
        began = (np.floor(hour_now - minute / 60.0) % 24).astype(np.int64)
        codes = np.ravel_multi_index((rows.situation, ward + 1, acuity + 1, began, minute), shape)
        kinds, kind_of = np.unique(codes, return_inverse=True)
        out = np.full(rows.patient.size, -1, dtype=np.int64)
        order = np.argsort(kind_of, kind="stable")
        bounds = np.searchsorted(kind_of[order], np.arange(kinds.size + 1))
        for kind, first, end in zip(kinds, bounds, bounds[1:], strict=False):
            of, at, urgent, hour, since = (int(code) for code in np.unravel_index(kind, shape))
            some, mine = self._like((of, at - 1, urgent - 1, hour, since)), order[first:end]
            if some.size:
                out[mine] = some[(uniform[mine] * some.size).astype(np.int64)]
        return out

    def otherwise(self, rows: Rows) -> Index:
        """The stage of those for whom no visit speaks: of a stay in the ward they lie in, else the first."""
        path = self.c.path
        first = next(k for k, stage in enumerate(path.stages) if stage.comes)
        out = np.full(rows.patient.size, first, dtype=np.int64)
        for code in np.unique(rows.unit[rows.situation == WARD]).tolist():
            names = (WANTED, path.units[code])
            stays = [k for k, stage in enumerate(path.stages) if stage.unit in names and stage.lasts]
            in_it = [k for k, stage in enumerate(path.stages) if stage.unit in names]
            out[(rows.situation == WARD) & (rows.unit == code)] = [*stays, *in_it][0]
        return out

    def _like(self, key: _Key) -> Index:
        if key not in self.found:
            self.found[key] = self._searched(*key)
        return self.found[key]

    def _searched(self, situation: int, ward: int, acuity: int, hour: int, minute: int) -> Index:
        """Those in which one is after so many minutes, by acuity and hour where they are enough; else who lasted
        longest."""
        pool = self._pool(situation, ward)
        free = pool[self.open_[pool]]
        covering = self._at(free if free.size else pool, minute)
        same = self.walks.acuity[covering] == acuity
        near = (self.walks.begun_hour[covering] - hour + _NEAR_HOURS) % 24 <= 2 * _NEAR_HOURS
        for alike in (same & near, same, near):
            if alike.sum() >= ENOUGH:
                return covering[alike]
        return covering

    def _at(self, pool: Index, minute: int) -> Index:
        w = self.walks
        covering = pool[(w.from_min[pool] <= minute) & (minute < w.until_min[pool])]
        return covering if covering.size else pool[np.argsort(-w.until_min[pool], kind="stable")[:_NEAREST]]

    def _pool(self, situation: int, ward: int) -> Index:
        """The stretches of a situation; where the path never leads to it, of the one before."""
        w = self.walks
        mine = w.situation == situation
        if situation == WARD:
            return np.flatnonzero(mine & (w.where == ward))
        if situation == BED and ward >= 0:
            for narrower in (mine & (w.unit == ward), mine & self.asks_ward[w.stage]):
                if narrower.any():
                    return np.flatnonzero(narrower)
        while not mine.any() and situation > TRIAGE:
            situation -= 1
            mine = w.situation == situation
        return np.flatnonzero(mine)


@lru_cache(maxsize=4)
def _index(c: Calibration, full: bytes) -> _Index:
    assert c.described is not None
    path, walks, is_full = c.path, c.described.walks, np.frombuffer(full, dtype=bool)
    steps, ward_of = steps_of(path), {pool: unit for unit, pool in enumerate(beds_of(path)) if pool != NONE}
    kept = kept_at(path)
    waits_in_vain = np.zeros(walks.stage.size, dtype=bool)
    for k, step in enumerate(steps):
        queue = np.flatnonzero((walks.stage == k) & ~walks.serving & (walks.situation == BED))
        others = [pool for pool in (*step.takes, *step.needs) if pool != OF_WARD and pool not in ward_of]
        for pool in () if others else step.takes:
            unit = walks.unit[queue] if pool == OF_WARD else np.full(queue.size, ward_of[pool])
            waits_in_vain[queue] |= ~is_full[unit]
    return _Index(
        c=c,
        walks=walks,
        open_=~waits_in_vain,
        asks_ward=np.array([OF_WARD in (*step.takes, *kept[k]) for k, step in enumerate(steps)]),
        by_clock=np.array([step.by_clock and c.parameters.leaving is not None for step in steps]),
    )


# --- as many as there are places ------------------------------------------------------------------------------------


def _within_capacity(c: Calibration, own: OnOwnPath, where: tuple[Index, Index, Flags, Array], here: Flags) -> Flags:
    """Who serves, `(row,)`, when of those for whom there is no place the last to come queue instead."""
    stage, unit, lasted = where[0].reshape(here.shape), where[1].reshape(here.shape), where[3].reshape(here.shape)
    asked, kept, may_queue = _holding(c)
    out = where[2].reshape(here.shape).copy()
    for pool, name in enumerate(c.path.pools):
        if own.capacity[name] >= NO_LIMIT:
            continue
        takes = asked[stage, unit, pool] & out & here
        held = (takes | (kept[stage, unit, pool] & here)).sum(axis=1)
        for member in np.flatnonzero(held > own.capacity[name]).tolist():
            last = np.flatnonzero(takes[member] & may_queue[stage[member]])
            over = int(held[member] - own.capacity[name])
            out[member, last[np.argsort(lasted[member, last], kind="stable")[:over]]] = False
    return out.ravel()


@lru_cache(maxsize=4)
def _holding(c: Calibration) -> tuple[Flags, Flags, Flags]:
    """By stage, ward wanted and pool, what is held for it once it has begun, and what from before; and by stage,
    whether somebody may queue for it of whom no milestone says that it has begun."""
    path, described = c.path, c.described
    assert described is not None
    shape = (len(path.stages), len(path.units) + 1, len(path.pools))
    asked, kept, beds = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool), beds_of(path)
    for k, (step, before) in enumerate(zip(steps_of(path), kept_at(path), strict=True)):
        for table, pools in ((asked, (*step.takes, *step.needs)), (kept, before)):
            for unit in range(len(path.units)):
                table[k, unit, [p for p in _by_ward(pools, beds[unit]) if p != NONE]] = True
            table[k, -1, [p for p in pools if p >= 0]] = True
    told = (*described.told, "Departed", "EnteredWard")
    return asked, kept, np.array([bool(stage.asks) and stage.starts not in told for stage in path.stages])


def _by_ward(pools: tuple[int, ...], bed: int) -> Iterator[int]:
    return (bed if pool == OF_WARD else pool for pool in pools)


# --- how much is left -----------------------------------------------------------------------------------------------


def _on_clock(rows: Rows, lasted: Array, elapsed: Array, by_clock: Flags) -> Array:
    """How long each stage has lasted: of stays in wards as much of the ward's clock as of the time."""
    share = np.divide(lasted, elapsed, out=np.ones_like(lasted), where=elapsed > 0)
    on_clock = np.where(by_clock, rows.ward_clock_min * share, lasted)
    return np.asarray(np.maximum(on_clock - rows.untold_min, 0.0))


def _left(c: Calibration, rows: Rows, where: tuple[Index, Index, Flags], lasted: Array, uniform: Array) -> Array:
    """What is left of each stage, `(row, load)`; the whole of one that is queued for."""
    stage, unit, serving = where
    out = np.zeros((stage.size, c.parameters.loads))
    for k in np.unique(stage).tolist():
        lasts = c.path.stages[k].lasts
        mine = np.flatnonzero(stage == k)
        for name, some in by_duration(c, lasts, unit[mine]) if lasts else ():
            duration, at = c.parameters.durations[name], mine[some]
            whole = duration.at(uniform[at], rows.cls[at], rows.block[at])
            rest = duration.residual(uniform[at], lasted[at], rows.cls[at], rows.block[at])
            out[at] = np.where(serving[at, None], rest, whole)
    at_once = np.where(serving, AT_ONCE_MIN, 0.0)
    return np.asarray(np.maximum(out - rows.untold_min[:, None], at_once[:, None]))
