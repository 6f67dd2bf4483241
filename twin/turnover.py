"""How full wards get while patients queue for them, and how long a bed is out of use between two patients.

A ward is hardly ever as full as its number of beds. Some beds are held back: for planned patients, for one sex, for
want of a nurse. And a bed that was left is cleaned, given to somebody, and stands empty until they come. Both show
while patients wait for the ward for longer than it takes to find a bed: the beds that are free then are none that one
gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.events import BedsCounted
from twin.hospital import Hospital
from twin.measures import inside
from twin.minutes import Minutes
from twin.state import State
from twin.story import Array, Index, Visits

HOUR_MIN = 60.0
LONG_BOARDING_MIN = 150.0
"""Who boards for longer waits for a bed; until then it is looked for and made ready."""
A_QUEUE = 2
"""So many who wait for a bed of a ward show that there is none to be had."""
ENOUGH_HOURS = 48
"""Hours with a queue that a ward must have had to show how many beds it holds back."""
ENOUGH_EXITS = 50
"""Exits in such hours from which the turnaround is learned."""
DEFAULT_TURNAROUND_MIN = 30.0
"""Bed turnaround before improvement in Tan Tock Seng Hospital's command centre (straitstimes.com): 30 minutes."""


@dataclass(frozen=True, eq=False)
class BedCounts:
    """How many beds each ward had from when on, as counted; minutes as everywhere."""

    steps: Mapping[str, tuple[Array, Array]]

    @classmethod
    def of(cls, state: State, minutes: Minutes) -> BedCounts:
        """All counts of beds that the state holds."""
        told: dict[str, list[tuple[float, float]]] = {}
        for event in state.places:
            if isinstance(event, BedsCounted):
                told.setdefault(event.unit, []).append((minutes.of(event.occurred_at), float(event.count)))
        columns = {ward: np.array(sorted(counts)).T for ward, counts in told.items()}
        return cls({ward: (at, count) for ward, (at, count) in columns.items()})

    def at(self, ward: str, at_min: Array, otherwise: int) -> Array:
        """Beds of a ward at given minutes: the last count, before the first that one; `otherwise` if none was told."""
        if ward not in self.steps:
            return np.full(at_min.size, float(otherwise))
        since, count = self.steps[ward]
        return np.asarray(count[np.maximum(np.searchsorted(since, at_min, side="right") - 1, 0)])


@dataclass(frozen=True, eq=False)
class Turnover:
    """What was learned of beds."""

    held_back: Mapping[str, int]
    """Beds of each ward that nobody gets though patients queue for them; wards without such queues are not here."""
    turnaround_min: float
    """From when a patient leaves a bed until the next one is in it, while patients queue."""


def free_beds(visits: Visits, hospital: Hospital, counts: BedCounts, wanted: Index, at_min: Array) -> Array:
    """Beds free in the ward wanted at each one's minute, `(n,)`; 0 where the ward is not known or the minute NaN."""
    out = np.zeros(wanted.size)
    for unit in hospital.wards:
        code = hospital.unit_code(unit.name)
        rows = np.flatnonzero((wanted == code) & ~np.isnan(at_min))
        out[rows] = counts.at(unit.name, at_min[rows], unit.places) - _taken(visits, code, at_min[rows])
    return out


def learn_turnover(
    visits: Visits, asked: Index, hospital: Hospital, known: frozenset[str], counts: BedCounts, grid_min: Array
) -> Turnover:
    """What the hours that begin at `grid_min` tell of the wards whose beds are `known`.

    `visits` are completed, `asked` is the ward that each one wanted at the decision (-1 where not known). The beds held
    back are the median of those free in the hours with a queue; the turnaround is what is free beyond that over the
    exits, by Little's law.
    """
    held_back: dict[str, int] = {}
    idle_min, exits = 0.0, 0
    for unit in hospital.wards:
        code = hospital.unit_code(unit.name)
        boards = asked == code
        queue = inside(visits.decided_min[boards] + LONG_BOARDING_MIN, visits.departed_min[boards], grid_min)
        hours = grid_min[queue >= A_QUEUE]
        if unit.name not in known or hours.size < ENOUGH_HOURS:
            continue
        free = counts.at(unit.name, hours, unit.places) - _taken(visits, code, hours)
        usual = max(float(np.median(free)), 0.0)
        held_back[unit.name] = round(usual)
        idle_min += float(np.maximum(free - usual, 0.0).sum()) * HOUR_MIN
        exits += _exits(visits, code, hours)
    return Turnover(held_back, idle_min / exits if exits >= ENOUGH_EXITS else DEFAULT_TURNAROUND_MIN)


def _taken(visits: Visits, ward: int, at_min: Array) -> Array:
    stays = visits.stay_unit == ward
    return inside(visits.stay_from_min[stays], visits.stay_until_min[stays], at_min)


def _exits(visits: Visits, ward: int, hours: Array) -> int:
    """Exits in the hours that begin at the given minutes."""
    until = np.sort(visits.stay_until_min[visits.stay_unit == ward])
    return int((np.searchsorted(until, hours + HOUR_MIN) - np.searchsorted(until, hours)).sum())
