"""Milestones that happened and were never recorded: for whom of those still here that is likely, and when it was.

Of settled visits like this one, some have the milestone on record and some, `missing_share` of them, do not. Of those
here at an age `e` without it on record, the ones it is still ahead of are those with after > e; the others have
after <= e < stay and were not recorded. Their proportion is the probability that it is still ahead, as far as today is
like other days: what those who came together show is weighed against it (`cohort.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.alike import Alike, enough_alike, group_of
from twin.cohort import behind_without_record, over_by_now
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
    stay_min: Array
    missing_share: float

    def usual(self, elapsed_min: Array, group: Index) -> Array:
        """Of visits that are here, the share that has it behind it at an age, `(n,)`; 0 where nothing is known."""
        times = np.array([np.fmax(self.stay_min, self.after_min), self.after_min])
        counts = Alike(self.group, times).over_by(elapsed_min, group, lambda c: c[0] - c[1])
        here, behind = counts[0] - counts[1], counts[2] - counts[1]
        return np.asarray(np.divide(behind, here, out=np.zeros_like(here), where=here > 0))

    def p_ahead_today(self, elapsed_min: Array, group: Index, kind: Index, on_record: Flags) -> Array:
        """The probability that it is still ahead of visits that are here, `(visit,)`; 0 for those with it on record.

        Those of one kind that came together tell of today, which is weighed against what is usual (`cohort.py`).
        """
        told_share = np.full(kind.size, 1.0 - self.missing_share)
        over = over_by_now(elapsed_min, kind, on_record, self.usual(elapsed_min, group), told_share)
        return np.where(on_record, 0.0, 1.0 - behind_without_record(over, told_share))

    def came_after(self, elapsed_min: float, group: int, uniform: Array) -> Array:
        """When it came to a visit that has it behind it: draws from those like it; the age where there are none."""
        here = self._here(elapsed_min, group)
        behind = np.sort(self.after_min[here & (self.after_min <= elapsed_min)])
        if not behind.size:
            return np.full(uniform.size, elapsed_min)
        return np.asarray(behind[(uniform * behind.size).astype(np.int64)])

    def _here(self, elapsed: float, group: int) -> Flags:
        """Of the visits like it, enough of them if there are, those that were still here at its age."""
        here = (self.stay_min > elapsed) | (self.after_min > elapsed)
        return here & enough_alike(self.group, group, here)


def unrecorded(history: History, visits: Visits, milestone_min: Array) -> Unrecorded:
    """What the settled visits say of a milestone, given as recorded; `visits` are completed."""
    settled = (visits.arrived_min < -SETTLED_MIN) & ~np.isnan(visits.departed_min)
    left = visits.to == _LWBS
    told, missing = settled & ~np.isnan(history.visits.departed_min) & ~left, np.isnan(milestone_min)
    rows = np.flatnonzero(settled & (~missing | left))
    stay = (visits.departed_min - visits.arrived_min)[rows]
    after = (milestone_min - visits.arrived_min)[rows]
    return Unrecorded(
        group=group_of(visits.acuity[rows] + 1, history.block_hour[rows] // BLOCK_HOURS),
        after_min=np.where(np.isnan(after), stay, after),
        stay_min=stay,
        missing_share=float(missing[told].mean()) if told.any() else 0.0,
    )
