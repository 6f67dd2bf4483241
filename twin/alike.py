"""Visits like one: of the same acuity (or in the same ward) that came at the same time of day; wider where few are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from twin.settled import BLOCKS

Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ENOUGH = 40
"""Visits that a group must have to speak for itself."""


def group_of(kind: Index, block: Index) -> Index:
    """The group of each visit: its kind (0, 1 ..: acuity + 1, or the ward) and the block of the day when it came."""
    return np.asarray(kind * BLOCKS + block)


def enough_alike(groups: Index, group: int, candidates: Flags) -> Flags:
    """Which of the candidates are like one of a group: those most like it if they are enough, else wider, else all."""
    for like in _widening(groups, group):
        chosen = candidates & like
        if int(chosen.sum()) >= ENOUGH:
            return chosen
    return candidates


def _widening(groups: Index, group: int) -> Iterator[Flags]:
    yield groups == group
    yield groups // BLOCKS == group // BLOCKS
