"""Doctors on duty, as the log tells them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from ingest.clock import local
from ingest.events import BOARD, StaffOnDuty
from twin.state import State

Roster = tuple[tuple[int, ...], tuple[int, ...]]

SATURDAY = 5


def roster(state: State, pool: str, as_of: datetime, zone: str, days: int = 28) -> Roster | None:
    """How many of a pool are on duty by local hour, on weekdays and at weekends; None where the log tells nothing.

    An absence that people tell on the house's pages is no roster.
    """
    told = [
        (e.occurred_at, e.count)
        for e in state.places
        if isinstance(e, StaffOnDuty) and e.pool == pool and e.occurred_at <= as_of and e.source != BOARD
    ]
    if not told:
        return None
    hours: dict[tuple[bool, int], list[int]] = {}
    for at, count in _hourly(told, max(told[0][0], as_of - timedelta(days=days)), as_of):
        there = local(at, zone)
        hours.setdefault((there.weekday() >= SATURDAY, there.hour), []).append(count)
    overall = int(np.median([count for _, count in told]))
    weekday, weekend = (
        tuple(int(np.median(hours.get((end, hour), [overall]))) for hour in range(24)) for end in (False, True)
    )
    return weekday, weekend


def on_duty_at(doctors: Roster, local_time: datetime) -> int:
    """How many a roster has on duty at a local time."""
    return doctors[local_time.weekday() >= SATURDAY][local_time.hour]


def _hourly(told: list[tuple[datetime, int]], start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    at = start.replace(minute=30, second=0, microsecond=0)
    i = 0
    while at < end:
        while i + 1 < len(told) and told[i + 1][0] <= at:
            i += 1
        if told[i][0] <= at:
            yield at, told[i][1]
        at += timedelta(hours=1)
