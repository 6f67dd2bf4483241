"""Visits like one: of the same acuity (or in the same ward) that came at the same time of day; wider where few are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.settled import BLOCKS

Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]
Candidates = Callable[[Array], Array]
"""From counts as `Alike.over_by` gives them, how many of those counted speak for the one."""

WIDTHS = 3
"""Those of a group; those of its kind, whenever they came; all."""
_ALL = 1 << 40
"""More than any number of a group."""
ENOUGH = 40
"""Visits that a group must have to speak for itself."""


def group_of(kind: Index, block: Index) -> Index:
    """The group of each visit: its kind (0, 1 ..: acuity + 1, or the ward) and the block of the day when it came."""
    return np.asarray(kind * BLOCKS + block)


def part_of(group: Any, width: int) -> Any:
    """Which part of all visits a group belongs to, by how wide parts are; of one group, or of many."""
    return group // (1, BLOCKS, _ALL)[width]


@dataclass(frozen=True, eq=False)
class Alike:
    """Settled visits by group, to be asked how many like one had something behind them at an age."""

    group: Index
    times: Array
    """Minutes after which each of some things was over, `(thing, visit)`; inf where it never was."""

    def over_by(self, age_min: Array, group: Index, candidates: Candidates, of_kind: Candidates | None = None) -> Array:
        """At each age, of visits like one: how many there are, then for how many each thing is over, `(1 + thing, n)`.

        Those most like it if enough of them are candidates, else wider, else all. `of_kind` says instead, of those of
        its kind whenever they came, how many are enough to speak for it.
        """
        out = np.empty((1 + self.times.shape[0], age_min.size))
        for one in np.unique(group):
            rows = np.flatnonzero(group == one)
            for width in range(WIDTHS):
                out[:, rows] = self._counts(width, int(one), age_min[rows])
                enough = of_kind if of_kind is not None and width else candidates
                rows = rows[enough(out[:, rows]) < ENOUGH]
                if not rows.size:
                    break
        return out

    def _counts(self, width: int, group: int, age_min: Array) -> Array:
        rising = _rising(self, width, part_of(group, width))
        over = [np.searchsorted(times, age_min, side="right") for times in rising]
        return np.array([np.full(age_min.size, rising[0].size), *over], dtype=np.float64)


@lru_cache(maxsize=256)  # what was learned on other days is let go
def _rising(alike: Alike, width: int, part: int) -> list[Array]:
    """Of each thing the minutes of those alike, rising; the same is asked for hour after hour."""
    like = part_of(alike.group, width) == part
    return [np.sort(times[like]) for times in alike.times]


def enough_alike(groups: Index, group: int, candidates: Flags) -> Flags:
    """Which visits are like one of a group: the most alike of whom enough are candidates; all if they are not."""
    for width in range(WIDTHS):
        like = part_of(groups, width) == part_of(group, width)
        if int((candidates & like).sum()) >= ENOUGH:
            break
    return np.asarray(like)
