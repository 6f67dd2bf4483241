"""Exits that wards have planned, for those who lie there: when each leaves, and how much less the others leave.

A patient whose exit is planned leaves as such plans are kept (`announced.py`). Exits that had been planned by now are a
part of all exits to be expected; the others' hazard is lowered by that part, so that nobody is counted twice. Where
far fewer exits are planned than usual at this hour, plans are not told, and less is taken from the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from twin.announced import Kept, hour_of
from twin.durations import Duration
from twin.leaving import HOUR_MIN, Timeline, lasted
from twin.minutes import Minutes
from twin.story import Array, Index

_LEADS: Array = np.arange(0.0, 73.0) * HOUR_MIN
"""Leads up to which exits are told apart by whether they were planned by now."""
_AS_USUAL_SHARE = 0.5
"""Half as many plans as usual at this hour are still as usual; of fewer, some are not heard of."""
_DAY = int(np.searchsorted(_LEADS, 24 * HOUR_MIN))


@dataclass(frozen=True, eq=False)
class Lying:
    """Patients in wards, one row each: the ward, how long on its clock, when an exit is planned (NaN), and p_here."""

    row: Index
    unit: Index
    clock_min: Array
    due_min: Array
    p_here: Array

    def within(self, units: Sequence[int]) -> Lying:
        """Those in some wards."""
        some = np.isin(self.unit, units)
        return self if some.all() else Lying(*(getattr(self, f.name)[some] for f in fields(self)))


@dataclass(frozen=True, eq=False)
class Plans:
    """What is planned, by row of `Known`; empty where no ward plans."""

    left: Mapping[int, Array] = field(default_factory=dict)
    """What is left of a stay whose exit is planned, on its ward's clock, each as likely, rising; inf: unplanned."""
    lowered: Mapping[int, tuple[Array, Array]] = field(default_factory=dict)
    """Of the others the cumulative hazard without what others have planned, and the usual one, both rising."""

    def drawn(self, row: int, uniform: Array) -> Array:
        """What is left of a planned stay; NaN where it is as if nothing were planned."""
        left = self.left[row][(uniform * self.left[row].size).astype(np.int64)]
        return np.where(np.isfinite(left), left, np.nan)

    def unplanned(self, row: int, uniform: Array) -> Array:
        """The uniform number that draws what is left of a stay nobody has planned the end of."""
        lower, usual = self.lowered[row]
        drawn = -np.log1p(-uniform)
        hazard = np.interp(drawn, lower, usual) + np.maximum(drawn - lower[-1], 0.0)
        return np.asarray(-np.expm1(-hazard))


def plans_of(
    lying: Lying, kept: Kept, stays: Mapping[int, Duration], leaving: Array | None, minutes: Minutes, zone: str
) -> Plans:
    """The plans of those who lie in wards at `minutes.origin`; `stays` are the durations by ward."""
    if not lying.row.size or (not kept.told and np.isnan(lying.due_min).all()):
        return Plans()
    clock = _Clock(leaving, minutes, zone)
    planned = {
        int(row): kept.left(float(due)) for row, due in zip(lying.row, lying.due_min, strict=True) if not np.isnan(due)
    }
    planned = {row: after for row, after in planned.items() if after.size}
    hazard = _hazards(lying, stays, clock)
    leave = lying.p_here[:, None] * _leaving(hazard)
    share = kept.announced_share(_LEADS[:-1] + HOUR_MIN / 2, hour_of(minutes.origin, zone))
    soon = sum(float((after < _LEADS[_DAY]).mean()) for after in planned.values())
    usually = float((leave[:, :_DAY] * share[:_DAY]).sum())
    taken = share * (min(1.0, soon / (usually * _AS_USUAL_SHARE)) if usually > 0 else 0.0)
    unit_of = dict(zip(lying.row.tolist(), lying.unit.tolist(), strict=True))
    return Plans(
        left={row: clock.shown(unit_of[row], after) for row, after in planned.items()},
        lowered=_lowered(lying, planned, hazard, leave * (1.0 - taken)),
    )


def _lowered(
    lying: Lying, planned: Mapping[int, Array], hazard: Array, unplanned: Array
) -> dict[int, tuple[Array, Array]]:
    """Those without a plan leave as often as a ward's exits without one are to be expected, `(patient, hour)`."""
    out = {}
    without = ~np.isin(lying.row, list(planned))
    for ward in np.unique(lying.unit[without]):
        mine = lying.unit == ward
        others = np.flatnonzero(mine & without)
        factor = _factors(lying.p_here[others], hazard[others], unplanned[mine].sum(axis=0))
        for i in others:
            out[int(lying.row[i])] = _risen(hazard[i] * factor), _risen(hazard[i])
    return out


def _factors(p_here: Array, hazard: Array, exits: Array) -> Array:
    """By what factor, no more than 1, hazards are lowered in each hour for so many exits to be expected, `(hour,)`."""
    there, factor = p_here.copy(), np.ones(exits.size)
    for hour in range(exits.size):
        usual = float((there * -np.expm1(-hazard[:, hour])).sum())
        factor[hour] = min(1.0, exits[hour] / usual) if usual > 0 else 1.0
        there *= np.exp(-factor[hour] * hazard[:, hour])
    return factor


def _leaving(hazard: Array) -> Array:
    """The probability of leaving in each hour, `(patient, hour)`."""
    left = np.exp(-np.concatenate([np.zeros((hazard.shape[0], 1)), np.cumsum(hazard, axis=1)], axis=1))
    return np.asarray(-np.diff(left, axis=1))


def _risen(steps: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(steps)])


@dataclass(frozen=True, eq=False)
class _Clock:
    """The wards' clocks from now on."""

    leaving: Array | None
    minutes: Minutes
    zone: str

    def shown(self, unit: int, after_min: Array) -> Array:
        """How far a ward's clock goes on in so many minutes; inf stays inf."""
        if self.leaving is None:
            return after_min
        some = np.isfinite(after_min)
        timeline = Timeline.of(self.minutes, 0.0, float(after_min[some].max(initial=HOUR_MIN)) + HOUR_MIN, self.zone)
        out, zero = after_min.copy(), np.zeros(int(some.sum()))
        out[some] = lasted(timeline, self.leaving, np.full(zero.size, unit), zero, after_min[some])
        return out


def _hazards(lying: Lying, stays: Mapping[int, Duration], clock: _Clock) -> Array:
    """How much the cumulative hazard of each one's exit rises in each hour from now on, `(patient, hour)`."""
    out = np.empty((lying.row.size, _LEADS.size - 1))
    for unit in np.unique(lying.unit):
        mine = np.flatnonzero(lying.unit == unit)
        at = lying.clock_min[mine, None] + clock.shown(int(unit), _LEADS)
        anyone = np.zeros(at.size, dtype=np.int64)
        reached = stays[int(unit)].reached(at.ravel(), anyone, anyone)[:, 0].reshape(at.shape)
        out[mine] = np.diff(-np.log(np.maximum(1.0 - reached, 1e-12)), axis=1)
    return out
