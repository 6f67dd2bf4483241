"""Luck of what is used up: drawn from seed and member before the run, the same under every scenario.

What is expected to be needed of an item is a clock: as it goes from 0 to x, `used(x)` counts up, in whole units, with a
mean of x and a variance of `batch` times x (a gamma process, cut to whole numbers by one uniform). A scenario that
needs more goes further on the same way, so that a member pays for what differs and for nothing else. Beside it each
member has a level for each item: how far this day is from the usual, and how far what is known of the usual is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
CELLS = 72
"""Pieces of an item's way, of which the last is followed by the first again."""
_MORE = 1.5
"""How much longer the way is than what is usually needed."""
_LEAST_CV = 1e-6
_PURPOSE = 77
"""Keeps this luck apart from all other of the same seed."""


@dataclass(frozen=True, eq=False)
class SupplyLuck:
    """The luck of some members for some items."""

    level: Array
    """`(item, member)`, mean 1."""
    way: npt.NDArray[np.float32]
    """What is used by the end of each cell, `(item, member, cell + 1)`, from 0."""
    cell: Array
    """How long a cell of each item is, in what is expected to be needed."""
    start: Array
    """Where a whole unit begins, `(item, member)`, in [0, 1)."""

    def some(self, members: range) -> SupplyLuck:
        """That of some members, in order."""
        mine = slice(members.start, members.stop)
        return SupplyLuck(self.level[:, mine], self.way[:, mine], self.cell, self.start[:, mine])

    def used(self, item: int, need: Array) -> npt.NDArray[np.int64]:
        """How much is used by the time that so much is expected to be needed, `(.., member)`; never falls."""
        members = self.way.shape[1]
        at = need / self.cell[item]
        whole = at.astype(np.int64)
        times, piece = np.divmod(whole, CELLS)
        flat = self.way[item].ravel()
        row = np.arange(members) * (CELLS + 1) + piece
        low = flat[row].astype(np.float64)
        so_far = low + (at - whole) * (flat[row + 1] - low)
        if times.any():
            so_far += times * self.way[item][:, -1]
        return np.asarray(np.floor(so_far + self.start[item]), dtype=np.int64)


def draw(batch: Sequence[float], level_cv: Sequence[float], usual: Array, members: int, *, seed: int) -> SupplyLuck:
    """The luck of members 0 to `members` - 1; that of a member does not depend on how many others there are.

    `batch` and `level_cv` are the spread of each item, `usual` how much of it is usually needed in the time to come.
    """
    cells = np.maximum(_MORE * usual, 1.0) / CELLS
    level, start = np.empty((len(batch), members)), np.empty((len(batch), members))
    way = np.zeros((len(batch), members, CELLS + 1), dtype=np.float32)
    for item, (many, cv) in enumerate(zip(batch, level_cv, strict=True)):
        generators = [
            np.random.Generator(np.random.SFC64(s)) for s in np.random.SeedSequence([seed, _PURPOSE, item]).spawn(3)
        ]
        shape = 1.0 / max(cv, _LEAST_CV) ** 2
        level[item] = generators[0].standard_gamma(shape, members) / shape
        start[item] = generators[1].random(members)
        steps = generators[2].standard_gamma(cells[item] / many, (members, CELLS), dtype=np.float32)
        np.cumsum(steps * np.float32(many), axis=1, out=way[item, :, 1:])
    return SupplyLuck(level, way, cells, start)
