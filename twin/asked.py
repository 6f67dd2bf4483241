"""The work that is asked of staff and equipment: the offered load of each pool if nobody ever waited.

A run never shows more at work than there are; what is too much shows as a queue, and later. So load is read from
fates: each patient walks the route without waiting, and at each instant the load of a pool is the number of patients
who hold one of it (Whitt 2013). What comes after a stay in a ward is left out: that lasts as long as the ward's own
clock says. What is taken and kept counts until it is given back.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from twin.fates import Share
from twin.hospital import BED, CARE, SPACE
from twin.kernel import asker
from twin.pathway import Path

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WARD_STAY = "ward_stay:"
"""How the durations of stays in wards begin."""


@lru_cache(maxsize=8)
def staffed(path: Path) -> tuple[str, ...]:
    """Pools of staff and equipment that the path asks for; places, beds and caseloads are counted otherwise."""
    return tuple(pool for pool in path.pools if not pool.startswith((BED, SPACE, CARE)))


def asked(path: Path, share: Share, grid_min: Array) -> Array:
    """How many of each pool in `staffed` a share of a fate holds at instants of a rising grid, `(pool, instant)`."""
    out, fate = np.empty((len(staffed(path)), grid_min.size)), share.fate
    if out.size:
        asker()(
            fate.stage, fate.minutes, fate.freed_at, fate.freed_min, fate.at_min, share.rows, *_table(path), grid_min,
            out,
        )  # fmt: skip
    return out


@lru_cache(maxsize=8)
def _table(path: Path) -> tuple[Flags, Flags, Flags, Flags]:
    """What each stage needs, takes and gives, `(stage, pool)`; and whether it is a stay in a ward, `(stage,)`."""
    pools = staffed(path)
    needs, takes, gives = (
        np.array([[pool in getattr(stage, what) for pool in pools] for stage in path.stages], dtype=bool)
        for what in ("needs", "takes", "gives")
    )
    away = np.array([(stage.lasts or "").startswith(WARD_STAY) for stage in path.stages])
    return needs, takes, gives, away
