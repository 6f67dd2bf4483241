"""Milestones that happened and were never recorded: for whom of those still here that is likely, and when it was.

Of settled visits like this one, some have the milestone on record and some, `missing_share` of them, do not. Of those
here at an age `e` without it on record, the ones it is still ahead of are those with after > e; the others have
after <= e < stay and were not recorded. Their proportion is the probability that it is still ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.alike import enough_alike, group_of
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

    def p_ahead(self, elapsed_min: Array, group: Index) -> Array:
        """The probability that it is still ahead of a visit that is here without it on record, `(n,)`."""
        return np.array([self._p_ahead(float(e), int(g)) for e, g in zip(elapsed_min, group, strict=True)])

    def came_after(self, elapsed_min: float, group: int, uniform: float) -> float:
        """When it came to a visit that has it behind it: a draw from those like it; the age where there are none."""
        here = self._here(elapsed_min, group)
        behind = np.sort(self.after_min[here & (self.after_min <= elapsed_min)])
        return float(behind[int(uniform * behind.size)]) if behind.size else elapsed_min

    def _p_ahead(self, elapsed: float, group: int) -> float:
        here = self._here(elapsed, group)
        ahead = float((self.after_min[here] > elapsed).sum())
        behind = float(here.sum()) - ahead
        unseen = ahead * (1.0 - self.missing_share) + behind * self.missing_share
        return ahead * (1.0 - self.missing_share) / unseen if unseen else 1.0 - self.missing_share

    def _here(self, elapsed: float, group: int) -> Flags:
        """Of the visits like it, enough of them if there are, those that were still here at its age."""
        return enough_alike(self.group, group, (self.stay_min > elapsed) | (self.after_min > elapsed))


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
