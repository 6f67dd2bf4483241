"""What a window as a whole brought a member: what no instant tells, because it is asked of whole visits.

Who left without being seen, who of the planned was admitted, who spent a night in the department, and how long the
long waits were. `of_story` is the definition; `kernel_tallies.tally` does the same from marks, compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
import numpy.typing as npt

from ingest.events import RANK
from twin.kernel_tallies import AGED, HIGH_SHARE, PLANNED
from twin.measures import waiting_until
from twin.story import DESTINATIONS, Story, Visits

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FIRST_ROWS = ("left_unseen", "planned_admitted", "nights", "aged_nights", "wait_p90_min")
"""Names of the rows before those of the acuities."""
_LWBS = DESTINATIONS.index("left_without_being_seen")
_ENTERED = RANK["EnteredWard"]


@dataclass(frozen=True)
class Tallying:
    """Which window is tallied; rows are in the order of `names`."""

    acuities: tuple[str, ...]
    until_min: float
    """The window is from minute 0 to this one, ends included."""
    nights_min: tuple[tuple[float, float], ...] = ()
    """Nights, each from a minute (which may be before the window) to one inside it."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of what is tallied, row by row."""
        return (*FIRST_ROWS, *(f"wait_p90_min:{acuity}" for acuity in self.acuities))

    @cached_property
    def night_min(self) -> Array:
        """The nights, `(night, 2)`."""
        return np.array(self.nights_min, dtype=np.float64).reshape(-1, 2)

    def of_story(self, story: Story, acuity: Index, what: Index) -> Array:
        """Every row, `(row,)`; `acuity` and `what` (bits AGED, PLANNED) are by visit.

        A night is spent by who came before it began and had not left when it ended. A wait counts if it lasted at any
        time of the window: to first contact or departure, or to the window's end; of those the one is told that nine
        in ten do not exceed, NaN where nobody waited.
        """
        visits = Visits.of(story, acuity)
        return np.array(list(self._rows(visits, _first(story, _ENTERED, acuity.size), what)), dtype=np.float64)

    def _rows(self, visits: Visits, entered_min: Array, what: Index) -> Iterator[float]:
        unseen = visits.to == _LWBS
        yield _count(unseen & self._within(visits.departed_min))
        yield _count((what & PLANNED > 0) & self._within(entered_min))
        aged = what & AGED > 0
        spent = [
            (visits.arrived_min < begins) & ~(visits.departed_min < ends) for begins, ends in self.nights_min
        ]  # fmt: skip
        yield sum(map(_count, spent))
        yield sum(_count(there & aged) for there in spent)
        until = waiting_until(visits)
        waited = (visits.arrived_min <= self.until_min) & ~(until < 0.0)
        wait_min = np.fmin(until, self.until_min) - visits.arrived_min
        yield _high(wait_min[waited])
        for code in range(len(self.acuities)):
            yield _high(wait_min[waited & (visits.acuity == code)])

    def _within(self, at_min: Array) -> Flags:
        return np.asarray((at_min >= 0.0) & (at_min <= self.until_min))


def _count(flags: Flags) -> float:
    return float(np.count_nonzero(flags))


def _first(story: Story, kind: int, visits: int) -> Array:
    out = np.full(visits, np.nan)
    mine = story.kind == kind
    np.fmin.at(out, story.visit[mine], story.at_min[mine])
    return out


def _high(waits: Array) -> float:
    return float(np.sort(waits)[ceil(HIGH_SHARE * waits.size) - 1]) if waits.size else float("nan")
