"""How late and how incompletely exits reach us, and so who of those without an exit is still here.

Of visits like this one, `stay` is how long they stayed (ghosts by the one rule of `history.py`) and `delay` how much
later their exit became known (never, for ghosts). Of those that at an age `e` show no exit, the ones still here are
those with stay > e; the others have stay <= e < stay + delay. Their proportion is the probability of being here, as
far as today is like other days: what those who came together show is weighed against it (`cohort.py`). Visits that had
moved on by the age e (those with a first contact, among the unseen) do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.alike import ENOUGH, WIDTHS, Alike, group_of, part_of
from twin.cohort import behind_without_record, came_together, over_by_now
from twin.history import SETTLED_MIN, WARD_SETTLED_MIN, History
from twin.settled import BLOCK_HOURS, BLOCKS
from twin.state import State
from twin.story import Visits

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EXITS: tuple[str, ...] = ("unseen", "in care", "decided", "discharged", "ward")
"""Whose exits are told alike: without a contact on record (from the arrival), with one (from it), with a decision to
admit or to send home (from it), and in a ward (from the entry)."""

WAIT_ALIKE = ("decided", "discharged")
"""Of these a slow day holds up all alike, whatever their acuity: they wait for a bed, or for the way home."""

_MINUTE = timedelta(minutes=1)
HARDLY_ANYBODY = 0.98
"""Share of a kind that has left by an age from which hardly anybody reaches it."""
FORGOTTEN_MIN = 60.0
"""An exit told later than this was forgotten at first."""


@dataclass(frozen=True, eq=False)
class Reporting:
    """Stays and delays of settled visits, minutes, by group; `delay` is inf where the exit was never told."""

    group: Index
    stay: Array
    delay: Array
    moves_on: Array
    """Minutes after which a visit is no longer one of this kind; inf where it stays one to its end."""
    apart: bool = False
    """At an age that hardly anybody of its kind reaches, never taken together with other kinds: who is still told to be
    in a ward of hours after days is not like those of a ward of weeks."""

    def usual(self, elapsed_min: Array, group: Index) -> tuple[Array, Array]:
        """Of visits of the kind, the share that has left at an age, `(n,)`, and of these the share told by then."""
        counts = _alike(self).over_by(
            elapsed_min, group, lambda c: c[0] - c[1] - (c[4] - c[5]), _speaks if self.apart else None
        )
        mine, gone, told_of = counts[0] - counts[1], counts[2] - counts[3], counts[4] - counts[5]
        return _share(gone, mine, 0.0), _share(told_of, gone, 1.0)

    def p_here(self, elapsed_min: Array, group: Index) -> Array:
        """The probability that a visit without a known exit is still here, `(n,)`; 1 where nothing is known."""
        return 1.0 - behind_without_record(*self.usual(elapsed_min, group))

    def left_after(self, elapsed_min: float, group: int, uniform: float) -> float:
        """How long a visit that has left unseen had stayed: a draw from those of its kind that had."""
        gone = self.stays_of_gone(elapsed_min, group)
        return float(gone[int(uniform * gone.size)]) if gone.size else elapsed_min

    def stays_of_gone(self, elapsed_min: float, group: int) -> Array:
        """How long those of its kind had stayed that had left by an age and of whom nobody had said so, rising."""
        like = self._like(elapsed_min, group)
        quiet = (like.moves_on > elapsed_min) & (like.told > elapsed_min)
        return np.sort(like.stay[quiet & (like.stay <= elapsed_min)])

    def _like(self, elapsed: float, group: int) -> _Like:
        """Those like it: the most alike of whom enough had moved on from nothing and told no exit at its age, else all.

        Where hardly anybody of its kind reaches its age, those of its kind speak for it if enough had not moved on.
        """
        kind = _of(self, 1, group)
        alone = self.apart and bool(kind.stay.size) and float((kind.stay <= elapsed).mean()) >= HARDLY_ANYBODY
        for width in range(WIDTHS):
            like = _of(self, width, group)
            speak = like.moves_on > elapsed
            if not (alone and width):
                speak &= like.told > elapsed
            if np.count_nonzero(speak) >= ENOUGH:
                break
        return like


class _Like(NamedTuple):
    """Of visits that are alike: how long they stayed, when that was told, until when they were of their kind."""

    stay: Array
    told: Array
    moves_on: Array


def _of(reporting: Reporting, width: int, group: int) -> _Like:
    return _part_of(reporting, width, part_of(group, width))


@lru_cache(maxsize=256)  # what was learned on other days is let go
def _part_of(of: Reporting, width: int, part: int) -> _Like:
    rows = np.flatnonzero(part_of(of.group, width) == part)
    return _Like(of.stay[rows], of.stay[rows] + of.delay[rows], of.moves_on[rows])


def _speaks(counts: Array) -> Array:
    """How many of a kind speak for one: all where hardly anybody reaches its age, else those whose exit is not told."""
    mine, gone = counts[0] - counts[1], counts[2] - counts[3]
    return np.asarray(np.where(gone >= HARDLY_ANYBODY * mine, mine, mine - (counts[4] - counts[5])))


@lru_cache(maxsize=16)  # what was learned on other days is let go
def _alike(of: Reporting) -> Alike:
    told = of.stay + of.delay
    return Alike(
        of.group,
        np.array([of.moves_on, of.stay, np.fmax(of.stay, of.moves_on), told, np.fmax(told, of.moves_on)]),
    )


def _share(part: Array, whole: Array, otherwise: float) -> Array:
    return np.divide(part, whole, out=np.full_like(part, otherwise), where=whole > 0)


def usual_of(exits: Mapping[str, Reporting], kind: Index, elapsed_min: Array, group: Index) -> tuple[Array, Array]:
    """As `Reporting.usual`, each visit by its kind, a place in `EXITS`; `elapsed_min` counts as that kind counts."""
    out = np.empty((2, kind.size))
    for code, name in enumerate(EXITS):
        mine = kind == code
        out[:, mine] = exits[name].usual(elapsed_min[mine], group[mine])
    return out[0], out[1]


def p_here_today(kind: Index, elapsed_min: Array, group: Index, told: Flags, usual: tuple[Array, Array]) -> Array:
    """The probability to be here of visits to the department, `(visit,)`; 0 for those whose exit is told.

    Those who came lately and have left must stand among them: what they tell of today is weighed against what is
    usual, as `usual_of` gives it (`cohort.py`).
    """
    out = np.zeros(kind.size)
    for code in np.unique(kind):
        mine = kind == code
        gone_usually, told_share = (x[mine] for x in usual)
        alike = np.zeros_like(group[mine]) if EXITS[code] in WAIT_ALIKE else group[mine] // BLOCKS
        together = came_together(elapsed_min[mine], alike)
        gone = over_by_now(together, told[mine], gone_usually, told_share, asked=~told[mine])
        out[mine] = np.where(told[mine], 0.0, 1.0 - behind_without_record(gone, told_share))
    return out


def typed_after(exits: Mapping[str, Reporting]) -> Array:
    """Minutes after which what is not forgotten is typed in, of the decided, rising; empty where nobody was."""
    delay = np.concatenate([exits[kind].delay for kind in ("decided", "discharged")])
    return np.sort(delay[delay < FORGOTTEN_MIN])


def arrivals_told_after(state: State, since_at: datetime) -> Array:
    """Minutes after which arrivals since an instant became known, rising."""
    told = [
        (v.arrival_known_at - v.arrived_at) / _MINUTE
        for v in state.visits.values()
        if v.arrived_at and v.arrival_known_at and v.arrived_at >= since_at
    ]
    return np.sort(np.maximum(np.array(told, dtype=np.float64), 0.0))


def taken_as_gone(p_here: Array) -> npt.NDArray[np.bool_]:
    """Who is counted as gone, `(n,)`: as many as are expected to be, the least likely to be here first."""
    gone = np.zeros(p_here.size, dtype=bool)
    gone[np.argsort(p_here, kind="stable")[: round(float((1.0 - p_here).sum()))]] = True
    return gone


def ended_untold(history: History, told: Reporting, open_stays: Flags, looked_min: Array) -> Flags:
    """Which of the stays in wards that have no end by the minutes given are counted as over though nobody said so."""
    rows = np.flatnonzero(open_stays)
    group = group_of(history.visits.stay_unit[rows], history.stay_hour[rows] // BLOCK_HOURS)
    p_here = told.p_here(looked_min[rows] - history.visits.stay_from_min[rows], group)
    out = np.zeros(open_stays.size, dtype=bool)
    out[rows[taken_as_gone(p_here)]] = True
    return out


def with_ends(history: History, visits: Visits, told: Reporting) -> Visits:
    """Completed visits, of whose stays in wards without an end those that are over end when others like them had."""
    open_stays = history.stay_ward & np.isnan(visits.stay_until_min) & (visits.stay_from_min < history.as_of_min)
    until, now = visits.stay_until_min.copy(), np.full(visits.stay_from_min.size, history.as_of_min)
    for i in np.flatnonzero(ended_untold(history, told, open_stays, now)).tolist():
        group = int(group_of(visits.stay_unit[i], history.stay_hour[i] // BLOCK_HOURS))
        if history.stay_untold[i]:
            until[i] = visits.stay_from_min[i]
            continue
        until[i] = visits.stay_from_min[i] + told.left_after(now[i] - visits.stay_from_min[i], group, 0.5)
    return replace(visits, stay_until_min=until)


# --- as a history tells it ------------------------------------------------------------------------------------------


def exits_told(history: History, visits: Visits) -> dict[str, Reporting]:
    """How exits are told in each of `EXITS`, from settled visits; `visits` are completed."""
    told = history.visits
    over = np.fmin(told.decided_min, history.discharged_min)
    never = np.full(told.arrived_min.size, np.nan)
    return {
        "unseen": _of_department(history, visits, told.arrived_min, np.fmin(told.seen_min, over)),
        "in care": _of_department(history, visits, told.seen_min, over),
        "decided": _of_department(history, visits, told.decided_min, never),
        "discharged": _of_department(history, visits, history.discharged_min, never),
        "ward": _of_wards(history, visits),
    }


def _of_department(history: History, visits: Visits, start_min: Array, moves_on_min: Array) -> Reporting:
    """By acuity and block of the arrival, of those who came to the start."""
    settled = (visits.arrived_min < -SETTLED_MIN) & ~np.isnan(visits.departed_min)
    rows = np.flatnonzero(settled & ~np.isnan(start_min))
    start, moves_on = start_min[rows], moves_on_min[rows]
    return Reporting(
        group=group_of(visits.acuity[rows] + 1, history.block_hour[rows] // BLOCK_HOURS),
        stay=visits.departed_min[rows] - start,
        delay=_delay(history.exit_known_min[rows], history.visits.departed_min[rows]),
        moves_on=np.where(np.isnan(moves_on), np.inf, moves_on - start),
    )


def _of_wards(history: History, visits: Visits) -> Reporting:
    settled = (visits.stay_from_min < -WARD_SETTLED_MIN) & ~np.isnan(visits.stay_until_min)
    rows = np.flatnonzero(history.stay_ward & ~history.stay_untold & settled)
    return Reporting(
        group=group_of(visits.stay_unit[rows], history.stay_hour[rows] // BLOCK_HOURS),
        stay=visits.stay_until_min[rows] - visits.stay_from_min[rows],
        delay=_delay(history.stay_end_known_min[rows], history.visits.stay_until_min[rows]),
        moves_on=np.full(rows.size, np.inf),
        apart=True,
    )


def _delay(known_min: Array, happened_min: Array) -> Array:
    """How much later than it happened an exit was told; inf for one that never was."""
    late = known_min - happened_min
    return np.where(np.isnan(late), np.inf, np.maximum(late, 0.0))
