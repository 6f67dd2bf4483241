"""What school holidays do to arrivals: the breaks of a French zone, against the fortnights around them.

The days come from the package `holidays`, which knows the zones A, B and C of mainland France from 2017 on, and the
years to come by the rules that set them. What is learned is a factor of the short breaks and one of summer's edges,
both drawn towards 1 as far as they may be chance: days of one break resemble one another, so a break counts for few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache

import holidays
import numpy as np
import numpy.typing as npt

from twin.errors import TwinError

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ZONES = ("A", "B", "C")
SUMMER = "Vacances d'été"
NEAR_DAYS = 14
"""Days of a break at most so far from its beginning or its end are compared with days at most so far outside."""
LEAST_DAYS = 5
"""Fewer days on either side tell nothing."""
DAYS_DIFFER, ALIKE_DAYS = 0.08, 5.0
"""How much days differ beyond chance, and how many in a row tell as much as one."""
PRIOR = 0.04
"""How much breaks are expected to change the number of arrivals."""


@cache
def school_breaks(zone: str, first_day: int, last_day: int) -> Mapping[int, str]:
    """The days without school of a zone by ordinal, with the break's name; none for "".

    Raises TwinError for a zone that is not known.
    """
    if not zone:
        return {}
    if zone not in ZONES:
        raise TwinError(f"school_zone must be A, B or C, or empty for none, but is {zone!r}")
    years = range(date.fromordinal(first_day).year, date.fromordinal(last_day).year + 1)
    found = holidays.country_holidays("FR", subdiv=f"Zone {zone}", categories=("school",), years=years, language="fr")
    days = {day.toordinal(): name for day, name in found.items()}
    return {day: name for day, name in sorted(days.items()) if first_day <= day <= last_day}


def learn_school(days: Index, came: Array, expected: Array, zone: str, usual: Flags) -> tuple[float, float]:
    """The factor of short breaks and that of summer, from how many came and were expected on days one after another.

    `usual` are the days that are no public holidays; the others tell nothing.
    """
    if not days.size:
        return 1.0, 1.0
    named = school_breaks(zone, int(days[0]), int(days[-1]))
    kinds = np.array([named.get(int(day), "") for day in days])
    told = list(_breaks(kinds, came, expected, usual))
    return _drawn([t for name, t in told if name != SUMMER]), _drawn([t for name, t in told if name == SUMMER])


def _breaks(kinds: Index, came: Array, expected: Array, usual: Flags) -> Iterator[tuple[str, tuple[float, float]]]:
    """Of each break that begins or ends in the period: its name, its effect, and how sure that is (1 / variance)."""
    edges = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
    place = np.arange(kinds.size)
    for run in np.split(place, edges):
        name = str(kinds[run[0]])
        if not name:
            continue
        first, last = int(run[0]), int(run[-1])
        edge = np.minimum(place - first, last - place) < NEAR_DAYS
        inside = edge & (place >= first) & (place <= last) & usual
        outside = (kinds == "") & usual & (place >= first - NEAR_DAYS) & (place <= last + NEAR_DAYS)
        if min(inside.sum(), outside.sum()) >= LEAST_DAYS and came[inside].any() and came[outside].any():
            yield name, _effect(came, expected, inside, outside)


def _effect(came: Array, expected: Array, inside: Flags, outside: Flags) -> tuple[float, float]:
    """The logarithm of the ratio of both levels, and 1 / its variance."""
    level, variance = [], 0.0
    for chosen in (inside, outside):
        n = float(came[chosen].sum())
        level.append(np.log(n / float(expected[chosen].sum())))
        variance += 1.0 / n + DAYS_DIFFER**2 * min(1.0, ALIKE_DAYS / float(chosen.sum()))
    return float(level[0] - level[1]), 1.0 / variance


def _drawn(told: list[tuple[float, float]]) -> float:
    """The factor of some breaks together, drawn towards 1."""
    sure = sum(precision for _, precision in told)
    return float(np.exp(sum(effect * precision for effect, precision in told) / (sure + PRIOR**-2)))
