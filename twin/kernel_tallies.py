"""The tallies of `tallies.py` once more, from marks, as a loop: compiled by `kernel.py`, equal to the last bit."""

from __future__ import annotations

from math import ceil, isnan, nan

import numpy as np
import numpy.typing as npt

from ingest.events import RANK
from twin.kernel_counts import KIND, TO, VISIT
from twin.story import DESTINATIONS

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

UNSEEN, PLANNED_IN, NIGHTS, AGED_NIGHTS, WAIT = range(5)
"""Rows of what is tallied; from WAIT on the wait of all, then one an acuity."""
AGED, PLANNED = 1, 2
"""Bits of what a visit is."""
HIGH_SHARE = 0.9
"""Of the waits, how many are no longer than what is told of them."""
ARRIVAL, CONTACT, EXIT, ENTRY = range(4)
"""Columns of what happened to a visit when."""
_ARRIVED, _SEEN, _ENTERED = RANK["Arrived"], RANK["SeenByProvider"], RANK["EnteredWard"]
_DEPARTED, _LWBS, _LEFT = RANK["Departed"], RANK["LeftWithoutBeingSeen"], RANK["LeftDuringCare"]
_TO_UNSEEN = DESTINATIONS.index("left_without_being_seen")


def tally(
    before_min: Array, before: Index, at_min: Array, marks: Index, acuity: Index, what: Index, night_min: Array,
    until_min: float, out: Array,
) -> None:  # fmt: skip
    """Tally marks, `(mark, KIND ..)`, at their minutes: those before the run, then those told.

    `acuity` and `what` (bits AGED, PLANNED) are by visit; `night_min` are midnights and mornings, `(night, 2)`; `out`
    is `(row,)`.
    """
    since, exit_kind = np.full((acuity.size, 4), nan), np.full(acuity.size, -1)
    unseen = np.full(acuity.size, False)
    out[:] = 0.0
    for i in range(before_min.size + at_min.size):
        told = i - before_min.size
        now = before_min[i] if told < 0 else at_min[told]
        visit = before[i, VISIT] if told < 0 else marks[told, VISIT]
        kind = before[i, KIND] if told < 0 else marks[told, KIND]
        column = -1
        if kind == _ARRIVED:
            column = ARRIVAL
        elif kind == _SEEN:
            column = CONTACT
        elif kind == _ENTERED:
            column = ENTRY
        elif kind in (_DEPARTED, _LWBS, _LEFT):
            last = since[visit, EXIT]
            if isnan(last) or now > last or (now == last and kind >= exit_kind[visit]):
                since[visit, EXIT], exit_kind[visit] = now, kind
                leads_to = before[i, TO] if told < 0 else marks[told, TO]
                unseen[visit] = kind == _LWBS or (kind == _DEPARTED and leads_to == _TO_UNSEEN)
        if column >= 0 and not since[visit, column] <= now:
            since[visit, column] = now
    waits, group = np.empty(acuity.size), np.empty(acuity.size, dtype=np.int64)
    count = 0
    for visit in range(acuity.size):
        came, left, entered = since[visit, ARRIVAL], since[visit, EXIT], since[visit, ENTRY]
        if unseen[visit] and 0.0 <= left <= until_min:
            out[UNSEEN] += 1.0
        if what[visit] & PLANNED and 0.0 <= entered <= until_min:
            out[PLANNED_IN] += 1.0
        for night in range(night_min.shape[0]):
            if came < night_min[night, 0] and not left < night_min[night, 1]:
                out[NIGHTS] += 1.0
                if what[visit] & AGED:
                    out[AGED_NIGHTS] += 1.0
        until = since[visit, CONTACT]
        if isnan(until) or left < until:
            until = left
        if came <= until_min and not until < 0.0:
            waits[count] = (until_min if isnan(until) or until > until_min else until) - came
            group[count] = acuity[visit]
            count += 1
    for row in range(WAIT, out.size):
        mine = waits[:count] if row == WAIT else waits[:count][group[:count] == row - WAIT - 1]
        out[row] = nan
        if mine.size:
            out[row] = np.sort(mine)[ceil(HIGH_SHARE * mine.size) - 1]
