"""The counts of `measures.py` once more, from marks, as a loop: compiled by `kernel.py`, equal to the last bit.

`Visits.of` and `measure` stay the definition: they count what was, and what SimPy tells. Members of an ensemble are
counted thousands of times a second, on a rising grid.
"""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import numpy.typing as npt

from ingest.events import RANK
from twin.kernel_layout import part
from twin.story import DESTINATIONS

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

ARRIVALS, DEPARTURES, ADMISSIONS, CENSUS, BOARDERS, WAITING, WAITS = range(7)
"""Rows of what is counted; from WAITS on one an acuity, then one a ward."""
FIRST_ROWS = ("ed_arrivals", "ed_departures", "admissions", "ed_census", "ed_boarders", "ed_waiting")
"""Names of the rows before WAITS."""
KIND, VISIT, UNIT, TO = range(4)
"""Columns of a mark."""
ARRIVAL, CONTACT, DECISION, EXIT = range(4)
"""Columns of what happened to a visit when."""
_ARRIVED, _SEEN, _DECIDED = RANK["Arrived"], RANK["SeenByProvider"], RANK["DecidedToAdmit"]
_DEPARTED, _LWBS, _LEFT = RANK["Departed"], RANK["LeftWithoutBeingSeen"], RANK["LeftDuringCare"]
_MOVED, _ENTERED, _LEFT_WARD = RANK["Moved"], RANK["EnteredWard"], RANK["LeftWard"]
_TO_WARD = DESTINATIONS.index("ward")
_HOUR_MIN = 60.0


def count(
    before_min: Array, before: Index, at_min: Array, marks: Index, acuity: Index, ward_of: Index, grid_min: Array,
    at_once_min: float, out: Array,
) -> None:  # fmt: skip
    """Count marks, `(mark, KIND ..)`, at their minutes: those before the run, then those told, either nearly in order.

    `acuity` is by visit, and less than there are rows for; `ward_of` gives the row of a unit among the wards, -1 for
    none. Who leaves at minute 0 is counted as leaving at `at_once_min`. `out` is `(row, grid)`; the grid rises.
    """
    first_ward = out.shape[0] - ward_of.max() - 1
    acuities = first_ward - WAITS
    out[:, :] = 0.0
    told_min, told = np.concatenate((before_min, at_min)), np.concatenate((before, marks))
    since = np.full((acuity.size, 4), nan)
    to, unit, from_place = np.full(acuity.size, -1), np.full(acuity.size, -1), np.full(acuity.size, 0)
    a_minute = (grid_min.size - 1) / max(grid_min[-1] - grid_min[0], 1.0)
    for i in _in_order(told_min, told):
        visit, kind = told[i, VISIT], told[i, KIND]
        _happens(told_min[i], kind, visit, told[i, TO], since, to)
        begins = told[i, UNIT] if _begins(kind, told[i, TO]) else -1
        if begins >= 0 or kind in (_DEPARTED, _LWBS, _LEFT, _LEFT_WARD):
            if unit[visit] >= 0 and ward_of[unit[visit]] >= 0:
                end = _place(grid_min, a_minute, told_min[i], 0.0)
                _inside(out, first_ward + ward_of[unit[visit]], from_place[visit], end)
            unit[visit], from_place[visit] = begins, _place(grid_min, a_minute, told_min[i], 0.0)
    begun, ended = np.zeros((acuities, grid_min.size)), np.zeros((acuities, grid_min.size))
    for visit in range(acuity.size):
        if unit[visit] >= 0 and ward_of[unit[visit]] >= 0:
            _inside(out, first_ward + ward_of[unit[visit]], from_place[visit], grid_min.size)
        if since[visit, EXIT] == 0.0:
            since[visit, EXIT] = at_once_min
        if not (isnan(since[visit, ARRIVAL]) and isnan(since[visit, DECISION]) and isnan(since[visit, EXIT])):
            known = acuity[visit] if acuity[visit] < acuities else -1
            _department(out, grid_min, a_minute, since, visit, to[visit] == _TO_WARD, known, begun, ended)
    _summed(out, grid_min, acuities, begun, ended)


@part
def _in_order(told_min: Array, told: Index) -> Index:
    """Places of marks by minute, then kind, then as they were told; quick where few stand out of order."""
    order = np.arange(told_min.size)
    for i in range(1, told_min.size):
        now, kind, j = told_min[i], told[i, KIND], i
        while j > 0:
            other = order[j - 1]
            if told_min[other] < now or (told_min[other] == now and told[other, KIND] <= kind):
                break
            order[j] = other
            j -= 1
        order[j] = i
    return order


@part
def _happens(now: float, kind: int, visit: int, leads_to: int, since: Array, to: Index) -> None:
    """The first arrival, contact and decision of a visit count, and its last exit."""
    if kind in (_ARRIVED, _SEEN, _DECIDED):
        column = ARRIVAL if kind == _ARRIVED else CONTACT if kind == _SEEN else DECISION
        if isnan(since[visit, column]):
            since[visit, column] = now
    elif kind in (_DEPARTED, _LWBS, _LEFT):
        since[visit, EXIT] = now
        to[visit] = leads_to if kind == _DEPARTED else -1


@part
def _begins(kind: int, leads_to: int) -> bool:
    """Does a stay in the mark's unit begin?"""
    return kind in (_MOVED, _ENTERED) or (kind == _DEPARTED and leads_to == _TO_WARD)


@part
def _department(
    out: Array, grid_min: Array, a_minute: float, since: Array, visit: int, to_ward: bool, acuity: int, begun: Array,
    ended: Array,
) -> None:  # fmt: skip
    """A visit among those present, those who board and those who wait; and in the hours in which it came and left."""
    arrived, departed = since[visit, ARRIVAL], since[visit, EXIT]
    came, left = _place(grid_min, a_minute, arrived, 0.0), _place(grid_min, a_minute, departed, 0.0)
    seen = min(_place(grid_min, a_minute, since[visit, CONTACT], 0.0), left)
    _inside(out, CENSUS, came, left)
    _inside(out, BOARDERS, _place(grid_min, a_minute, since[visit, DECISION], 0.0), left)
    _inside(out, WAITING, came, seen)
    _inside(out, ARRIVALS, came, _place(grid_min, a_minute, arrived, _HOUR_MIN))
    hour_after = _place(grid_min, a_minute, departed, _HOUR_MIN)
    _inside(out, DEPARTURES, left, hour_after)
    if to_ward:
        _inside(out, ADMISSIONS, left, hour_after)
    if acuity >= 0 and came < grid_min.size:
        _inside(out, WAITS + acuity, came, seen)
        begun[acuity, came] += arrived
        if seen < grid_min.size:
            ended[acuity, max(came, seen)] += arrived


@part
def _summed(out: Array, grid_min: Array, acuities: int, begun: Array, ended: Array) -> None:
    """From changes at each instant to what holds there; waits as means."""
    for row in range(out.shape[0]):
        for i in range(1, grid_min.size):
            out[row, i] += out[row, i - 1]
    for acuity in range(acuities):
        for i in range(grid_min.size):
            if i > 0:
                begun[acuity, i] += begun[acuity, i - 1]
                ended[acuity, i] += ended[acuity, i - 1]
            waiting = out[WAITS + acuity, i]
            if waiting > 0:
                out[WAITS + acuity, i] = grid_min[i] - (begun[acuity, i] - ended[acuity, i]) / waiting
            else:
                out[WAITS + acuity, i] = nan


@part
def _inside(out: Array, row: int, start: int, end: int) -> None:
    """One more from a place of the grid to another; whose place is beyond it never began, or has not ended."""
    if start < out.shape[1]:
        out[row, start] += 1.0
        if end < out.shape[1]:
            out[row, max(start, end)] -= 1.0


@part
def _place(grid_min: Array, a_minute: float, at: float, later: float) -> int:
    """The first instant of the grid, less `later`, that is not before `at`; beyond the grid for NaN.

    Guessed from how many instants there are in a minute, and set right.
    """
    if isnan(at):
        return int(grid_min.size)
    i = min(max(int((at + later - grid_min[0]) * a_minute), 0), grid_min.size)
    while i < grid_min.size and grid_min[i] - later < at:
        i += 1
    while i > 0 and grid_min[i - 1] - later >= at:
        i -= 1
    return int(i)
