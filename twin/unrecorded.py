"""Milestones that happened and are not on record, or not yet: for whom of those still here that is likely, and when.

Of settled visits like this one, some have the milestone on record and some, `missing_share` of them, do not. Of those
here at an age `e` without it on record, the ones it is still ahead of are those with after > e; the others have
after <= e < stay, and nobody ever wrote it down, or it was typed in only later than e. Their proportion is the
probability that it is still ahead, as far as today is like other days: what those who came together show is weighed
against it (`cohort.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from twin.alike import Alike, enough_alike, group_of
from twin.cohort import behind_without_record, came_today, over_by_now
from twin.history import SETTLED_MIN, History
from twin.settled import BLOCK_HOURS
from twin.story import DESTINATIONS, Array, Index, Visits

Flags = npt.NDArray[np.bool_]

_LWBS = DESTINATIONS.index("left_without_being_seen")


@dataclass(frozen=True, eq=False)
class Unrecorded:
    """A milestone of settled visits, minutes from the arrival, by group; one row each visit that has it on record."""

    group: Index
    after_min: Array
    """When it came; for those who left before it, when they left."""
    told_min: Array
    """When it became known: no earlier than it came."""
    stay_min: Array
    missing_share: float

    def usual(self, elapsed_min: Array, group: Index) -> tuple[Array, Array]:
        """Of visits that are here, the share that has it behind it at an age, and of these the share on record by then.

        Each `(n,)`; 0 and 1 where nothing is known. Of the visits that have it on record sooner or later: the share of
        those who never do is not taken off.
        """
        counts = _alike(self).over_by(elapsed_min, group, lambda c: c[0] - c[1])
        here, behind, told = counts[0] - counts[1], counts[2] - counts[1], counts[4] - counts[3]
        return _share(behind, here, 0.0), _share(told, behind, 1.0)

    def p_ahead_today(self, elapsed_min: Array, group: Index, on_record: Flags) -> Array:
        """The probability that it is still ahead of visits that are here, `(visit,)`; 0 for those with it on record.

        All who came in the last hours tell how busy it is, which is weighed against what is usual (`cohort.py`).
        """
        behind, told = self.usual(elapsed_min, group)
        told_share = (1.0 - self.missing_share) * told
        over = over_by_now(came_today(elapsed_min), on_record, behind, told_share, asked=~on_record)
        return np.where(on_record, 0.0, 1.0 - behind_without_record(over, told_share))

    def came_after(self, elapsed_min: float, group: int, uniform: Array) -> Array:
        """When it came to a visit that has it behind it and not on record: draws from those like it.

        Each as likely as it is to be without a record at that age: never typed in, or not yet. The age where there are
        none.
        """
        after, reached = _behind(self, elapsed_min, group)
        if not after.size or reached[-1] == 0.0:
            return np.full(uniform.size, elapsed_min)
        drawn = np.searchsorted(reached, uniform * reached[-1], side="right")
        return np.asarray(after[np.minimum(drawn, after.size - 1)])

    def behind(self, elapsed_min: float, group: int) -> tuple[Array, Array]:
        """When it came to those like one that have it behind them, rising, and their weights summed up so far."""
        here = self._here(elapsed_min, group)
        behind = np.flatnonzero(here & (self.after_min <= elapsed_min))
        behind = behind[np.argsort(self.after_min[behind], kind="stable")]
        late = self.told_min[behind] > elapsed_min
        return self.after_min[behind], np.cumsum(self.missing_share + (1.0 - self.missing_share) * late)

    def _here(self, elapsed: float, group: int) -> Flags:
        """Of the visits like it, enough of them if there are, those that were still here at its age."""
        here = (self.stay_min > elapsed) | (self.after_min > elapsed)
        return here & enough_alike(self.group, group, here)


@lru_cache(maxsize=16)  # what was learned on other days is let go
def _alike(of: Unrecorded) -> Alike:
    times = np.array([
        np.fmax(of.stay_min, of.after_min), of.after_min, np.fmax(of.stay_min, of.told_min), of.told_min,
    ])  # fmt: skip
    return Alike(of.group, times)


@lru_cache(maxsize=128)
def _behind(of: Unrecorded, elapsed_min: float, group: int) -> tuple[Array, Array]:
    """The same for every member that is drawn."""
    return of.behind(elapsed_min, group)


def _share(part: Array, whole: Array, otherwise: float) -> Array:
    return np.divide(part, whole, out=np.full_like(part, otherwise), where=whole > 0)


def unrecorded(history: History, visits: Visits, milestone_min: Array, known_min: Array) -> Unrecorded:
    """What the settled visits say of a milestone, given as recorded and when that was known; `visits` are completed."""
    settled = (visits.arrived_min < -SETTLED_MIN) & ~np.isnan(visits.departed_min)
    left = visits.to == _LWBS
    told, missing = settled & ~np.isnan(history.visits.departed_min) & ~left, np.isnan(milestone_min)
    rows = np.flatnonzero(settled & (~missing | left))
    stay = (visits.departed_min - visits.arrived_min)[rows]
    came = (milestone_min - visits.arrived_min)[rows]
    after = np.where(np.isnan(came), stay, came)
    return Unrecorded(
        group=group_of(visits.acuity[rows] + 1, history.block_hour[rows] // BLOCK_HOURS),
        after_min=after,
        told_min=np.fmax(after, (known_min - visits.arrived_min)[rows]),
        stay_min=stay,
        missing_share=float(missing[told].mean()) if told.any() else 0.0,
    )
