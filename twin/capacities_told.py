"""Beds and staff as the log tells them now and for times to come: closures, reopenings, changes of the roster.

What was learned last night does not know of a ward that closed beds this morning, nor of what is told in advance: a
count with a time that lies ahead, such as beds that open again on Monday. A count of beds holds until the next one. A
count of staff that was told before its time holds until the next one or until the roster changes by itself; one that
was told afterwards says what was, and forecasts take the roster.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from ingest.events import BedsCounted, StaffOnDuty
from twin.hospital import CARE, Hospital, Profile, steps
from twin.minutes import Minutes
from twin.state import State

_NOW_MIN = 0.01
"""So that a change of the roster at this very minute is seen."""
_LONGEST_MIN = 24 * 60.0
"""No count of staff holds for longer."""


def with_beds_now(hospital: Hospital, known: Collection[str], state: State, as_of: datetime) -> Hospital:
    """The hospital with the beds counted by an instant, in wards whose beds are known; itself if that changes none."""
    counted = state.counted(BedsCounted, as_of)
    now = {u.name: counted[u.name] for u in hospital.wards if u.name in known and u.name in counted}
    changed = {name: count for name, count in now.items() if hospital.unit(name).places != count}
    return hospital.with_beds(changed) if changed else hospital


def told_ahead(state: State, hospital: Hospital, known: Collection[str], as_of: datetime) -> Mapping[str, Profile]:
    """What is told for times after an instant, by pool: (minute from it, how many), in order."""
    minutes, wards = Minutes(as_of), {u.name: u for u in hospital.wards if u.name in known}
    rosters = {pool.name: pool for pool in hospital.rosters}
    out: dict[str, list[tuple[float, int]]] = {}
    for begun in _begun(state, hospital, as_of):
        caseload = rosters[begun.pool].caseload
        out[begun.pool], out[CARE + begun.pool] = [(0.0, begun.count)], [(0.0, begun.count * caseload)]
    for event in state.places:
        if event.occurred_at <= as_of:
            continue
        if isinstance(event, BedsCounted) and event.unit in wards:
            ward = wards[event.unit]
            out.setdefault(ward.pool, []).append((minutes.of(event.occurred_at), max(event.count - ward.held_back, 0)))
        elif isinstance(event, StaffOnDuty) and event.pool in rosters:
            at, caseload = minutes.of(event.occurred_at), rosters[event.pool].caseload
            out.setdefault(event.pool, []).append((at, event.count))
            out.setdefault(CARE + event.pool, []).append((at, event.count * caseload))
    return {pool: tuple(sorted(told, key=lambda step: step[0])) for pool, told in out.items()}


def _begun(state: State, hospital: Hospital, as_of: datetime) -> Iterator[StaffOnDuty]:
    """The latest count of each pool, where it was told before its time and the roster has not changed since."""
    rosters = {pool.name for pool in hospital.rosters}
    counts = (e for e in state.places if isinstance(e, StaffOnDuty) and e.occurred_at <= as_of and e.pool in rosters)
    for event in {event.pool: event for event in counts}.values():
        told_ahead = event.known_at is not None and event.known_at < event.occurred_at
        since_min = -Minutes(as_of).of(event.occurred_at)
        if told_ahead and since_min <= _LONGEST_MIN:
            usual = hospital.capacities((event.pool,), event.occurred_at, since_min + _NOW_MIN)[event.pool]
            if len(usual) == 1:
                yield event


def as_told(usual: Profile, told: Profile) -> Profile:
    """A capacity with what is told of it; the latest step counts, of two at one minute what is told."""
    merged = dict(usual) | dict(told)
    return steps(sorted(merged.items())) if told else usual
