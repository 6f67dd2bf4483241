"""Doctors on duty as the log tells them, and the effective time that a first contact takes of one.

A log tells when a first contact begins and never how long it keeps a doctor. What can be read is the rate of
contacts while somebody waits: then every doctor is busy, so doctor-minutes on duty per contact is the effective time
of a contact, all that keeps doctors from the next one included (their other patients, a box that is not free).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from ingest.clock import local
from ingest.events import StaffOnDuty
from twin.durations import LEVELS, Duration
from twin.measures import inside, waiting_until
from twin.minutes import Minutes
from twin.state import State
from twin.story import Array, Visits

Roster = tuple[tuple[int, ...], tuple[int, ...]]

STEP_MIN = 10.0
MANY_WAIT_SHARE = 0.5
"""Waiting patients per doctor on duty from which all of them are taken to be busy."""
CONTACTS_PRIOR = 200.0
"""Contacts at which a block's own time and the day's weigh alike."""
_SATURDAY = 5


def roster(state: State, pool: str, as_of: datetime, zone: str, days: int = 28) -> Roster | None:
    """How many of a pool are on duty by local hour, on weekdays and at weekends; None where the log tells nothing."""
    told = [
        (e.occurred_at, e.count)
        for e in state.places
        if isinstance(e, StaffOnDuty) and e.pool == pool and e.occurred_at <= as_of
    ]
    if not told:
        return None
    hours: dict[tuple[bool, int], list[int]] = {}
    for at, count in _hourly(told, max(told[0][0], as_of - timedelta(days=days)), as_of):
        there = local(at, zone)
        hours.setdefault((there.weekday() >= _SATURDAY, there.hour), []).append(count)
    overall = int(np.median([count for _, count in told]))
    weekday, weekend = (
        tuple(int(np.median(hours.get((end, hour), [overall]))) for hour in range(24)) for end in (False, True)
    )
    return weekday, weekend


def _hourly(told: list[tuple[datetime, int]], start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    at = start.replace(minute=30, second=0, microsecond=0)
    i = 0
    while at < end:
        while i + 1 < len(told) and told[i + 1][0] <= at:
            i += 1
        if told[i][0] <= at:
            yield at, told[i][1]
        at += timedelta(hours=1)


def doctor_slot(visits: Visits, minutes: Minutes, zone: str, doctors: Roster, blocks: int) -> Duration | None:
    """The effective minutes of a doctor for a first contact, exponential, by block of the day; None if nobody waited.

    Only stretches count in which at least half a patient a doctor waits, so that all doctors are busy. `doctors` is
    the roster by local hour, `visits` the settled ones.
    """
    ready = np.where(np.isnan(visits.triaged_min), visits.arrived_min, visits.triaged_min)
    grid = np.arange(np.nanmin(ready), np.nanmax(ready), STEP_MIN)
    waiting = inside(ready, waiting_until(visits), grid)
    starts = inside(visits.seen_min, visits.seen_min + STEP_MIN, grid + STEP_MIN)
    when = [local(minutes.at(float(m)), zone) for m in grid]
    hour = np.array([t.hour for t in when], dtype=np.int64)
    on_duty = np.array([doctors[t.weekday() >= _SATURDAY][t.hour] for t in when], dtype=np.float64)
    busy = (waiting >= MANY_WAIT_SHARE * on_duty) & (on_duty > 0)
    if not starts[busy].any():
        return None
    overall = _per_contact(on_duty[busy], starts[busy])
    by_block = [busy & (hour // (24 // blocks) == b) for b in range(blocks)]
    slots = np.array([_drawn(on_duty[mine], starts[mine], overall) for mine in by_block])
    table = -np.log1p(-LEVELS)[None, None, None, :] * slots[None, :, None, None]
    return Duration(table, slots[None, :, None])


def _per_contact(on_duty: Array, starts: Array) -> float:
    return float(on_duty.sum() * STEP_MIN / max(starts.sum(), 1.0))


def _drawn(on_duty: Array, starts: Array, overall: float) -> float:
    """A block's own time, drawn towards the day's as if by contacts at the day's time."""
    own = starts.sum()
    return float((own * _per_contact(on_duty, starts) + CONTACTS_PRIOR * overall) / (own + CONTACTS_PRIOR))
