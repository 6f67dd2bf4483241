"""The visits that a state holds, in columns, and ONE RULE for what was never recorded.

A log leaves things out: exits that nobody entered, contacts that nobody timed. Whoever judges a forecast, and
whoever is judged, completes them by the same stated rule (`completed`):

* a visit to the department without an exit 48 hours after its arrival is a ghost: it is taken to have left at its
  arrival plus the median stay of visits like it (same decision to admit or none, same acuity);
* who was decided to be admitted, and of whom an exit from a ward was told, or nothing more for 48 hours since the
  arrival, went to the ward wanted though nobody said so: after the decision as long as others board for it on
  average; they lie there until that exit, or until a move to another ward;
* a stay in a ward without an end after 30 days is a ghost: it ends at its beginning plus the unit's median stay;
* a first contact missing from a visit that went on to a decision or an exit happened at its arrival plus the median
  wait of visits like it, but no later than that decision or exit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.events import UnitId, VisitId
from twin.boarding import Endings
from twin.minutes import Minutes
from twin.state import State
from twin.story import DESTINATIONS, NOWHERE, Array, Index, Visits
from twin.visit import Stay, Visit
from twin.visit_told import INSTANTS, STAY, all_told, local_hours

Flags = npt.NDArray[np.bool_]

SETTLED_MIN = 48 * 60.0
"""A visit this old without an exit is a ghost."""
WARD_SETTLED_MIN = 30 * 24 * 60.0
"""A stay in a ward this old without an end is a ghost."""
_SETTLED = timedelta(minutes=SETTLED_MIN)
_NEVER = datetime.max.replace(tzinfo=UTC)
_LWBS = DESTINATIONS.index("left_without_being_seen")
_DESTINATION_CODES = {name: code for code, name in enumerate(DESTINATIONS)}


@dataclass(frozen=True, eq=False)
class History:
    """Visits as recorded, one row each; minutes from `minutes.origin`; NaN where nothing is recorded."""

    minutes: Minutes
    as_of_min: float
    """Until when it is known."""
    ids: tuple[VisitId, ...]
    visits: Visits
    elderly: Flags
    """75 years and over."""
    wanted: Index
    """Code of the ward entered, else of the one wanted; -1 where neither is known."""
    asked: Index
    """Code of the ward wanted at the decision, whichever was entered; -1 where not known."""
    discharged_min: Array
    """Decision to send home."""
    triage_known_min: Array
    contact_known_min: Array
    """When the triage, and the first contact, became known."""
    exit_known_min: Array
    """When the exit from the department became known; for who left a ward untold of, when that was told."""
    block_hour: Index
    """Local hour of the day of the arrival (of the first stay for those who came straight to a ward)."""
    stay_hour: Index
    """Per stay: local hour of the day at which it began."""
    stay_end_known_min: Array
    """Per stay: when its end became known."""
    stay_ward: Flags
    """Per stay: True in a ward, False in an area of the department."""
    stay_direct: Flags
    """Per stay: True in a ward entered straight from outside or from another ward, not from the department."""
    stay_untold: Flags
    """Per stay: True where nobody said that it began, but the rule does."""

    @property
    def untold(self) -> Flags:
        """Visits that went to a ward, by the rule, though nobody said so, `(visit,)`."""
        out = np.zeros(len(self.ids), dtype=bool)
        out[self.visits.stay_visit[self.stay_untold]] = True
        return out

    @property
    def group(self) -> Index:
        """Visits alike for the rule: twice the acuity's code (0 where unknown), plus 1 where admitted."""
        return 2 * (self.visits.acuity + 1) + (~np.isnan(self.visits.decided_min)).astype(np.int64)


def history_of(
    state: State,
    minutes: Minutes,
    as_of_min: float,
    acuities: Sequence[str],
    units: Mapping[str, int],
    zone: str = "UTC",
) -> History:
    """The state's visits in columns, in the order of their numbers; units that the hospital does not know get -1.

    The order in which a state came to hold them must not matter: sums and ties would differ from run to run.
    """
    return history_of_visits(state.visits.values(), minutes, as_of_min, acuities, units, zone)


def history_of_visits(
    visits: Iterable[Visit],
    minutes: Minutes,
    as_of_min: float,
    acuities: Sequence[str],
    units: Mapping[str, int],
    zone: str = "UTC",
) -> History:
    """As `history_of`, of some visits."""
    told = [row for row in sorted(visits, key=lambda v: v.visit) if row.arrived_at or row.stays]
    rows = with_untold(told, minutes.at(as_of_min), units)
    each = all_told(rows)
    at = np.frombuffer(b"".join([one.instants for one in each]), INSTANTS)
    stay = np.frombuffer(b"".join([one.stays for one in each]), STAY)
    acuity_code = {name: code for code, name in enumerate(acuities)}
    return History(
        minutes=minutes,
        as_of_min=as_of_min,
        ids=tuple(row.visit for row in rows),
        visits=Visits(
            arrived_min=minutes.of_micros(at["arrived"]),
            triaged_min=minutes.of_micros(at["triaged"]),
            seen_min=minutes.of_micros(at["seen"]),
            decided_min=minutes.of_micros(at["decided"]),
            departed_min=minutes.of_micros(at["departed"]),
            to=_codes([one.to for one in each], _DESTINATION_CODES),
            acuity=_codes([one.acuity for one in each], acuity_code),
            stay_visit=np.repeat(np.arange(len(rows)), np.array([len(one.units) for one in each], dtype=np.int64)),
            stay_unit=_codes([unit for one in each for unit in one.units], units),
            stay_from_min=minutes.of_micros(stay["from"]),
            stay_until_min=minutes.of_micros(stay["until"]),
        ),
        elderly=np.array([one.elderly for one in each], dtype=bool),
        wanted=_codes([one.wanted for one in each], units),
        asked=_codes([one.asked for one in each], units),
        discharged_min=minutes.of_micros(at["discharged"]),
        triage_known_min=minutes.of_micros(at["triage_known"]),
        contact_known_min=minutes.of_micros(at["contact_known"]),
        exit_known_min=minutes.of_micros(at["exit_known"]),
        block_hour=local_hours(at["began"], zone),
        stay_hour=local_hours(stay["from"], zone),
        stay_end_known_min=minutes.of_micros(stay["end_known"]),
        stay_ward=stay["ward"],
        stay_direct=stay["direct"],
        stay_untold=stay["untold"],
    )


def went_untold(visit: Visit, as_of: datetime) -> bool:
    """Whether, by the rule, it has gone to the ward wanted though nobody said so by an instant."""
    if visit.departed_at is not None or not (visit.arrived_at and visit.decided_at and visit.unit_wanted):
        return False
    return visit.left_ward_at is not None or as_of - visit.arrived_at > _SETTLED


def lying_untold(visit: Visit, boards_min: float, wards: Collection[str]) -> Visit:
    """One that went untold, in the ward wanted, where others board for so long, and in wards that it moved to since."""
    decided_at = visit.decided_at or _NEVER
    moves = [replace(s, ward=True) for s in visit.stays if s.from_at > decided_at and s.unit in wards]
    before = [s for s in visit.stays if s.from_at <= decided_at or s.unit not in wards]
    until = moves[0].from_at if moves else visit.left_ward_at
    went = min(decided_at + timedelta(minutes=boards_min), until or _NEVER)
    told_at = None if moves else visit.left_ward_known_at
    there = Stay(visit.unit_wanted or UnitId(""), went, until, ward=True, end_known_at=told_at, untold=True)
    return replace(visit, departed_at=went, to="ward", stays=(*before, there, *moves))


def with_untold(visits: Sequence[Visit], as_of: datetime, units: Collection[str]) -> list[Visit]:
    """The visits; those that went untold to one of the units, where others are told to have gone, in it."""
    gone = [went_untold(visit, as_of) and visit.unit_wanted in units for visit in visits]
    if not any(gone):
        return list(visits)
    endings = Endings.of(all_told(visits))
    wards = endings.followed
    return [
        lying_untold(v, endings.boarding(v.unit_wanted).min, wards) if away and v.unit_wanted in wards else v
        for v, away in zip(visits, gone, strict=True)
    ]


def completed(history: History) -> Visits:
    """The visits with what was never recorded filled by the one rule of this module."""
    visits = history.visits
    stay = group_medians(visits.departed_min - visits.arrived_min, history.group)
    wait = group_medians(visits.seen_min - visits.arrived_min, history.group)
    ghost = np.isnan(visits.departed_min) & (history.as_of_min - visits.arrived_min > SETTLED_MIN)
    departed = np.where(ghost, visits.arrived_min + np.fmax(stay, _since_milestones(visits)), visits.departed_min)
    return replace(
        visits,
        departed_min=departed,
        seen_min=_seen(visits, departed, visits.arrived_min + wait),
        stay_until_min=_ward_ends(history),
    )


def group_medians(values: Array, group: Index) -> Array:
    """For each row the median of its group's values, NaN ones left out; the median of all where a group has none."""
    known = ~np.isnan(values)
    overall = float(np.median(values[known])) if known.any() else np.nan
    table = np.full(int(group.max()) + 1 if group.size else 1, overall)
    for g in np.unique(group[known]):
        table[g] = np.median(values[known & (group == g)])
    return table[group]


def _since_milestones(visits: Visits) -> Array:
    """Minutes from arrival to the last milestone on record: no exit is put before it."""
    last = np.fmax(np.fmax(visits.triaged_min, visits.seen_min), visits.decided_min)
    return last - visits.arrived_min


def _seen(visits: Visits, departed: Array, typical: Array) -> Array:
    bound = np.fmin(visits.decided_min, departed)
    missing = np.isnan(visits.seen_min) & ~np.isnan(bound) & (visits.to != _LWBS)
    return np.where(missing, np.fmin(typical, bound), visits.seen_min)


def _ward_ends(history: History) -> Array:
    visits = history.visits
    typical = group_medians(visits.stay_until_min - visits.stay_from_min, visits.stay_unit + 1)
    ghost = np.isnan(visits.stay_until_min) & (history.as_of_min - visits.stay_from_min > WARD_SETTLED_MIN)
    return np.where(ghost, visits.stay_from_min + typical, visits.stay_until_min)


def _codes(values: Sequence[str | None], codes: Mapping[str, int]) -> Index:
    return np.array([codes.get(value, NOWHERE) if value is not None else NOWHERE for value in values], dtype=np.int64)
