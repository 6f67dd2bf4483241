"""The work that is asked of staff and equipment: the offered load of each pool if nobody ever waited.

A run never shows more at work than there are; what is too much shows as a queue, and later. So load is read from
fates: each patient walks the route without waiting, and at each instant the load of a pool is the number of stages
that hold one of it (Whitt 2013, "Offered load analysis for staffing", calls it the offered load). What comes after a
stay in a ward is left out: that lasts as long as the ward's own clock says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twin.fate import Fate
from twin.hospital import BED, CARE, SPACE
from twin.pathway import Path
from twin.routing import OUT

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

WARD_STAY = "ward_stay:"
"""How the durations of stays in wards begin."""


def staffed(path: Path) -> tuple[str, ...]:
    """Pools of staff and equipment that the path asks for; places, beds and caseloads are counted otherwise."""
    return tuple(pool for pool in path.pools if not pool.startswith((BED, SPACE, CARE)))


class Asked:
    """Of whom and for how long the patients of a fate ask; `load` counts them for those who take part."""

    def __init__(self, path: Path, fate: Fate, grid_min: Array) -> None:
        self.pools, self._instants = staffed(path), grid_min.size
        needs, takes, gives, to_ward = _table(path, self.pools)
        stage = np.where(fate.stage == OUT, len(path.stages), fate.stage)
        lasts = np.where(fate.stage == OUT, 0.0, fate.minutes[:, :, 0])
        freed = np.fmin(fate.freed_min[:, :, 0] if fate.caseloads else np.nan, lasts)
        ends = np.cumsum(lasts, axis=1) + np.nan_to_num(fate.at_min)[:, None]
        begins = ends - lasts
        kept, gone = np.zeros((len(stage), len(self.pools)), dtype=bool), np.zeros(len(stage), dtype=bool)
        who, which, since, until = list[Index](), list[Index](), list[Array](), list[Array]()
        for stop in range(stage.shape[1]):
            at = stage[:, stop]
            gone |= to_ward[at] | (at == len(path.stages))
            if gone.all():
                break
            kept |= takes[at]
            for held, end in ((kept, ends[:, stop]), (needs[at] & ~kept, begins[:, stop] + freed[:, stop])):
                row, pool = np.nonzero(held & ~gone[:, None])
                who.append(row)
                which.append(pool)
                since.append(begins[row, stop])
                until.append(end[row])
            kept &= ~gives[at]
        self._who, self._which = (np.concatenate(parts) if parts else np.empty(0, np.int64) for parts in (who, which))
        self._from, self._until = (_places(parts, grid_min) for parts in (since, until))

    def load(self, rows: Flags | None = None) -> Array:
        """How many of each pool the rows that take part hold at each instant, `(pool, instant)`."""
        mine = slice(None) if rows is None else np.flatnonzero(rows[self._who])
        width = self._instants + 1
        cells = self._which[mine] * width
        size = len(self.pools) * width
        change = np.bincount(cells + self._from[mine], minlength=size) - np.bincount(
            cells + self._until[mine], minlength=size
        )
        return np.asarray(np.cumsum(change.reshape(-1, width)[:, :-1], axis=1), dtype=np.float64)


def _table(path: Path, pools: Sequence[str]) -> tuple[Flags, Flags, Flags, Flags]:
    """What each stage needs, takes and gives, `(stage + 1, pool)`, the last row for who is out; and whether it is in a
    ward."""
    out = tuple(np.zeros((len(path.stages) + 1, len(pools)), dtype=bool) for _ in range(3))
    for k, stage in enumerate(path.stages):
        for table, names in zip(out, (stage.needs, stage.takes, stage.gives), strict=True):
            table[k] = [pool in names for pool in pools]
    ward = [(stage.lasts or "").startswith(WARD_STAY) for stage in path.stages]
    needs, takes, gives = out
    return needs, takes, gives, np.array([*ward, False])


def _places(parts: Sequence[Array], grid_min: Array) -> Index:
    return np.searchsorted(grid_min, np.concatenate(parts) if parts else np.empty(0), side="left").astype(np.int64)
