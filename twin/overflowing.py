"""Which wards take in the patients of others, and after how long a wait: learned from where boarders end up.

Who boards for long and enters another ward than the one wanted was moved for want of a bed: the wards *overflow*. Who
does so at once has changed course, and counts as wanting the ward entered. How long it takes until other wards are
asked is a hazard by the age of the wait, from the time waited while one of them had a bed to spare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.durations import Duration, fixed, piecewise_exponential
from twin.history import History
from twin.hospital import Hospital
from twin.learned_path import PLENTY_FREE
from twin.story import DESTINATIONS, Array, Index, Visits
from twin.turnover import HOUR_MIN, LONG_BOARDING_MIN, BedCounts, free_beds

Flags = npt.NDArray[np.bool_]

ENOUGH_MOVES = 3
"""So many patients who were moved from one ward's queue to another ward show that it takes them in."""
WAITED_FROM_MIN = (0.0, 60.0, 120.0, 180.0, 240.0, 360.0, 480.0, 600.0, 720.0, 960.0, 1440.0, 2160.0)
"""Stretches of the wait, each of which has a hazard of its own; the last goes on for ever."""
MOVES_PRIOR = 1.0
"""Moves at which a stretch's own hazard and that of the whole wait weigh alike."""
OWN_WARD_PRIOR = 5.0
"""Admissions to the ward wanted that are assumed before any is seen."""
USUAL_AFTER_MIN = 240.0
"""Where nobody was moved yet: four hours, by which a bed should have been found (set)."""
_WARD = DESTINATIONS.index("ward")


@dataclass(frozen=True, eq=False)
class Overflowing:
    """What was learned of wards that take in the patients of others."""

    hosts: Mapping[str, tuple[str, ...]]
    """By ward, those that take its patients in, most usual first; where the log shows none, what the hospital says."""
    after: Duration
    """How long a patient queues until they are asked."""
    wanted: Index
    """The ward that each visit wanted: the one entered, or the one asked for where it was left for want of a bed."""
    goes_elsewhere: Array
    """By unit, the share of those who want it who enter another ward, whatever for, `(unit,)`."""


def learn_overflow(
    history: History, visits: Visits, hospital: Hospital, known: frozenset[str], counts: BedCounts, since_min: float
) -> Overflowing:
    """What the boarders since a minute tell of the wards whose beds are `known`; `visits` are completed."""
    moved = _moved(history, visits, hospital, known)
    recent = moved & (visits.decided_min >= since_min)
    hosts = {u.name: u.overflow for u in hospital.wards if u.overflow} | _hosts(history, hospital, recent)
    takes_in = _table(hosts, hospital)
    moved &= takes_in[history.asked, history.wanted]
    return Overflowing(
        hosts=hosts,
        after=_after(history, visits, hospital, counts, takes_in, moved, since_min),
        wanted=np.where(moved, history.asked, history.wanted),
        goes_elsewhere=1.0 - np.diag(shares_entered(history, history.wanted, len(hospital.units))),
    )


def shares_entered(history: History, wanted: Index, units: int) -> Array:
    """Shares of the ward taken as wanted by the ward asked for, `(asked, wanted)`, each ward's own counted more."""
    told = (history.asked >= 0) & (history.visits.to == _WARD) & (wanted >= 0)
    counts = np.eye(units) * OWN_WARD_PRIOR
    np.add.at(counts, (history.asked[told], wanted[told]), 1.0)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _moved(history: History, visits: Visits, hospital: Hospital, known: frozenset[str]) -> Flags:
    """Who boarded for long and entered another ward than the one asked for, both with known beds."""
    followed = np.array([*(unit.name in known for unit in hospital.units), False])
    told = (visits.to == _WARD) & followed[history.asked] & followed[history.wanted]
    long = visits.departed_min - visits.decided_min > LONG_BOARDING_MIN
    return np.asarray(told & long & (history.asked != history.wanted))


def _hosts(history: History, hospital: Hospital, moved: Flags) -> dict[str, tuple[str, ...]]:
    counts = np.zeros((len(hospital.units), len(hospital.units)), dtype=np.int64)
    np.add.at(counts, (history.asked[moved], history.wanted[moved]), 1)
    names = [unit.name for unit in hospital.units]
    out = {}
    for code, row in enumerate(counts):
        ranked = [names[host] for host in np.argsort(-row, kind="stable") if row[host] >= ENOUGH_MOVES]
        if ranked:
            out[names[code]] = tuple(ranked)
    return out


def _table(hosts: Mapping[str, tuple[str, ...]], hospital: Hospital) -> Flags:
    """Whether a unit takes in the patients of another, `(wanted + 1, entered + 1)`; the last of each for not known."""
    out = np.zeros((len(hospital.units) + 1,) * 2, dtype=bool)
    for ward, others in hosts.items():
        for host in others:
            out[hospital.unit_code(ward), hospital.unit_code(host)] = True
    return out


def _after(
    history: History, visits: Visits, hospital: Hospital, counts: BedCounts, takes_in: Flags, moved: Flags,
    since_min: float,
) -> Duration:  # fmt: skip
    """How long until other wards are asked: moves over the time waited while one of them had a bed, by age."""
    may_move = np.asarray(takes_in.any(axis=1))[history.asked]
    rows = np.flatnonzero((history.asked >= 0) & may_move & (visits.decided_min >= since_min))
    begun = visits.decided_min[rows] + _search_min(history, visits, hospital, counts, since_min)
    until = np.where(np.isnan(visits.departed_min[rows]), history.as_of_min, visits.departed_min[rows])
    waits = until > begun
    rows, begun, until = rows[waits], begun[waits], until[waits]
    if not moved[rows].any():
        return fixed(USUAL_AFTER_MIN)
    spare = _spare(visits, hospital, counts, takes_in, np.arange(since_min, history.as_of_min, HOUR_MIN))
    exposed = _exposed(spare[history.asked[rows]], begun, until, since_min)
    moves = np.histogram((until - begun)[moved[rows]], (*WAITED_FROM_MIN, np.inf))[0]
    overall = moves.sum() / max(exposed.sum(), HOUR_MIN)
    hazard = (moves + MOVES_PRIOR) / (exposed + MOVES_PRIOR / overall)
    return piecewise_exponential(np.array(WAITED_FROM_MIN), hazard)


def _search_min(history: History, visits: Visits, hospital: Hospital, counts: BedCounts, since_min: float) -> float:
    """What boarding usually lasts where a bed is there: the search for it and the way; else what the quickest lasts."""
    own = (history.asked >= 0) & (history.asked == history.wanted) & (visits.decided_min >= since_min)
    rows = np.flatnonzero(own & ~np.isnan(visits.departed_min))
    boarding = visits.departed_min[rows] - visits.decided_min[rows]
    if not rows.size:
        return 0.0
    free = free_beds(visits, hospital, counts, history.asked[rows], visits.decided_min[rows])
    found = free >= PLENTY_FREE
    return float(np.median(boarding[found]) if found.any() else np.quantile(boarding, 0.1))


def _spare(visits: Visits, hospital: Hospital, counts: BedCounts, takes_in: Flags, hours: Array) -> Flags:
    """Whether a ward that takes in the patients of a unit has a bed to spare, `(unit, hour)`."""
    free = np.zeros((len(hospital.units), hours.size), dtype=bool)
    for unit in hospital.wards:
        code = hospital.unit_code(unit.name)
        if takes_in[:, code].any():
            wanted = np.full(hours.size, code)
            free[code] = free_beds(visits, hospital, counts, wanted, hours) - unit.held_back >= 1
    return np.array([free[takes_in[code, :-1]].any(axis=0) for code in range(len(hospital.units))])


def _exposed(spare: Flags, begun: Array, until: Array, since_min: float) -> Array:
    """Minutes waited by stretch of the wait in hours with a bed to spare; `spare` is `(patient, hour)`."""
    edges = np.array(WAITED_FROM_MIN)
    out = np.zeros(edges.size)
    for mine, start, end in zip(spare, begun, until, strict=True):
        hours = np.arange(max(int((start - since_min) // HOUR_MIN), 0), int((end - since_min) // HOUR_MIN) + 1)
        hours = hours[hours < mine.size]
        hours = hours[mine[hours]]
        first = np.maximum(since_min + hours * HOUR_MIN, start)
        last = np.minimum(since_min + (hours + 1) * HOUR_MIN, end)
        np.add.at(out, np.searchsorted(edges, first - start, side="right") - 1, np.maximum(last - first, 0.0))
    return out
