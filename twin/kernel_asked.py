"""The work asked of pools if nobody waited, as a loop over what patients do: compiled by `kernel.py`, or as it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.kernel_layout import part

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def ask(
    stage: Index, minutes: Array, freed_at: Index, freed_min: Array, at_min: Array, rows: Flags, needs: Flags,
    takes: Flags, gives: Flags, away: Flags, grid_min: Array, out: Array,
) -> None:  # fmt: skip
    """How many of each pool are held at each instant, `(pool, instant)`, by the rows that take part.

    `stage` is `(row, stop)`, -1 after the end; `minutes` is `(row, stop, load)`, `freed_at` and `freed_min` are as in
    `Fate`; of loads the lightest counts; `needs`, `takes` and `gives` are `(stage, pool)`; from a stage that is
    `away` on nothing is told. The grid rises.
    """
    pools, instants = out.shape
    out[:, :] = 0.0
    kept_from = np.empty(pools)
    for row in range(stage.shape[0]):
        if not rows[row]:
            continue
        now = 0.0 if np.isnan(at_min[row]) else at_min[row]
        kept_from[:] = np.nan
        for stop in range(stage.shape[1]):
            at = stage[row, stop]
            if at < 0 or away[at]:
                break
            end = now + minutes[row, stop, 0]
            free = end
            held = freed_at[row, stop]
            if held >= 0 and freed_min[held, 0] < minutes[row, stop, 0]:
                free = now + freed_min[held, 0]
            for pool in range(pools):
                if takes[at, pool] and np.isnan(kept_from[pool]):
                    kept_from[pool] = now
                elif needs[at, pool]:
                    _hold(out, pool, grid_min, now, free)
                if gives[at, pool] and not np.isnan(kept_from[pool]):
                    _hold(out, pool, grid_min, kept_from[pool], end)
                    kept_from[pool] = np.nan
            now = end
            if now > grid_min[-1]:
                break
        for pool in range(pools):
            if not np.isnan(kept_from[pool]):
                _hold(out, pool, grid_min, kept_from[pool], now)
    for pool in range(pools):
        for i in range(1, instants):
            out[pool, i] += out[pool, i - 1]


@part
def _hold(out: Array, pool: int, grid_min: Array, begin: float, end: float) -> None:
    """One more of a pool held from a minute to another."""
    first = np.searchsorted(grid_min, begin)
    if first < grid_min.size:
        out[pool, first] += 1.0
        last = np.searchsorted(grid_min, end)
        if last < grid_min.size:
            out[pool, last] -= 1.0
