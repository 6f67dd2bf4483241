"""How long things last, learned from a log: by class, arrival block and load, each drawn towards its wider group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.credibility import alike_at, drawn_mean
from twin.durations import LEVELS, Duration, empirical, mean_of, stacked

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

GROUP_PRIOR = 30.0
"""Stays at which a group's own quantiles and those of its wider group weigh alike."""
_TURNS = 3
Row = tuple[Array, float]


@dataclass(frozen=True, eq=False)
class Cells:
    """Where each sample belongs: patient class, arrival block, load class; and how many of each there are."""

    cls: Index
    block: Index
    load: Index
    shape: tuple[int, int, int]

    def __getitem__(self, kept: npt.NDArray[np.bool_]) -> Cells:
        return Cells(self.cls[kept], self.block[kept], self.load[kept], self.shape)

    @property
    def moment(self) -> Index:
        """Block and load as one number."""
        return self.block * self.shape[2] + self.load

    @property
    def cell(self) -> Index:
        """Class, block and load as one number."""
        return self.cls * (self.shape[1] * self.shape[2]) + self.moment


def learn_duration(minutes: Array, cells: Cells, recent: Flags | None = None) -> Duration:
    """Quantiles by cell; NaN and negative samples are left out; raises ValueError without a single sample.

    1. By class, drawn towards all; by block and load, how much longer things last than is expected of the classes
       that came then; in turns, since neither is known without the other.
    2. By cell, drawn towards its class, so much longer.
    3. All of it so that the mean over the sample's own cells is the sample's.

    A group's mean is believed as far as groups are found to differ (`credibility.py`), its shape as far as it is of
    many. Those that are not `recent` have a say only where recent ones are few: as the wider group's, drawn towards
    it in their turn.
    """
    kept = ~np.isnan(minutes) & (minutes >= 0)
    if not kept.any():
        raise ValueError("no sample to learn a duration from")
    lately = np.ones(minutes.size, dtype=bool) if recent is None or not recent[kept].any() else recent
    new, old = (_Some(minutes[chosen], cells[chosen]) for chosen in (kept & lately, kept & ~lately))
    whole = _blend_of(new.minutes, empirical(old.minutes)) if old.minutes.size else empirical(new.minutes)
    by_class, longer = [whole] * cells.shape[0], np.ones(cells.shape[1] * cells.shape[2])
    for _ in range(_TURNS):  # 1
        by_class = _drawn(new.shorter(longer), old.shorter(longer), "cls", [whole] * cells.shape[0])
        longer = _longer(new, np.array([_mean(row) for row in by_class]))
    parents = [_scaled(row, float(factor)) for row in by_class for factor in longer]
    return _as_long(stacked(_drawn(new, old, "cell", parents), cells.shape), new)  # 2, 3


def learn_censored(minutes: Array, ended: Flags, weight: Array | None = None) -> Duration:
    """Quantiles of stays of which some still last (Kaplan-Meier), the same for all, `(1, 1, 1)`.

    A stay of `weight` 0.5 counts as half a one.
    """
    kept = ~np.isnan(minutes) & (minutes > 0)
    weighing = np.ones(minutes.size) if weight is None else weight
    return stacked([_kaplan_meier(minutes[kept], ended[kept], weighing[kept])], (1, 1, 1))


@dataclass(frozen=True, eq=False)
class _Some:
    """Samples and where they belong."""

    minutes: Array
    at: Cells

    def shorter(self, longer: Array) -> _Some:
        """As if at a usual block and load."""
        return _Some(self.minutes / longer[self.at.moment], self.at)

    def of(self, axis: str) -> list[Array]:
        """The minutes of each class, or of each cell."""
        group, counts = getattr(self.at, axis), self.at.shape
        bounds = np.arange(1, counts[0] if axis == "cls" else int(np.prod(counts)))
        order = np.argsort(group, kind="stable")
        return np.split(self.minutes[order], np.searchsorted(group[order], bounds))


def _drawn(new: _Some, old: _Some, axis: str, parents: list[Row]) -> list[Row]:
    """The row of each class or cell: the recent samples', drawn towards the older ones', drawn towards its parent."""
    group = getattr(new.at, axis)
    prior = alike_at(new.minutes, np.array([_mean(row) for row in parents])[group], group)
    return [
        _drawn_towards(lately, _drawn_towards(before, parent, prior), prior)
        for lately, before, parent in zip(new.of(axis), old.of(axis), parents, strict=True)
    ]


def _drawn_towards(values: Array, parent: Row, prior: float) -> Row:
    """The sample's own quantiles blended with the parent's, as long as the mean of both is believed to be."""
    if not values.size:
        return parent
    row = _blend_of(values, parent)
    mean = _mean(row)
    return _scaled(row, drawn_mean(values, _mean(parent), prior) / mean) if mean > 0 else row


def _blend_of(values: Array, parent: Row) -> Row:
    own, weight = empirical(values), values.size / (values.size + GROUP_PRIOR)
    return weight * own[0] + (1 - weight) * parent[0], weight * own[1] + (1 - weight) * parent[1]


def _scaled(row: Row, factor: float) -> Row:
    return row[0] * factor, row[1] * factor


def _mean(row: Row) -> float:
    return float(mean_of(*row))


def _longer(some: _Some, class_mean: Array) -> Array:
    """By block and load, how much longer things last than is expected of the classes, drawn towards as long."""
    expected, moment, moments = class_mean[some.at.cls], some.at.moment, some.at.shape[1] * some.at.shape[2]
    prior = alike_at(some.minutes, expected, moment) * max(float(expected.mean()), 1e-9)
    lasted, usual = (np.bincount(moment, weights=x, minlength=moments) for x in (some.minutes, expected))
    return np.asarray((lasted + prior) / (usual + prior))


def _as_long(learned: Duration, some: _Some) -> Duration:
    """The same by a factor, so that over the cells of the samples its mean is theirs."""
    expected = learned.mean_min()[some.at.cls, some.at.block, some.at.load]
    usual = float(expected.mean())
    if usual <= 0:
        return learned
    return learned.scaled(drawn_mean(some.minutes, usual, GROUP_PRIOR) / usual)


def _kaplan_meier(minutes: Array, ended: Flags, weight: Array) -> Row:
    if not ended.any():
        raise ValueError("no stay that ended to learn a duration from")
    order = np.lexsort((~ended, minutes))  # of those of one length, ends come before stays that still last
    at, weighs, over = minutes[order], weight[order], ended[order]
    at_risk = np.cumsum(weighs[::-1])[::-1]
    level = 1.0 - np.cumprod(1.0 - np.where(over, weighs, 0.0) / at_risk)
    table = np.interp(LEVELS, np.append(0.0, level[over]), np.append(0.0, at[over]))
    long = over & (at > table[-1])
    excess = np.average(at[long] - table[-1], weights=weighs[long]) if long.any() else max(table[-1] * 0.25, 1.0)
    return np.maximum.accumulate(table), float(excess)
