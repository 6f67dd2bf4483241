"""How long things last, learned from a log: by class, arrival block and load, each drawn towards its wider group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.durations import LEVELS, Duration, empirical, stacked

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

GROUP_PRIOR = 30.0
"""Stays at which a group's own quantiles and those of its wider group weigh alike."""
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


def learn_duration(minutes: Array, cells: Cells, recent: Flags | None = None) -> Duration:
    """Quantiles by cell; NaN and negative samples are left out; raises ValueError without a single sample.

    A cell's parent is its class's row, scaled by how much longer things last in its block and load than overall. Those
    that are not `recent` have a say only where recent ones are few: as the parent's, drawn towards it in their turn.
    """
    kept = ~np.isnan(minutes) & (minutes >= 0)
    if not kept.any():
        raise ValueError("no sample to learn a duration from")
    values, at = minutes[kept], cells[kept]
    lately = np.ones(values.size, dtype=bool) if recent is None or not recent[kept].any() else recent[kept]

    def drawn(mine: Flags, parent: Row) -> Row:
        return _drawn(values[mine & lately], _drawn(values[mine & ~lately], parent))

    overall = empirical(values[lately])
    by_class = [drawn(at.cls == c, overall) for c in range(cells.shape[0])]
    scale = _scales(values[lately], at[lately])
    rows = [
        drawn((at.cls == c) & (at.block == b) & (at.load == k), _scaled(by_class[c], scale[b, k]))
        for c in range(cells.shape[0])
        for b in range(cells.shape[1])
        for k in range(cells.shape[2])
    ]
    return stacked(rows, cells.shape)


def learn_censored(minutes: Array, ended: Flags, weight: Array | None = None) -> Duration:
    """Quantiles of stays of which some still last (Kaplan-Meier), the same for all, `(1, 1, 1)`.

    A stay of `weight` 0.5 counts as half a one.
    """
    kept = ~np.isnan(minutes) & (minutes > 0)
    weighing = np.ones(minutes.size) if weight is None else weight
    return stacked([_kaplan_meier(minutes[kept], ended[kept], weighing[kept])], (1, 1, 1))


def _drawn(values: Array, parent: Row) -> Row:
    """The sample's own quantiles, drawn towards the parent's; only a sample with a spread has a say."""
    return _blend(empirical(values), parent, values.size / (values.size + GROUP_PRIOR)) if values.size else parent


def _blend(own: Row, parent: Row, weight: float) -> Row:
    return weight * own[0] + (1 - weight) * parent[0], weight * own[1] + (1 - weight) * parent[1]


def _scaled(row: Row, factor: float) -> Row:
    return row[0] * factor, row[1] * factor


def _scales(values: Array, at: Cells) -> Array:
    """Median of the log-ratio to the class's own median, by (block, load), drawn towards 0; as a factor."""
    medians = np.array([np.median(values[at.cls == c]) if (at.cls == c).any() else np.nan for c in range(at.shape[0])])
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.log(np.maximum(values, 0.5) / np.maximum(medians[at.cls], 0.5))
    out = np.zeros(at.shape[1:])
    for b in range(at.shape[1]):
        for k in range(at.shape[2]):
            mine = relative[(at.block == b) & (at.load == k)]
            out[b, k] = np.mean(mine) * mine.size / (mine.size + GROUP_PRIOR) if mine.size else 0.0
    return np.asarray(np.exp(out))


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
