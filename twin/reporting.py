"""How late and how incompletely exits reach us, and so who of those without an exit is still here.

Of visits like this one, `stay` is how long they stayed (ghosts by the one rule of `history.py`) and `delay` how much
later their exit became known (never, for ghosts). Of those that at an age `e` show no exit, the ones still here are
those with stay > e; the others have stay <= e < stay + delay. Their proportion is the probability of being here.
Visits that had moved on by the age e (those with a first contact, among the unseen) do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.history import SETTLED_MIN, WARD_SETTLED_MIN, History
from twin.story import Visits

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

EXITS: tuple[str, ...] = ("unseen", "in care", "decided", "ward")
"""Whose exits are told alike: without a contact on record (from the arrival), with one (from it), with a decision to
admit (from it), and in a ward (from the entry)."""
ENOUGH = 40
"""Visits a group must have for its own figures; a smaller one takes those of all."""


@dataclass(frozen=True, eq=False)
class Reporting:
    """Stays and delays of settled visits, minutes, by group; `delay` is inf where the exit was never told."""

    group: Index
    stay: Array
    delay: Array
    moves_on: Array
    """Minutes after which a visit is no longer one of this kind; inf where it stays one to its end."""

    def p_here(self, elapsed_min: Array, group: Index) -> Array:
        """The probability that a visit without a known exit is still here, `(n,)`; 1 where nothing is known."""
        return np.array([self._p_here(float(e), int(g)) for e, g in zip(elapsed_min, group, strict=True)])

    def left_after(self, elapsed_min: float, group: int, uniform: float) -> float:
        """How long a visit that has left unseen had stayed: a draw from those of its kind that had."""
        stay, delay, moves_on = self._of(group)
        gone = np.sort(stay[(stay <= elapsed_min) & (stay + delay > elapsed_min) & (moves_on > elapsed_min)])
        return float(gone[int(uniform * gone.size)]) if gone.size else elapsed_min

    def _p_here(self, elapsed: float, group: int) -> float:
        stay, delay, moves_on = self._of(group)
        alike = moves_on > elapsed
        here = int((alike & (stay > elapsed)).sum())
        unseen = here + int((alike & (stay <= elapsed) & (stay + delay > elapsed)).sum())
        return here / unseen if unseen else 1.0

    def _of(self, group: int) -> tuple[Array, Array, Array]:
        mine = self.group == group
        chosen = mine if int(mine.sum()) >= ENOUGH else np.ones(mine.size, dtype=bool)
        return self.stay[chosen], self.delay[chosen], self.moves_on[chosen]


def taken_as_gone(p_here: Array) -> npt.NDArray[np.bool_]:
    """Who is counted as gone, `(n,)`: as many as are expected to be, the least likely to be here first."""
    gone = np.zeros(p_here.size, dtype=bool)
    gone[np.argsort(p_here, kind="stable")[: round(float((1.0 - p_here).sum()))]] = True
    return gone


# --- as a history tells it ------------------------------------------------------------------------------------------


def exits_told(history: History, visits: Visits) -> dict[str, Reporting]:
    """How exits are told in each of `EXITS`, from settled visits; `visits` are completed."""
    told = history.visits
    moves_on = np.fmin(told.seen_min, told.decided_min)
    never = np.full(told.arrived_min.size, np.nan)
    return {
        "unseen": _of_department(history, visits, told.arrived_min, moves_on),
        "in care": _of_department(history, visits, told.seen_min, told.decided_min),
        "decided": _of_department(history, visits, told.decided_min, never),
        "ward": _of_wards(history, visits),
    }


def _of_department(history: History, visits: Visits, start_min: Array, moves_on_min: Array) -> Reporting:
    """By acuity + 1, of those who came to the start."""
    settled = (visits.arrived_min < -SETTLED_MIN) & ~np.isnan(visits.departed_min)
    rows = np.flatnonzero(settled & ~np.isnan(start_min))
    start, moves_on = start_min[rows], moves_on_min[rows]
    return Reporting(
        group=visits.acuity[rows] + 1,
        stay=visits.departed_min[rows] - start,
        delay=_delay(history.exit_known_min[rows], history.visits.departed_min[rows]),
        moves_on=np.where(np.isnan(moves_on), np.inf, moves_on - start),
    )


def _of_wards(history: History, visits: Visits) -> Reporting:
    settled = (visits.stay_from_min < -WARD_SETTLED_MIN) & ~np.isnan(visits.stay_until_min)
    rows = np.flatnonzero(history.stay_ward & settled)
    return Reporting(
        group=visits.stay_unit[rows],
        stay=visits.stay_until_min[rows] - visits.stay_from_min[rows],
        delay=_delay(history.stay_end_known_min[rows], history.visits.stay_until_min[rows]),
        moves_on=np.full(rows.size, np.inf),
    )


def _delay(known_min: Array, happened_min: Array) -> Array:
    """How much later than it happened an exit was told; inf for one that never was."""
    late = known_min - happened_min
    return np.where(np.isnan(late), np.inf, np.maximum(late, 0.0))
